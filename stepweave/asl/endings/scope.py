"""`ScopeEnding`: the end of a body: how the item or the round of its node ended."""

from __future__ import annotations

from typing import Any

from stepweave.asl import names
from stepweave.asl.conditions import Upstream
from stepweave.asl.frames import Element
from stepweave.asl.scene import Scene
from stepweave.asl.scopes import letters
from stepweave.asl.scopes.binding import bind, is_expression
from stepweave.asl.scopes.scope import Scope
from stepweave.asl.scopes.values import object_text, value_text
from stepweave.asl.states import State


class ScopeEnding:
    """States after the last element of a body: failed if a leaf failed, skipped if what it returns was skipped."""

    def __init__(self, scene: Scene, scope: Scope) -> None:
        self.scene, self.scope, self.reads = scene, scope, scene.reads
        self._output = self._outcome()
        self._used = False

    def close(self, last: Element, state: State, record: Any) -> None:
        """Gives ``state`` its transition after success of ``last``, the last element."""
        if self._ends_clean(last):
            state["Output"] = self._success(last, record)
        else:
            state["Next"] = self.entry()
            return
        state["End"] = True
        state.pop("Assign", None)  # nothing comes after that could read it

    def entry(self) -> str:
        """Where a path goes on that jumped to the end."""
        self._used = True
        return names.end_of(self.scope.node)

    def states(self) -> dict[str, State]:
        """The state of the end, if any path leads there."""
        if not self._used:
            return {}
        return {names.end_of(self.scope.node): {"Type": "Pass", "Output": self._output, "End": True}}

    def _ends_clean(self, last: Element) -> bool:
        """Whether the body has succeeded when its last element has, and its record can tell the rest."""
        return last.kind == "run" and self.reads.leaves == (last.task,) and self.scope.returns == (last.task,)

    def _success(self, last: Element | None = None, record: Any = None) -> Any:
        if self.scope.is_item:
            return letters.SUCCESS
        fields = self._fields()
        if last is not None and isinstance(record, str) and is_expression(record):
            own = record.removeprefix("{% ").removesuffix(" %}")
            fields = bind(fields, {names.variable(last.task): f"({own})"})
        return {"status": "success", **fields}

    def _outcome(self) -> Any:
        deciding = self._upstream(self.reads.deciding)
        returned = ", ".join(self._upstream(self.scope.returns).records)
        failed = f"{deciding.failed()} > 0"
        skipped = f"$count([{returned}][status = 'skipped']) = {len(self.scope.returns)}"
        if self.scope.is_item:
            return f"{{% {failed} ? 'f' : {skipped} ? 'k' : 's' %}}"
        status = f"{failed} ? 'failed' : {skipped} ? 'skipped' : 'success'"
        return {"status": f"{{% {status} %}}", **self._fields()}

    def _fields(self) -> dict[str, Any]:
        if not self.scope.fields:
            return {}
        members = {key: value_text(value, self._record_of) for key, value in self.scope.fields}
        return {"fields": f"{{% {object_text(members)} %}}"}

    def _record_of(self, task: str) -> str:
        return self.scene.sight.required(task, None).expression

    def _upstream(self, tasks: tuple[str, ...]) -> Upstream:
        seen = dict.fromkeys(self.scene.sight.required(task, None) for task in tasks)
        return Upstream(tuple(seen), len(tasks))
