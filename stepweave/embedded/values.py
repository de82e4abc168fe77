"""`json_value`: the value of a task as plain JSON, for people and for programs other than tasks."""

from __future__ import annotations

import json

from stepweave.runtime.codecs.shown import for_people
from stepweave.runtime.committed import find_envelope
from stepweave.stores.layout import task_prefix
from stepweave.stores.objects import ObjectStore

MAX_VALUE_CHARACTERS = 4096
"""Longest value, as JSON text, that ``--json`` prints; a longer one is found in the store."""


def json_value(
    store: ObjectStore,
    dag_id: str,
    run_id: str,
    task: str,
    inline: str | None,
    limit: int,
    *,
    index: str = "",
) -> str | None:
    """The value of a task run that succeeded as plain JSON text; None when it is longer than ``limit`` or no JSON.

    ``inline`` is the value as stored, when its record holds it.
    """
    text = inline
    if text is None:
        envelope = find_envelope(store, task_prefix(dag_id, run_id, task, index))
        text = envelope.value.text if envelope is not None else None
    return plain(text) if text is not None and len(text) <= limit else None


def plain(text: str) -> str:
    """``text`` without the tags of Python's types."""
    if '"$' not in text:
        return text
    return json.dumps(for_people(text), ensure_ascii=False, separators=(",", ":"))
