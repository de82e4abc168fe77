"""Every mistake gives one error that says what, where and how to do it right.

A case is the body of a module; the line that is wrong ends in ``# <-``. The last DAG of the module is traced.
"""

from __future__ import annotations

import sys
import textwrap
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pytest

from stepweave.authoring.dags import Dag
from stepweave.errors import DagError, Problem

PRELUDE = """
import datetime, threading
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Literal, Optional, TypedDict
from stepweave import Asset, Batch, Cron, Every, Lambda, Param, Retry, chain, dag, task, task_group

@task
def load(uri: str = "") -> dict: ...
@task
def count(rows: dict) -> int: ...
@task
def show(value=None) -> None: ...
"""


@dataclass(frozen=True)
class Mistake:
    name: str
    code: str
    source: str
    says: tuple[str, ...]
    """Words that the error's text must have: what is wrong, and the fix."""


def mistake(name: str, code: str, source: str, *says: str) -> Mistake:
    return Mistake(name, code, textwrap.dedent(source), says)


def in_dag(name: str, code: str, lines: str, *says: str) -> Mistake:
    """A mistake in the body of a DAG function without params."""
    body = textwrap.indent(textwrap.dedent(lines).strip(), "    ")
    return mistake(name, code, f"@dag\ndef broken():\n{body}\n", *says)


def in_options(name: str, code: str, options: str, *says: str) -> Mistake:
    """A mistake in the options of a task, which is reported at its decorator."""
    return mistake(
        name,
        code,
        f"@task({options})  # <-\ndef step() -> None: ...\n@dag\ndef broken():\n    step()\n",
        *says,
    )


def in_call(name: str, code: str, options: str, *says: str) -> Mistake:
    """A mistake that the graph shows, which is reported where the task is called."""
    return mistake(
        name,
        code,
        f"@task({options})\ndef step() -> None: ...\n@dag\ndef broken():\n    step()  # <-\n",
        *says,
    )


def in_schedule(name: str, code: str, options: str, *says: str) -> Mistake:
    """A mistake in the options of the DAG, which is reported at its decorator."""
    return mistake(name, code, f"@dag({options})  # <-\ndef broken():\n    load()\n", *says)


