"""Scenarios that hypothesis draws: any graph, with hostile text, expressions, failures, jobs and cuts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from hypothesis import given, seed, settings
from hypothesis import strategies as st

from stepweave.asl.estimates import Estimate
from stepweave.asl.machines import to_machines
from stepweave.compiler import compile_graph
from stepweave.graph.model import (
    Binding,
    DagInfo,
    DictOf,
    Expression,
    FromParam,
    FromTask,
    Graph,
    ListOf,
    Literal,
    ParamSpec,
    Resources,
    RetryPolicy,
    Task,
)
from stepweave.planning.partition import Cost, cut
from stepweave.planning.placement import place
from stepweave.planning.plan import to_plan
from tests.graphs import series_parallel_specs, specs
from tests.parity.scenarios import Ending, Scenario, scenario

SMALL = Cost(bytes=12_000, events=260, depth=3)
"""Limits that cut a DAG of ten tasks into nested machines."""

HOSTILE = (
    "", "plain", "{% $run %}", "%}", "costs ${5}", "${TaskRunner}", "Ref::x", "ü😀\u2028", "it's \"quoted\"",
    "back\\slash", "line\nbreak\ttab", "<script>", "$states.input", "null", "\\u0024{X}", "a" * 300,
)  # fmt: skip
NUMBERS = (0, 1, -1, 7, 0.5, -2.25, 1.0, 1e-7, 123456789012, 1e21)
FIELDS: tuple[tuple[tuple[str | int, ...], Any], ...] = (
    (("n",), st.sampled_from(NUMBERS)),
    (("text",), st.sampled_from(HOSTILE)),
    (("a b", "or"), st.one_of(st.booleans(), st.none())),
    (("items", 0), st.lists(st.sampled_from((1, "1", None, True, [], {})), max_size=3)),
)
"""Parts of a task's value that travel natively: the path, and what may stand there."""
EXPRESSIONS = (
    "$_0_ + 1", "$_0_ & 'x'", "$_0_ = 1", "$_0_ != $_1_", "$_0_ in [1, 'plain', null]", "$type($_0_)",
    "[$_0_, $_1_]", "$string($_0_)", "$not($_0_)", "$count([$_0_])", "$append($_0_, $_1_)", "{'k': $_0_}",
    "$exists($_0_) and $boolean($_1_)", "-($_0_)", "$_0_ > 2 ? 'more' : $_1_", "$contains($_0_, 'a')",
)  # fmt: skip
ERRORS = ("PermanentError", "DataError", "States.Timeout", "States.DataLimitExceeded", "Lambda.Unknown")
NEVER_FAILING = ("$type($_0_)", "[$_0_, $_1_]")
RULES_OF_ANY_GRAPH = ("all_success", "all_success", "all_success", "all_done")
RULES = (
    "all_success", "all_success", "all_done", "all_failed", "all_skipped", "none_failed", "none_skipped",
    "none_failed_min_one_success",
)  # fmt: skip


@st.composite
def scenarios(draw: st.DrawFn, max_tasks: int = 11) -> Scenario:
    """A compiled DAG and how its tasks end."""
    fail_fast = draw(st.integers(0, 9)) == 0
    graph = draw(graphs(max_tasks=max_tasks, fail_fast=fail_fast))
    definitions = definitions_of(graph, draw(st.integers(0, 2)) == 0)
    endings = {task.id: draw(_endings(task)) for task in graph.tasks}
    if fail_fast:
        endings = _one_failure(endings, with_gates=".waitForTaskToken" in json.dumps(definitions))
    given = draw(st.dictionaries(st.sampled_from(("who", "more")), st.sampled_from(HOSTILE)))
    value: dict[str, Any] = {"params": given} if draw(st.booleans()) else {}
    if draw(st.booleans()):
        value |= {"run_id": "mine", "resume": draw(st.sampled_from((True, False, "true", 1)))}
    return scenario(definitions, endings, value, fail_fast=fail_fast)


@lru_cache
def sample(count: int) -> tuple[Scenario, ...]:
    """``count`` scenarios, always the same."""
    drawn: list[Scenario] = []

    @seed(7)
    @settings(max_examples=count, deadline=None, database=None)
    @given(scenarios())
    def take(one: Scenario) -> None:
        drawn.append(one)

    take()
    return tuple(drawn)


def _one_failure(endings: Mapping[str, Ending], with_gates: bool) -> dict[str, Ending]:
    """``endings`` of which one at most is a failure, and none behind a gate that the failure keeps closed.

    With fail_fast the first failure ends the run: which one that is, and what has run by then, is a matter of time,
    and in sfnx no time passes.
    """
    failing = [task for task, ending in endings.items() if ending.errors]
    return {**endings, **{task: Ending() for task in failing[0 if with_gates else 1 :]}}


def definitions_of(graph: Graph, in_parts: bool) -> Mapping[str, Mapping[str, Any]]:
    """The definitions of ``graph`` by name; ``in_parts`` cuts it at limits far below the real ones."""
    if not in_parts:
        return compile_graph(graph).machines.definitions
    placements = {task.id: place(task) for task in graph.tasks}
    estimate = Estimate({task.id: task for task in graph.tasks}, placements)
    return to_machines(graph, cut(to_plan(graph), estimate, SMALL), placements).definitions


