"""Definitions as files or objects, with ``${Name}`` placeholders, and the machines they describe."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from stepweave.engine.machine import Machine
from stepweave.engine.parsing import parse
from stepweave.engine.substitution import substitute
from stepweave.errors import DefinitionError, Problem, UsageError

_PLACEHOLDER = re.compile(r"\$\{([A-Za-z0-9_]+)\}")
_FUNCTION_ARN = "arn:aws:lambda:us-east-1:000000000000:function:"
_SUFFIXES = (".asl.json", ".json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A state machine before its placeholders have values."""

    name: str
    source: Mapping[str, Any]
    file: str | None = None
    """Where it comes from; None for an object."""


def definition_of(
    definition: Definition | Mapping[str, Any] | str | Path, name: str | None = None
) -> Definition:
    """The definition that an object is, or a file holds; the machine is named after the file.

    Raises ``UsageError`` for a file that cannot be read and ``DefinitionError`` for one that is no JSON object.
    """
    if isinstance(definition, Definition):
        return definition
    if isinstance(definition, Mapping):
        return Definition(name=name or "machine", source=definition)
    file = str(definition)
    found = read_json(file, "definition")
    if not isinstance(found, Mapping):
        what = "a definition is a JSON object with StartAt and States"
        raise DefinitionError([Problem(code="json", what=what, file=file, got=type(found).__name__)])
    return Definition(name=name or machine_name(file), source=found, file=file)


def machine_name(file: str) -> str:
    """The name of the machine in ``file``.

    >>> machine_name("machines/orders.asl.json")
    'orders'
    """
    name = Path(file).name
    return next((name.removesuffix(suffix) for suffix in _SUFFIXES if name.endswith(suffix)), Path(file).stem)


def read_json(file: str, what: str) -> Any:
    """The JSON value in ``file``; ``what`` says in errors what the file is."""
    try:
        return json.loads(Path(file).read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UsageError(f"cannot read the {what} {file!r}: {error.strerror}") from error
    except json.JSONDecodeError as error:
        problem = Problem(
            code="json", what=f"the {what} is not JSON: {error.msg}", file=file, line=error.lineno
        )
        raise DefinitionError([problem]) from error
    except (ValueError, RecursionError) as error:
        problem = Problem(code="json", what=f"the {what} is not JSON: {error}", file=file)
        raise DefinitionError([problem]) from error


def filled(definition: Definition, values: Mapping[str, str]) -> dict[str, Any]:
    """The definition, its placeholders replaced by ``values``, or by :func:`defaults` where there are none."""
    return substitute(definition.source, {**defaults(definition), **values})


def to_machine(definition: Definition, values: Mapping[str, str]) -> Machine:
    """The machine that the definition, :func:`filled` with ``values``, describes.

    Raises ``DefinitionError`` with everything that Step Functions would refuse.
    """
    try:
        return parse(filled(definition, values), definition.name)
    except DefinitionError as error:
        if definition.file is None:
            raise
        raise DefinitionError(replace(problem, file=definition.file) for problem in error.problems) from error


def identity_of(definitions: Iterable[Definition], values: Mapping[str, str]) -> str:
    """What tells these definitions, :func:`filled` with ``values``, from all others: a digest of them and their names.

    The order of fields and white space do not matter.
    """
    sources = {each.name: filled(each, values) for each in definitions}
    text = json.dumps(sources, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def defaults(definition: Definition) -> dict[str, str]:
    """What each placeholder stands for when nobody gives it a value.

    A text that is nothing but a placeholder becomes the placeholder's name, so that ``"FunctionName": "${Charge}"``
    calls the function ``Charge``; as a ``Resource`` it becomes the ARN of the function of that name. Placeholders
    inside other text stay as they are.

    >>> defaults(Definition(name="m", source={"FunctionName": "${Charge}", "Comment": "not ${this}"}))
    {'Charge': 'Charge', 'this': '${this}'}
    """
    found: dict[str, str] = {}
    for key, text in _texts(definition.source):
        whole = _PLACEHOLDER.fullmatch(text)
        if whole and key == "Resource":
            found[whole[1]] = f"{_FUNCTION_ARN}{whole[1]}"
        elif whole and not found.get(whole[1], "").startswith(_FUNCTION_ARN):
            found[whole[1]] = whole[1]
        else:
            for name in _PLACEHOLDER.findall(text):
                found.setdefault(name, f"${{{name}}}")
    return found


def _texts(source: Any) -> Iterator[tuple[str, str]]:
    """Every text with a placeholder, in the order of the definition, and the key it is under."""
    pending: list[tuple[str, Any]] = [("", source)]
    while pending:
        key, value = pending.pop()
        if isinstance(value, str):
            if "${" in value:
                yield key, value
        elif isinstance(value, Mapping):
            pending.extend(reversed(list(value.items())))
        elif isinstance(value, list | tuple):
            pending.extend((key, item) for item in reversed(value))
