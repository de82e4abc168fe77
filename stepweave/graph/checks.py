"""What is wrong with a graph, whoever built it.

:func:`check` finds all mistakes that the graph alone shows: names, references, cycles, trigger rules, clean-up tasks,
and values beyond the limits of AWS.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Set

from stepweave.errors import Problem
from stepweave.graph.bindings import captured, expressions_of, read_by
from stepweave.graph.limits import dag_limit_problems, limit_problems
from stepweave.graph.model import FromParam, FromTask, Graph, Path, Source, Task
from stepweave.graph.order import cycle_problem, find_cycle, predecessors
from stepweave.graph.outcomes import EARLY_RULES, RULES, SETUP_RULE
from stepweave.graph.problems import problem_at
from stepweave.graph.starts import start_problems

LONGEST_NAME = 60
"""Longest id of a task or DAG: names of states and machines are derived from it and must keep within 80 characters
(https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html)."""

RESERVED_DAG_IDS = frozenset({"platform", "fleet"})
"""Ids that no DAG can have: the stack and the dashboard that all DAGs of an environment share are called so."""

WAITS_FOR_FAILURES = frozenset({"all_done", "all_failed", "one_failed", "one_done", "all_done_setup_success"})
"""Trigger rules that make no sense where the first failure ends the run."""

_TASK_ID = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
_DAG_ID = re.compile(r"[A-Za-z0-9_]+(-[A-Za-z0-9_]+)*")
"""Without ``--``, which in names parts DAG and part: no DAG is called like the part of another one."""
_CODE = re.compile(r"\{%|\$\{|Ref::")


def check(graph: Graph) -> tuple[Problem, ...]:
    """All mistakes in ``graph``; empty when it is sound."""
    problems = [*_dag_problems(graph), *dag_limit_problems(graph), *start_problems(graph.dag)]
    problems += _graph_problems(graph, set(), set())
    return tuple(problems)


def _graph_problems(graph: Graph, seen: set[str], outer: Set[str]) -> Iterator[Problem]:
    """Mistakes in a graph or a body; ``seen`` collects the ids of the whole DAG."""
    params = {param.name for param in graph.dag.params}
    teardowns = {task.id for task in graph.tasks if task.teardown}
    for task in graph.tasks:
        yield from _name_problems(task, seen)
        seen.add(task.id)
        yield from _reference_problems(graph, task, params, outer)
        if len(task.fields) > 1:
            yield from _field_problems(task)
        if task.trigger_rule != "all_success":
            yield from _rule_problems(graph, task)
        if teardowns:
            yield from _teardown_problems(task, teardowns)
        yield from limit_problems(task)
        if graph.dag.fail_fast and (task.compensate or task.optional):
            yield _nothing_caught(task.source, task.id, "optional=" if task.optional else "compensate=")
        if task.body is not None:
            yield from _graph_problems(task.body.graph, seen, outer | set(graph.ids()))
    ring = find_cycle(graph)
    if len(ring) > 1:  # a ring of one is a self-reference, which has been reported
        yield cycle_problem(graph, ring)


def _dag_problems(graph: Graph) -> Iterator[Problem]:
    dag = graph.dag
    if not graph.tasks:
        yield problem_at(
            dag.source, "empty-dag", f"DAG {dag.id!r} has no tasks", fix="call a task in the DAG function"
        )
    if not _DAG_ID.fullmatch(dag.id):
        yield problem_at(
            dag.source,
            "name",
            f"the DAG id {dag.id!r} cannot be used",
            expected="letters, digits, _, and single - between them",
            fix=f"write dag_id={_clean(dag.id, 'dag')!r}",
        )
    if dag.id in RESERVED_DAG_IDS:
        yield problem_at(
            dag.source,
            "name",
            f"the DAG id {dag.id!r} is reserved: what all DAGs of an environment share is called so",
            expected=f"any other than {' and '.join(sorted(RESERVED_DAG_IDS))}",
            fix=f"write dag_id={f'{dag.id}_dag'!r}",
        )
    for option, given in (("retries=", dag.retries), ("on_failure=", dag.on_failure)):
        if dag.fail_fast and given:
            yield _nothing_caught(dag.source, None, option)
    yield from _too_long(dag.source, None, "DAG", dag.id)
    yield from _text_problems(dag.source, None, (dag.owner, *dag.tags))


def _name_problems(task: Task, seen: Set[str]) -> Iterator[Problem]:
    if task.id in seen:
        what = f"two tasks have the id {task.id!r}"
        yield problem_at(
            task.source, "duplicate-id", what, task=task.id, fix="give each task an id of its own"
        )
    if not _TASK_ID.fullmatch(task.id):
        yield problem_at(
            task.source,
            "name",
            f"the task id {task.id!r} cannot be used",
            task=task.id,
            expected="a letter, then letters, digits, _, - and .",
            fix=f"write task_id={_clean(task.id, 'task')!r}",
        )
    if len(task.id) > LONGEST_NAME:
        yield from _too_long(task.source, task.id, "task", task.id)
    if task.owner or task.tags:
        yield from _text_problems(task.source, task.id, (task.owner, *task.tags))


def _nothing_caught(source: Source | None, task: str | None, option: str) -> Problem:
    what = f"{option} follows a failure, but fail_fast ends the run at the first one"
    return problem_at(source, "fail-fast", what, task=task, fix=f"leave out fail_fast or {option}")


def _clean(name: str, start: str) -> str:
    cleaned = re.sub(r"-{2,}|[^A-Za-z0-9_-]+", "_", name).strip("_-")[:LONGEST_NAME]
    return cleaned if cleaned[:1].isalpha() else f"{start}_{cleaned}".rstrip("_")


def _too_long(source: Source | None, task: str | None, kind: str, name: str) -> Iterator[Problem]:
    if len(name) > LONGEST_NAME:
        yield problem_at(
            source,
            "name-length",
            f"the {kind} id {name!r} is too long",
            task=task,
            expected=f"at most {LONGEST_NAME} characters, with those of its task groups",
            got=f"{len(name)} characters",
            fix=f"shorten it, or give {kind.lower()}_id=",
        )


def _text_problems(source: Source | None, task: str | None, texts: tuple[str, ...]) -> Iterator[Problem]:
    for text in texts:
        if found := _CODE.search(text):
            yield problem_at(
                source,
                "text-code",
                f"owner or tag {text!r} holds {found.group()!r}, which AWS would read as code",
                task=task,
                expected="plain text",
                fix=f"leave {found.group()!r} out (in values and docs it is allowed)",
            )


def _reference_problems(graph: Graph, task: Task, params: Set[str], outer: Set[str]) -> Iterator[Problem]:
    """``outer``: tasks around the body that ``graph`` is, of which the node that holds it waits."""
    upstream = set(predecessors(task))
    unknown = dict.fromkeys(up for up in (*task.upstream, *_deciders(task)) if up not in graph)
    read = [*read_by(task)]
    if task.body is not None:
        read += [FromTask(task=inner) for inner in captured(task.body.graph)]
    for reference in read:
        if isinstance(reference, FromParam):
            if reference.param not in params:
                what = f"there is no param {reference.param!r}"
                yield problem_at(
                    task.source, "unknown-reference", what, task=task.id, fix="declare it in the DAG"
                )
        elif not isinstance(reference, FromTask) or reference.task in outer:
            continue
        elif reference.task not in graph:
            unknown[reference.task] = None
        elif reference.task not in upstream:
            what = f"it uses the value of {reference.task!r}, which is not upstream"
            yield problem_at(task.source, "missing-edge", what, task=task.id, fix="add it to upstream")
    for up in unknown:
        what = f"there is no task {up!r}"
        yield problem_at(
            task.source, "unknown-reference", what, task=task.id, fix="refer to a task of this DAG"
        )
    if task.id in upstream:
        yield problem_at(
            task.source, "self-reference", "it waits for itself", task=task.id, fix="remove this edge"
        )


def _deciders(task: Task) -> Iterator[str]:
    yield from (guard.decider for guard in task.guards)
    if task.speculation is not None:
        yield task.speculation.decider


def _field_problems(task: Task) -> Iterator[Problem]:
    """Parts that would share one name in the task's record, where a part is named by its path joined by dots."""
    named: dict[str, Path] = {}
    for path in task.fields:
        name = ".".join(map(str, path)) or "value"
        if named.setdefault(name, path) != path:
            yield problem_at(
                task.source,
                "field-name",
                f"expressions read two different parts of its value that are both named {name!r}",
                task=task.id,
                expected="keys without dots, and no key 'value' where the whole value is used too",
                fix="return them under other keys",
            )


