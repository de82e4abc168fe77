"""Damaged definitions: whatever stands in them, they are read or refused with problems; nothing else happens."""

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stepweave.engine.machine import Machine
from stepweave.engine.parsing import parse
from stepweave.errors import DefinitionError

DATA = Path(__file__).parents[1] / "validation" / "data"
JUNK: tuple[Any, ...] = (
    None, 0, -1, 1.5, True, "", "x", "{% 1 %}", "{% x", "{% $states.result %}", "${Name}", "$.a", [], {}, [[]], [{}],
    ["a"], [None], {"a": 1}, {"": ""}, 10**30, "\ud800", "States.ALL", "arn:aws:states:::a:b", "JSONPath", "Map",
)  # fmt: skip
FIELDS = (
    "Type", "Next", "End", "Assign", "Output", "Arguments", "Retry",
    "Catch", "Choices", "Default", "Resource", "Seconds", "Timestamp", "Items",
    "Branches", "ItemProcessor", "Iterator", "ItemReader", "ItemBatcher", "ResultWriter", "Label",
    "ProcessorConfig", "ReaderConfig", "WriterConfig", "CSVHeaders", "Credentials", "Comment", "TimeoutSeconds",
    "HeartbeatSeconds", "MaxConcurrency", "Condition", "ErrorEquals", "Mode", "ExecutionType", "QueryLanguage",
    "States", "StartAt", "Error", "Cause", "Version",
)  # fmt: skip


def sound() -> list[dict[str, Any]]:
    """The definitions that damage begins with; they have placeholders where a deployment fills in names."""
    names = ("n_shape", "orders", "distributed")
    return [
        json.loads((DATA / f"{name}.asl.json").read_text().replace("${", "arn:aws:states:::lambda:invoke{"))
        for name in names
    ]


def places(definition: Any) -> list[tuple[Any, ...]]:
    """Paths to everything in a definition."""
    found: list[tuple[Any, ...]] = []
    queue: list[tuple[tuple[Any, ...], Any]] = [((), definition)]
    for path, value in queue:
        inside = (
            value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        )
        for key, inner in inside:
            found.append((*path, key))
            queue.append(((*path, key), inner))
    return found


def damaged(seed: int, number: int) -> Iterator[Any]:
    """Sound definitions with one to three things removed, replaced, added or copied elsewhere."""
    draw = random.Random(seed)
    bases = sound()
    for _ in range(number):
        definition = copy.deepcopy(draw.choice(bases))
        for _ in range(draw.randint(1, 3)):
            damage(definition, draw)
        yield definition


def damage(definition: Any, draw: random.Random) -> None:
    """Change one thing in ``definition``."""
    found = places(definition)
    if not found:
        return
    path = draw.choice(found)
    holder = definition
    for step in path[:-1]:
        holder = holder[step]
    value = copy.deepcopy(draw.choice(JUNK))
    match draw.choice(["remove", "replace", "add", "copy"]):
        case "remove":
            del holder[path[-1]]
        case "add" if isinstance(holder, dict):
            holder[draw.choice(FIELDS)] = value
        case "copy" if isinstance(holder, dict):
            holder[draw.choice(FIELDS)] = copy.deepcopy(holder[path[-1]])
        case _:
            holder[path[-1]] = value


def outcome_of(definition: Any) -> Machine | DefinitionError:
    """The machine, or why there is none."""
    try:
        return parse(definition, "main")
    except DefinitionError as error:
        return error


@pytest.mark.parametrize("seed", range(6))
def test_a_damaged_definition_is_read_or_refused_with_problems(seed: int) -> None:
    read = refused = 0
    for definition in damaged(seed, 250):
        outcome = outcome_of(definition)
        if isinstance(outcome, Machine):
            read += 1
        else:
            refused += bool(outcome.problems and all(str(problem) for problem in outcome.problems))
    assert read > 20
    assert read + refused == 250


@pytest.mark.parametrize("value", JUNK, ids=repr)
def test_whatever_stands_for_a_definition_is_read_or_refused(value: Any) -> None:
    with pytest.raises(DefinitionError):
        parse(value, "main")
