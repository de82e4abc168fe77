"""What happens when a task does not succeed.

Control *jumps* to the next element of its frame that may still run, else to the frame's end. The jump assigns
the records of what it passes over, as far as they are read later, and tells the gates of other branches that
wait for it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from stepweave.asl import names, states
from stepweave.asl.frames import Element, Frame
from stepweave.asl.scene import Scene
from stepweave.asl.states import State
from stepweave.planning.model import Signal

ERROR = "$states.errorOutput.Error"
SKIPPED_OR = f"{ERROR} = 'Skip' ? 'skipped' : "
ALL_ERRORS = (["States.DataLimitExceeded"], ["States.ALL"])
"""``States.ALL`` does not match DataLimitExceeded
(https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html)."""


class Jumps:
    """Failure paths of one frame."""

    def __init__(
        self, scene: Scene, frame: Frame, entry: Callable[[Element], str], end: Callable[[], str]
    ) -> None:
        self.scene, self.frame, self.reads = scene, frame, scene.reads
        self.entry, self.end = entry, end
        self.telling: list[Element] = []
        """Elements with signals for gates outside of them."""
        self.messages: dict[Element, tuple[Signal, ...]] = {}
        for element in frame.elements:
            messages = self._outside_messages(element)
            if messages:
                self.messages[element] = messages
                self.telling.append(element)
        self.kept = [e for e in frame.elements if e.kind != "notify" and self._is_kept(e)]
        self.landings = {element.low: element for element in frame.elements if element.tolerant}
        self.told: set[Element] = set()

    def catch(self, element: Element) -> list[dict[str, Any]]:
        """Catchers of a task, or of a nested machine as a whole."""
        by = [element.task or element.frames[0].machine]
        stop = {"status": f"{{% {SKIPPED_OR}'upstream_failed' %}}", "by": by}
        own = {"status": f"{{% {SKIPPED_OR}'failed' %}}", "by": by, "error": f"{{% {ERROR} %}}"}
        return [self.catcher(errors, element, stop, own) for errors in ALL_ERRORS]

    def catch_at_gate(self, element: Element) -> list[dict[str, Any]]:
        """Catchers of the gate of ``element``; a strict gate refuses when what it waits for did not succeed."""
        assert element.gate is not None
        catch = []
        if not element.tolerant:
            refused = {
                "status": f"{{% {ERROR} = 'UpstreamSkipped' ? 'skipped' : 'upstream_failed' %}}",
                "by": "{% $parse($states.errorOutput.Cause).by %}",
            }
            catch.append(self.catcher(["UpstreamFailed", "UpstreamSkipped"], element, refused, None))
        broken = {"status": "upstream_failed", "by": [element.gate.gate]}
        return catch + [self.catcher(errors, element, broken, None) for errors in ALL_ERRORS]

    def catcher(
        self, errors: list[str], element: Element, stop: Mapping[str, Any], own: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        assign, target = self.jump(element, stop, own)
        return {"ErrorEquals": errors, **({"Assign": assign} if assign else {}), "Next": target}

    def jump(
        self, element: Element, stop: Mapping[str, Any], own: Mapping[str, Any] | None
    ) -> tuple[dict[str, Any], str]:
        """What to assign and where to go when ``element`` did not succeed.

        ``stop`` is the record of what cannot run any more, ``own`` that of the element itself if it did run.
        """
        landing = self.scene.tolerant.landing(element)
        assign: dict[str, Any] = {}
        for jumped in self._from(self.kept, element, landing):
            record = own if jumped is element and own is not None else stop
            assign.update(self._records_of_skipped(jumped, record, landing))
        told = next(self._from(self.telling, element, landing), None)
        if told is None:
            return assign, self._landing_entry(landing)
        self.told.update(self._from(self.telling, element, landing))
        assign[self._stop_variable()] = dict(stop)
        return assign, names.not_run_signal(told.label)

    def _from(self, elements: Sequence[Element], first: Element, landing: int) -> Iterator[Element]:
        """Those of ``elements`` that a jump from ``first`` to ``landing`` passes over."""
        for index in range(bisect_left(elements, first.index, key=lambda e: e.index), len(elements)):
            if elements[index].low >= landing:
                return
            yield elements[index]

    def _is_kept(self, element: Element) -> bool:
        """Whether a record of ``element`` is read where a jump over it lands, or later."""
        landing, last = self.scene.tolerant.landing(element), self.reads.last_required
        if element.kind == "run":
            return last.get(self.reads.tally.get(element.task, element.task), -1) >= landing
        return any(
            last.get(k, -1) >= landing for frame in element.frames for k in self.reads.exports.get(frame, ())
        )

    def _records_of_skipped(self, jumped: Element, record: Mapping[str, Any], landing: int) -> dict[str, Any]:
        """Assignments for the records of ``jumped`` that are read at or after ``landing``."""
        last = self.reads.last_required
        if jumped.kind == "run":
            self.reads.used.add(jumped)
            return {names.variable(jumped.task): dict(record)}
        kept: dict[str, Any] = {}
        for frame in jumped.frames:
            for key in self.reads.exports.get(frame, ()):
                if last.get(key, -1) >= landing:
                    kept[key] = (
                        self._tally_of_skipped(jumped, key, record) if key.startswith("#") else dict(record)
                    )
        self.reads.used.add(jumped)
        return {jumped.variable: kept}

    def _tally_of_skipped(self, jumped: Element, key: str, record: Mapping[str, Any]) -> dict[str, Any]:
        count = self.reads.count(jumped, key)
        status = str(record["status"]).removeprefix("{% ").removesuffix(" %}")
        failed = count if status == "upstream_failed" else f"{{% ({status}) = 'skipped' ? 0 : {count} %}}"
        return {"n": count, "f": failed, "by": record["by"]}

    def _landing_entry(self, landing: int) -> str:
        element = self.landings.get(landing)
        return self.entry(element) if element is not None else self.end()

    def _outside_messages(self, element: Element) -> tuple[Signal, ...]:
        """Signals inside ``element`` for gates outside of it."""
        inside = self.scene.sent
        found = []
        for index in range(bisect_left(inside, element.low, key=lambda sent: sent.low), len(inside)):
            sent = inside[index]
            if sent.low >= element.high:
                break
            if sent.first_gate < element.low or sent.last_gate >= element.high:
                gates = (
                    gate
                    for gate, low in zip(sent.signal.gates, sent.gates, strict=True)
                    if not element.low <= low < element.high
                )
                found.append(Signal(sent.signal.groups, tuple(gates)))
        return tuple(found)

    def _stop_variable(self) -> str:
        return f"stop_{self.frame.low}"

    def not_run_signal(self, element: Element) -> dict[str, State]:
        landing = self.scene.tolerant.landing(element)
        after = next((e for e in self._from(self.telling, element, landing) if e is not element), None)
        target = names.not_run_signal(after.label) if after is not None else self._landing_entry(landing)
        state = states.signal_not_run(self.messages[element], "{% $" + self._stop_variable() + " %}")
        state["Catch"] = [{"ErrorEquals": errors, "Next": target} for errors in ALL_ERRORS]
        state["Next"] = target
        return {names.not_run_signal(element.label): state}
