"""`RecordWriter`: takes the live events of a run and writes them in batches.

A call merges its values into a buffer and returns; a thread writes the buffer in one transaction at most every 50 ms,
so a run of 10,000 short tasks costs some hundred transactions, and a reader is never far behind.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self, TypeAlias

from stepweave.errors import StoreError, UsageError
from stepweave.stores.records import RUN_COLUMNS, TASK_COLUMNS, RunRow, open_for_writing

FLUSH_SECONDS = 0.05

_Changes: TypeAlias = dict[str, Any]
_Key: TypeAlias = tuple[Any, ...]

_RUN_KEY = ("run_id",)
_TASK_KEY = ("run_id", "task_id", "map_index")
_CLAIM = ("status", "pid", "pid_started_at", "resumes")
"""Columns by which a run is known not to have gone on meanwhile."""
_RUN_CHANGES = frozenset(RUN_COLUMNS) - set(_RUN_KEY)
_TASK_CHANGES = frozenset(TASK_COLUMNS) - set(_TASK_KEY)


class RecordWriter:
    """The writer of the database at ``path``; one per process. Close it, or use it as a context manager."""

    def __init__(self, path: str | os.PathLike[str], *, flush_seconds: float = FLUSH_SECONDS) -> None:
        self._connection = open_for_writing(os.fspath(path))
        self._path = os.fspath(path)
        self._flush_seconds = flush_seconds
        self._buffer_lock = threading.Lock()
        self._write_lock = threading.Lock()
        self._runs: dict[_Key, _Changes] = {}
        self._tasks: dict[_Key, _Changes] = {}
        self._dirty = threading.Event()
        self._stop = threading.Event()
        self._failure: sqlite3.Error | None = None
        self._thread = threading.Thread(target=self._work, name="stepweave-records", daemon=True)
        self._thread.start()

    def start_run(self, row: RunRow) -> None:
        """Record a run as a whole; a run with this id is replaced. Written before this returns."""
        self.update_run(row.run_id, **{name: getattr(row, name) for name in _RUN_CHANGES})
        self.flush()

    def claim_run(self, row: RunRow, earlier: RunRow | None) -> bool:
        """Whether a run may begin (again): then it is recorded as ``row``.

        It may if nobody has recorded it since it was seen as ``earlier`` (None: it was not there), so that of several
        processes that would go on with a run one does.
        """
        known = None if earlier is None else tuple(getattr(earlier, name) for name in _CLAIM)
        query = f"SELECT {', '.join(_CLAIM)} FROM runs WHERE run_id = ?"
        changes = {name: getattr(row, name) for name in _RUN_CHANGES}
        try:
            with self._write_lock, self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                if self._connection.execute(query, (row.run_id,)).fetchone() != known:
                    return False
                self._upsert("runs", _RUN_KEY, [((row.run_id,), changes)])
        except sqlite3.Error as error:
            raise StoreError(f"cannot write the records to {self._path}: {error}") from error
        return True

    def update_run(self, run_id: str, **changes: Any) -> None:
        """Change some columns of a run."""
        self._merge((run_id,), changes, _RUN_CHANGES)

    def update_task(self, run_id: str, task_id: str, map_index: str = "", **changes: Any) -> None:
        """Change some columns of a task run, which is created by its first change."""
        self._merge((run_id, task_id, map_index), changes, _TASK_CHANGES)

    def flush(self) -> None:
        """Write what is buffered; afterwards every other process sees it."""
        with self._write_lock:
            with self._buffer_lock:
                runs, self._runs = self._runs, {}
                tasks, self._tasks = self._tasks, {}
                self._dirty.clear()
            if runs or tasks:
                self._write(runs, tasks)
        if self._failure is not None:
            raise StoreError(f"cannot write the records to {self._path}: {self._failure}") from self._failure

    def close(self) -> None:
        """Write what is buffered and end; safe to call twice."""
        if self._stop.is_set():
            return
        self._stop.set()
        self._dirty.set()
        self._thread.join()
        try:
            self.flush()
        finally:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _merge(self, key: _Key, changes: _Changes, known: frozenset[str]) -> None:
        if not known.issuperset(changes):
            unknown = sorted(set(changes) - known)
            raise UsageError(
                f"unknown column {unknown[0]!r} in a record; expected one of {', '.join(sorted(known))}"
            )
        with self._buffer_lock:
            # The buffer is looked up under the lock, since a flush replaces it.
            current = self._runs if known is _RUN_CHANGES else self._tasks
            merged = current.get(key)
            if merged is None:
                current[key] = changes
            else:
                merged.update(changes)
        if not self._dirty.is_set():
            self._dirty.set()

    def _work(self) -> None:
        while not self._stop.is_set():
            self._dirty.wait()
            self._stop.wait(self._flush_seconds)
            try:
                self.flush()
            except StoreError:
                # Kept in _failure, and raised by the next flush or close of the caller's thread.
                return

    def _write(self, runs: dict[_Key, _Changes], tasks: dict[_Key, _Changes]) -> None:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            self._upsert("runs", _RUN_KEY, runs.items())
            self._upsert("task_runs", _TASK_KEY, tasks.items())
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._failure = error
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def _upsert(self, table: str, key: tuple[str, ...], changed: Iterable[tuple[_Key, _Changes]]) -> None:
        # Rows that change the same columns share a statement.
        groups: dict[tuple[str, ...], list[_Key]] = {}
        for values, changes in changed:
            groups.setdefault(tuple(changes), []).append((*values, *changes.values()))
        for names, rows in groups.items():
            if table == "runs" and "dag_id" not in names:
                self._update_runs(names, rows)
                continue
            columns = (*key, *names)
            updates = ", ".join(f"{name} = excluded.{name}" for name in names)
            self._connection.executemany(
                f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))}) "
                f"ON CONFLICT ({', '.join(key)}) DO {'UPDATE SET ' + updates if updates else 'NOTHING'}",
                rows,
            )

    def _update_runs(self, names: tuple[str, ...], rows: list[_Key]) -> None:
        # A run is created by start_run alone; a change of a run that is not there changes nothing.
        updates = ", ".join(f"{name} = ?" for name in names)
        changes = [(*row[1:], row[0]) for row in rows]
        if names:
            self._connection.executemany(f"UPDATE runs SET {updates} WHERE run_id = ?", changes)
