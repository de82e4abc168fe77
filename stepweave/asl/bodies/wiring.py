"""`Wiring`: how the states of one task are connected to the frame around them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stepweave.asl import names
from stepweave.asl.frames import Element
from stepweave.asl.jumps import Jumps
from stepweave.asl.payload import items_payload, payload
from stepweave.asl.scene import Scene
from stepweave.asl.scopes.fields import item_parts
from stepweave.asl.states import State
from stepweave.graph.model import Task
from stepweave.planning.needs import is_strict, ruled_by
from stepweave.planning.placement import Placement
from stepweave.planning.waiting import awaits_all

Proceed = Callable[[Element, State, Any], State]
"""Gives a state its transition after success of an element, whose own record it knows."""

EmitBody = Callable[[Scene], dict[str, Any]]
"""Emits the body of a node: ``{"StartAt", "States"}``."""


class Wiring:
    """One task's place in its frame."""

    def __init__(
        self, scene: Scene, element: Element, jumps: Jumps, proceed: Proceed, emit_body: EmitBody
    ) -> None:
        self.scene, self.element, self.jumps = scene, element, jumps
        self._proceed, self.emit_body = proceed, emit_body

    @property
    def task(self) -> Task:
        return self.scene.task(self.element)

    @property
    def placement(self) -> Placement:
        return self.scene.placements[self.element.task]

    @property
    def fail_fast(self) -> bool:
        """No failure is caught: the first one ends the run."""
        return self.scene.fail_fast

    def event(self) -> dict[str, Any]:
        """The event of the task."""
        event = payload(
            self.task,
            places=self.scene.places,
            inline_bytes=self.scene.budgets.of(self.task.id),
            record_of=self.record_of,
            useful_record_of=self.useful_record_of,
            upstream=self._upstream_statuses(),
        )
        if self.scene.scope is not None and self.scene.scope.is_staged:
            event["stage"] = True
        return event

    def items_event(self) -> dict[str, Any]:
        """The event that counts the items of a mapped node."""
        return items_payload(
            self.task,
            places=self.scene.places,
            parts=item_parts(self.task),
            record_of=self.record_of,
            useful_record_of=self.useful_record_of,
        )

    def record_of(self, upstream: str) -> str:
        """JSONata for the record of a task that is read here."""
        return self.scene.sight.required(upstream, self.element).expression

    def useful_record_of(self, upstream: str) -> str | None:
        """JSONata for the record of a task, if it is at hand here."""
        if not awaits_all(self.task):
            return None  # it may not have ended: the runtime looks whether it left a value
        return self.scene.sight.useful(upstream, self.element, self.scene.tolerant)

    def _upstream_statuses(self) -> dict[str, str] | None:
        """Records of upstream tasks whose status the runtime is told; None where all of them succeeded."""
        if is_strict(self.task):
            return None
        looked_at = ruled_by(self.scene.graph, self.task)
        seen = {upstream: self.scene.sight.required(upstream, self.element) for upstream in looked_at}
        return {
            upstream: self.record_of(upstream) for upstream, record in seen.items() if not record.is_tally
        }

    def succeed(self, state: State, record: Any) -> None:
        """After ``state`` the task has succeeded with ``record``: it is assigned if it is read, and control goes on."""
        if self.element in self.scene.reads.used:
            state["Assign"] = {**state.get("Assign", {}), names.variable(self.element.task): record}
        self._proceed(self.element, state, record)

    def catch(self, state: State) -> None:
        """A failure of ``state`` is the task's; where the first one ends the run, only a skip is."""
        state["Catch"] = self.jumps.catch(self.element)

    def jump(self, own: dict[str, Any], stop: dict[str, Any]) -> tuple[dict[str, Any], str]:
        """What to assign and where to go when the task ended with the record ``own``, which is no success.

        ``stop`` is the record of what cannot run any more because of it.
        """
        return self.jumps.jump(self.element, stop, own)
