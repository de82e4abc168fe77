"""`Checkpoint`: what a task keeps between its attempts, and between a run and the run when it is resumed.

    state = get_current_context().checkpoint
    done = state.load({"epoch": 0})
    for epoch in range(done["epoch"], 50):
        ...
        state.save({"epoch": epoch + 1, "weights": weights})

A value is stored as a result would be. Frameworks that write files find a folder, ``state.folder``, which is what it
was when it was saved last; ``state.save()`` saves it. Each save is a new version under ``checkpoints/…/``, made the
current one by the single write of ``checkpoint.json``: whoever is killed meanwhile leaves the version before. It
belongs to the inputs of the task: other inputs begin anew. When the task is committed, it is deleted.
"""

from __future__ import annotations

import contextlib
import json
import threading
import weakref
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stepweave.errors import StoreError
from stepweave.runtime.codecs.values import StoredValue, load_value, store_value
from stepweave.runtime.scratch import Scratch
from stepweave.stores.layout import checkpoint_prefix
from stepweave.stores.objects import ObjectStore

if TYPE_CHECKING:
    from stepweave.runtime.context import Context

_LATEST = object()
_open: weakref.WeakSet[Checkpoint] = weakref.WeakSet()


class Checkpoint:
    """What one task run keeps. Safe for threads."""

    def __init__(self, store: ObjectStore, prefix: str, input_digest: str, scratch: Scratch) -> None:
        self._store = store
        self._prefix = prefix
        self._input_digest = input_digest
        self._scratch = scratch
        self._lock = threading.RLock()
        self._version = 0
        self._is_read = False
        self._found = False
        self._value: Any = None
        self._folder: Path | None = None
        _open.add(self)

    def load(self, default: Any = None) -> Any:
        """The value that was saved last; ``default`` when none was."""
        with self._lock:
            self._read()
            return self._value if self._found else default

    def save(self, value: Any = _LATEST) -> None:
        """Save ``value`` and the files in the folder; without a value the one that was saved last stays."""
        with self._lock:
            self._read()
            if value is not _LATEST:
                self._value, self._found = value, True
            content: dict[str, Any] = {"found": self._found, "value": self._value}
            if self._folder is not None:
                content["folder"] = self._folder
            self._version += 1
            here = f"{self._prefix}/v{self._version}"
            stored, _ = store_value(content, self._store, here, self._scratch)
            current = {"version": self._version, "input": self._input_digest, "stored": asdict(stored)}
            self._store.put(self._key, json.dumps(current).encode())
            self._delete(except_below=here)

    @property
    def folder(self) -> Path:
        """A folder with the files that were saved last."""
        with self._lock:
            self._read()
            if self._folder is None:
                self._folder = Path(self._scratch.fresh()) / "checkpoint"
                self._folder.mkdir()
            return self._folder

    @property
    def has_folder(self) -> bool:
        """Whether the task uses the folder."""
        return self._folder is not None

    def delete(self) -> None:
        """Forget what was saved."""
        with self._lock:
            self._store.delete(self._key)
            self._delete()

    @property
    def _key(self) -> str:
        return f"{self._prefix}/checkpoint.json"

    def _read(self) -> None:
        if self._is_read:
            return
        self._is_read = True
        data = self._store.get_or_none(self._key)
        if data is None:
            return
        current = json.loads(data)
        self._version = current["version"]
        if current["input"] != self._input_digest:
            return
        content = load_value(StoredValue(**current["stored"]), self._store, self._scratch)
        self._found, self._value = content["found"], content["value"]
        self._folder = Path(content["folder"]) if "folder" in content else None

    def _delete(self, except_below: str = "") -> None:
        """Delete versions; what stays behind is deleted by the next save, or by the bucket's lifecycle."""
        with contextlib.suppress(StoreError):
            for key, _ in list(self._store.list(self._prefix)):
                kept = except_below and key.startswith(f"{except_below}/")
                if not kept and key != self._key and _is_version(key.removeprefix(f"{self._prefix}/")):
                    self._store.delete(key)


def checkpoint_of(context: Context, store: ObjectStore) -> Checkpoint:
    """The checkpoint of the task run that ``context`` is about."""
    prefix = checkpoint_prefix(context.dag_id, context.run_id, context.task_id, context.index)
    return Checkpoint(store, prefix, context.input_digest, context.scratch_space)


def discard(checkpoint: Checkpoint) -> None:
    """Forget the checkpoint of a task that is committed; that it cannot be deleted is no reason to fail."""
    with contextlib.suppress(StoreError):
        checkpoint.delete()


def save_folders() -> int:
    """How many checkpoints of this process were saved, of those that use their folder: the process is about to end."""
    saved = 0
    for checkpoint in list(_open):
        if checkpoint.has_folder:
            checkpoint.save()
            saved += 1
    return saved


def _is_version(rest: str) -> bool:
    """Whether the key belongs to a version of this task run, and not to an item of a mapped one below it."""
    head = rest.partition("/")[0]
    return head.startswith("v") and head[1:].isdigit()
