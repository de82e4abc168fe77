"""Every mistake gives one error that says what, where and how to do it right.

The cases are in ``mistakes/*.md``: a heading with the name and the code, the body of a module (or of a DAG function,
where there is no ``@dag``) in which the wrong line ends in ``# <-``, and words that the error's text must have.
"""

from __future__ import annotations

import re
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from stepweave.authoring.dags import Dag
from stepweave.errors import DagError, Problem

PRELUDE = """
import datetime, os, threading
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Literal, Optional, TypedDict
from stepweave import (
    Asset, Batch, Breaker, Cron, Elif, Else, Every, Fargate, If, Lambda, Loop, Param, Retry,
    approval, chain, dag, task, task_group,
)

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


def read_mistakes(text: str) -> list[Mistake]:
    return [
        mistake_of(*part.groups())
        for part in re.finditer(r"^## (.+) \[(.+)\]\n((?:(?!## ).*\n)*)", text, re.M)
    ]


def mistake_of(name: str, code: str, body: str) -> Mistake:
    lines = body.splitlines()
    source = textwrap.dedent("\n".join(line for line in lines if not line.startswith("- "))).strip()
    if "@dag" not in source:
        source = f"@dag\ndef broken():\n{textwrap.indent(source, '    ')}"
    return Mistake(name, code, f"{source}\n", tuple(line[2:] for line in lines if line.startswith("- ")))


MISTAKES = [
    mistake
    for file in sorted((Path(__file__).parent / "mistakes").glob("*.md"))
    for mistake in read_mistakes(file.read_text(encoding="utf-8"))
]


def problems_of(source: str) -> DagError:
    module = ModuleType("mistakes")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "mistakes", module)
        exec(compile(PRELUDE + textwrap.dedent(source), "mistakes.py", "exec"), vars(module))
        dag = [value for value in vars(module).values() if isinstance(value, Dag)][-1]
        with pytest.raises(DagError) as raised:
            dag.graph()
    return raised.value


def codes_of(problems: tuple[Problem, ...]) -> list[str]:
    return [problem.code for problem in problems]


@pytest.mark.parametrize("case", MISTAKES, ids=lambda case: case.name)
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_mistake_is_one_error_with_code_place_and_fix(case: Mistake) -> None:
    lines = (PRELUDE + case.source).splitlines()
    line = next(number for number, text in enumerate(lines, 1) if text.endswith("# <-"))

    problems = problems_of(case.source).problems

    assert [(one.code, one.file, one.line) for one in problems] == [(case.code, "mistakes.py", line)]
    assert problems[0].fix
    missing = [words for words in case.says if words not in str(problems[0])]
    assert not missing, str(problems[0])


def test_there_are_mistakes_of_every_kind_and_each_is_asked_for_its_words() -> None:
    assert len(MISTAKES) >= 100
    assert len({case.name for case in MISTAKES}) == len(MISTAKES)
    assert all(case.says for case in MISTAKES)


def test_all_mistakes_of_a_dag_are_reported_together_in_the_order_of_lines() -> None:
    problems = problems_of("""
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
        """).problems

    assert codes_of(problems) == [
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
    lines = [problem.line or 0 for problem in problems]
    assert lines == sorted(lines)


def test_an_error_of_the_dag_function_keeps_its_traceback() -> None:
    error = problems_of("@dag\ndef broken():\n    {}['missing']\n")

    assert isinstance(error.__cause__, KeyError)


def test_what_follows_from_a_mistake_on_the_same_line_is_not_reported_too() -> None:
    error = problems_of("@dag\ndef broken():\n    a, b = load()\n")

    assert codes_of(error.problems) == ["reference-iteration"]


def test_a_wrong_task_is_reported_once_however_often_it_is_called() -> None:
    error = problems_of("""
        @task(retrys=1)
        def step(): ...

        @dag
        def broken():
            for _ in range(5):
                step()
        """)

    assert codes_of(error.problems) == ["unknown-option"]


def test_whatever_is_done_with_a_mistaken_value_is_no_further_mistake() -> None:
    error = problems_of("""
        @dag
        def broken():
            wrong = count(load())["k"]
            if (wrong["a"].b + 1 > 2) & ~wrong:
                count(wrong)
            for item in wrong:
                wrong.x = item
            [wrong, load()] >> count(rows=wrong())
            show(f"{wrong} {len(wrong)}")
        """)

    assert codes_of(error.problems) == ["unknown-part"]
