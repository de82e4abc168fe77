"""Frames to definitions: one States object per frame, states in the order in which they run.

Elements are emitted from the last to the first, so that whoever reads a variable is known before whoever assigns it.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any, TypeAlias

from stepweave.asl import conditions, names, states
from stepweave.asl.checks import Checks
from stepweave.asl.conditions import Upstream
from stepweave.asl.frames import Element, Frame
from stepweave.asl.jumps import ALL_ERRORS, Jumps
from stepweave.asl.outputs import Outputs, joined
from stepweave.asl.payload import payload
from stepweave.asl.scene import Scene
from stepweave.asl.states import State
from stepweave.asl.text import comment
from stepweave.planning.needs import is_strict, ruled_by

_KEY_ORDER = (
    *("Type", "Comment", "Resource", "Arguments", "Branches", "TimeoutSeconds", "Retry", "Choices", "Assign"),
    *("Output", "Error", "Cause", "Catch", "Default", "Next", "End"),
)
"""Order in which a state's fields are written, so that a reader meets them as they take effect."""


_Emission: TypeAlias = Generator[Frame, dict[str, Any], dict[str, Any]]


def emit(scene: Scene) -> dict[str, dict[str, Any]]:
    """Definitions by machine name, the root (named ``""``) first.

    Frames are emitted innermost first, however deep, by a stack of suspended frame emitters.
    """
    root = scene.layout.root
    machines: dict[str, dict[str, Any]] = {"": {}}
    running: list[tuple[Frame, _Emission]] = [(root, _FrameEmitter(scene, root).emit())]
    answer: dict[str, Any] = {}
    while running:
        frame, emission = running[-1]
        try:
            inner = emission.send(answer) if answer else next(emission)
        except StopIteration as done:
            running.pop()
            answer = done.value
            if frame.is_machine:
                machines[frame.machine].update(_machine(scene, frame, answer))
        else:
            machines.setdefault(inner.machine, {})
            running.append((inner, _FrameEmitter(scene, inner).emit()))
            answer = {}
    return machines


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


