"""`SettingsError`: what is wrong with the file of an environment, in words."""

from __future__ import annotations

import re
import types
from collections.abc import Iterator, Sequence
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from stepweave.authoring.suggest import did_you_mean
from stepweave.errors import Problem, ProblemsError


class SettingsError(ProblemsError):
    """The settings of an environment cannot be used."""


def unknown_environment(env: str, known: Sequence[str], file: str) -> Problem:
    """The problem of an environment without a file."""
    return Problem(
        what=f"there is no environment {env!r}",
        code="unknown-environment",
        expected=f"the file {file}",
        got=f"files of {', '.join(known)}" if known else "no file at all",
        fix=f"{did_you_mean(env, known)} (choose it with: cdk … -c env=NAME)",
    )


def named_inside(file: str) -> Problem:
    """The problem of a file that says which environment it is of."""
    return Problem(
        what="the file has a key 'env'",
        code="setting-unknown",
        file=file,
        fix="take it out: the file's name is the environment's",
    )


def unreadable(error: Exception, file: str) -> Problem:
    """The problem of a file that is no TOML."""
    line = re.search(r"line (\d+)", str(error))
    return Problem(
        what=f"this is no TOML: {error}",
        code="settings-syntax",
        file=file,
        line=int(line[1]) if line else None,
        expected='lines such as: region = "eu-central-1"',
        fix="see https://toml.io",
    )


def problems_of(error: ValidationError, model: type[BaseModel], file: str) -> Iterator[Problem]:
    """One problem for each mistake, in the order of the file."""
    for mistake in error.errors():
        path = tuple(mistake["loc"])
        key = _dotted(path)
        if mistake["type"] == "extra_forbidden":
            yield _unknown_key(path, model, file)
        elif mistake["type"] == "missing":
            yield Problem(what=f"{key} is missing", code="setting-missing", file=file, fix=f"set {key}")
        else:
            yield Problem(
                what=f"{key} has a wrong value",
                code="setting-value",
                file=file,
                expected=_expected(mistake),
                got=f"{mistake['input']!r}" if not isinstance(mistake["input"], BaseModel) else None,
                fix=_described(path, model),
            )


def _unknown_key(path: tuple[str | int, ...], model: type[BaseModel], file: str) -> Problem:
    section = _section(model, path[:-1])
    table = f"[{_dotted(path[:-1])}]" if len(path) > 1 else "the file"
    known = [name for name, field in section.model_fields.items() if not field.exclude]
    return Problem(
        what=f"{table} has a key {str(path[-1])!r}, which no setting has",
        code="setting-unknown",
        file=file,
        expected=", ".join(sorted(known)),
        got=str(path[-1]),
        fix=did_you_mean(str(path[-1]), known),
    )


def _expected(mistake: Any) -> str:
    context = mistake.get("ctx") or {}
    if "pattern" in context:
        return f"text that matches {context['pattern']}"
    if "error" in context:
        return str(context["error"])
    return str(mistake["msg"]).removeprefix("Input should be ").removeprefix("a valid ")


def _described(path: tuple[str | int, ...], model: type[BaseModel]) -> str | None:
    """What the setting means, as help for whoever must choose another value."""
    names = [part for part in path if isinstance(part, str)]
    section = _section(model, tuple(names[:-1]))
    field = section.model_fields.get(names[-1]) if names else None
    text = field.description if field else None
    return f"{_dotted(path)} means: {' '.join(text.split())}" if text else None


def _section(model: type[BaseModel], path: tuple[str | int, ...]) -> type[BaseModel]:
    """The model of the table at ``path``."""
    for part in path:
        field = model.model_fields.get(str(part))
        below = list(_alternatives(field.annotation)) if field else []
        found = [one for one in below if isinstance(one, type) and issubclass(one, BaseModel)]
        if not found:
            return model
        model = found[0]
    return model


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)


def _dotted(path: tuple[str | int, ...]) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text
