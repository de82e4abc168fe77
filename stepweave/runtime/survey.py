"""`survey(specs)`: what the arguments of a task refer to."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from stepweave.runtime.lazily import part


@dataclass(slots=True)
class Survey:
    """What the specs refer to."""

    tasks: dict[tuple[str, int], None] = field(default_factory=dict)
    """Task and depth of its index path."""
    params: set[str] = field(default_factory=set)
    scoped: bool = False
    """Whether a spec is of a mapped node, a loop or a nested DAG."""


def survey(specs: Collection[Any]) -> Survey:
    """What ``specs`` refer to, in the order written."""
    found = Survey()
    stack = list(specs)[::-1]
    while stack:
        spec = stack.pop()
        if "v" in spec:
            continue
        if "t" in spec:
            found.tasks[spec["t"], spec.get("d", 0)] = None
        elif "r" in spec:
            found.params.add(spec["r"])
        elif "l" in spec:
            stack.extend(reversed(spec["l"]))
        elif type(spec.get("d")) is dict:
            stack.extend(reversed(spec["d"].values()))
        elif "x" not in spec or "last" in spec:
            found.scoped = True
            stack.extend(part("scoped").inside(spec))
    return found