class _FrameEmitter:
    """Emits one frame."""

    def __init__(self, scene: Scene, frame: Frame) -> None:
        self.scene, self.frame, self.reads = scene, frame, scene.reads
        self.checks = Checks(scene)
        self.outputs = Outputs(scene, frame)
        self.jumps = Jumps(scene, frame, self.checks.entry, self._end_entry)
        self.inner: list[dict[str, Any]] = []
        """Bodies of the frames inside the element that is being emitted."""
        self.stop_state_used = False
        self.outcome_used = False

    def emit(self) -> _Emission:
        """Yields each frame inside that it needs emitted, gets its body, and returns its own."""
        # The outcome is emitted first since it reads what the last elements assign.
        outcome = self._outcome() if self.frame.holder is None and not self.scene.fail_fast else {}
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
        if self.outcome_used:
            found.update(outcome)
        ordered = {
            name: {key: state[key] for key in _KEY_ORDER if key in state} for name, state in found.items()
        }
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
        elif self.frame.holder is None and not self._ends_clean():
            self.outcome_used = True
            state["Next"] = names.OUTCOME
        else:
            state["Output"] = self.outputs.at_end(element, record)
            state["End"] = True
            state.pop("Assign", None)  # nothing comes after that could read it
        return state

    def _ends_clean(self) -> bool:
        """Whether the run has succeeded when the root's last element has."""
        last = self.frame.elements[-1]
        return self.scene.fail_fast or (last.kind == "run" and self.reads.leaves == (last.task,))

    def _end_entry(self) -> str:
        """Where a path ends that jumped to the end of the frame."""
        if self.frame.holder is None:
            self.outcome_used = True
            return names.OUTCOME
        self.stop_state_used = True
        return names.stopped(self.frame.label())

    # Bodies.

    def _body(self, element: Element) -> dict[str, State]:
        match element.kind:
            case "run":
                return self._run(element)
            case "fork":
                return {element.label: self._fork(element)}
            case "call":
                return {element.label: self._call(element)}
            case "notify":
                return {names.signal(element.label): self._notify(element)}

    def _run(self, element: Element) -> dict[str, State]:
        task = self.scene.task(element)
        placement = self.scene.placements[task.id]
        event = payload(
            task,
            inline_bytes=self.scene.budgets.of(task.id),
            record_of=lambda upstream: self.scene.sight.required(upstream, element).expression,
            useful_record_of=lambda upstream: self.scene.sight.useful(upstream, element, self.scene.tolerant),
            upstream=self._upstream_statuses(element),
        )
        if placement.compute == "batch":
            return self._run_on_batch(element, event)
        state = states.light_task(task, placement, event)
        self._hand_out(element, state, "{% $states.result.Payload %}")
        self._catch(element, state)
        return {task.id: state}

    def _run_on_batch(self, element: Element, event: Mapping[str, Any]) -> dict[str, State]:
        """Prepare, job, and the state that collects: on success only if a part of the value is read.

        A job that failed is always ``States.TaskFailed``; collecting it raises the error of its class, or a skip.
        """
        task = self.scene.task(element)
        prepare = states.batch_prepare(task, event)
        job = states.batch_job(task, self.scene.placements[task.id])
        fetch = states.batch_collect(task, event)
        prepare["Next"] = task.id
        self._hand_out(element, fetch, "{% $states.result.Payload %}")
        if task.fields:
            job["Next"] = names.collect(task.id)
        else:
            self._hand_out(element, job, {"status": "success"})
        found = {names.prepare(task.id): prepare, task.id: job, names.collect(task.id): fetch}
        for state in found.values():
            self._catch(element, state)
        if not self.scene.fail_fast:
            job["Catch"].insert(0, {"ErrorEquals": ["States.TaskFailed"], "Next": names.collect(task.id)})
        prepare["Catch"] = [
            {"ErrorEquals": ["Reused"], "Next": names.collect(task.id)},
            *prepare.get("Catch", []),
        ]
        return found

    def _upstream_statuses(self, element: Element) -> dict[str, str] | None:
        """Records of upstream tasks whose status the runtime is told; None where all of them succeeded."""
        task = self.scene.task(element)
        if is_strict(task):
            return None
        looked_at = ruled_by(task)
        seen = {upstream: self.scene.sight.required(upstream, element) for upstream in looked_at}
        return {upstream: record.expression for upstream, record in seen.items() if not record.is_tally}

    def _hand_out(self, element: Element, state: State, record: Any) -> None:
        """Assigns the record of a task that succeeded, if it is read, and goes on."""
        if element in self.reads.used:
            state["Assign"] = {names.variable(element.task): record}
        self._proceed(element, state, record)

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
        if element is self.frame.elements[-1]:
            return self._end_entry()
        return self.checks.entry(self.frame.elements[element.index + 1])

    def _catch(self, element: Element, state: State) -> None:
        if not self.scene.fail_fast:
            state["Catch"] = self.jumps.catch(element)

    # Checks and gates.

    def _check(self, element: Element) -> State:
        rule, upstream = self.checks.rule(element), self.checks.upstream(element)
        stop = {
            "status": f"{{% {conditions.status_if_not_met(rule, upstream)} %}}",
            "by": f"{{% {upstream.by()} %}}",
        }
        assign, target = self.jumps.jump(element, stop, own=None)
        onwards = self.checks.after(element, names.ready(element.label))
        return {
            "Type": "Choice",
            "Comment": rule,
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
        if not self.scene.fail_fast:
            state["Catch"] = self.jumps.catch_at_gate(element)
        return state

    # Ends.

    def _stop_state(self) -> State:
        return {
            "Type": "Pass",
            "Comment": "a task of this branch did not succeed",
            "Output": self.outputs.at_end(None),
            "End": True,
        }

    def _outcome(self) -> dict[str, State]:
        """The end of the root machine: failed if a leaf failed, naming the tasks with which it began."""
        seen = dict.fromkeys(self.scene.sight.required(task, None) for task in self.reads.deciding)
        upstream = Upstream(tuple(seen), len(self.reads.deciding))
        return {
            names.OUTCOME: {
                "Type": "Choice",
                "Comment": comment(f"leaves: {', '.join(self.reads.leaves[: conditions.MAX_NAMED])}"),
                "Choices": [{"Condition": f"{{% {upstream.failed()} = 0 %}}", "Next": names.SUCCEEDED}],
                "Default": names.FAILED,
            },
            names.SUCCEEDED: {"Type": "Succeed", "Output": {"run_id": "{% $run.id %}", "status": "success"}},
            names.FAILED: {
                "Type": "Fail",
                "Error": "DagRunFailed",
                "Cause": f"{{% 'failed: ' & $join({upstream.by()}, ', ') %}}",
            },
        }