REFERENCES = [
    in_dag(
        "if on a reference",
        "reference-bool",
        """
        rows = load()
        if rows:  # <-
            show()
        """,
        "if, while, and, or, not",
        "task 'load'",
        "&, |, ~",
    ),
    in_dag(
        "and between references",
        "reference-bool",
        """
        rows = load()
        show(rows["a"] and rows["b"])  # <-
        """,
        "task 'load'['a']",
        "&, |, ~",
    ),
    in_dag("not of a reference", "reference-bool", "show(not load())  # <-", "task 'load'", "~"),
    in_dag(
        "chained comparison",
        "reference-bool",
        """
        rows = load()
        show(0 < rows["n"] < 5)  # <-
        """,
        "a < b < c",
        "parentheses",
    ),
    in_dag("x in a reference", "reference-in", "show('a' in load())  # <-", "task 'load'", "ref.contains(x)"),
    in_dag("a reference in a list", "reference-bool", "show(load()['k'] in ['a', 'b'])  # <-", ".is_in"),
    in_dag(
        "loop over a reference",
        "reference-iteration",
        """
        for row in load():  # <-
            show(row)
        """,
        "for, *ref, unpacking",
        "loop inside a task",
    ),
    in_dag(
        "unpacking without a tuple annotation", "reference-iteration", "a, b = load()  # <-", "-> tuple[A, B]"
    ),
    in_dag("len of a reference", "reference-len", "show(len(load()))  # <-", "len()", "inside one"),
    in_dag(
        "f-string of a reference",
        "reference-text",
        "show(f'rows: {load()}')  # <-",
        "f-string",
        "ref + 'text'",
    ),
    in_dag(
        "format of a reference",
        "reference-text",
        "show('{}'.format(load()))  # <-",
        "format()",
        "ref + 'text'",
    ),
    in_dag("percent format of a reference", "reference-text", "show('%s' % load())  # <-", "f-string"),
    in_dag("int of a reference", "reference-number", "show(int(load()))  # <-", "int()", "ref + 1"),
    in_dag("range of a reference", "reference-number", "show(list(range(load()['n'])))  # <-", "range()"),
    in_dag(
        "calling a method of a reference",
        "reference-call",
        "show(load().keys())  # <-",
        "write a task that calls",
    ),
    in_dag(
        "setting an attribute of a reference",
        "reference-assignment",
        """
        rows = load()
        rows.total = 1  # <-
        """,
        ".total = ...",
        "returns a changed one",
    ),
    in_dag(
        "setting an item of a reference",
        "reference-assignment",
        """
        rows = load()
        rows["total"] = 1  # <-
        """,
        "['total'] = ...",
        "returns a changed one",
    ),
    in_dag(
        "deleting an item of a reference",
        "reference-assignment",
        """
        rows = load()
        del rows["total"]  # <-
        """,
        "del ['total']",
    ),
    in_dag("slice of a reference", "reference-key", "show(load()[1:2])  # <-", "a slice", "inside a task"),
    in_dag(
        "reference as a key",
        "reference-key",
        """
        rows = load()
        show(rows[rows["k"]])  # <-
        """,
        "text or a whole number",
        "inside a task",
    ),
    in_dag(
        "with on a reference",
        "reference-with",
        """
        with load():  # <-
            show()
        """,
        "open it inside a task",
    ),
    in_dag(
        "part of a computed value",
        "reference-key",
        "show((load()['n'] + 1)['k'])  # <-",
        "take the part first",
    ),
    in_dag(
        "text and number never equal", "expression-type", "show(count(load()) == 'five')  # <-", "never equal"
    ),
    in_dag(
        "text has no order with a number",
        "expression-type",
        "show(count(load()) > 'five')  # <-",
        "have no order",
    ),
    in_dag(
        "text plus number",
        "expression-type",
        "show('n: ' + count(load()))  # <-",
        "text and a number",
        "inside a task",
    ),
    in_dag(
        "lock in an expression",
        "expression-type",
        "show(load()['k'] == threading.Lock())  # <-",
        "lock cannot be part",
    ),
    in_dag(
        "integer beyond 2^53 in an expression", "expression-type", "show(load()['k'] == 2**60)  # <-", "2^53"
    ),
    in_dag(
        "is_in without a list",
        "expression-operand",
        "show(load()['k'].is_in('ab'))  # <-",
        ".is_in(['a', 'b'])",
    ),
    in_dag(
        "endless expression",
        "expression-type",
        """
        total = count(load())
        for _ in range(200):
            total = total + 1  # <-
        """,
        "100 operators",
        "inside a task",
    ),
    mistake(
        "if on a param",
        "reference-bool",
        """
        @dag
        def broken(dry: bool = False):
            if dry:  # <-
                load()
            show()
        """,
        "param 'dry'",
        "decide inside a task",
    ),
]

