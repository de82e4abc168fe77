"""Frames to definitions: one States object per frame, states in the order in which they run.

Elements are emitted from the last to the first, so that whoever reads a variable is known before whoever assigns it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import Any, TypeAlias

from stepweave.asl import choices, names, states
from stepweave.asl.bodies.choose import body_of
from stepweave.asl.bodies.wiring import Wiring
from stepweave.asl.checks import Checks
from stepweave.asl.endings.dag import DagEnding
from stepweave.asl.endings.ending import Ending
from stepweave.asl.endings.scope import ScopeEnding
from stepweave.asl.failures import ALL_ERRORS
from stepweave.asl.field_order import in_order
from stepweave.asl.frames import Element, Frame
from stepweave.asl.jumps import Jumps
from stepweave.asl.outputs import Outputs, joined
from stepweave.asl.scene import Scene
from stepweave.asl.states import State
from stepweave.asl.text import comment

_Emission: TypeAlias = Generator[Frame, dict[str, Any], dict[str, Any]]


def emit(scene: Scene) -> dict[str, dict[str, Any]]:
    """Definitions by machine name, the root (named ``""``) first."""
    machines: dict[str, dict[str, Any]] = {"": {}}
    _emit_frames(scene, machines)
    for name, definition in scene.further.items():
        machines[name] = {**definition, "States": in_order(definition["States"])}
    return machines


def emit_body(scene: Scene) -> dict[str, Any]:
    """``{"StartAt", "States"}`` of the body of a node."""
    return _emit_frames(scene, {})


def _emit_frames(scene: Scene, machines: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Fills ``machines`` and answers with the root frame's body.

    Frames are emitted innermost first, however deep, by a stack of suspended frame emitters.
    """
    root = scene.layout.root
    first = _FrameEmitter(scene, root)
    running: list[tuple[_FrameEmitter, _Emission]] = [(first, first.emit())]
    answer: dict[str, Any] = {}
    while running:
        emitter, emission = running[-1]
        frame = emitter.frame
        try:
            inner = emission.send(answer) if answer else next(emission)
        except StopIteration as done:
            running.pop()
            answer = done.value
            if frame.is_machine and scene.scope is None:
                machines[frame.machine].update(_machine(scene, frame, answer))
        else:
            machines.setdefault(inner.machine, {})
            next_one = _FrameEmitter(scene, inner, emitter)
            running.append((next_one, next_one.emit()))
            answer = {}
    return answer


def _machine(scene: Scene, frame: Frame, body: Mapping[str, Any]) -> dict[str, Any]:
    """The definition of a machine whose own states are ``body``."""
    info = scene.graph.dag
    definition: dict[str, Any] = {
        "Comment": comment(info.doc or info.id),
        "QueryLanguage": "JSONata",
        "StartAt": names.START,
    }
    if frame.holder is None:
        first = states.start(scene.graph)
        if info.timeout_seconds:
            definition["TimeoutSeconds"] = info.timeout_seconds
    else:
        first = states.nested_start(bool(scene.reads.inputs.get(frame.holder)))
        definition["Comment"] = f"machine {frame.machine} of {info.id}"
    first["Next"] = body["StartAt"]
    definition["States"] = {names.START: first, **body["States"]}
    return definition


def _ending(scene: Scene, first: Callable[[], str]) -> Ending:
    return DagEnding(scene, first) if scene.scope is None else ScopeEnding(scene, scene.scope)


