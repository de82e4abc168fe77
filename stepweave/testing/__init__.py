"""State machines in tests: run them with Python fakes, and look at what they did.

    from stepweave.testing import Error, run_machine

    run = run_machine("orders.asl.json", input={"total": 20}, fakes={"Charge card": Error("CardDeclined")})
    assert run.path == ["Validate", "Charge card", "Refuse"]

With pytest the fixture ``stepweave_engine`` does the same, and shows what happened where a test fails.
"""

from stepweave.testing.fakes import Error
from stepweave.testing.running import run_machine
from stepweave.testing.runs import MachineRun
from stepweave.testing.states import StateRun, run_state

__all__ = ["Error", "MachineRun", "StateRun", "run_machine", "run_state"]