ARGUMENTS = [
    in_dag(
        "missing argument",
        "missing-argument",
        "count()  # <-",
        "'rows'",
        "count(rows: dict) -> int",
        "give rows=",
    ),
    in_dag(
        "unexpected argument",
        "unexpected-argument",
        "count(load(), row=1)  # <-",
        "'row'",
        "did you mean 'rows'?",
    ),
    in_dag("too many arguments", "unexpected-argument", "count(load(), 2)  # <-", "2 arguments", "1 can be"),
    in_dag("argument given twice", "unexpected-argument", "count(load(), rows=load())  # <-", "given twice"),
    in_dag(
        "wrong type on an edge",
        "edge-type",
        """
        number = count(load())
        load(number)  # <-
        """,
        "argument 'uri' of load()",
        "expected: str",
        "got: int from task 'count'",
    ),
    in_dag("wrong type of a literal", "edge-type", "load(5)  # <-", "expected: str", "got: int 5"),
    in_dag(
        "wrong type inside a list",
        "edge-type",
        """
        @task
        def total(numbers: list[int]) -> int: ...
        total([1, count(load()), "3"])  # <-
        """,
        "expected: list[int]",
        "'3' at [2]",
    ),
    in_dag(
        "dict where a list is wanted",
        "edge-type",
        """
        @task
        def total(numbers: list[int]) -> int: ...
        total(load())  # <-
        """,
        "expected: list[int]",
        "got: dict from task 'load'",
    ),
    in_dag(
        "value of a task that returns None", "edge-type", "count(show())  # <-", "got: None from task 'show'"
    ),
    in_dag(
        "literal outside of Literal",
        "edge-type",
        """
        @task
        def fit(kind: Literal["svm", "forest"]) -> None: ...
        fit("forrest")  # <-
        """,
        "Literal['svm', 'forest']",
        "'forrest'",
    ),
    mistake(
        "unknown key of a TypedDict",
        "unknown-part",
        """
        class Row(TypedDict):
            name: str
        @task
        def read() -> Row: ...
        @dag
        def broken():
            show(read()["nmae"])  # <-
        """,
        "Row has no 'nmae'",
        "did you mean 'name'?",
    ),
    mistake(
        "unknown attribute of a dataclass",
        "unknown-part",
        """
        @dataclass
        class Score:
            auc: float
        @task
        def read() -> Score: ...
        @dag
        def broken():
            show(read().acu)  # <-
        """,
        "Score has no 'acu'",
        "did you mean 'auc'?",
    ),
    in_dag("part of a number", "unknown-part", "show(count(load())['k'])  # <-", "int has no part 'k'"),
    in_dag(
        "item beyond the end of a tuple",
        "unknown-part",
        """
        @task
        def pair() -> tuple[int, str]: ...
        show(pair()[2])  # <-
        """,
        "has 2 items, no [2]",
    ),
    in_dag(
        "lock as argument",
        "unserialisable",
        "show(threading.Lock())  # <-",
        "argument 'value'",
        "lock",
        "inside the task",
    ),
    in_dag(
        "open file as argument",
        "unserialisable",
        "show(open(__import__('os').devnull))  # <-",
        "open it inside the task",
    ),
    in_dag("lambda as argument", "unserialisable", "show(lambda: 1)  # <-", "function cannot travel"),
    in_dag("set as argument", "unserialisable", "show({1, 2})  # <-", "write sorted(...)"),
    in_dag("date as argument", "unserialisable", "show(datetime.date(2026, 1, 1))  # <-", "isoformat()"),
    in_dag("NaN as argument", "unserialisable", "show(float('nan'))  # <-", "nan does not exist in JSON"),
    in_dag(
        "number as a dict key",
        "unserialisable",
        "show({1: 'a'})  # <-",
        "the dict key 1 is a int",
        "write '1'",
    ),
    in_dag(
        "bad value deep inside",
        "unserialisable",
        "show({'a': [1, {2}]})  # <-",
        "argument 'value' at ['a'][1]",
    ),
    in_dag(
        "list that holds itself",
        "literal-depth",
        """
        ring = []
        ring.append(ring)
        show(ring)  # <-
        """,
        "100 lists or dicts",
    ),
    in_dag("literal too large", "literal-size", "show('x' * 70_000)  # <-", "70,002 bytes", "65,536"),
    in_dag(
        "task passed without a call",
        "task-not-called",
        "count(load)  # <-",
        "'load' is passed",
        "call it: load(...)",
    ),
    mistake(
        "reference of another DAG",
        "foreign-reference",
        """
        kept = []
        @dag
        def first():
            kept.append(load())
        first.graph()
        @dag
        def broken():
            count(kept[0])  # <-
        """,
        "task 'load' belongs to another DAG",
        "call the task in this DAG",
    ),
    mistake(
        "star args in a task",
        "task-signature",
        """
        @task  # <-
        def add(*numbers: int) -> int: ...
        @dag
        def broken():
            add()
        """,
        "'numbers' is *args",
        "a list",
    ),
    mistake(
        "async task",
        "task-signature",
        """
        @task  # <-
        async def fetch() -> int: ...
        @dag
        def broken():
            fetch()
        """,
        "async",
        "asyncio.run",
    ),
    in_dag(
        "expand",
        "not-available",
        "count.expand(rows=[{}])  # <-",
        "'count'",
        "not available yet",
        "in a Python loop",
    ),
]

