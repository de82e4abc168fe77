"""State machines in tests: run them with Python fakes, and look at what they did.

    from stepweave.testing import Error, run_machine

    run = run_machine("orders.asl.json", input={"total": 20}, fakes={"Charge card": Error("CardDeclined")})
    assert run.path == ["Validate", "Charge card", "Refuse"]

With pytest the fixture ``stepweave_engine`` does the same, and shows what happened where a test fails.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stepweave.engine.integrations.aws_services import AwsServices
    from stepweave.testing.fakes import Error
    from stepweave.testing.fixture import StepweaveEngine
    from stepweave.testing.running import run_machine
    from stepweave.testing.runs import MachineRun
    from stepweave.testing.states import StateRun, run_state

__all__ = ["AwsServices", "Error", "MachineRun", "StateRun", "StepweaveEngine", "run_machine", "run_state"]

_MODULES = {
    "AwsServices": "engine.integrations.aws_services",
    "Error": "testing.fakes",
    "MachineRun": "testing.runs",
    "StateRun": "testing.states",
    "StepweaveEngine": "testing.fixture",
    "run_machine": "testing.running",
    "run_state": "testing.states",
}


def __getattr__(name: str) -> Any:
    """A name of ``__all__``, imported when it is first asked for.

    pytest loads the plugin, and so this package, in every suite: those without state machines pay for no engine.
    """
    if name not in _MODULES:
        raise AttributeError(f"module 'stepweave.testing' has no attribute {name!r}")
    found = getattr(importlib.import_module(f"stepweave.{_MODULES[name]}"), name)
    globals()[name] = found
    return found
