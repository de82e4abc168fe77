"""Params: the arguments of the DAG function, declared with a type, a default and limits.

Declaring needs only the standard library. Schemas and checks are pydantic's (``validation``), which is imported only
for what ``simple_params`` cannot settle.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from stepweave.authoring.contracts import members
from stepweave.authoring.shapes import hints
from stepweave.errors import Problem


class _Required:
    """Marks a param without a default."""

    def __repr__(self) -> str:
        return "..."


REQUIRED: Any = _Required()


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What ``Param(...)`` said."""

    default: Any = REQUIRED
    description: str | None = None
    enum: tuple[Any, ...] | None = None
    limits: tuple[tuple[str, Any], ...] = ()
    """Constraints as pydantic names them, e.g. ``("ge", 0)``."""


def Param(  # noqa: N802  (read as a value; typed Any so that `x: float = Param(0.8)` passes a type checker)
    default: Any = REQUIRED,
    *,
    description: str | None = None,
    enum: Iterable[Any] | None = None,
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    lt: float | None = None,
    multiple_of: float | None = None,
    pattern: str | None = None,
    min_length: int | None = None,
    max_length: int | None = None,
) -> Any:
    """The declaration of a param: ``def churn(threshold: float = Param(0.8, ge=0, le=1)): ...``.

    Without a default the param must be given when a run starts.
    """
    limits = {
        "ge": ge,
        "gt": gt,
        "le": le,
        "lt": lt,
        "multiple_of": multiple_of,
        "pattern": pattern,
        "min_length": min_length,
        "max_length": max_length,
    }
    return Declaration(
        default=default,
        description=description,
        enum=None if enum is None else tuple(enum),
        limits=tuple((name, value) for name, value in limits.items() if value is not None),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredParam:
    """A param of a DAG."""

    name: str
    annotation: Any
    """``Any`` when nothing is known."""
    declaration: Declaration


def declared_params(function: Callable[..., Any]) -> tuple[tuple[DeclaredParam, ...], list[Problem]]:
    """The params of a DAG function, in order, and what in its signature cannot be a param."""
    annotations = hints(function)
    params, problems = [], []
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
            problems.append(
                Problem(
                    what=f"parameter {str(parameter)!r} of the DAG function cannot be a param",
                    code="param-signature",
                    expected="parameters with a name each, e.g. threshold: float = 0.8",
                    fix="name every param, without *, ** and /",
                )
            )
            continue
        default = REQUIRED if parameter.default is parameter.empty else parameter.default
        declaration = default if isinstance(default, Declaration) else Declaration(default=default)
        annotation = annotations.get(parameter.name, _annotation_of(declaration.default))
        params.append(DeclaredParam(name=parameter.name, annotation=annotation, declaration=declaration))
    return tuple(params), problems


def _annotation_of(default: Any) -> Any:
    """What a default tells of a param that has no annotation."""
    return type(default) if type(default) in (bool, int, float, str, list, dict) else Any


def from_text(params: tuple[DeclaredParam, ...], texts: Mapping[str, str]) -> dict[str, Any]:
    """Values of ``name=text`` pairs of a command line, read as the params are declared; not yet checked.

    ``"5"`` is ``5`` for an ``int`` and ``"5"`` for a ``str``; lists and dicts are JSON; ``null`` may be ``None``.
    """
    annotations = {param.name: param.annotation for param in params}
    return {name: _read(text, annotations.get(name, Any)) for name, text in texts.items()}


def _read(text: str, annotation: Any) -> Any:
    options = members(annotation)
    if any(isinstance(one, type) and issubclass(one, str) for one in options if one is not Any) and not (
        text == "null" and type(None) in options
    ):
        return text
    try:
        return json.loads(text)
    except ValueError:
        return {"True": True, "False": False, "None": None}.get(text, text)
