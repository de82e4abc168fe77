"""Our linter and two public validators, cfn-lint (rule E3601) and asl-validator, on the same definitions."""

import copy
import json
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from stepweave.validation.definition import validate
from tests.parity.drawn import definitions_of
from tests.parity.random_graphs import random_graph

REPOSITORY = Path(__file__).parents[3]
DATA = REPOSITORY / "tests" / "validation" / "data"
SOUND = ("n_shape", "orders", "distributed")
MUTATIONS = json.loads((DATA / "mutations.json").read_text())
Validator = Callable[[Sequence[Any]], list[list[str]]]


def definition_of(name: str) -> Any:
    return json.loads((DATA / f"{name}.asl.json").read_text())


def edited(mutation: dict[str, Any]) -> Any:
    definition = definition_of(mutation["base"])
    for edit in mutation["edits"]:
        holder = definition
        for step in edit["at"][:-1]:
            holder = holder[step]
        if "set" in edit:
            holder[edit["at"][-1]] = edit["set"]
        else:
            del holder[edit["at"][-1]]
    return definition


def machine(**state: Any) -> Any:
    """A machine of one state."""
    ends = {} if state["Type"] in ("Succeed", "Fail") else {"End": True}
    return {"QueryLanguage": "JSONata", "StartAt": "a", "States": {"a": {**state, **ends}}}


# Compiled definitions


def compiled() -> Iterator[tuple[str, Any]]:
    """Every committed definition, and those of some random DAGs, whole and cut into nested machines."""
    for file in sorted((REPOSITORY / "statemachines").glob("**/asl/*.asl.json")):
        yield file.name, json.loads(file.read_text())
    for seed in range(12):
        graph = random_graph(1 + seed * 2, seed)
        for in_parts in (False, True):
            for name, definition in definitions_of(graph, in_parts).items():
                yield f"{seed}, {'in parts' if in_parts else 'whole'}: {name or 'root'}", definition


@pytest.fixture(scope="module")
def definitions() -> dict[str, Any]:
    return dict(compiled())


def test_the_definitions_have_every_kind_of_part(definitions: dict[str, Any]) -> None:
    texts = {name: json.dumps(definition) for name, definition in definitions.items()}
    parts = ("submitJob", ".waitForTaskToken", "startExecution.sync:2", '"values"', '"rerun"', '"Parallel"')
    assert [part for part in parts if not any(part in text for text in texts.values())] == []
    assert any('"DagRunFailed"' not in text and '"Task"' in text for text in texts.values())  # fail_fast
    assert {"digits.asl.json", "n_shape.asl.json", "chain.asl.json"} <= texts.keys()


def test_compiled_definitions_pass_our_linter(definitions: dict[str, Any]) -> None:
    assert [
        str(problem)
        for name, definition in definitions.items()
        for problem in validate(definition, name=name)
    ] == []


def test_compiled_definitions_pass_asl_validator(
    definitions: dict[str, Any], asl_validator: Validator
) -> None:
    answers = zip(definitions, asl_validator(list(definitions.values())), strict=True)
    assert {name: errors for name, errors in answers if errors} == {}


@pytest.mark.slow
def test_compiled_definitions_pass_cfn_lint(definitions: dict[str, Any], cfn_lint_rule: Validator) -> None:
    answers = zip(definitions, cfn_lint_rule(list(definitions.values())), strict=True)
    assert {name: errors for name, errors in answers if errors} == {}


# The same mistakes


@pytest.mark.slow
def test_the_table_of_mistakes_says_who_finds_each(
    asl_validator: Validator, cfn_lint_rule: Validator
) -> None:
    broken = [edited(mutation) for mutation in MUTATIONS]
    known = set().union(*cfn_lint_rule([definition_of(name) for name in SOUND]))
    by_cfn_lint = [bool(set(errors) - known) for errors in cfn_lint_rule(broken)]
    by_asl_validator = [bool(errors) for errors in asl_validator(broken)]
    found = zip(MUTATIONS, by_cfn_lint, by_asl_validator, strict=True)
    assert [m["name"] for m, cfn, asl in found if (cfn, asl) != (m["cfn_lint"], m["asl_validator"])] == []


JUNK = (None, 0, -1, 1.5, True, False, "", "x", "{% $run %}", "{% x", "$.a", [], {}, ["a"], {"a": 1}, 10**11)
FIELDS = (
    "Next", "End", "Assign", "Output", "Arguments", "Retry", "Catch", "Choices", "Default", "Resource", "Seconds",
    "Items", "Branches", "Comment", "TimeoutSeconds", "Result", "Parameters", "Condition", "ErrorEquals", "Mode",
    "QueryLanguage",
)  # fmt: skip
VALUES = ("Assign", "Output", "Arguments", "ItemSelector", "ReaderConfig", "BatchInput")
"""Fields whose inside is the user's."""


def places(definition: Any) -> list[tuple[Any, ...]]:
    """Paths to everything in a definition but the inside of values."""
    found: list[tuple[Any, ...]] = []
    queue: list[tuple[tuple[Any, ...], Any]] = [((), definition)]
    for path, value in queue:
        inside = (
            value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        )
        for key, inner in inside:
            found.append((*path, key))
            if key not in VALUES:
                queue.append(((*path, key), inner))
    return found


