"""Frames to definitions: one States object per frame, states in the order in which they run.

Elements are emitted from the last to the first, so that whoever reads a variable is known before whoever assigns it. When
a task does not succeed, control *jumps*: to the next element of its frame that may still run, else to the frame's end.
The jump assigns the records of what is jumped over, as far as they are read later, and tells gates of other branches.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from stepweave.asl import conditions, names, states
from stepweave.asl.budget import Budgets
from stepweave.asl.conditions import Upstream
from stepweave.asl.frames import Element, Frame, Layout
from stepweave.asl.payload import payload
from stepweave.asl.reads import Reads, Seen, Sight, TolerantPositions
from stepweave.asl.states import State
from stepweave.asl.text import comment
from stepweave.graph.model import Graph
from stepweave.planning.meetings import task_behind
from stepweave.planning.model import Signal
from stepweave.planning.needs import ruled_by
from stepweave.planning.placement import Placement

_ERROR = "$states.errorOutput.Error"
_SKIPPED = f"{_ERROR} = 'Skip' ? 'skipped' : "
_ALL_ERRORS = (["States.DataLimitExceeded"], ["States.ALL"])
"""``States.ALL`` does not match DataLimitExceeded (https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html)."""

_KEY_ORDER = (
    *("Type", "Comment", "Resource", "Arguments", "Branches", "TimeoutSeconds", "Retry", "Choices", "Assign"),
    *("Output", "Error", "Cause", "Catch", "Default", "Next", "End"),
)
"""Order in which a state's fields are written, so that a reader meets them as they take effect."""


_Emission: TypeAlias = Generator[Frame, dict[str, Any], dict[str, Any]]


class Emitter:
    """Emits all machines of one DAG."""

    def __init__(
        self,
        graph: Graph,
        layout: Layout,
        reads: Reads,
        budgets: Budgets,
        placements: Mapping[str, Placement],
    ) -> None:
        self.graph, self.layout, self.reads = graph, layout, reads
        self.budgets, self.placements = budgets, placements
        self.sight = Sight(reads)
        self.tolerant = TolerantPositions(layout)
        self.machines: dict[str, dict[str, Any]] = {}
        self.gate_timeout = graph.dag.timeout_seconds or states.GATE_TIMEOUT_SECONDS

    def emit(self) -> dict[str, dict[str, Any]]:
        """Definitions by machine name, the root (named ``""``) first."""
        self.machines[""] = {}
        self._drive(self.layout.root)
        return self.machines

    def _drive(self, root: Frame) -> None:
        """Emits frames innermost first, however deep, by a stack of suspended frame emitters."""
        running: list[tuple[Frame, _Emission]] = [(root, _FrameEmitter(self, root).emit())]
        answer: dict[str, Any] | None = None
        while running:
            frame, emission = running[-1]
            try:
                inner = emission.send(answer)
            except StopIteration as done:
                running.pop()
                answer = done.value
                if frame.is_machine:
                    self.machines[frame.machine].update(self._machine(frame, done.value))
            else:
                self.machines.setdefault(inner.machine, {})
                running.append((inner, _FrameEmitter(self, inner).emit()))
                answer = None

    def _machine(self, frame: Frame, body: Mapping[str, Any]) -> dict[str, Any]:
        """The definition of a machine whose own states are ``body``."""
        if frame.holder is None:
            first = states.start(self.graph)
            described = self.graph.dag.doc or self.graph.dag.id
        else:
            first = states.nested_start(bool(self.reads.inputs.get(frame.holder)))
            described = f"machine {frame.machine} of {self.graph.dag.id}"
        first["Next"] = body["StartAt"]
        definition: dict[str, Any] = {"Comment": comment(described), "QueryLanguage": "JSONata", "StartAt": "start"}
        if frame.holder is None and self.graph.dag.timeout_seconds:
            definition["TimeoutSeconds"] = self.graph.dag.timeout_seconds
        definition["States"] = {"start": first, **body["States"]}
        return definition


