"""`read_params`: the params that a person types, as values."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from stepweave.errors import ParamsError, Problem, UsageError
from stepweave.graph.model import ParamSpec


def read_params(pairs: Sequence[str], file: str | None, declared: Sequence[ParamSpec]) -> dict[str, object]:
    """The params from ``--params FILE`` (a JSON object), over which those from ``--param k=v`` go.

    ``v`` is JSON (``7``, ``true``, ``[1, 2]``) where it can be read so, else text; for a param declared as text it is always text, so that
    ``--param day=2026`` does what one means. Whether names and values fit is for the DAG to say.
    """
    params = _from_file(file) if file is not None else {}
    textual = {spec.name for spec in declared if _is_text(json.loads(spec.schema_json))}
    problems = []
    for pair in pairs:
        name, separator, text = pair.partition("=")
        if not separator or not name:
            problems.append(_no_pair(pair))
        else:
            params[name] = text if name in textual else _value(text)
    if problems:
        raise ParamsError(problems)
    return params


def _from_file(file: str) -> dict[str, object]:
    try:
        params = json.loads(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read the params file {file!r}: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"the params file {file!r} is not JSON: {error}") from error
    if not isinstance(params, dict):
        raise UsageError(f'the params file {file!r} must hold a JSON object, such as {{"seed": 7}}; got {_kind(params)}')
    return cast(dict[str, object], params)


def _kind(value: object) -> str:
    return {list: "an array", str: "a string", bool: "a boolean", type(None): "null"}.get(type(value), "a number")


def _is_text(schema: dict[str, object]) -> bool:
    """True for text, also when it may be null."""
    options = schema.get("anyOf")
    if isinstance(options, list):
        return {option.get("type") for option in options if isinstance(option, dict)} == {"string", "null"}
    return schema.get("type") == "string"


def _value(text: str) -> object:
    try:
        return cast(object, json.loads(text))
    except ValueError:
        return text


def _no_pair(pair: str) -> Problem:
    return Problem(
        what="--param is not of the form name=value", code="param-form", got=repr(pair), fix=f"--param {pair or 'name'}=VALUE"
    )