def damaged(number: int) -> Iterator[tuple[tuple[Any, ...], Any, Any]]:
    """Sound definitions with one thing removed, replaced, added or renamed: the place, what stands there, the whole."""
    draw = random.Random(number)
    sound = [definition_of(name) for name in SOUND]
    for _ in range(number):
        definition = copy.deepcopy(draw.choice(sound))
        path = draw.choice(places(definition))
        holder = definition
        for step in path[:-1]:
            holder = holder[step]
        way = draw.choice(["remove", "replace", "add", "rename"])
        if way == "remove":
            del holder[path[-1]]
        elif way == "rename" and isinstance(holder, dict):
            path = (*path[:-1], draw.choice(FIELDS))
            holder[path[-1]] = holder.pop(next(reversed(holder)))
        else:
            if way == "add" and isinstance(holder[path[-1]], dict) and path[-1] not in VALUES:
                holder, path = holder[path[-1]], (*path, draw.choice(FIELDS))
            holder[path[-1]] = draw.choice(JUNK)
        yield path, holder.get(path[-1]) if isinstance(holder, dict) else None, definition


def explained(path: tuple[Any, ...], value: Any) -> str | None:
    """Why asl-validator may refuse what we accept."""
    match path[-1]:
        case "Output" if not isinstance(value, dict):
            return "Output may be any JSON value, not only an object or an expression"
        case "Items" if isinstance(value, dict):
            return "a Map may go over the members of an object"
        case "Error" | "Cause" if value == "":
            return "text may be empty"
        case "ToleratedFailurePercentage" if isinstance(value, float):
            return "a percentage may be a fraction"
        case "Mode" | "ProcessorConfig" if value in (None, {}):
            return "the mode of a Map is INLINE where none is given"
        case "Assign" | "Arguments" | "BatchInput":
            return "the values of these are the user's"
    return None


def test_what_asl_validator_refuses_we_refuse_but_for_explained_exceptions(asl_validator: Validator) -> None:
    cases = list(damaged(300))
    refused = [
        case for case, errors in zip(cases, asl_validator([case[2] for case in cases]), strict=True) if errors
    ]
    assert len(refused) > 100
    accepted = [(path, value) for path, value, definition in refused if not validate(definition)]
    assert [case for case in accepted if not explained(*case)] == []
    assert len(accepted) < len(refused) / 10


# Where they refuse what is right

DISAGREEMENTS = {
    "a task's timeout as an expression": (
        machine(Type="Task", Resource="${Run}", TimeoutSeconds="{% $states.input.seconds %}"),
        ("cfn-lint",),
        "cfn-lint 1.58 has numbers only; https://docs.aws.amazon.com/step-functions/latest/dg/state-task.html",
    ),
    "a map's limit as an expression": (
        machine(
            Type="Map",
            Items=[1],
            MaxConcurrency="{% $states.input.most %}",
            ItemProcessor={"StartAt": "b", "States": {"b": {"Type": "Succeed"}}},
        ),
        ("cfn-lint",),
        "cfn-lint 1.58 has numbers only; https://docs.aws.amazon.com/step-functions/latest/dg/state-map-inline.html",
    ),
    "an expression without blanks": (
        machine(Type="Pass", Output="{%1%}"),
        ("asl-validator",),
        "asl-validator wants a blank behind {% and before %}",
    ),
    "an expression over two lines": (
        machine(Type="Pass", Output="{% 1\n+ 2 %}"),
        ("asl-validator",),
        "asl-validator matches an expression with a pattern that stops at the end of a line",
    ),
    "an output that is a list": (
        machine(Type="Pass", Output=[1, 2]),
        ("cfn-lint", "asl-validator"),
        "Output takes any JSON value; https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html",
    ),
    "a list of lists": (
        machine(Type="Pass", Output={"x": [["a", "b"], ["c"]]}),
        ("asl-validator",),
        "asl-validator knows only objects and text inside lists",
    ),
    "an empty text": (
        machine(Type="Pass", Output={"x": ""}),
        ("asl-validator",),
        "asl-validator's pattern for text wants at least one character",
    ),
    "text over two lines": (
        machine(Type="Pass", Output={"x": "1\n2"}),
        ("asl-validator",),
        "asl-validator's pattern for text stops at the end of a line",
    ),
    "a value with a member called Next": (
        machine(Type="Pass", Output={"Next": "page 2"}),
        ("asl-validator",),
        "asl-validator takes every Next, Default and StartAt in the document for a transition",
    ),
}
"""Sound definitions, who refuses them, and why we do not."""


@pytest.fixture(scope="module")
def refusals(asl_validator: Validator, cfn_lint_rule: Validator) -> dict[str, tuple[str, ...]]:
    """Who refuses each of the definitions that they disagree on."""
    definitions = [definition for definition, _, _ in DISAGREEMENTS.values()]
    answers = zip(DISAGREEMENTS, cfn_lint_rule(definitions), asl_validator(definitions), strict=True)
    return {name: ("cfn-lint",) * bool(cfn) + ("asl-validator",) * bool(asl) for name, cfn, asl in answers}


@pytest.mark.parametrize("name", DISAGREEMENTS)
def test_what_others_refuse_wrongly_is_known(name: str, refusals: dict[str, tuple[str, ...]]) -> None:
    definition, refused_by, reason = DISAGREEMENTS[name]
    assert validate(definition) == ()
    assert refusals[name] == refused_by, reason