ORDER = [
    in_dag(
        "cycle",
        "cycle",
        """
        a, b, c = load(), load(), load()  # <-
        a >> b >> c >> a
        """,
        "load → load__1 → load__2 → load",
        "remove one of these edges",
    ),
    in_dag(
        "task before itself",
        "self-reference",
        """
        a = load()
        a >> a  # <-
        """,
        "'load' is put before itself",
    ),
    in_dag("order of something else", "order-end", "load() >> 'b'  # <-", "'b' cannot be put in order"),
    in_dag(
        "order of a task not called",
        "order-end",
        "load() >> show  # <-",
        "'show', which is not called",
        "show(...)",
    ),
    mistake(
        "order of a param",
        "order-end",
        """
        @dag
        def broken(uri: str = ""):
            rows = load(uri)
            uri >> rows  # <-
        """,
        "param 'uri'",
        "before the run starts",
    ),
    in_dag(
        "chain of unequal lists",
        "chain-length",
        """
        a, b, c = load(), load(), load()
        chain([a], [b, c])  # <-
        """,
        "lists of 1 and 2 tasks",
        "same length",
    ),
    in_dag(
        "order of an empty group",
        "empty-group",
        """
        with task_group("prepare") as prepare:
            pass
        prepare >> load()  # <-
        """,
        "'prepare'",
        "has no tasks",
    ),
    in_dag(
        "duplicate task id",
        "duplicate-id",
        """
        load.override(task_id="x")()
        load.override(task_id="x")()  # <-
        """,
        "two tasks have the id 'x'",
        "__1",
    ),
    in_dag(
        "duplicate group id",
        "duplicate-id",
        """
        with task_group("g"):
            load()
        with task_group("g"):  # <-
            load()
        """,
        "two groups or tasks have the id 'g'",
    ),
    in_dag(
        "bad group id",
        "name",
        """
        with task_group("my group"):  # <-
            load()
        """,
        "'my group'",
        "'my_group'",
    ),
]

OPTIONS = [
    in_options("unknown option", "unknown-option", "retrys=2", "'retrys'", "'retries'?"),
    in_options("option of Airflow", "unknown-option", "execution_timeout=60", "write timeout="),
    in_options("option of a later version", "unknown-option", "pool='gpu'", "not available yet"),
    in_options("bad timeout", "option-value", "timeout='6 hours'", "'6 hours'", "'6h'"),
    in_options("bad memory", "option-value", "memory='lots'", "'60GiB'"),
    in_options("bad retries", "option-value", "retries=-1", "0 or more", "-1"),
    in_options("bad retry", "option-value", "retry=3", "Retry(attempts=..., delay=...)"),
    in_options(
        "both retry and retries",
        "option-conflict",
        "retry=Retry(), retries=1",
        "Retry(attempts=..., delay=...)",
    ),
    in_options("unknown compute", "option-value", "compute='lambada'", "did you mean 'lambda'?"),
    in_options("compute of a later version", "option-value", "compute='ecs'", "not available yet"),
    in_options("tags as one text", "option-value", "tags='daily'", "a list of texts"),
    in_call("timeout beyond Lambda", "limit", "compute=Lambda, timeout='1h'", "1 to 900 s", "3,600 s"),
    in_call(
        "memory beyond Lambda", "limit", "compute=Lambda, memory='60GiB'", "128 to 10,240 MiB", "61,440 MiB"
    ),
    in_call("GPU on Lambda", "compute", "compute=Lambda, gpu=1", "no GPU", "leave out compute="),
    in_call("timeout below Batch", "limit", "compute=Batch, timeout=5", "timeout on Batch", "60 to"),
    in_call(
        "retry of a reserved error", "retry-error", "retry=Retry(on=['States.Runtime'])", "'States.Runtime'"
    ),
    in_call("backoff below 1", "limit", "retry=Retry(backoff=0.5)", "retry backoff", "0.5"),
    in_call(
        "unknown trigger rule", "trigger-rule", "trigger_rule='all_succes'", "'all_succes'", "all_success"
    ),
    in_call(
        "trigger rule of a later version",
        "trigger-rule",
        "trigger_rule='one_success'",
        "not available yet",
        "all_done",
    ),
    in_call("clean-up first", "teardown", "teardown=True", "nothing before it", "[last tasks] >> step"),
    in_call("over-long id", "name-length", f"task_id={'a' * 61!r}", "at most 60 characters", "61 characters"),
    in_call("id with a space", "name", "task_id='my step'", "'my step'", "task_id='my_step'"),
    in_call("id that is code", "name", "task_id='{% $x %}'", "letters, digits", "task_id='x'"),
    in_call("owner that is code", "text-code", "owner='${Team}'", "'${'", "leave '${' out"),
    in_call("tag that is code", "text-code", "tags=['{% a %}']", "'{%'", "in values and docs it is allowed"),
    in_dag(
        "task after a clean-up",
        "teardown",
        """
        rows = load()
        clean = show.override(teardown=True, task_id="clean")()
        rows >> clean >> count(rows)  # <-
        """,
        "'count'",
        "comes after 'clean'",
    ),
    in_dag(
        "clean-up with a rule",
        "teardown",
        """
        rows = load()
        rows >> show.override(teardown=True, trigger_rule="all_success")()  # <-
        """,
        "'all_success'",
        "all_done",
    ),
    mistake(
        "unknown default_args",
        "unknown-option",
        """
        @dag(default_args={"retrys": 2})  # <-
        def broken():
            load()
        """,
        "default_args",
        "'retries'?",
    ),
    mistake(
        "waiting for failures with fail_fast",
        "fail-fast",
        """
        @dag(fail_fast=True)
        def broken():
            rows = load()
            rows >> show.override(trigger_rule="all_failed")()  # <-
        """,
        "fail_fast ends the run",
        "leave out fail_fast",
    ),
]

