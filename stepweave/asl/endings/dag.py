"""`DagEnding`: the end of a DAG's root machine: failed if a leaf failed, naming the tasks with which it began.

    run failed? ┬ no ─────────────────────────────▶ (run succeeded: notice) ──────────────▶ run succeeded
                ├ yes, and it may go on by itself ─▶ the first element, as a resumed run
                └ yes ─▶ (undo of each compensated task, the last first) ─▶ (run failed: notice) ─▶ run failed

What is in parentheses is there only if the DAG asks for it. A run that ends with its only leaf skips the Choice.
Price: 1 for the Choice where it is needed, 1 for each notice, 1 for each undo, 0 for going on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stepweave.asl import conditions, names, states
from stepweave.asl.conditions import Upstream
from stepweave.asl.endings.compensation import NOT_UNDONE, compensated, undoing
from stepweave.asl.failures import ALL_ERRORS
from stepweave.asl.frames import Element
from stepweave.asl.scene import Scene
from stepweave.asl.states import RUN_TRIES, State
from stepweave.asl.text import comment
from stepweave.errors import TASKS_FAILED

SUCCESS = {"run_id": "{% $run.id %}", "status": "success"}
"""Output of a run that succeeded."""


class DagEnding:
    """States after the last element. Made before the elements are emitted: it reads what they assign."""

    def __init__(self, scene: Scene, first: Callable[[], str]) -> None:
        """``first`` names the state in which the first element begins."""
        self.scene, self.reads, self.dag = scene, scene.reads, scene.graph.dag
        self._first = first
        # Where the first failure ends the run, whoever arrives here has met none.
        self._outcome = self._success() if scene.fail_fast else self._states()
        self._used = False

    def close(self, last: Element, state: State, record: Any) -> None:
        """Gives ``state`` its transition after success of ``last``, the last element."""
        if not self._ends_clean(last):
            state["Next"] = self.entry()
            return
        state.pop("Assign", None)  # nothing comes after that could read it
        if self.dag.on_success:
            state["Next"] = names.notice(names.SUCCEEDED)
        else:
            state["Output"] = SUCCESS
            state["End"] = True

    def entry(self) -> str:
        """Where a path goes on that jumped to the end."""
        self._used = True
        return next(iter(self._outcome))

    def states(self) -> dict[str, State]:
        """The states of the end, as far as a path leads there."""
        if not self._used:
            return self._success() if self.dag.on_success else {}
        if self.dag.retries:
            self._outcome[names.OUTCOME]["Choices"].append(self._going_on())
        return self._outcome

    def _ends_clean(self, last: Element) -> bool:
        """Whether the run has succeeded when its last element has."""
        return self.scene.fail_fast or (last.kind == "run" and self.reads.leaves == (last.task,))

    def _states(self) -> dict[str, State]:
        seen = dict.fromkeys(self.scene.sight.required(task, None) for task in self.reads.deciding)
        upstream = Upstream(tuple(seen), len(self.reads.deciding))
        success, failure = self._success(), self._failure(upstream.by())
        choice: State = {
            "Type": "Choice",
            "Comment": comment(f"leaves: {', '.join(self.reads.leaves[: conditions.MAX_NAMED])}"),
            "Choices": [{"Condition": f"{{% {upstream.failed()} = 0 %}}", "Next": next(iter(success))}],
            "Default": next(iter(failure)),
        }
        if compensated(self.scene.graph):
            choice["Assign"] = {NOT_UNDONE: []}
        return {names.OUTCOME: choice, **success, **failure}

    def _success(self) -> dict[str, State]:
        found: dict[str, State] = {}
        if self.dag.on_success:
            found |= self._notice("on_success", self.dag.on_success, "success", [], names.SUCCEEDED)
        return {**found, names.SUCCEEDED: {"Type": "Succeed", "Output": SUCCESS}}

    def _failure(self, by: str) -> dict[str, State]:
        told: dict[str, State] = {}
        if self.dag.on_failure:
            told = self._notice("on_failure", self.dag.on_failure, "failed", f"{{% {by} %}}", names.FAILED)
        cause = f"'failed: ' & $join({by}, ', ')"
        most = self.dag.max_failed_tasks
        if most is not None:
            # What was not begun for this reason has not failed; those that did are further up.
            stopped = f"'stopped: more than {most} tasks failed'"
            cause = f"($count({by}) = 0 ? {stopped} : {cause})"
        found: dict[str, State] = {}
        if compensated(self.scene.graph):
            found = undoing(self.scene, next(iter(told), names.FAILED))
            left = f"$count(${NOT_UNDONE}) > 0 ? '; not undone: ' & $join(${NOT_UNDONE}, ', ') : ''"
            cause = f"{cause} & ({left})"
        end: State = {"Type": "Fail", "Error": TASKS_FAILED, "Cause": f"{{% {cause} %}}"}
        return {**found, **told, names.FAILED: end}

    def _notice(self, task: str, call: str, status: str, by: Any, end: str) -> dict[str, State]:
        """The state that tells a function of the user's how the run ended; its own failure changes nothing."""
        event = {
            "task": task,
            "call": call,
            "run": "{% $run %}",
            "attempt": "{% $states.context.State.RetryCount %}",
            "notice": {"status": status, "by": by},
        }
        state = states.notice(task, event)
        state["Catch"] = [{"ErrorEquals": errors, "Next": end} for errors in ALL_ERRORS]
        state["Next"] = end
        return {names.notice(end): state}

    def _going_on(self) -> dict[str, Any]:
        """The rule by which a failed run goes on from its successes, with gates of its own."""
        run = "$merge([$run, {'resume': true, 'execution': $run.execution & '~1'}])"
        return {
            "Condition": f"{{% ${RUN_TRIES} < {self.dag.retries} %}}",
            "Assign": {"run": f"{{% {run} %}}", RUN_TRIES: f"{{% ${RUN_TRIES} + 1 %}}"},
            "Next": self._first(),
        }