@st.composite
def layers(draw: st.DrawFn) -> dict[str, list[str]]:
    """Tasks in layers, each after some of the layer before: rarely series-parallel, so with gates."""
    spec: dict[str, list[str]] = {}
    before: list[str] = []
    for layer in range(draw(st.integers(2, 3))):
        here = [f"t{layer}_{index}" for index in range(draw(st.integers(2, 4)))]
        for task in here:
            chosen = draw(st.lists(st.sampled_from(before), min_size=1, max_size=3)) if before else []
            spec[task] = sorted(set(chosen))
        before = here
    return spec


@st.composite
def graphs(draw: st.DrawFn, max_tasks: int = 11, fail_fast: bool = False) -> Graph:
    """A DAG with every kind of task, argument and rule; rules that no gate knows only where there is no gate."""
    shape = draw(st.sampled_from(("any", "layers", "layers", "series-parallel")))
    spec = draw(
        {
            "any": specs(max_tasks=max_tasks),
            "layers": layers(),
            "series-parallel": series_parallel_specs(max_depth=3),
        }[shape]
    )
    rules = RULES if shape == "series-parallel" else RULES_OF_ANY_GRAPH
    ends = set(spec) - {up for upstream in spec.values() for up in upstream}
    params = (
        ParamSpec(name="who", default_json=json.dumps(draw(st.sampled_from(HOSTILE)))),
        ParamSpec(name="n", default_json="1.0"),
    )
    # With fail_fast the first failure counts, and expressions may fail in several branches at once.
    texts = NEVER_FAILING if fail_fast else EXPRESSIONS
    tasks = tuple(
        draw(_tasks(task, tuple(upstream), rules, texts, task in ends)) for task, upstream in spec.items()
    )
    return Graph(dag=DagInfo(id="drawn", fail_fast=fail_fast, params=params), tasks=tasks)


@st.composite
def _tasks(
    draw: st.DrawFn,
    task: str,
    upstream: tuple[str, ...],
    rules: tuple[str, ...],
    texts: tuple[str, ...],
    last: bool,
) -> Task:
    rule = draw(st.sampled_from(rules)) if upstream else "all_success"
    teardown = last and len(upstream) > 0 and draw(st.integers(0, 3)) == 0
    count = draw(st.integers(0, 3))
    return Task(
        id=task,
        call=f"flows:{task}",
        arguments=tuple((f"x{index}", draw(_bindings(upstream, texts))) for index in range(count)),
        upstream=upstream,
        fields=tuple(path for path, _ in FIELDS),
        trigger_rule="all_done" if teardown else rule,
        teardown=teardown,
        retry=RetryPolicy(attempts=draw(st.integers(0, 2))),
        resources=Resources(gpu=1) if draw(st.integers(0, 5)) == 0 else Resources(),
        doc=draw(st.sampled_from(HOSTILE)),
    )


def _bindings(upstream: tuple[str, ...], texts: tuple[str, ...]) -> st.SearchStrategy[Binding]:
    literal = st.sampled_from(HOSTILE).map(lambda text: Literal(json=json.dumps(text)))
    param = st.sampled_from((FromParam(param="who"), FromParam(param="n")))
    if not upstream:
        return st.one_of(literal, param, _expressions(param, texts))
    value = st.sampled_from([FromTask(task=task) for task in upstream])
    part = st.sampled_from([FromTask(task=task, path=path) for task in upstream for path, _ in FIELDS])
    simple = st.one_of(literal, param, value, part)
    return st.one_of(
        simple,
        _expressions(st.one_of(part, part, param), texts),
        st.lists(simple, max_size=2).map(lambda items: ListOf(items=tuple(items))),
        st.tuples(st.sampled_from(HOSTILE), simple).map(lambda pair: DictOf(items=(pair,))),
    )


def _expressions(operand: st.SearchStrategy[Any], texts: tuple[str, ...]) -> st.SearchStrategy[Expression]:
    return st.builds(
        lambda text, operands: Expression(text=text, operands=operands),
        st.sampled_from(texts),
        st.tuples(operand, operand),
    )


@st.composite
def _endings(draw: st.DrawFn, task: Task) -> Ending:
    fields = {".".join(map(str, path)): draw(values) for path, values in FIELDS}
    record: dict[str, Any] = {"status": "success", "fields": fields}
    record |= draw(
        st.sampled_from(({"value": json.dumps(HOSTILE)}, {"ref": f"runs/{task.id}/output.json"}, {}))
    )
    again = (("TransientError", "{}"),)
    match draw(st.integers(0, 17)):
        case 0:
            return Ending(record, ((draw(st.sampled_from(ERRORS)), '{"type": "ValueError"}'),), never=True)
        case 1:
            return Ending(record, (("Skip", "{}"),), never=True)
        case 2:
            return Ending(record, again * draw(st.integers(1, 3)))
        case 3:
            return Ending(record, again, never=True)
        case 4:
            return Ending(record, reused=task.resources.gpu > 0)
    return Ending(record)
