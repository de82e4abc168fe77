"""What a run left behind, for people: values, files, logs and why it failed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from stepweave.embedded.causes import error_message
from stepweave.embedded.taskruns import TaskRun
from stepweave.embedded.values import plain
from stepweave.engine.execution import Execution
from stepweave.graph.model import Graph
from stepweave.graph.order import downstream
from stepweave.runtime.committed import find_envelope
from stepweave.runtime.envelope import Envelope
from stepweave.stores.layout import log_key, task_prefix
from stepweave.stores.objects import ObjectStore

MAX_SHOWN_CHARACTERS = 120
"""Longest value, as JSON text, that a summary shows."""


def results_of(
    store: ObjectStore, graph: Graph, run_id: str, tasks: Mapping[str, TaskRun]
) -> tuple[tuple[str, str], ...]:
    """Task and value, or place of its files, of each result that no task but a teardown comes after."""
    below = downstream(graph)
    found: list[tuple[str, str]] = []
    for task in graph.tasks:
        is_leaf = not task.teardown and all(graph[after].teardown for after in below[task.id])
        if is_leaf and tasks[task.id].status == "success":
            envelope = find_envelope(store, task_prefix(graph.dag.id, run_id, task.id))
            found += [(task.id, text) for text in _shown(store, envelope)] if envelope is not None else []
    return tuple(found)


def log_paths(
    store: ObjectStore, dag_id: str, run_id: str, tasks: Iterable[TaskRun]
) -> dict[tuple[str, str], str]:
    """Where the log of the last attempt of each failed task run lies, when it logged anything."""
    found: dict[tuple[str, str], str] = {}
    for run in tasks:
        if run.status == "failed" and run.attempts:
            prefix = task_prefix(dag_id, run_id, run.task, run.index)
            path = store.local_path(log_key(prefix, run.attempts - 1))
            if path is not None and os.path.exists(path):
                found[run.task, run.index] = _short(path)
    return found


def error_text(execution: Execution | None) -> str:
    """Why ``execution`` failed; empty when it succeeded or was cancelled (None)."""
    if execution is None or execution.status in ("SUCCEEDED", "ABORTED"):
        return ""
    if execution.status == "TIMED_OUT":
        return "States.Timeout: the run took longer than the DAG's timeout"
    error = execution.error or execution.status
    return ": ".join(part for part in (error, error_message(execution.cause, error)) if part)


def _shown(store: ObjectStore, envelope: Envelope) -> Iterator[str]:
    """What to show of a value: its text when it is short, and where its files lie."""
    value = envelope.value
    keys = list(_keys(value.part))
    if value.text is not None:
        keys = list(_keys(json.loads(value.text)))
        if not keys and value.text != "null":
            text = plain(value.text)
            yield text if len(text) <= MAX_SHOWN_CHARACTERS else text[: MAX_SHOWN_CHARACTERS - 1] + "…"
    elif value.key is not None and not keys:
        keys = [value.key]
    for key in keys:
        yield _short(store.local_path(key) or f"{store.url}/{key}")


def _keys(tree: Any) -> Iterator[str]:
    """Keys of the files that a stored value names, wherever it names them."""
    pending = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            if isinstance(node.get("key"), str) and "digest" in node:
                yield node["key"]
            else:
                pending.extend(reversed(node.values()))
        elif isinstance(node, list):
            pending.extend(reversed(node))


def _short(path: str) -> str:
    """``path`` from here, when it lies below here."""
    relative = os.path.relpath(path) if "://" not in path else path
    return path if relative.startswith("..") else relative
