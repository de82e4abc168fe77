"""Events as a state machine sends them."""

from __future__ import annotations

import json
from typing import Any

MODULE = "tests.runtime.sample_tasks"


def event(task: str, function: str = "echo", args: Any = None, **parts: Any) -> Any:
    """The event of ``task`` in the run ``r1`` of the DAG ``sales``; ``run`` is merged, other parts are as given."""
    run = {
        "dag": "sales",
        "id": "r1",
        "params": {},
        "resume": False,
        "logical_date": None,
        **parts.pop("run", {}),
    }
    made = {
        "task": task,
        "call": f"{MODULE}:{function}",
        "run": run,
        "args": json.dumps(args or {}),
        "inline": 4096,
    }
    return {**made, **parts}
