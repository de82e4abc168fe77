"""`checked_params`: the params of a run, complete and as the DAG declares them, or everything that is wrong."""

from __future__ import annotations

import difflib
import functools
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import fastjsonschema

from functions.starter.dag_file import DagFile, DeclaredParam
from stepweave.authoring.param_examples import example_of
from stepweave.errors import ParamsError, Problem

_SHOWN = 200
"""Most characters of a value that an error shows."""


def checked_params(dag: DagFile, given: Mapping[str, Any]) -> dict[str, Any]:
    """``given`` with the defaults of the others, in the order declared. Raises ``ParamsError`` with every problem."""
    problems = [*_unknown(dag, given)]
    found: dict[str, Any] = {}
    for param in dag.params:
        if param.name in given:
            problems += _wrong(param, given[param.name])
            found[param.name] = given[param.name]
        elif param.required:
            problems.append(
                Problem(
                    what=f"param {param.name!r} is missing, and has no default",
                    code="param-missing",
                    expected=_shown(param.schema),
                    fix=_fix(param),
                )
            )
        else:
            found[param.name] = param.default
    if problems:
        raise ParamsError(problems)
    return found


def _unknown(dag: DagFile, given: Mapping[str, Any]) -> Iterator[Problem]:
    names = [param.name for param in dag.params]
    for name in given:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            yield Problem(
                what=f"DAG {dag.dag!r} has no param {name!r}",
                code="param-unknown",
                expected=", ".join(names) or "no params",
                got=name,
                fix=f"write {near[0]}" if near else "leave it out",
            )


def _wrong(param: DeclaredParam, value: Any) -> Iterator[Problem]:
    try:
        _validator(json.dumps(param.schema, sort_keys=True))(value)
    except fastjsonschema.JsonSchemaValuesException as found:
        for error in found.errors:
            where = "".join(f"[{step}]" for step in error.path[1:])
            yield Problem(
                what=f"param {param.name!r}{where} does not fit its declaration",
                code="param-value",
                expected=_expected(error.message, param),
                got=_shown(error.value),
                fix=_fix(param),
            )


def _expected(message: str, param: DeclaredParam) -> str:
    must = message.partition("must ")[2]
    # The reader's own words for a choice of types say nothing of the types.
    return must.removeprefix("be ") if must else _shown(param.schema)


def _fix(param: DeclaredParam) -> str:
    """A value that the param takes, where one is found."""
    example = example_of({**param.schema, "default": param.default}, param.schema)
    try:
        _validator(json.dumps(param.schema, sort_keys=True))(example)
    except fastjsonschema.JsonSchemaValuesException:
        return f"give a value for {param.name} that fits its declaration"
    return f"for example: {json.dumps({param.name: example}, ensure_ascii=False)}"


@functools.lru_cache(maxsize=256)
def _validator(schema: str) -> Callable[[Any], Any]:
    # Defaults inside schemas are the DAG's business: a value is passed on as it was given.
    compiled: Callable[[Any], Any] = fastjsonschema.compile(
        json.loads(schema), use_default=False, fast_fail=False
    )
    return compiled


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
