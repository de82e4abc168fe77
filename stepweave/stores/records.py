"""`Records`: what is known of the runs of the embedded engine, in SQLite.

One process writes a run (:class:`stepweave.stores.record_writer.RecordWriter`); any number of processes read while it
runs. The commit of a task is its envelope in the object store, not a row here: a row tells what happened and when.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields
from typing import Literal, TypeAlias, TypeVar
from urllib.parse import quote, unquote, urlsplit

from stepweave.errors import StoreError

SCHEMA_VERSION = 3
DATABASE = "stepweave.db"
"""File name of the database in ``.stepweave/``."""

REMOTE_FOLDER = os.path.join(".stepweave", "remote")
"""Where runs with a remote store are recorded."""

RunStatus: TypeAlias = Literal["queued", "running", "success", "failed", "cancelled"]
TaskStatus: TypeAlias = Literal[
    "scheduled", "running", "up_for_retry", "waiting", "success", "failed", "skipped", "upstream_failed"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """A DAG run. Times are seconds since the epoch."""

    run_id: str
    dag_id: str
    target: str = ""
    """What the user named, so that ``resume`` can load the DAG again."""
    params: str = "{}"
    """Params as JSON text."""
    status: RunStatus = "queued"
    logical_date: str | None = None
    queued_at: float | None = None
    started_at: float | None = None
    ended_at: float | None = None
    pid: int | None = None
    """Process that runs it; with ``pid_started_at`` it tells a live run from one that was killed."""
    pid_started_at: float | None = None
    error: str | None = None
    """Why it failed, as text for people."""
    machines: int = 1
    """State machines that the DAG was compiled to."""
    resumes: int = 0
    """How often it was resumed."""
    definition_digest: str | None = None
    """SHA-256 of the compiled definition, in hexadecimal."""
    tasks: str = "[]"
    """Ids of all tasks of the DAG as JSON text; a task run has a row only once the run has reached it."""
    parent: str | None = None
    """The run whose task this run is; None for a run of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRunRow:
    """A task run: one task for one index path, in one DAG run. Times are seconds since the epoch."""

    run_id: str
    task_id: str
    map_index: str = ""
    """Index path: the numbers of the items and rounds around it (``3/0``); empty at the root."""
    label: str | None = None
    """Name of the item, for people."""
    status: TaskStatus | None = "scheduled"
    """None: the run has not reached it; such a task run is not stored."""
    attempts: int = 0
    """Attempts begun."""
    scheduled_at: float | None = None
    started_at: float | None = None
    ended_at: float | None = None
    duration_seconds: float | None = None
    """Time in the task's function, last attempt."""
    queued_seconds: float | None = None
    """Ready, but no worker was free."""
    waiting_seconds: float | None = None
    """Waiting for other tasks behind a gate, or between attempts."""
    error_type: str | None = None
    error_message: str | None = None
    peak_memory_mib: float | None = None
    record: str | None = None
    """The record of the task as JSON text: its inline value or the reference to it."""
    by: str | None = None
    """For ``upstream_failed`` and ``skipped``: ids of the tasks that caused it, joined by commas."""
    detail: str | None = None
    """What else is known, as JSON text: the cases chosen, the counts of a map, the rung, the compensation."""


_Row = TypeVar("_Row", RunRow, TaskRunRow)

RUN_COLUMNS = tuple(field.name for field in fields(RunRow))
TASK_COLUMNS = tuple(field.name for field in fields(TaskRunRow))

_SCHEMA = f"""
CREATE TABLE runs (
  run_id TEXT PRIMARY KEY, dag_id TEXT NOT NULL, target TEXT NOT NULL DEFAULT '', params TEXT NOT NULL DEFAULT '{{}}',
  status TEXT NOT NULL DEFAULT 'queued', logical_date TEXT, queued_at REAL, started_at REAL, ended_at REAL,
  pid INTEGER, pid_started_at REAL, error TEXT, machines INTEGER NOT NULL DEFAULT 1,
  resumes INTEGER NOT NULL DEFAULT 0, definition_digest TEXT, tasks TEXT NOT NULL DEFAULT '[]', parent TEXT
) STRICT;
CREATE INDEX runs_by_dag ON runs (dag_id, started_at);
CREATE TABLE task_runs (
  run_id TEXT NOT NULL, task_id TEXT NOT NULL, map_index TEXT NOT NULL DEFAULT '', label TEXT,
  status TEXT NOT NULL DEFAULT 'scheduled', attempts INTEGER NOT NULL DEFAULT 0, scheduled_at REAL, started_at REAL,
  ended_at REAL, duration_seconds REAL, queued_seconds REAL, waiting_seconds REAL, error_type TEXT, error_message TEXT,
  peak_memory_mib REAL, record TEXT, by TEXT, detail TEXT,
  PRIMARY KEY (run_id, task_id, map_index)
) STRICT, WITHOUT ROWID;
PRAGMA user_version = {SCHEMA_VERSION};
"""