class _FrameEmitter:
    """Emits one frame."""

    def __init__(self, scene: Scene, frame: Frame, around: _FrameEmitter | None = None) -> None:
        """``around``: the emitter of the frame that holds this one."""
        self.outer = around if frame.is_inline else None
        self.scene, self.frame, self.reads = scene, frame, scene.reads
        self.checks = Checks(scene)
        self.outputs = Outputs(scene, frame)
        outer = self.outer.jumps if self.outer is not None else None
        self.jumps: Jumps = Jumps(scene, frame, self.checks.entry, self._end_entry, outer)
        self.inner: list[dict[str, Any]] = []
        """Bodies of the frames inside the element that is being emitted."""
        self.stop_state_used = False
        # The end is made first, since it reads what the elements assign.
        self.ending: Ending | None = _ending(scene, self._first_entry) if frame.holder is None else None
        if self.ending is None and self.outer is None and self._ends_by_stopping():
            self.outputs.at_end(None)  # likewise: what the last state hands out must have been assigned

    def _first_entry(self) -> str:
        return self.checks.entry(self.frame.elements[0])

    def _ends_by_stopping(self) -> bool:
        """Whether the last element cannot be the end itself, since it chooses where to go."""
        last = self.frame.elements[-1]
        return last.kind == "choose" or self._is_condition(last)

    def _is_condition(self, element: Element) -> bool:
        return element.kind == "run" and self.scene.task(element).condition is not None

    def emit(self) -> _Emission:
        """Yields each frame inside that it needs emitted, gets its body, and returns its own."""
        chunks: list[dict[str, State]] = []
        for element in reversed(self.frame.elements):
            self.inner = []
            for frame in element.frames:
                self.inner.append((yield frame))
            chunks.append(self._element(element))
        found: dict[str, State] = {}
        for element, chunk in zip(self.frame.elements, reversed(chunks), strict=True):
            found.update(chunk)
            if element in self.jumps.told:
                found.update(self.jumps.not_run_signal(element))
        if self.stop_state_used:
            found[names.stopped(self.frame.label())] = self._stop_state()
        if self.ending is not None:
            found.update(self.ending.states())
        ordered = in_order(found)
        return {"StartAt": self.checks.entry(self.frame.elements[0]), "States": ordered}

    def _element(self, element: Element) -> dict[str, State]:
        body = self._body(element)
        found: dict[str, State] = {}
        for name in self.checks.steps(element)[:-1]:
            found[name] = self._gate(element) if name == names.gate(element.label) else self._check(element)
        found.update(body)
        return found

    # Where control goes.

    def _proceed(self, element: Element, state: State, record: Any = None) -> State:
        """``state`` with its transition after success of ``element``, whose own record it knows as ``record``."""
        if element is not self.frame.elements[-1]:
            state["Next"] = self.checks.entry(self.frame.elements[element.index + 1])
        elif self.outer is not None and self.frame.holder is not None:
            state["Next"] = self.outer._onwards(self.frame.holder)
        elif self.ending is not None:
            self.ending.close(element, state, record)
        else:
            state["Output"] = self.outputs.at_end(element, record)
            state["End"] = True
            state.pop("Assign", None)  # nothing comes after that could read it
        return state

    def _end_entry(self) -> str:
        """Where a path ends that jumped to the end of the frame."""
        if self.ending is not None:
            return self.ending.entry()
        self.stop_state_used = True
        return names.stopped(self.frame.label())

    # Bodies.

    def _body(self, element: Element) -> dict[str, State]:
        match element.kind:
            case "run":
                return self._run(element)
            case "fork":
                return {element.label: self._fork(element)}
            case "choose":
                return self._choose(element)
            case "call":
                return {element.label: self._call(element)}
            case "notify":
                return {names.signal(element.label): self._notify(element)}

    def _run(self, element: Element) -> dict[str, State]:
        if self._is_condition(element):
            return {element.task: {**choices.decided(self.scene, element), "Next": self._onwards(element)}}
        return body_of(Wiring(self.scene, element, self.jumps, self._proceed, emit_body))

    def _choose(self, element: Element) -> dict[str, State]:
        inner = dict(zip(element.cases, self.inner, strict=True))
        state = choices.choice(self.scene, element, self.jumps, {c: b["StartAt"] for c, b in inner.items()})
        found = {element.label: state}
        for body in inner.values():
            found.update(body["States"])
        return found

    def _fork(self, element: Element) -> State:
        keys = dict.fromkeys(key for frame in element.frames for key in self.reads.exports.get(frame, ()))
        state: State = {"Type": "Parallel", "Branches": self.inner}
        if element in self.reads.used and keys:
            state["Assign"] = {element.variable: joined(keys)}
        return self._proceed(element, state)

    def _call(self, element: Element) -> State:
        name = element.frames[0].machine
        inputs = {key: f"{{% {seen} %}}" for key, seen in self.reads.inputs.get(element, {}).items()}
        state = states.call(name, inputs)
        if element in self.reads.used:
            state["Assign"] = {element.variable: "{% $states.result.Output.records %}"}
        self._proceed(element, state)
        self._catch(element, state)
        return state

    def _notify(self, element: Element) -> State:
        assert element.signal is not None
        records = {}
        for group in element.signal.groups:
            seen = [self.scene.sight.required(task, element).expression for task in group]
            records[names.arrival(group)] = states.record_of_group(group, list(dict.fromkeys(seen)))
        state = states.signal(element.signal, records)
        self._proceed(element, state)
        if not self.scene.fail_fast:
            # A signal that is lost ends in the gate's timeout; the branch that sent it goes on.
            onwards = self._onwards(element)
            state["Catch"] = [{"ErrorEquals": errors, "Next": onwards} for errors in ALL_ERRORS]
        return state

    def _onwards(self, element: Element) -> str:
        """Where control goes after ``element``, by a state that cannot be the last of its frame."""
        if element is self.frame.elements[-1]:
            if self.outer is not None and self.frame.holder is not None:
                return self.outer._onwards(self.frame.holder)
            return self._end_entry()
        return self.checks.entry(self.frame.elements[element.index + 1])

    def _catch(self, element: Element, state: State) -> None:
        caught = self.jumps.catch(element)
        if caught:
            state["Catch"] = caught

    # Checks and gates.

    def _check(self, element: Element) -> State:
        stop = {
            "status": f"{{% {self.checks.status_if_stopped(element)} %}}",
            "by": f"{{% {self.checks.causes(element)} %}}",
        }
        assign, target = self.jumps.jump(element, stop, own=None)
        onwards = self.checks.after(element, names.ready(element.label))
        return {
            "Type": "Choice",
            "Comment": self.checks.rule(element),
            "Choices": [{"Condition": f"{{% {self.checks.condition(element)} %}}", "Next": onwards}],
            "Default": target,
            **({"Assign": assign} if assign else {}),
        }

    def _gate(self, element: Element) -> State:
        assert element.gate is not None
        timeout = self.scene.graph.dag.timeout_seconds or states.GATE_TIMEOUT_SECONDS
        state = states.gate(element.gate, not element.tolerant, timeout)
        if element in self.reads.gate_used:
            state["Assign"] = {f"g_{element.low}": "{% $states.result.records %}"}
        state["Next"] = self.checks.after(element, names.gate(element.label))
        caught = self.jumps.catch_at_gate(element)
        if caught:
            state["Catch"] = caught
        return state

    # Ends.

    def _stop_state(self) -> State:
        return {
            "Type": "Pass",
            "Comment": "a task of this branch did not succeed",
            "Output": self.outputs.at_end(None),
            "End": True,
        }