DAGS = [
    in_schedule(
        "bad cron",
        "schedule",
        "schedule=Cron('61 * * * *')",
        "'61 * * * *'",
        "Bad minute",
        "Cron('0 6 * * 1-5'",
    ),
    in_schedule("cron of three fields", "schedule", "schedule='0 6 *'", "3 fields instead of 5"),
    in_schedule("unknown cron preset", "schedule", "schedule='@dayly'", "'@dayly'", "@daily"),
    in_schedule(
        "cron that AWS cannot express", "schedule", "schedule='0 0 1 * 1'", "day of month and day of week"
    ),
    in_schedule(
        "unknown time zone",
        "schedule",
        "schedule=Cron('@daily', timezone='Europe/Berlim')",
        "'Europe/Berlim'",
    ),
    in_schedule("rate below a minute", "schedule", "schedule=Every('30s')", "whole minutes"),
    in_schedule("schedule of another type", "option-value", "schedule=5", "Cron(...)"),
    in_schedule("bad trigger", "option-value", "triggers=['s3://x']", "a list of triggers"),
    in_schedule("unknown DAG option", "unknown-option", "shedule='@daily'", "did you mean 'schedule'?"),
    in_schedule("DAG option of a later version", "unknown-option", "catchup=True", "not available yet"),
    in_schedule("bad DAG id", "name", "dag_id='my dag'", "'my dag'", "dag_id='my_dag'"),
    in_schedule("over-long DAG id", "name-length", f"dag_id={'d' * 61!r}", "at most 60 characters"),
    in_schedule("DAG timeout too long", "limit", "timeout='400d'", "31,536,000 s"),
    mistake(
        "empty DAG",
        "empty-dag",
        """
        @dag  # <-
        def broken():
            pass
        """,
        "has no tasks",
        "call a task",
    ),
    mistake(
        "default of a param out of range",
        "param-default",
        """
        @dag  # <-
        def broken(threshold: float = Param(1.5, ge=0, le=1)):
            show(threshold)
        """,
        "'threshold'",
        "less than or equal to 1",
        "1.5",
    ),
    mistake(
        "default of a param of another type",
        "param-default",
        """
        @dag  # <-
        def broken(n: int = "five"):
            show(n)
        """,
        "'n'",
        "a valid integer",
        "'five'",
    ),
    mistake(
        "default that no state machine can hold",
        "param-default",
        """
        @dag  # <-
        def broken(n: int = 2**60):
            show(n)
        """,
        "'n'",
        "2^53",
    ),
    mistake(
        "param of a type that JSON cannot hold",
        "param-type",
        """
        @dag  # <-
        def broken(lock: threading.Thread = None):
            show()
        """,
        "'lock'",
        "Thread",
        "inside a task",
    ),
    mistake(
        "star args in a DAG",
        "param-signature",
        """
        @dag  # <-
        def broken(*uris):
            load()
        """,
        "*uris",
        "name every param",
    ),
    mistake(
        "async DAG",
        "dag-signature",
        """
        @dag  # <-
        async def broken():
            load()
        """,
        "async",
        "plain function",
    ),
    mistake(
        "param of the wrong type on an edge",
        "edge-type",
        """
        @dag
        def broken(n: int = 5):
            load(n)  # <-
        """,
        "expected: str",
        "int from param 'n'",
    ),
    mistake(
        "DAG inside a DAG",
        "dag-in-dag",
        """
        @dag
        def inner():
            load()
        @dag
        def broken():
            inner()  # <-
            load()
        """,
        "'inner'",
        "@task_group",
    ),
    in_dag(
        "exception in the DAG function",
        "dag-raised",
        """
        load()
        {}["missing"]  # <-
        """,
        "KeyError: 'missing'",
        "correct this line",
    ),
]

