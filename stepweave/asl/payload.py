"""The event of a task run: what `runtime.invoke` is told (the contract is in docs/architecture.md)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from stepweave.asl import names, text
from stepweave.graph.model import (
    Binding,
    DictOf,
    Expression,
    FromParam,
    FromTask,
    ListOf,
    Literal,
    Path,
    Task,
)

MAX_ARGS_BYTES = 16 * 1024
"""Longest argument specification in a definition; a longer one is found by tracing the DAG."""

_OPERAND = re.compile(r"\$_(\d+)_")


@dataclass(slots=True)
class _Specs:
    """Argument specifications under construction, with what they refer to."""

    task: Task
    field_of: Callable[[str], str]
    """JSONata for the record of a task."""
    tasks: dict[str, None] = field(default_factory=dict)
    values: list[str] = field(default_factory=list)


def payload(
    task: Task,
    *,
    inline_bytes: int,
    record_of: Callable[[str], str],
    useful_record_of: Callable[[str], str | None],
    upstream: Mapping[str, str] | None,
) -> dict[str, Any]:
    """The event for ``task``; ``record_of`` serves expressions, ``useful_record_of`` values (None: not at hand)."""
    specs = _Specs(task, record_of)
    args = {name: _spec(binding, specs) for name, binding in task.arguments}
    # Literals bring their own JSON text, so that 1.0 stays 1.0.
    args_text = "{" + ",".join(f"{json.dumps(name)}:{spec}" for name, spec in args.items()) + "}"
    event: dict[str, Any] = {
        "task": task.id,
        "call": task.call,
        "run": "{% $run %}",
        "attempt": "{% $states.context.State.RetryCount %}",
        "args": text.guard(args_text) if len(args_text) <= MAX_ARGS_BYTES else "graph",
    }
    if len(args_text) <= MAX_ARGS_BYTES:
        records = {upstream_id: useful_record_of(upstream_id) for upstream_id in specs.tasks}
        at_hand = {task_id: f"{{% {seen} %}}" for task_id, seen in records.items() if seen}
        if at_hand:
            event["records"] = at_hand
    if specs.values:
        event["values"] = [f"{{% {value} %}}" for value in specs.values]
    if upstream is not None:
        event["upstream"] = {task_id: f"{{% {record}.status %}}" for task_id, record in upstream.items()}
    if task.teardown:
        event["rerun"] = True
    if task.fields:
        event["fields"] = text.json_text([list(path) for path in task.fields])
    if inline_bytes:
        event["inline"] = inline_bytes
    return event


def _spec(binding: Binding, specs: _Specs) -> str:
    """The specification of one argument, as JSON text."""
    match binding:
        case Literal(json=literal):
            return f'{{"v":{literal}}}'
        case FromTask(task=task, path=path):
            specs.tasks[task] = None
            return _reference("t", task, path)
        case FromParam(param=param, path=path):
            return _reference("r", param, path)
        case Expression():
            specs.values.append(_expression(binding, specs.field_of))
            return f'{{"x":{len(specs.values) - 1}}}'
        case ListOf(items=items):
            return '{"l":[' + ",".join(_spec(item, specs) for item in items) + "]}"
        case DictOf(items=pairs):
            return (
                '{"d":{' + ",".join(f"{json.dumps(key)}:{_spec(value, specs)}" for key, value in pairs) + "}}"
            )


def _reference(kind: str, name: str, path: Path) -> str:
    steps = f',"p":{json.dumps(list(path), separators=(",", ":"))}' if path else ""
    return f'{{"{kind}":{json.dumps(name)}{steps}}}'


def _expression(expression: Expression, record_of: Callable[[str], str]) -> str:
    """JSONata of ``expression`` with its operands filled in, all at once: a filled-in name may look like a mark."""
    operands = expression.operands
    return _OPERAND.sub(lambda mark: operand_text(operands[int(mark[1])], record_of), expression.text)


def operand_text(operand: FromTask | FromParam, record_of: Callable[[str], str]) -> str:
    """JSONata for a reference: a field that the record carries natively, or a part of a param."""
    if isinstance(operand, FromTask):
        return names.member(f"{record_of(operand.task)}.fields", field_key(operand.path))
    base = names.member("$run.params", operand.param)
    for step in operand.path:
        base = f"{base}[{step}]" if isinstance(step, int) else names.member(base, step)
    return base


def field_key(path: Path) -> str:
    """The key of a natively carried part in a record's ``fields``; the whole value has the key ``value``."""
    return ".".join(str(step) for step in path) or "value"
