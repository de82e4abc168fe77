"""`read_params`: the params that a person types, as values."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import cast

from stepweave.errors import ParamsError, Problem, UsageError


def read_params(
    pairs: Sequence[str], file: str | None, from_text: Callable[[Mapping[str, str]], Mapping[str, object]]
) -> dict[str, object]:
    """The params from ``--params FILE`` (a JSON object), over which those from ``--param k=v`` go.

    ``from_text`` reads texts as the DAG declares its params. Whether names and values fit is for the DAG to say.
    """
    params = _from_file(file) if file is not None else {}
    texts: dict[str, str] = {}
    problems = []
    for pair in pairs:
        name, separator, text = pair.partition("=")
        if not separator or not name:
            problems.append(_no_pair(pair))
        else:
            texts[name] = text
    if problems:
        raise ParamsError(problems)
    return {**params, **from_text(texts)} if texts else params


def values_of_texts(texts: Mapping[str, str]) -> dict[str, object]:
    """Each text as the JSON value that it is, else as the text itself: for a DAG whose params are not known here."""
    return {name: _value(text) for name, text in texts.items()}


def _value(text: str) -> object:
    try:
        found: object = json.loads(text)
    except ValueError:
        return text
    return found


def _from_file(file: str) -> dict[str, object]:
    try:
        params = json.loads(Path(file).read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read the params file {file!r}: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"the params file {file!r} is not JSON: {error}") from error
    if not isinstance(params, dict):
        raise UsageError(
            f'the params file {file!r} must hold a JSON object, such as {{"seed": 7}}; got {_kind(params)}'
        )
    return cast(dict[str, object], params)


def _kind(value: object) -> str:
    return {list: "an array", str: "a string", bool: "a boolean", type(None): "null"}.get(
        type(value), "a number"
    )


def _no_pair(pair: str) -> Problem:
    return Problem(
        what="--param is not of the form name=value",
        code="param-form",
        got=repr(pair),
        fix=f"--param {pair or 'name'}=VALUE",
    )