class _FrameEmitter:
    """Emits one frame."""

    def __init__(self, emitter: Emitter, frame: Frame) -> None:
        self.all, self.frame = emitter, frame
        self.graph, self.reads, self.sight = emitter.graph, emitter.reads, emitter.sight
        self.exports = tuple(self.reads.exports.get(frame, ()))
        self.fail_fast = emitter.graph.dag.fail_fast
        self.inner: list[dict[str, Any]] = []
        """Bodies of the frames inside the element that is being emitted."""
        self.chunks: list[dict[str, State]] = []
        """States per element, last element first."""
        self.stop_state_used = False
        self.outcome_used = False
        self.not_run_used: set[Element] = set()
        self.messages = {element: self._outside_messages(element) for element in frame.elements}
        self.telling = [element for element in frame.elements if self.messages[element]]
        self.kept = [e for e in frame.elements if e.kind != "notify" and self._is_kept(e)]
        self.landings = {element.low: element for element in frame.elements if element.tolerant}

    # The whole frame.

    def emit(self) -> _Emission:
        """Yields each frame inside that it needs emitted, gets its body, and returns its own."""
        # The outcome is emitted first since it reads what the last elements assign.
        outcome = self._outcome() if self.frame.holder is None and not self.fail_fast else {}
        for element in reversed(self.frame.elements):
            self.inner = []
            for frame in element.frames:
                self.inner.append((yield frame))
            self.chunks.append(self._element(element))
        self.chunks.reverse()
        found: dict[str, State] = {}
        for element, chunk in zip(self.frame.elements, self.chunks, strict=True):
            found.update(chunk)
            if element in self.not_run_used:
                found.update(self._not_run_signal(element))
        if self.stop_state_used:
            found[names.stopped(self.frame.label())] = self._stop_state()
        if self.outcome_used:
            found.update(outcome)
        ordered = {name: {key: state[key] for key in _KEY_ORDER if key in state} for name, state in found.items()}
        return {"StartAt": self._entry(self.frame.elements[0]), "States": ordered}

    def _element(self, element: Element) -> dict[str, State]:
        body = self._body(element)
        found: dict[str, State] = {}
        for name in self._sequence_of(element)[:-1]:
            found[name] = self._gate(element) if name == names.gate(element.label) else self._check(element)
        found.update(body)
        return found

    # Where control goes.

    def _entry(self, element: Element) -> str:
        """Name of the first state of ``element``."""
        return self._sequence_of(element)[0]

    def _after(self, element: Element, name: str) -> str:
        """Name of the state after ``name`` within ``element``."""
        sequence = self._sequence_of(element)
        return sequence[sequence.index(name) + 1]

    def _sequence_of(self, element: Element) -> list[str]:
        """States of ``element`` up to its body: a strict one checks before it waits, a tolerant one when all is known."""
        check = [names.ready(element.label)] if self._condition(element) is not None else []
        gate = [names.gate(element.label)] if element.gate is not None else []
        return [*(gate + check if element.tolerant else check + gate), self._body_entry(element)]

    def _body_entry(self, element: Element) -> str:
        if element.signal is not None:
            return names.signal(element.label)
        if element.kind == "run" and self.all.placements[element.task].compute == "batch":
            return names.prepare(element.task)
        return element.label

    def _is_last(self, element: Element) -> bool:
        return element.index == len(self.frame.elements) - 1

    def _proceed(self, element: Element, state: State) -> State:
        """``state`` with its transition after success of ``element``."""
        if not self._is_last(element):
            state["Next"] = self._entry(self.frame.elements[element.index + 1])
        elif self.frame.holder is None and not self._ends_clean():
            self.outcome_used = True
            state["Next"] = "failed?"
        else:
            state["Output"] = self._output(element)
            state["End"] = True
            state.pop("Assign", None)  # nothing comes after that could read it
        return state

    def _ends_clean(self) -> bool:
        """Whether the run has succeeded when the root's last element has."""
        last = self.frame.elements[-1]
        return self.fail_fast or (last.kind == "run" and self.reads.leaves == (last.task,))

    def _output(self, ending: Element | None) -> Any:
        """What the frame hands out; ``ending`` is the element whose own result the last state sees, if any."""
        if self.frame.holder is None:
            return {"run_id": "{% $run.id %}", "status": "success"}
        records = self._whole_result(ending) or {key: self._export(key, ending) for key in self.exports}
        return {"records": records} if self.frame.is_machine else records

    def _whole_result(self, ending: Element | None) -> str | None:
        """The result of the last element, where the frame hands out just that."""
        if ending is None or not ending.frames or not self.exports:
            return None
        inner = {key for frame in ending.frames for key in self.reads.exports.get(frame, ())}
        mixed = any(key.startswith("#") for key in inner) and ending.kind == "fork"
        if mixed or inner != set(self.exports) or any(self._gives(e, k) for e in self._others(ending) for k in inner):
            return None
        return "{% $merge($states.result) %}" if ending.kind == "fork" else "{% $states.result.Output.records %}"

    def _others(self, ending: Element) -> Iterator[Element]:
        return (element for element in self.frame.elements if element is not ending)

    def _export(self, key: str, ending: Element | None) -> Any:
        """The record or tally ``key`` of this frame as its last state can express it."""
        sources = [e for e in self.frame.elements if self._gives(e, key)]
        self.reads.used.update(e for e in sources if e is not ending)
        if not key.startswith("#"):
            (element,) = sources
            return self._record_at_end(element, key, ending)
        # A task that ends its branch has succeeded, so it adds nothing to the tally.
        seen = tuple(self._tally_source(e, key, ending) for e in sources if e is not ending or e.kind != "run")
        if not seen:
            return {"n": 0, "f": 0}
        if len(seen) == 1 and seen[0].is_tally:
            return f"{{% {seen[0].expression} %}}"
        upstream = Upstream(seen, 0)
        return {
            "n": f"{{% {upstream.not_successful()} %}}",
            "f": f"{{% {upstream.failed()} %}}",
            "by": f"{{% {upstream.by()} %}}",
        }

    def _gives(self, element: Element, key: str) -> bool:
        if element.kind == "run":
            return self.reads.tally.get(element.task, element.task) == key
        return any(key in self.reads.exports.get(frame, ()) for frame in element.frames)

    def _record_at_end(self, element: Element, key: str, ending: Element | None) -> Any:
        if element is ending:
            return self._own_record(element) if element.kind == "run" else _result_member(element, key)
        if element.kind == "run":
            return f"{{% ${names.variable(element.task)} %}}"
        return "{% " + names.member(f"${element.variable}", key) + " %}"

    def _own_record(self, element: Element) -> Any:
        """The record of a task in the state in which it ends."""
        task = self.graph[element.task]
        on_batch = self.all.placements[task.id].compute == "batch"
        return {"status": "success"} if on_batch and not task.fields else "{% $states.result.Payload %}"

    def _tally_source(self, element: Element, key: str, ending: Element | None) -> Seen:
        if element is ending:
            return Seen(_tally_of_result(element, key), True)
        if element.kind == "run":
            return Seen(f"${names.variable(element.task)}")
        return Seen(names.member(f"${element.variable}", key), True)

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
        task = self.graph[element.task]
        placement = self.all.placements[task.id]
        event = payload(
            task,
            inline_bytes=self.all.budgets.of(task.id),
            record_of=lambda upstream: self.sight.required(upstream, element).expression,
            useful_record_of=lambda upstream: self.sight.useful(upstream, element, self.all.tolerant),
            upstream=self._upstream_statuses(element),
        )
        if placement.compute == "batch":
            return self._run_on_batch(element, event)
        state = states.light_task(task, placement, event)
        self._hand_out(element, state)
        self._catch(element, state)
        return {task.id: state}

    def _run_on_batch(self, element: Element, event: Mapping[str, Any]) -> dict[str, State]:
        task = self.graph[element.task]
        collects = bool(task.fields)
        prepare = states.batch_prepare(task, event)
        job = states.batch_job(task, self.all.placements[task.id])
        prepare["Next"] = task.id
        found = {names.prepare(task.id): prepare, task.id: job}
        if collects:
            job["Next"] = names.collect(task.id)
            fetch = states.batch_collect(task, event)
            self._hand_out(element, fetch)
            found[names.collect(task.id)] = fetch
        else:
            self._hand_out(element, job)
        for state in found.values():
            self._catch(element, state)
        reused = {"ErrorEquals": ["Reused"], **self._after_reuse(element, found)}
        prepare["Catch"] = [reused, *prepare.get("Catch", [])]
        return found

    def _after_reuse(self, element: Element, found: dict[str, State]) -> dict[str, Any]:
        """Where a Batch task goes on whose result is committed already: as if the job had just ended."""
        task = element.task
        if names.collect(task) in found:
            return {"Next": names.collect(task)}
        job = found[task]
        if "Next" in job:
            return {**({"Assign": job["Assign"]} if "Assign" in job else {}), "Next": job["Next"]}
        done = f"{task}: reused"
        found[done] = {"Type": "Pass", "Comment": "the result was committed before", "Output": job["Output"], "End": True}
        return {"Next": done}

    def _upstream_statuses(self, element: Element) -> dict[str, str]:
        """Records of upstream tasks whose status the runtime is told, where the trigger rule looks at statuses."""
        looked_at = ruled_by(self.graph[element.task])
        seen = {upstream: self.sight.required(upstream, element) for upstream in looked_at}
        return {upstream: record.expression for upstream, record in seen.items() if not record.is_tally}

    def _hand_out(self, element: Element, state: State) -> None:
        """Assigns the record of a task that succeeded, if it is read, and goes on."""
        if element in self.reads.used:
            state["Assign"] = {names.variable(element.task): self._own_record(element)}
        self._proceed(element, state)

    def _fork(self, element: Element) -> State:
        keys = dict.fromkeys(key for frame in element.frames for key in self.reads.exports.get(frame, ()))
        state: State = {"Type": "Parallel", "Branches": self.inner}
        if element in self.reads.used and keys:
            state["Assign"] = {element.variable: _joined(keys)}
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
            seen = [self.sight.required(task, element).expression for task in group]
            records[names.arrival(group)] = states.record_of_group(group, list(dict.fromkeys(seen)))
        state = states.signal(element.signal, records)
        self._proceed(element, state)
        if not self.fail_fast:
            # A signal that is lost ends in the gate's timeout; the branch that sent it goes on.
            onwards = self._onwards(element)
            state["Catch"] = [{"ErrorEquals": errors, "Next": onwards} for errors in _ALL_ERRORS]
        return state

    def _onwards(self, element: Element) -> str:
        if not self._is_last(element):
            return self._entry(self.frame.elements[element.index + 1])
        return self._end_entry()

    # Checks and gates.

    def _condition(self, element: Element) -> str | None:
        pending = self.reads.pending.get(element, ())
        if self.fail_fast or not pending:
            return None
        rule = self.graph[element.task].trigger_rule if element.kind == "run" else "all_success"
        return conditions.met(rule, self._seen(element))

    def _seen(self, element: Element) -> Upstream:
        pending = self.reads.pending[element]
        seen = dict.fromkeys(self.sight.required(task, element) for task in pending)
        return Upstream(tuple(seen), len(pending))

    def _check(self, element: Element) -> State:
        condition = self._condition(element)
        rule = self.graph[element.task].trigger_rule if element.kind == "run" else "all_success"
        upstream = self._seen(element)
        stop = {
            "status": f"{{% {conditions.status_if_not_met(rule, upstream)} %}}",
            "by": f"{{% {upstream.by()} %}}",
        }
        assign, target = self._jump(element, stop, own=None)
        state: State = {
            "Type": "Choice",
            "Comment": rule,
            "Choices": [{"Condition": f"{{% {condition} %}}", "Next": self._after(element, names.ready(element.label))}],
            "Default": target,
        }
        return {**state, **({"Assign": assign} if assign else {})}

    def _gate(self, element: Element) -> State:
        assert element.gate is not None
        strict = not element.tolerant
        state = states.gate(element.gate, strict, self.all.gate_timeout)
        if element in self.reads.gate_used:
            state["Assign"] = {f"g_{element.low}": "{% $states.result.records %}"}
        state["Next"] = self._after(element, names.gate(element.label))
        if self.fail_fast:
            return state
        catch = []
        if strict:
            refused = {
                "status": f"{{% {_ERROR} = 'UpstreamSkipped' ? 'skipped' : 'upstream_failed' %}}",
                "by": "{% $parse($states.errorOutput.Cause).by %}",
            }
            catch.append(self._catcher(["UpstreamFailed", "UpstreamSkipped"], element, refused, None))
        broken = {"status": "upstream_failed", "by": [element.gate.gate]}
        catch += [self._catcher(errors, element, broken, None) for errors in _ALL_ERRORS]
        state["Catch"] = catch
        return state

    # Failure.

    def _catch(self, element: Element, state: State) -> None:
        if self.fail_fast:
            return
        by = [element.task or element.frames[0].machine]
        stop = {"status": f"{{% {_SKIPPED}'upstream_failed' %}}", "by": by}
        own = {"status": f"{{% {_SKIPPED}'failed' %}}", "by": by, "error": f"{{% {_ERROR} %}}"}
        state["Catch"] = [self._catcher(errors, element, stop, own) for errors in _ALL_ERRORS]

    def _catcher(
        self, errors: list[str], element: Element, stop: Mapping[str, Any], own: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        assign, target = self._jump(element, stop, own)
        return {"ErrorEquals": errors, **({"Assign": assign} if assign else {}), "Next": target}

    def _jump(
        self, element: Element, stop: Mapping[str, Any], own: Mapping[str, Any] | None
    ) -> tuple[dict[str, Any], str]:
        """What to assign and where to go when ``element`` did not succeed.

        ``stop`` is the record of what cannot run any more, ``own`` that of the element itself if it did run.
        """
        landing = self.all.tolerant.landing(element)
        assign: dict[str, Any] = {}
        for jumped in self._from(self.kept, element, landing):
            record = own if jumped is element and own is not None else stop
            assign.update(self._records_of_skipped(jumped, record, landing))
        told = next(self._from(self.telling, element, landing), None)
        if told is None:
            return assign, self._landing_entry(landing)
        self.not_run_used.update(self._from(self.telling, element, landing))
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
        landing, last = self.all.tolerant.landing(element), self.reads.last_required
        if element.kind == "run":
            return last.get(self.reads.tally.get(element.task, element.task), -1) >= landing
        return any(last.get(k, -1) >= landing for frame in element.frames for k in self.reads.exports.get(frame, ()))

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
                    kept[key] = self._tally_of_skipped(jumped, key, record) if key.startswith("#") else dict(record)
        self.reads.used.add(jumped)
        return {jumped.variable: kept}

    def _tally_of_skipped(self, jumped: Element, key: str, record: Mapping[str, Any]) -> dict[str, Any]:
        count = self.reads.count(jumped, key)
        status = str(record["status"]).removeprefix("{% ").removesuffix(" %}")
        failed = count if status == "upstream_failed" else f"{{% ({status}) = 'skipped' ? 0 : {count} %}}"
        return {"n": count, "f": failed, "by": record["by"]}

    def _landing_entry(self, landing: int) -> str:
        element = self.landings.get(landing)
        return self._entry(element) if element is not None else self._end_entry()

    def _end_entry(self) -> str:
        """Where a path ends that jumped to the end of the frame."""
        if self.frame.holder is None:
            self.outcome_used = True
            return "failed?"
        self.stop_state_used = True
        return names.stopped(self.frame.label())

    def _stop_state(self) -> State:
        return {
            "Type": "Pass",
            "Comment": "a task of this branch did not succeed",
            "Output": self._output(None),
            "End": True,
        }

    # Gates of other branches that wait for tasks which do not run.

    def _outside_messages(self, element: Element) -> tuple[Signal, ...]:
        """Signals inside ``element`` for gates outside of it."""
        found = []
        stack = [element]
        while stack:
            node = stack.pop()
            if node.signal is not None:
                gates = tuple(g for g in node.signal.gates if not self._gate_inside(g, element))
                if gates:
                    found.append(Signal(node.signal.groups, gates))
            stack.extend(inner for frame in node.frames for inner in frame.elements)
        return tuple(found)

    def _gate_inside(self, gate: str, element: Element) -> bool:
        return element.low <= self.all.layout.runs[task_behind(gate)].low < element.high

    def _stop_variable(self) -> str:
        return f"stop_{self.frame.low}"

    def _not_run_signal(self, element: Element) -> dict[str, State]:
        landing = self.all.tolerant.landing(element)
        after = next((e for e in self._from(self.telling, element, landing) if e is not element), None)
        target = names.not_run_signal(after.label) if after is not None else self._landing_entry(landing)
        state = states.signal_not_run(self.messages[element], "{% $" + self._stop_variable() + " %}")
        state["Catch"] = [{"ErrorEquals": errors, "Next": target} for errors in _ALL_ERRORS]
        state["Next"] = target
        return {names.not_run_signal(element.label): state}

    # The end of the run.

    def _outcome(self) -> dict[str, State]:
        """The end of the root machine: failed if a leaf failed, naming the tasks with which it began."""
        seen = dict.fromkeys(self.sight.required(task, None) for task in self.reads.deciding)
        upstream = Upstream(tuple(seen), len(self.reads.deciding))
        return {
            "failed?": {
                "Type": "Choice",
                "Comment": comment(f"leaves: {', '.join(self.reads.leaves[: conditions.MAX_NAMED])}"),
                "Choices": [{"Condition": f"{{% {upstream.failed()} = 0 %}}", "Next": "succeeded"}],
                "Default": "failed",
            },
            "succeeded": {"Type": "Succeed", "Output": {"run_id": "{% $run.id %}", "status": "success"}},
            "failed": {
                "Type": "Fail",
                "Error": "DagRunFailed",
                "Cause": f"{{% 'failed: ' & $join({upstream.by()}, ', ') %}}",
            },
        }


def _joined(keys: Mapping[str, None]) -> Any:
    """What a Parallel hands out: the records of all branches as one object, tallies summed."""
    tallies = [key for key in keys if key.startswith("#")]
    if not tallies:
        return "{% $merge($states.result) %}"
    return {key: _joined_member(key) for key in keys}


def _joined_member(key: str) -> Any:
    if not key.startswith("#"):
        return "{% " + names.member("$merge($states.result)", key) + " %}"
    return {part: f"{{% {expression} %}}" for part, expression in _tally_parts(names.member("$states.result", key))}


def _tally_parts(each: str) -> tuple[tuple[str, str], ...]:
    by = f"[$distinct([{each}.by])[[0..{conditions.MAX_NAMED - 1}]]]"
    return (("n", f"$sum({each}.n)"), ("f", f"$sum({each}.f)"), ("by", by))


def _result_member(element: Element, key: str) -> Any:
    """The record ``key`` out of the result of a Parallel or of a nested machine."""
    if element.kind == "fork":
        return _joined_member(key)
    return "{% " + names.member("$states.result.Output.records", key) + " %}"


def _tally_of_result(element: Element, key: str) -> str:
    if element.kind == "call":
        return names.member("$states.result.Output.records", key)
    parts = _tally_parts(names.member("$states.result", key))
    return "{" + ", ".join(f"'{part}': {expression}" for part, expression in parts) + "}"
