"""The signature of a task function, and how the arguments of a call fall into it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Union

from stepweave.authoring.shapes import hints
from stepweave.authoring.suggest import did_you_mean
from stepweave.errors import Problem

_UNUSABLE: dict[Any, tuple[str, str]] = {
    inspect.Parameter.POSITIONAL_ONLY: ("positional-only", "remove the / from the signature"),
    inspect.Parameter.VAR_POSITIONAL: ("*args", "take one parameter that is a list"),
}


@dataclass(frozen=True, slots=True)
class Signature:
    """What a task function takes and returns."""

    name: str
    parameters: tuple[str, ...]
    """Names, in order."""
    positional: int
    """How many of them may be given by position."""
    required: tuple[str, ...]
    annotations: Mapping[str, Any]
    """Of the parameters; without an entry where nothing is known."""
    returns: Any
    open: bool
    """Takes further arguments by name (``**kwargs``)."""
    text: str
    """As written: ``train(rows: dict, model: str = 'svm') -> dict``."""
    problems: tuple[Problem, ...]
    """Why the function cannot be a task."""

    def bind(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any], bound: Mapping[str, Any]
    ) -> tuple[dict[str, Any], list[Problem]]:
        """Arguments by parameter name, and what does not fit; positions count the parameters not in ``bound``."""
        free = self.parameters[: self.positional]
        if bound:
            free = tuple(name for name in free if name not in bound)
        given = dict(zip(free, args, strict=False))
        problems = [] if len(args) <= len(free) else [self._too_many(len(args), len(free))]
        for name, value in {**bound, **kwargs}.items() if bound else kwargs.items():
            if name in given:
                what, fix = f"argument {name!r} is given twice", f"give {name} once"
                problems.append(self._problem("unexpected-argument", what, fix))
            elif name in self.parameters or self.open:
                given[name] = value
            else:
                what, fix = f"unexpected argument {name!r}", did_you_mean(name, self.parameters)
                problems.append(self._problem("unexpected-argument", what, fix))
        missing = [name for name in self.required if name not in given]
        if missing:
            what = f"missing argument {', '.join(map(repr, missing))}"
            fix = f"give {', '.join(f'{name}=...' for name in missing)}"
            problems.append(self._problem("missing-argument", what, fix))
        return given, problems

    def _too_many(self, given: int, free: int) -> Problem:
        what = f"{given} arguments are given by position, {free} can be"
        return self._problem("unexpected-argument", what, "leave out what is too many, or give it by name")

    def _problem(self, code: str, what: str, fix: str) -> Problem:
        return Problem(what=what, code=code, expected=self.text, fix=fix)


def signature_of(function: Callable[..., Any]) -> Signature:
    """The signature of a function, with annotations resolved where they can be."""
    name = getattr(function, "__name__", repr(function))
    written = inspect.signature(function)
    annotations = hints(function)
    problems, usable = [], []
    for parameter in written.parameters.values():
        if parameter.kind in _UNUSABLE:
            problems.append(_unusable(parameter))
        elif parameter.kind is not inspect.Parameter.VAR_KEYWORD:
            usable.append(parameter)
            if parameter.default is None and parameter.name in annotations:
                annotations[parameter.name] = Union[annotations[parameter.name], None]  # noqa: UP007
    return Signature(
        name=name,
        parameters=tuple(parameter.name for parameter in usable),
        positional=sum(parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD for parameter in usable),
        required=tuple(
            parameter.name for parameter in usable if parameter.default is inspect.Parameter.empty
        ),
        annotations=annotations,
        returns=annotations.get("return", Any),
        open=any(one.kind is inspect.Parameter.VAR_KEYWORD for one in written.parameters.values()),
        text=f"{name}{_unquoted(written)}",
        problems=(*problems, *_not_plain(function)),
    )


class _Bare(str):
    """An annotation that was given as text, to be shown as it was written."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _unquoted(written: inspect.Signature) -> inspect.Signature:
    """The signature without the quotes that ``from __future__ import annotations`` puts around annotations."""
    parameters = [one.replace(annotation=_bare(one.annotation)) for one in written.parameters.values()]
    return written.replace(parameters=parameters, return_annotation=_bare(written.return_annotation))


def _bare(annotation: Any) -> Any:
    return _Bare(annotation) if isinstance(annotation, str) else annotation


def _unusable(parameter: inspect.Parameter) -> Problem:
    kind, fix = _UNUSABLE[parameter.kind]
    return Problem(
        what=f"parameter {parameter.name!r} is {kind}: a run passes every argument by name",
        code="task-signature",
        fix=fix,
    )


def _not_plain(function: Callable[..., Any]) -> list[Problem]:
    if not (inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)):
        return []
    return [
        Problem(
            what="the task function is a generator",
            code="task-signature",
            expected="a function that returns its value",
            fix="return a list",
        )
    ]
