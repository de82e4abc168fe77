"""`fitting(function, offered)`: of the values on offer, those that a function asks for by names of parameters."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from typing import Any

from stepweave.errors import PermanentError


def parameter_names(function: Callable[..., Any]) -> tuple[frozenset[str], bool]:
    """Names of the parameters, and whether the function takes any others besides (``**kwargs``)."""
    parameters = inspect.signature(function).parameters.values()
    anything = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)
    return frozenset(parameter.name for parameter in parameters if _has_name(parameter)), anything


def fitting(function: Callable[..., Any], offered: Mapping[str, Any], what: str) -> dict[str, Any]:
    """The arguments; ``PermanentError`` that says what ``what`` is offered, when it must have another one."""
    names, anything = parameter_names(function)
    missing = [
        parameter.name
        for parameter in inspect.signature(function).parameters.values()
        if _has_name(parameter) and parameter.default is parameter.empty and parameter.name not in offered
    ]
    if missing:
        raise PermanentError(
            f"{what} has the parameter {missing[0]!r}; expected parameters among {_listed(offered)}, "
            "or others with a default"
        )
    return {name: value for name, value in offered.items() if anything or name in names}


def _has_name(parameter: inspect.Parameter) -> bool:
    return parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)


def _listed(names: Collection[str]) -> str:
    return ", ".join(names) or "none"
