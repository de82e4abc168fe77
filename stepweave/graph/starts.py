"""What starts a DAG by itself, a schedule or a trigger, must be able to: every param has its value then."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from stepweave.errors import Problem
from stepweave.graph.model import DagInfo, ParamSpec
from stepweave.graph.problems import problem_at


def start_problems(dag: DagInfo) -> Iterator[Problem]:
    """Params that would have no value, or a wrong one, when the DAG starts by itself."""
    if dag.schedule is not None:
        yield from _missing(dag, f"the schedule {dag.schedule}", set())
    for text in dag.triggers:
        trigger = json.loads(text)
        param = trigger.get("param")
        yield from _missing(dag, _named(trigger), {param})
        if param is not None:
            yield from _wrong_param(dag, _named(trigger), param)


def _named(trigger: dict[str, Any]) -> str:
    if trigger.get("type") == "s3-object-created":
        return f"the trigger S3ObjectCreated({trigger['prefix']!r})"
    return f"the trigger {trigger.get('type')} {trigger.get('name')!r}"


def _missing(dag: DagInfo, start: str, given: set[str | None]) -> Iterator[Problem]:
    names = [param.name for param in dag.params if param.default_json is None and param.name not in given]
    if names:
        yield problem_at(
            dag.source,
            "start-param",
            f"{start} starts the DAG without {', '.join(map(repr, names))}, which a run must have",
            expected="a default for every param that the start does not give",
            fix=f"write a default, such as {names[0]}=None",
        )


def _wrong_param(dag: DagInfo, start: str, name: str) -> Iterator[Problem]:
    specs = {param.name: param for param in dag.params}
    if name not in specs:
        yield problem_at(
            dag.source,
            "trigger-param",
            f"{start} gives the address of the object in the param {name!r}, which the DAG has not",
            expected=f"one of the params {', '.join(map(repr, specs))}" if specs else f"a param {name}",
            fix=f"write def ...({name}: str), name another with param=..., or param=None for none",
        )
    elif not _takes_text(specs[name]):
        yield problem_at(
            dag.source,
            "trigger-param",
            f"{start} gives the address of the object in the param {name!r}, which is no text",
            expected=f"{name}: str",
            got=specs[name].schema_json,
            fix="correct its annotation, or name another param with param=...",
        )


def _takes_text(param: ParamSpec) -> bool:
    """Whether the schema says nothing against text."""
    schema = json.loads(param.schema_json)
    choices = schema.get("anyOf", [schema])
    kinds = [choice.get("type", "string") for choice in choices if isinstance(choice, dict)]
    return any("string" in (kind if isinstance(kind, list) else [kind]) for kind in kinds)
