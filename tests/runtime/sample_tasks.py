"""Tasks, classes and a DAG that the tests of the runtime import by name, as a state machine's events name them."""

from __future__ import annotations

import asyncio
import enum
import logging
import sys
import threading
import time
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from pydantic import BaseModel, PrivateAttr

from stepweave.errors import DataError, Fail, RetryAfter, Skip
from stepweave.runtime.context import get_current_context

calls: list[tuple[str, dict[str, Any]]] = []
"""What ran, in order; tests clear it."""


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Access(enum.Flag):
    READ = 1
    WRITE = 2


class Point(NamedTuple):
    x: int
    y: float


@dataclass(frozen=True, slots=True)
class Interval:
    low: float
    high: float = 1.0
    seen: tuple[int, ...] = field(default=(), init=False)


class Metrics(BaseModel):
    auc: float
    day: date
    interval: Interval
    tags: set[str] = set()
    _note: str = PrivateAttr(default="")


class Open(BaseModel, extra="allow"):
    name: str


class Wrapped:
    """What `@task` makes of a function, as far as the runtime looks."""

    def __init__(self, function: Any) -> None:
        self.function = function


class SampleDag:
    """A DAG as far as the runtime looks: tasks by id, and a graph."""

    def __init__(self, graph: Any, functions: dict[str, Any]) -> None:
        self._graph = graph
        self._functions = functions

    def graph(self) -> Any:
        return self._graph

    def task_function(self, task_id: str) -> Any:
        return self._functions[task_id]


def echo(**arguments: Any) -> Any:
    calls.append(("echo", arguments))
    return arguments


def one() -> int:
    calls.append(("one", {}))
    return 1


wrapped = Wrapped(one)


def give(value: Any = None) -> Any:
    return value


def half(value: float) -> float:
    return value / 2


def typed(
    rate: float,
    maybe: float | None,
    rates: list[float],
    day: date,
    colour: Colour,
    where: Path,
    interval: Interval,
    metrics: Metrics,
    pair: tuple[float, ...],
    plain: Any = None,
) -> list[str]:
    return [
        repr(value) for value in (rate, maybe, rates, day, colour, where, interval, metrics.auc, pair, plain)
    ]


async def later(value: int) -> int:
    await asyncio.sleep(0)
    return value + 1


def generator() -> Any:
    yield 1


def lock_inside() -> Any:
    return {"rows": [1, threading.Lock()]}


def not_a_number() -> Any:
    return {"auc": float("nan")}


def about_itself() -> dict[str, Any]:
    context = get_current_context()
    context.log_metadata(rows=3)
    (context.scratch / "file.txt").write_text("x")
    return {
        "ids": [context.dag_id, context.run_id, context.task_id, context.map_index, context.attempt],
        "params": dict(context.params),
        "date": context.logical_date,
        "upstream": dict(context.upstream),
        "scratch": str(context.scratch),
    }


def noting() -> None:
    get_current_context().log_metadata(auc=np.float32(0.5), lost=float("nan"), kind=int, rows=(1, 2))


def write_file(text: str) -> Path:
    path = get_current_context().scratch / "report.html"
    path.write_text(text)
    return path


def read_file(path: Path) -> str:
    return f"{path.name}: {path.read_text()}"


def talk() -> None:
    print("printed")
    print("to stderr", file=sys.stderr)
    logging.getLogger("my.library").info("logged %d", 1)
    get_current_context().logger.info("by the context")
    thread = threading.Thread(target=print, args=("from a thread",))
    thread.start()
    thread.join()


def raising(kind: str) -> None:
    errors: dict[str, BaseException] = {
        "value": ValueError("no"),
        "fail": Fail("never"),
        "skip": Skip("nothing to do"),
        "data": DataError("bad rows"),
        "later": RetryAfter(30),
        "exit": SystemExit(3),
        "interrupt": KeyboardInterrupt(),
    }
    raise errors[kind]


def allocate(mib: int) -> int:
    return len(bytearray(mib << 20))


def sleep(seconds: float) -> None:
    print("asleep", flush=True)
    time.sleep(seconds)
