"""What an element does before its body: check its upstream tasks, wait at its gate."""

from __future__ import annotations

from stepweave.asl import conditions, names
from stepweave.asl.bodies.choose import entry_of
from stepweave.asl.conditions import Upstream
from stepweave.asl.frames import Element
from stepweave.asl.scene import Scene


class Checks:
    """The states of an element up to its body, by name, and the conditions of its check."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self._steps: dict[Element, tuple[str, ...]] = {}

    def entry(self, element: Element) -> str:
        """Name of the first state of ``element``."""
        return self.steps(element)[0]

    def after(self, element: Element, name: str) -> str:
        """Name of the state after ``name`` within ``element``."""
        steps = self.steps(element)
        return steps[steps.index(name) + 1]

    def steps(self, element: Element) -> tuple[str, ...]:
        """States up to the body of ``element``: a strict one checks, then waits; a tolerant one waits first."""
        found = self._steps.get(element)
        if found is None:
            check = [names.ready(element.label)] if self.condition(element) is not None else []
            gate = [names.gate(element.label)] if element.gate is not None else []
            order = gate + check if element.tolerant else check + gate
            found = self._steps[element] = (*order, self._body_entry(element))
        return found

    def _body_entry(self, element: Element) -> str:
        if element.signal is not None:
            return names.signal(element.label)
        if element.kind != "run":
            return element.label
        return entry_of(self.scene.task(element), self.scene.placements[element.task])

    def rule(self, element: Element) -> str:
        return self.scene.task(element).trigger_rule if element.kind == "run" else "all_success"

    def condition(self, element: Element) -> str | None:
        """When ``element`` may begin; None if control reaches it only then."""
        if self.scene.fail_fast or not self.scene.reads.pending.get(element):
            return None
        return conditions.met(self.rule(element), self.upstream(element))

    def upstream(self, element: Element) -> Upstream:
        pending = self.scene.reads.pending[element]
        seen = dict.fromkeys(self.scene.sight.required(task, element) for task in pending)
        return Upstream(tuple(seen), len(pending))
