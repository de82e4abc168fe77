"""`DagEnding`: the end of a DAG's root machine: failed if a leaf failed, naming the tasks with which it began."""

from __future__ import annotations

from typing import Any

from stepweave.asl import conditions, names
from stepweave.asl.conditions import Upstream
from stepweave.asl.frames import Element
from stepweave.asl.scene import Scene
from stepweave.asl.states import State
from stepweave.asl.text import comment

SUCCESS = {"run_id": "{% $run.id %}", "status": "success"}
"""Output of a run that succeeded."""


class DagEnding:
    """States after the last element. Made before the elements are emitted: it reads what they assign."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.reads = scene, scene.reads
        self._outcome = {} if scene.fail_fast else self._states()
        self._used = False

    def close(self, last: Element, state: State, record: Any) -> None:
        """Gives ``state`` its transition after success of ``last``, the last element."""
        if self._ends_clean(last):
            state["Output"] = SUCCESS
            state["End"] = True
            state.pop("Assign", None)  # nothing comes after that could read it
        else:
            state["Next"] = self.entry()

    def entry(self) -> str:
        """Where a path goes on that jumped to the end."""
        self._used = True
        return names.OUTCOME

    def states(self) -> dict[str, State]:
        """The states of the end, if any path leads there."""
        return self._outcome if self._used else {}

    def _ends_clean(self, last: Element) -> bool:
        """Whether the run has succeeded when its last element has."""
        return self.scene.fail_fast or (last.kind == "run" and self.reads.leaves == (last.task,))

    def _states(self) -> dict[str, State]:
        seen = dict.fromkeys(self.scene.sight.required(task, None) for task in self.reads.deciding)
        upstream = Upstream(tuple(seen), len(self.reads.deciding))
        return {
            names.OUTCOME: {
                "Type": "Choice",
                "Comment": comment(f"leaves: {', '.join(self.reads.leaves[: conditions.MAX_NAMED])}"),
                "Choices": [{"Condition": f"{{% {upstream.failed()} = 0 %}}", "Next": names.SUCCEEDED}],
                "Default": names.FAILED,
            },
            names.SUCCEEDED: {"Type": "Succeed", "Output": SUCCESS},
            names.FAILED: {
                "Type": "Fail",
                "Error": "DagRunFailed",
                "Cause": f"{{% 'failed: ' & $join({upstream.by()}, ', ') %}}",
            },
        }
