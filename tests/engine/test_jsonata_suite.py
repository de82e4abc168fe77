"""The official JSONata suite at 2.0.6, through the adapter that the engine uses."""

import gzip
import json
import math
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import jlens
import pytest

from stepweave.engine.jsonata import UNDEFINED, EvaluationError, Expression, ExpressionError
from stepweave.engine.jsonata_calls import FunctionError
from stepweave.engine.jsonata_functions import generator
from stepweave.engine.jsonata_program import compile_program
from stepweave.engine.jsonata_rewrite import rewrite
from stepweave.engine.jsonata_tokens import UnreadableError

SUITE = json.loads(
    gzip.decompress((Path(__file__).parent / "data" / "jsonata-suite-2.0.6.json.gz").read_bytes())
)

# Step Functions has no $eval, and its own $random and $uuid.
CASES = [case for case in SUITE["cases"] if "$eval" not in case["expr"] and "timelimit" not in case]

# Step Functions gives an expression no input, so a function that takes the context has none at the top (measured).
DIFFERENT = {
    "context/case000",
    "function-length/case013",
    "function-length/case014",
    "function-string/case029",
}

WITHOUT_DOCUMENT = [case for case in CASES if not case.get("dataset") and "data" not in case]
WITH_DOCUMENT = [case for case in CASES if case not in WITHOUT_DOCUMENT]


class Given:
    """The bindings of a case."""

    inexact = True  # so that every expression goes through the library
    generator = Random(0)

    def __init__(self, bindings: dict[str, Any]) -> None:
        self.bindings = bindings

    def variable(self, name: str) -> Any:
        return self.bindings.get(name, UNDEFINED)

    def states(self, field: str) -> Any:
        return UNDEFINED

    def now(self) -> float:
        return 1_767_225_600.0


def same(got: Any, wanted: Any) -> bool:
    """Equality of JSON values as JSONata has it: one kind of number, true is not 1."""
    if isinstance(got, bool) or isinstance(wanted, bool):
        return got is wanted
    if isinstance(got, int | float) and isinstance(wanted, int | float):
        return math.isclose(got, wanted, rel_tol=1e-12)
    if isinstance(got, dict) and isinstance(wanted, dict):
        return got.keys() == wanted.keys() and all(same(got[key], wanted[key]) for key in got)
    if isinstance(got, list) and isinstance(wanted, list):
        return len(got) == len(wanted) and all(map(same, got, wanted))
    return type(got) is type(wanted) and got == wanted


def name_of(case: dict[str, Any]) -> str:
    return f"{case['group']}/{case['case']}"


def through_the_adapter(case: dict[str, Any]) -> Any:
    try:
        return Expression(case["expr"]).evaluate(Given(case.get("bindings") or {}))
    except ExpressionError:
        return "error"
    except EvaluationError as error:
        return UNDEFINED if "returned nothing" in str(error) else "error"


def evaluated(case: dict[str, Any], arithmetic: bool) -> Any:
    """The result of the whole expression, rewritten, on the case's document: the adapter itself gives it none."""
    generator.set(Given.generator)
    document = json.dumps(document_of(case)) if case in WITH_DOCUMENT else None
    try:
        program = compile_program(case["expr"], (), special=True, arithmetic=arithmetic)
        text = program.library.evaluate_json(document, case.get("bindings") or {})
    except (jlens.JlensError, FunctionError, UnicodeEncodeError):
        return "error"
    return UNDEFINED if text is None else json.loads(text)


def document_of(case: dict[str, Any]) -> Any:
    return SUITE["datasets"][case["dataset"]] if case.get("dataset") else case["data"]


def as_written(case: dict[str, Any]) -> Any:
    return evaluated(case, arithmetic=False)


def with_arithmetic_by_the_host(case: dict[str, Any]) -> Any:
    return evaluated(case, arithmetic=True)


def wanted(case: dict[str, Any]) -> Any:
    if "code" in case or "error" in case:
        return "error"
    return UNDEFINED if case.get("undefinedResult") else case["result"]


def test_the_whole_suite_is_there() -> None:
    assert (len(WITHOUT_DOCUMENT), len(WITH_DOCUMENT)) == (446, 1156)


@pytest.mark.parametrize(
    "run,cases",
    [(through_the_adapter, WITHOUT_DOCUMENT), (as_written, CASES), (with_arithmetic_by_the_host, CASES)],
)
def test_every_case_gives_what_the_suite_says(run: Callable[[Any], Any], cases: list[dict[str, Any]]) -> None:
    """Also where calls and operators are rewritten to calls of Python."""
    wrong = {name_of(case): got for case in cases if not same(got := run(case), wanted(case))}
    assert wrong == dict.fromkeys(sorted(DIFFERENT & set(map(name_of, cases))), UNDEFINED)


def test_every_expression_that_the_library_reads_can_be_rewritten() -> None:
    unread = []
    for case in CASES:
        try:
            jlens.Expression(case["expr"])
        except (jlens.JlensError, UnicodeEncodeError):
            continue
        try:
            rewrite(case["expr"])
        except UnreadableError:
            unread.append(name_of(case))
    assert unread == []