MISTAKES = [*REFERENCES, *ARGUMENTS, *ORDER, *OPTIONS, *DAGS]


def problems_of(source: str) -> tuple[Problem, ...]:
    module = ModuleType("mistakes")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "mistakes", module)
        exec(compile(source, "mistakes.py", "exec"), vars(module))
        dag = [value for value in vars(module).values() if isinstance(value, Dag)][-1]
        with pytest.raises(DagError) as raised:
            dag.graph()
    return raised.value.problems


@pytest.mark.parametrize("case", MISTAKES, ids=lambda case: case.name)
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_mistake_is_one_error_with_code_place_and_fix(case: Mistake) -> None:
    source = PRELUDE + case.source
    line = next(number for number, text in enumerate(source.splitlines(), 1) if text.endswith("# <-"))

    problems = problems_of(source)

    assert [(problem.code, problem.file, problem.line) for problem in problems] == [
        (case.code, "mistakes.py", line)
    ]
    assert problems[0].fix
    missing = [words for words in case.says if words not in str(problems[0])]
    assert not missing, str(problems[0])


def test_there_are_mistakes_of_every_kind() -> None:
    assert len(MISTAKES) >= 40
    assert len({case.name for case in MISTAKES}) == len(MISTAKES)


def test_all_mistakes_of_a_dag_are_reported_together_in_the_order_of_lines() -> None:
    problems = problems_of(
        PRELUDE
        + textwrap.dedent("""
        @task(retrys=1)
        def step(n: int) -> int: ...

        @dag(schedule="* *")
        def broken(n: int = "x"):
            rows = load()
            if rows:
                step(f"{rows}")
            step("five")
            rows >> rows
            count()
        """)
    )

    assert [problem.code for problem in problems] == [
        "unknown-option",
        "schedule",
        "param-default",
        "reference-bool",
        "reference-text",
        "edge-type",
        "edge-type",
        "self-reference",
        "missing-argument",
    ]
    lines = [problem.line for problem in problems]
    assert lines == sorted(lines, key=lambda line: line or 0)


def test_an_error_of_the_dag_function_keeps_its_traceback() -> None:
    names: dict[str, Any] = {"__name__": "mistakes"}
    exec(compile(PRELUDE + "@dag\ndef broken():\n    {}['missing']\n", "mistakes.py", "exec"), names)

    with pytest.raises(DagError) as raised:
        names["broken"].graph()

    assert isinstance(raised.value.__cause__, KeyError)


def test_a_wrong_task_is_reported_once_however_often_it_is_called() -> None:
    problems = problems_of(
        PRELUDE + "@task(retrys=1)\ndef step(): ...\n@dag\ndef broken():\n    for _ in range(5): step()\n"
    )

    assert [problem.code for problem in problems] == ["unknown-option"]