class Records:
    """The runs recorded in ``path``; reads only. Each call sees what was committed when it began."""

    __slots__ = ("_path",)

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = os.fspath(path)

    def run(self, run_id: str) -> RunRow | None:
        """The run with this id, or None."""
        rows = self._select(RunRow, "runs", "run_id = ?", (run_id,))
        return rows[0] if rows else None

    def runs(self, dag_id: str | None = None, *, limit: int = 50) -> list[RunRow]:
        """The latest runs (of one DAG), newest first."""
        order = "ORDER BY coalesce(started_at, queued_at) DESC, rowid DESC LIMIT ?"
        if dag_id is None:
            return self._select(RunRow, "runs", "TRUE", (limit,), order)
        return self._select(RunRow, "runs", "dag_id = ?", (dag_id, limit), order)

    def children(self, run_id: str) -> list[RunRow]:
        """The runs that tasks of a run are, in the order in which they began."""
        return self._select(RunRow, "runs", "parent = ?", (run_id,), "ORDER BY started_at, rowid")

    def find(self, prefix: str) -> list[RunRow]:
        """The runs whose id begins with ``prefix``, newest first; an exact match comes alone."""
        exact = self.run(prefix)
        if exact is not None:
            return [exact]
        order = "ORDER BY coalesce(started_at, queued_at) DESC"
        return self._select(RunRow, "runs", "substr(run_id, 1, ?) = ?", (len(prefix), prefix), order)

    def task_runs(self, run_id: str) -> list[TaskRunRow]:
        """The task runs of a run, by task id and map index."""
        return self._select(TaskRunRow, "task_runs", "run_id = ?", (run_id,), "ORDER BY task_id, map_index")

    def durations(self, dag_id: str, *, runs: int = 10) -> dict[str, float]:
        """Mean seconds of each task (of an item, where it is mapped) in the latest successful runs of a DAG."""
        query = (
            "SELECT task_id, avg(duration_seconds) FROM task_runs WHERE status = 'success' AND run_id IN "
            "(SELECT run_id FROM runs WHERE dag_id = ? AND status = 'success' ORDER BY started_at DESC LIMIT ?) "
            "AND duration_seconds IS NOT NULL AND (detail IS NULL OR detail NOT LIKE '{\"items\"%') GROUP BY task_id"
        )
        with reading(self._path) as connection:
            return dict(connection.execute(query, (dag_id, runs)).fetchall()) if connection else {}

    def _select(
        self, row: Callable[..., _Row], table: str, where: str, values: tuple[object, ...], order: str = ""
    ) -> list[_Row]:
        columns = RUN_COLUMNS if table == "runs" else TASK_COLUMNS
        query = f"SELECT {', '.join(columns)} FROM {table} WHERE {where} {order}"
        with reading(self._path) as connection:
            found = connection.execute(query, values).fetchall() if connection else []
        return [row(**dict(zip(columns, each, strict=True))) for each in found]


@contextmanager
def reading(path: str) -> Iterator[sqlite3.Connection | None]:
    """A connection that only reads, closed at the end; None when there is no database, or one without tables yet."""
    if not os.path.exists(path):
        yield None
        return
    with closing(sqlite3.connect(f"file:{quote(path)}?mode=ro", uri=True, timeout=10)) as connection:
        if connection.execute("PRAGMA user_version").fetchone()[0] == 0:  # its writer is about to make them
            yield None
            return
        check_version(connection, path)
        yield connection


def database_path(store: str) -> str:
    """Path of the database with the runs whose artifacts are in ``store`` (a folder, ``file:///data``, ``s3://…``).

    It lies in the folder itself. SQLite needs a file system, so the runs of a store on S3 are recorded on this
    machine, in a folder of their own.

    >>> database_path("s3://bucket/prefix")
    '.stepweave/remote/s3%3A%2F%2Fbucket%2Fprefix/stepweave.db'
    """
    parts = urlsplit(store)
    if "://" not in store:
        folder = store
    elif parts.scheme == "file":
        folder = unquote(parts.path)
    else:
        folder = os.path.join(REMOTE_FOLDER, quote(store.rstrip("/"), safe=""))
    return os.path.join(folder, DATABASE)


def open_for_writing(path: str) -> sqlite3.Connection:
    """A connection in WAL mode to the database at ``path``, which is created with its folder when there is none."""
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
    try:
        _prepare(connection)
        check_version(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    """WAL mode, and the tables when there are none."""
    connection.execute("PRAGMA journal_mode = WAL")
    # NORMAL in WAL mode survives a killed process; a power cut may lose the last commits, never consistency
    # (https://www.sqlite.org/pragma.html#pragma_synchronous).
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("BEGIN IMMEDIATE")
    if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
        for statement in _SCHEMA.split(";\n"):
            connection.execute(statement)
    connection.execute("COMMIT")


def check_version(connection: sqlite3.Connection, path: str) -> None:
    """Nothing, when this version of stepweave knows the schema of the database; ``StoreError`` otherwise."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version != SCHEMA_VERSION:
        raise StoreError(
            f"{path} has schema version {version}, expected {SCHEMA_VERSION}; "
            "it was written by another version of stepweave: upgrade stepweave, or move the file away"
        )
