"""What an element does before its body: check its upstream tasks, wait at its gate."""

from __future__ import annotations

from stepweave.asl import conditions, names
from stepweave.asl.bodies.choose import entry_of
from stepweave.asl.conditions import Asked, Upstream
from stepweave.asl.frames import Element
from stepweave.asl.scene import Scene
from stepweave.asl.sight import Seen


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
        return self.scene.task(element).trigger_rule if element.task else "all_success"

    def condition(self, element: Element) -> str | None:
        """When ``element`` may begin; None if control reaches it only then."""
        asked = self.asked(element)
        pending = self.scene.reads.pending.get(element)
        if not pending:
            return conditions.guarded(asked, None)
        return conditions.guarded(asked, conditions.met(self.rule(element), self.upstream(element)))

    def status_if_stopped(self, element: Element) -> str:
        """Expression for the status of ``element`` where its condition is not met."""
        upstream = self.upstream(element)
        # Without upstream tasks it is always a guard that stops.
        rule_status = (
            conditions.status_if_not_met(self.rule(element), upstream) if upstream.seen else "'skipped'"
        )
        return conditions.status_if_stopped(self.asked(element), rule_status)

    def asked(self, element: Element) -> tuple[Asked, ...]:
        """The guards that ``element`` asks."""
        guards = self.scene.layout.guards.get(element.task, ()) if element.task else ()
        return tuple(
            Asked(self.scene.sight.required(guard.decider, element).expression, guard) for guard in guards
        )

    def upstream(self, element: Element) -> Upstream:
        pending = self.scene.reads.pending.get(element, ())
        seen = dict.fromkeys(self.scene.sight.required(task, element) for task in pending)
        return Upstream(tuple(seen), len(pending))

    def causes(self, element: Element) -> str:
        """Expression for the tasks because of which ``element`` may not run."""
        deciders = tuple(Seen(asked.record) for asked in self.asked(element))
        upstream = self.upstream(element)
        return Upstream(tuple(dict.fromkeys((*deciders, *upstream.seen))), upstream.total).by()
