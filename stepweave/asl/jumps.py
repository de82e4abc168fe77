"""What happens when a task does not succeed.

Control *jumps* to the next element of its frame that may still run, else to the frame's end. The jump assigns
the records of what it passes over, as far as they are read later, and tells the gates of other branches that
wait for it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from stepweave.asl import failures, names, states
from stepweave.asl.failures import ALL_ERRORS, ERROR
from stepweave.asl.frames import Element, Frame
from stepweave.asl.scene import Scene
from stepweave.asl.states import State
from stepweave.planning.model import Signal


class Jumps:
    """Failure paths of one frame."""

    def __init__(
        self,
        scene: Scene,
        frame: Frame,
        entry: Callable[[Element], str],
        end: Callable[[], str],
        outer: Jumps | None = None,
    ) -> None:
        """``outer``: the jumps of the frame around an inline one, where a jump out of it goes on."""
        self.scene, self.frame, self.reads = scene, frame, scene.reads
        self.outer = outer if frame.is_inline else None
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
        """Catchers of a task, or of a nested machine as a whole; a skip alone where a failure ends the run."""
        if self.scene.fail_fast:
            if element.kind == "call":
                return []
            ended = failures.skipped(element.task)
            return [self.catcher([failures.SKIP], element, ended.stop, ended.own)]
        if element.kind == "run":
            task, dag = self.scene.task(element), self.scene.graph.dag
            stoppable = dag.max_failed_tasks is not None
            ended = failures.failed(task.id, optional=task.optional, stoppable=stoppable)
        else:
            ended = failures.failed(element.frames[0].machine)
        return [self.catcher(errors, element, ended.stop, ended.own) for errors in ALL_ERRORS]

    def catch_at_gate(self, element: Element) -> list[dict[str, Any]]:
        """Catchers of the gate of ``element``; a strict gate refuses when what it waits for did not succeed."""
        assert element.gate is not None
        catch = []
        if not element.tolerant:
            refused = {
                "status": f"{{% {ERROR} = 'UpstreamSkipped' ? 'skipped' : 'upstream_failed' %}}",
                "by": "{% $parse($states.errorOutput.Cause).by %}",
            }
            refusals = ["UpstreamSkipped"] if self.scene.fail_fast else ["UpstreamFailed", "UpstreamSkipped"]
            catch.append(self.catcher(refusals, element, refused, None))
        if self.scene.fail_fast:
            return catch
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
        return self._jump(element.index, self.scene.tolerant.landing(element), stop, element, own)

    def jump_past(self, element: Element, stop: Mapping[str, Any]) -> tuple[dict[str, Any], str]:
        """What to assign and where to go when nothing that follows ``element`` directly can run."""
        return self._jump(element.index + 1, self.scene.tolerant.landing(element), stop)

    def _jump(
        self,
        first: int,
        landing: int,
        stop: Mapping[str, Any],
        element: Element | None = None,
        own: Mapping[str, Any] | None = None,
    ) -> tuple[dict[str, Any], str]:
        assign: dict[str, Any] = {}
        for _, jumped in self._passed("kept", first, landing):
            record = own if jumped is element and own is not None else stop
            assign.update(self.records_of_skipped(jumped, record, landing))
        told = list(self._passed("telling", first, landing))
        if not told:
            return assign, self._landing_entry(landing)
        for jumps, one in told:
            jumps.told.add(one)
        assign[self._stop_variable()] = dict(stop)
        if element is not None and own is not None and self.scene.layout.exact:
            # Some rules tell a task that failed from one that could not run.
            assign[self._stop_variable()]["own"] = {"task": element.task, "status": own["status"]}
        return assign, names.not_run_signal(told[0][1].label)

    def _passed(
        self, which: Literal["kept", "telling"], first: int, landing: int
    ) -> Iterator[tuple[Jumps, Element]]:
        """The elements of one kind that a jump from index ``first`` to ``landing`` passes over, and whose they are."""
        elements = self.kept if which == "kept" else self.telling
        for index in range(bisect_left(elements, first, key=lambda e: e.index), len(elements)):
            if elements[index].low >= landing:
                return
            yield self, elements[index]
        if self.outer is not None and self.frame.holder is not None:
            yield from self.outer._passed(which, self.frame.holder.index + 1, landing)

    def _is_kept(self, element: Element) -> bool:
        """Whether a record of ``element`` is read where a jump over it lands, or later."""
        landing = self.scene.tolerant.landing(element)
        if element.kind == "choose":
            inside = (inner for frame in element.frames for inner in frame.flat())
            return self._is_read(element.task, landing) or any(
                self._is_read(inner.task, landing) if inner.task else self._hands_out(inner, landing)
                for inner in inside
            )
        return self._is_read(element.task, landing) if element.task else self._hands_out(element, landing)

    def _is_read(self, task: str, landing: int) -> bool:
        return self.reads.last_required.get(self.reads.tally.get(task, task), -1) >= landing

    def _hands_out(self, element: Element, landing: int) -> bool:
        last = self.reads.last_required
        return any(
            last.get(k, -1) >= landing for frame in element.frames for k in self.reads.exports.get(frame, ())
        )

    def records_of_skipped(self, jumped: Element, record: Mapping[str, Any], landing: int) -> dict[str, Any]:
        """Assignments for the records of ``jumped`` that are read at or after ``landing``."""
        last = self.reads.last_required
        if jumped.kind == "run":
            self.reads.used.add(jumped)
            return {names.variable(jumped.task): dict(record)}
        if jumped.kind == "choose":
            return self._records_of_cases(jumped, record, landing)
        kept: dict[str, Any] = {}
        for frame in jumped.frames:
            for key in self.reads.exports.get(frame, ()):
                if last.get(key, -1) >= landing:
                    kept[key] = (
                        self._tally_of_skipped(jumped, key, record) if key.startswith("#") else dict(record)
                    )
        self.reads.used.add(jumped)
        return {jumped.variable: kept}

    def _records_of_cases(self, jumped: Element, record: Mapping[str, Any], landing: int) -> dict[str, Any]:
        """Assignments for the records of a condition and all its cases."""
        assign: dict[str, Any] = {}
        if self._is_read(jumped.task, landing):
            self.reads.used.add(jumped)
            assign[names.variable(jumped.task)] = dict(record)
        for frame in jumped.frames:
            assign.update(self.records_of_frame(frame, record, landing))
        return assign

    def records_of_frame(self, frame: Frame, record: Mapping[str, Any], landing: int) -> dict[str, Any]:
        """Assignments for the records of a case that is not entered."""
        assign: dict[str, Any] = {}
        for inner in frame.elements:
            if inner.kind == "run" and not self._is_read(inner.task, landing):
                continue
            assign.update(self.records_of_skipped(inner, record, landing))
        return assign

    def _tally_of_skipped(self, jumped: Element, key: str, record: Mapping[str, Any]) -> dict[str, Any]:
        count = self.reads.count(jumped, key)
        status = str(record["status"]).removeprefix("{% ").removesuffix(" %}")
        failed = count if status == "upstream_failed" else f"{{% ({status}) = 'skipped' ? 0 : {count} %}}"
        return {"n": count, "f": failed, "by": record["by"]}

    def _landing_entry(self, landing: int) -> str:
        element = self.landings.get(landing)
        if element is not None:
            return self.entry(element)
        return self.outer._landing_entry(landing) if self.outer is not None else self.end()

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
        return f"stop_{self.frame.scope().low}"

    def not_run_signal(self, element: Element) -> dict[str, State]:
        landing = self.scene.tolerant.landing(element)
        after = next((e for _, e in self._passed("telling", element.index + 1, landing)), None)
        target = names.not_run_signal(after.label) if after is not None else self._landing_entry(landing)
        state = states.signal_not_run(self.messages[element], "{% $" + self._stop_variable() + " %}")
        state["Catch"] = [{"ErrorEquals": errors, "Next": target} for errors in ALL_ERRORS]
        state["Next"] = target
        return {names.not_run_signal(element.label): state}
