"""Every expression that the compiler emits gives in our adapter what JSONata 2.0.6 gives, whatever the records are."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from stepweave.engine.jsonata import UNDEFINED, EvaluationError, Expression
from tests.parity.drawn import FIELDS, HOSTILE, NUMBERS, sample
from tests.parity.interpreters import in_our_engine
from tests.parity.scenarios import plain

AskNode = Callable[[str, Sequence[Any]], list[Any]]
Case = tuple[str, dict[str, Any]]
"""An expression, and the variables that it reads, ``states`` among them."""

REPOSITORY = Path(__file__).parents[3]
NAME = re.compile(r"`([^`]+)`|([A-Za-z_]\w*)")
FIELD_KEYS = tuple(".".join(map(str, path)) for path, _ in FIELDS)
VALUES = (*NUMBERS, *HOSTILE, True, False, None, [], [1], [[1], 2], {}, {"a": None})
DAGS = 80
STATUSES = ("success", "success", "failed", "skipped", "upstream_failed")


class Bound:
    """Values for our adapter."""

    inexact = True
    generator = random.Random(1)

    def __init__(self, bindings: Mapping[str, Any]) -> None:
        self._bindings = bindings

    def variable(self, name: str) -> Any:
        return self._bindings.get(name, UNDEFINED)

    def states(self, field: str) -> Any:
        return self._bindings["states"].get(field, UNDEFINED)

    def now(self) -> float:
        return 0.0


def ours(case: Case) -> Any:
    """``[result]``, or None when there is none."""
    try:
        return [Expression(case[0]).evaluate(Bound(case[1]))]
    except EvaluationError:
        return None


def expressions(value: Any) -> Iterator[str]:
    """Every expression inside ``value``."""
    if isinstance(value, str) and value.startswith("{%"):
        yield value.removeprefix("{%").removesuffix("%}")
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from expressions(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from expressions(inner)


def record(draw: random.Random) -> dict[str, Any]:
    """What a task, a group of tasks or many of them leave behind; some parts may be missing."""
    status = draw.choice(STATUSES)
    found: dict[str, Any] = {"status": status}
    if status == "success":
        found["fields"] = {key: draw.choice(VALUES) for key in FIELD_KEYS if draw.random() < 0.9}
        found["value"] = json.dumps(draw.choice(VALUES))
    else:
        found["by"] = draw.sample(["a", "b", "c"], draw.randint(1, 3))
    if draw.random() < 0.8:
        failed = draw.randint(0, 2)
        found |= {"n": failed + draw.randint(0, 1), "f": failed, "by": found.get("by", [])}
    return found


def world(expression: str, draw: random.Random) -> dict[str, Any]:
    """Variables for ``expression``: each is a record and holds one under every name that the expression has."""
    names = [quoted or bare for quoted, bare in NAME.findall(expression)]

    def holder() -> dict[str, Any]:
        inner = {name: record(draw) for name in names if draw.random() < 0.95}
        return inner | record(draw)

    error = draw.choice(("Skip", "UpstreamSkipped", "UpstreamFailed", "PermanentError", "States.Timeout"))
    params = {name: draw.choice(VALUES) for name in ("who", "n", "seconds") if draw.random() < 0.8}
    run = {"dag": "drawn", "id": "mine", "params": params, "resume": draw.choice((True, False))}
    payload = draw.choice(({"uri": "runs/a/input.json"}, record(draw), None))
    context = {
        "Execution": {"Id": "arn:aws:states:::execution:x", "Name": "mine"},
        "State": {"RetryCount": draw.randint(0, 2)},
        "Task": {"Token": "a token"},
    }
    result = draw.choice(([holder() for _ in range(draw.randint(1, 3))], holder()))
    if isinstance(result, dict):
        result |= {"Payload": payload, "Output": {"records": holder()}, "records": holder()}
    states = {
        "input": draw.choice(({}, {"params": params, "run_id": "mine", "resume": True, "Payload": payload})),
        "result": result,
        "errorOutput": {"Error": error, "Cause": json.dumps({"by": draw.sample(["a", "b"], 2)})},
        "context": context,
    }
    variables = {name: holder() for name in names if draw.random() < 0.97}
    return variables | {"run": run, "states": states}


def definitions() -> Iterator[Any]:
    """Every committed definition, and those of the drawn DAGs."""
    for file in sorted((REPOSITORY / "statemachines").glob("**/asl/*.asl.json")):
        yield json.loads(file.read_text())
    for scenario in sample(DAGS):
        yield from scenario.definitions.values()


def differing(cases: Sequence[Case], ask_node: AskNode) -> list[tuple[Case, Any, Any]]:
    """The cases in which JSONata 2.0.6 gives something else, or something where we give nothing."""
    answers = [answer or None for answer in ask_node("evaluate", cases)]
    mine = [plain(ours(case)) for case in cases]
    pairs = zip(cases, mine, map(plain, answers), strict=True)
    return [found for found in pairs if json.dumps(found[1]) != json.dumps(found[2])]


def test_emitted_expressions_give_what_jsonata_gives(ask_node: AskNode) -> None:
    draw = random.Random(206)
    texts = sorted({text for definition in definitions() for text in expressions(definition)})
    cases = [(text, world(text, draw)) for text in texts for _ in range(4)]
    assert len(texts) > 250
    assert differing(cases, ask_node) == []


def test_most_drawn_worlds_give_a_result() -> None:
    draw = random.Random(206)
    texts = sorted({text for definition in definitions() for text in expressions(definition)})
    results = [ours((text, world(text, draw))) for text in texts]
    assert sum(result is not None for result in results) > len(results) / 2


def test_expressions_give_in_real_runs_what_jsonata_gives(
    ask_node: AskNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases: dict[str, Case] = {}
    evaluate = Expression.evaluate

    def noting(self: Expression, values: Any) -> Any:
        fields = ("input", "result", "errorOutput", "context")
        states = {field: values.states(field) for field in fields} if "$states" in self.source else {}
        names = {name: values.variable(name) for name in self.variables}
        case = (
            self.source,
            {name: value for name, value in names.items() if value is not UNDEFINED}
            | {"states": {field: value for field, value in states.items() if value is not UNDEFINED}},
        )
        cases[json.dumps(case)] = case
        return evaluate(self, values)

    with monkeypatch.context() as patch:
        patch.setattr(Expression, "evaluate", noting)
        for scenario in sample(DAGS):
            in_our_engine(scenario)
    assert len(cases) > 400
    assert differing(list(cases.values()), ask_node) == []