def _rule_problems(graph: Graph, task: Task) -> Iterator[Problem]:
    rule = task.trigger_rule
    if rule not in RULES:
        what = f"unknown trigger rule {rule!r}"
        yield problem_at(
            task.source, "trigger-rule", what, task=task.id, expected=_RULE_NAMES, fix="use one of these"
        )
    elif (rule == "always" or (rule in EARLY_RULES and len(task.upstream) > 1)) and _computes(task):
        what = f"it computes an argument from a task that may not have ended when {rule!r} lets it run"
        fix = "pass the value itself (None where there is none), and compute inside the task"
        yield problem_at(task.source, "early-expression", what, task=task.id, fix=fix)
    elif graph.dag.fail_fast and rule in WAITS_FOR_FAILURES:
        what = f"trigger rule {rule!r} waits for failures, but fail_fast ends the run at the first one"
        fix = "leave out fail_fast, or use all_success"
        yield problem_at(task.source, "fail-fast", what, task=task.id, fix=fix)


def _computes(task: Task) -> bool:
    operands = (operand for found in expressions_of(task) for operand in found.operands)
    return any(isinstance(operand, FromTask) for operand in operands)


_RULE_NAMES = f"one of {', '.join(RULES)}"


def _teardown_problems(task: Task, teardowns: Set[str]) -> Iterator[Problem]:
    if not task.teardown:
        after = [up for up in task.upstream if up in teardowns]
        if after:
            what = f"it comes after {after[0]!r}, a clean-up, whose outcome counts for nothing"
            fix = "order both after the same tasks, or make it a clean-up too"
            yield problem_at(task.source, "teardown", what, task=task.id, fix=fix)
    elif not task.upstream:
        what = "a clean-up with nothing before it would run first"
        yield problem_at(
            task.source, "teardown", what, task=task.id, fix=f"order it: [last tasks] >> {task.id}"
        )
    elif task.trigger_rule not in ("all_done", SETUP_RULE):
        yield problem_at(
            task.source,
            "teardown",
            f"a clean-up has the trigger rule {task.trigger_rule!r}",
            task=task.id,
            expected="all_done or all_done_setup_success, its defaults without and with a setup",
            fix="leave out trigger_rule",
        )
