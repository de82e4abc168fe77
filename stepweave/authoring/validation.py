"""Params checked by pydantic: their JSON Schema, their defaults, and the values given for a run.

Values arrive as JSON, so they are checked strictly in pydantic's JSON mode: ``"5"`` is no number, ``2`` is a float.
"""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, create_model
from pydantic.errors import PydanticUserError
from pydantic_core import PydanticSerializationError, to_json

from stepweave.authoring.contracts import type_name
from stepweave.authoring.expressions import LARGEST_INTEGER
from stepweave.authoring.param_examples import example_of
from stepweave.authoring.params import REQUIRED, DeclaredParam
from stepweave.authoring.suggest import did_you_mean
from stepweave.errors import ParamsError, Problem
from stepweave.graph.model import ParamSpec

_CONFIG = ConfigDict(extra="forbid", protected_namespaces=(), validate_default=True)


def params_model(dag_id: str, params: tuple[DeclaredParam, ...]) -> type[BaseModel]:
    """A pydantic model with a field per param; a param whose name pydantic needs itself has it as alias."""
    fields: dict[str, Any] = {}
    for param in params:
        default = ... if param.declaration.default is REQUIRED else param.declaration.default
        taken = param.name.startswith("_") or hasattr(BaseModel, param.name)
        name = f"param_{param.name.strip('_')}" if taken else param.name
        alias = param.name if taken else None
        fields[name] = (
            _annotation(param),
            Field(default, alias=alias, description=param.declaration.description),
        )
    model: type[BaseModel] = create_model(f"{dag_id}_params", __config__=_CONFIG, **fields)
    return model


def _annotation(param: DeclaredParam) -> Any:
    annotation, declaration = param.annotation, param.declaration
    if declaration.limits:
        annotation = Annotated[annotation, Field(**dict(declaration.limits))]
    if declaration.enum is not None:
        extra = Field(json_schema_extra={"enum": list(declaration.enum)})
        annotation = Annotated[annotation, AfterValidator(_one_of(declaration.enum)), extra]
    return annotation


def _one_of(allowed: tuple[Any, ...]) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        if value not in allowed:
            raise ValueError(f"one of {', '.join(map(repr, allowed))}")
        return value

    return check


def param_specs(params: tuple[DeclaredParam, ...]) -> tuple[tuple[ParamSpec, ...], list[Problem]]:
    """The params as the graph carries them, and what is wrong with their types and defaults."""
    specs, problems = [], []
    for param in params:
        try:
            adapter: TypeAdapter[Any] = TypeAdapter(_annotation(param))
            schema = adapter.json_schema()
        except (PydanticUserError, TypeError) as error:
            what = f"param {param.name!r} has a type that JSON cannot hold: {str(error).splitlines()[0]}"
            problems.append(Problem(what=what, code="param-type", got=type_name(param.annotation),
                                    fix="take text or numbers and build the value inside a task"))  # fmt: skip
            continue
        default, problem = _default(param, adapter)
        if problem:
            problems.append(problem)
        if param.declaration.description:
            schema["description"] = param.declaration.description
        schema.pop("title", None)
        specs.append(ParamSpec(name=param.name, default_json=default, schema_json=_text(schema)))
    return tuple(specs), problems


def _default(param: DeclaredParam, adapter: TypeAdapter[Any]) -> tuple[str | None, Problem | None]:
    default = param.declaration.default
    if default is REQUIRED:
        return None, None
    try:
        value = json.loads(to_json(default, inf_nan_mode="constants"))
        for what in _not_representable(value):
            raise ValueError(what)
        adapter.validate_json(_text(value), strict=True)
    except ValidationError as error:
        expected = "; ".join(_expected(detail) for detail in error.errors(include_url=False))
    except (ValueError, PydanticSerializationError) as error:
        expected = f"a default that JSON can hold: {error}"
    else:
        return _text(value), None
    problem = Problem(what=f"the default of param {param.name!r} does not fit its declaration", code="param-default",
                      expected=expected, got=repr(default), fix="correct the default or the declaration")  # fmt: skip
    return None, problem


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def validate(model: type[BaseModel], values: Mapping[str, Any]) -> dict[str, Any]:
    """The params of a run, complete with defaults, as JSON values. Raises ``ParamsError`` with all that is wrong."""
    try:
        text = to_json(dict(values), inf_nan_mode="constants")
    except (PydanticSerializationError, ValueError) as error:
        problem = Problem(what=f"the params cannot be written as JSON: {error}", code="param-value",
                          fix="give text, numbers, True, False, None, lists and dicts")  # fmt: skip
        raise ParamsError([problem]) from None
    problems = [
        Problem(what=f"param {name!r}: {what}", code="param-value", got=repr(value), fix="give it as text")
        for name, value in json.loads(text).items()
        for what in _not_representable(value)
    ]
    try:
        checked = model.model_validate_json(text, strict=True)
    except ValidationError as error:
        problems += [_problem(detail, model) for detail in error.errors(include_url=False)]
    if problems:
        raise ParamsError(problems)
    complete: dict[str, Any] = json.loads(checked.model_dump_json(by_alias=True))
    return complete


def _not_representable(value: Any) -> Iterator[str]:
    """What in a JSON value would change in the state machine, whose numbers are doubles."""
    if isinstance(value, dict):
        for item in value.values():
            yield from _not_representable(item)
    elif isinstance(value, list):
        for item in value:
            yield from _not_representable(item)
    elif isinstance(value, int) and abs(value) > LARGEST_INTEGER:
        yield f"the integer {value} is beyond 2^53 and would be rounded: numbers of a state machine are doubles"
    elif isinstance(value, float) and not math.isfinite(value):
        yield f"{value} does not exist in JSON"


def _problem(detail: Any, model: type[BaseModel]) -> Problem:
    name = str(detail["loc"][0]) if detail["loc"] else ""
    where = name + "".join(f"[{part!r}]" for part in detail["loc"][1:])
    fields = {field.alias or key: field for key, field in model.model_fields.items()}
    if name not in fields:
        return Problem(what=f"unknown param {name!r}", code="unknown-param", fix=did_you_mean(name, fields))
    declared = f"{name}: {type_name(fields[name].annotation)}"
    if detail["type"] == "missing":
        code = "missing-param" if where == name else "param-value"
        return Problem(
            what=f"param {where!r} is required", code=code, expected=declared, fix=_fix(name, model)
        )
    return Problem(
        what=f"param {where!r} has a wrong value",
        code="param-value",
        expected=f"{_expected(detail)} ({declared})",
        got=repr(detail["input"]),
        fix=_fix(name, model),
    )


def _fix(name: str, model: type[BaseModel]) -> str:
    """How to give the param, as people type it, with a value that it takes."""
    unknown = f"give {name} a value that fits its declaration"
    try:
        whole = model.model_json_schema()
        example = example_of(whole["properties"][name], whole)
        model.model_validate_json(_text({name: example}), strict=True)
    except PydanticUserError:  # of a param whose type JSON cannot hold, which is a mistake of the DAG
        return unknown
    except ValidationError as error:
        if any(detail["loc"][0] == name for detail in error.errors(include_url=False)):
            return unknown
    text = example if isinstance(example, str) else json.dumps(example, ensure_ascii=False)
    return f"for example: --param {shlex.quote(f'{name}={text}')}"


def _expected(detail: Any) -> str:
    message = str(detail["msg"])
    for start in ("Input should be ", "Value error, "):
        message = message.removeprefix(start)
    return message
