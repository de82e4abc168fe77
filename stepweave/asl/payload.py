"""The event of a task run: what `runtime.invoke` is told (the contract is in docs/architecture.md)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from stepweave.asl import names, text
from stepweave.graph.model import (
    Binding,
    Expression,
    FromItem,
    FromParam,
    FromState,
    FromTask,
    Path,
    Reference,
    Task,
    references,
)
from stepweave.graph.specs import Places, Rounds, Spec, argument_specs, list_specs, task_references
from stepweave.planning.needs import loses_items
from stepweave.planning.waiting import awaits_all, is_early

FROM_GRAPH = "graph"
"""``args`` of an event whose specs are found by tracing the DAG; the runtime, which is light to import, says it too."""
MAX_ARGS_BYTES = 16 * 1024
"""Longest argument specification in a definition; a longer one is found by tracing the DAG."""

_OPERAND = re.compile(r"\$_(\d+)_")

RecordOf = Callable[[str], str]
"""JSONata for the record of a task."""


def payload(
    task: Task,
    *,
    places: Places,
    inline_bytes: int,
    record_of: RecordOf,
    useful_record_of: Callable[[str], str | None],
    upstream: Mapping[str, str] | None,
) -> dict[str, Any]:
    """The event for ``task``; ``record_of`` serves expressions, ``useful_record_of`` values (None: not at hand)."""
    values: list[str] = []
    specs = argument_specs(task.id, places, _numbered(values, record_of))
    event: dict[str, Any] = {
        "task": task.id,
        "call": task.call,
        "run": "{% $run %}",
        "attempt": "{% $states.context.State.RetryCount %}",
        **_arguments(specs, values, useful_record_of, written(specs, task.call, places)),
        **_lost([binding for _, binding in task.arguments], task, places, record_of),
    }
    if upstream is not None:
        # A task that starts before all its upstream tasks have ended knows nothing of those that have not.
        status = "([{}.status, 'running'])[0]" if is_early(task) else "{}.status"
        event["upstream"] = {
            task_id: f"{{% {status.format(record)} %}}" for task_id, record in upstream.items()
        }
    if task.teardown:
        event |= torn_down(task, places)
    if task.fields and task.expansion is None:
        event["fields"] = text.json_text([list(path) for path in task.fields])
    if inline_bytes:
        event["inline"] = inline_bytes
    return event


def torn_down(task: Task, places: Places) -> dict[str, Any]:
    """What the event of a tear-down says for resumed runs: it runs again, and so do the setups that it ends."""
    scope = places.scopes[task.id]
    ends = [up for up in task.upstream if places.tasks[up].setup and places.scopes[up] == scope]
    return {"rerun": True, **({"ends": ends} if ends else {})}


def items_payload(
    task: Task,
    *,
    places: Places,
    parts: Sequence[tuple[str, Path]],
    record_of: RecordOf,
    useful_record_of: Callable[[str], str | None],
) -> dict[str, Any]:
    """The event that counts the items of the mapped node ``task`` and makes them ready to be read.

    ``parts``: parameter and path of the parts of every item that the state machine itself reads.
    """
    assert task.expansion is not None
    values: list[str] = []
    specs = list_specs(task.id, places, _numbered(values, record_of))
    batch, label = task.expansion.batch_size, task.expansion.label
    return {
        "task": task.id,
        "call": task.call or _call_inside(task),
        "run": "{% $run %}",
        "attempt": "{% $states.context.State.RetryCount %}",
        "items": {
            "how": task.expansion.how,
            **({"batch": batch} if batch else {}),
            **({"label": text.json_text(label)[1:-1]} if label else {}),
            **({"fields": text.json_text([[name, *path] for name, path in parts])} if parts else {}),
        },
        **_arguments(specs, values, useful_record_of, written(specs, task.call, places)),
        **_lost([binding for _, binding in task.expansion.arguments], task, places, record_of),
    }


def _lost(read: Sequence[Binding], task: Task, places: Places, record_of: RecordOf) -> dict[str, Any]:
    """Per mapped group whose values are read, the items that do not count although they may have a value."""
    if not awaits_all(task):
        return {}
    named = dict.fromkeys(
        reference.task
        for binding in read
        for reference in references(binding)
        if isinstance(reference, FromTask)
    )
    scope = places.scopes[task.id]
    groups = [
        name for name in named if places.scopes.get(name) == scope and loses_items(places.tasks[name], task)
    ]
    if not groups:
        return {}
    return {"lost": {name: f"{{% [{record_of(name)}.lost] %}}" for name in groups}}


def _numbered(values: list[str], record_of: RecordOf) -> Callable[[Expression | Rounds], int]:
    def number(found: Expression | Rounds) -> int:
        if isinstance(found, Rounds):
            rounds = f"{record_of(found.node)}.rounds"
            # A loop that failed or did not run has no value.
            values.append(f"$exists({rounds}) ? {rounds} - 1 : null")
        else:
            values.append(expression_text(found, record_of))
        return len(values) - 1

    return number


def written(specs: Mapping[str, Spec], call: str, places: Places) -> dict[str, str]:
    """``args`` of the event that makes ``call``; of too many specs, only where they are found."""
    args_text = json.dumps(specs, ensure_ascii=False, separators=(",", ":"))
    if len(args_text) <= MAX_ARGS_BYTES:
        return {"args": text.guard(args_text)}
    # By tracing the DAG, in whose module the function need not be.
    elsewhere = call.partition(":")[0] != places.module
    return {"args": FROM_GRAPH, **({"module": places.module} if elsewhere and places.module else {})}


def _arguments(
    specs: Mapping[str, Spec],
    values: list[str],
    useful_record_of: Callable[[str], str | None],
    found: Mapping[str, str],
) -> dict[str, Any]:
    event: dict[str, Any] = dict(found)
    if event["args"] != FROM_GRAPH:
        referred = dict.fromkeys(name for spec in specs.values() for name, _ in task_references(spec))
        records = {name: useful_record_of(name) for name in referred}
        at_hand = {name: f"{{% {seen} %}}" for name, seen in records.items() if seen}
        if at_hand:
            event["records"] = at_hand
    if values:
        event["values"] = [f"{{% {value} %}}" for value in values]
    return event


def expression_text(written: Expression, record_of: RecordOf) -> str:
    """JSONata of ``written`` with its operands filled in, all at once: a filled-in name may look like a mark."""
    return filled(written, lambda operand: operand_text(operand, record_of))


def filled(written: Expression, text_of: Callable[[Reference], str]) -> str:
    """JSONata of ``written`` with what ``text_of`` says in the place of its operands."""
    operands = written.operands
    return _OPERAND.sub(lambda mark: text_of(operands[int(mark[1])]), written.text)


def operand_text(operand: Reference, record_of: RecordOf) -> str:
    """JSONata for a reference: a field that a record carries natively, a part of a param, of an item, of a state."""
    match operand:
        case FromTask(task=task, path=path):
            return names.member(f"{record_of(task)}.fields", field_key(path))
        case FromItem(node=node, name=name, path=path):
            return names.member(f"${names.scope(node)}.item", field_key((name, *path)))
        case FromState(node=node, counter=True):
            return f"${names.scope(node)}.round"
        case FromState(node=node, path=path):
            return names.member(f"${names.scope(node)}.state", field_key(path))
        case FromParam(param=param, path=path):
            base = names.member("$run.params", param)
            for step in path:
                base = f"{base}[{step}]" if isinstance(step, int) else names.member(base, step)
            return base


def field_key(path: Path) -> str:
    """The key of a natively carried part in a record's ``fields``; the whole value has the key ``value``."""
    return ".".join(str(step) for step in path) or "value"


def _call_inside(task: Task) -> str:
    """A call in the body of ``task``, which says in which module the DAG is found."""
    inside = task.body.graph.tasks if task.body is not None else ()
    return next((found for inner in inside if (found := inner.call or _call_inside(inner))), "")
