"""Tasks that the tests of control flow in the runtime import by name."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from stepweave.errors import DataError, RetryAfter, Skip, TransientError
from stepweave.runtime.context import get_current_context
from stepweave.runtime.pokes import PokeReturn

calls: list[Any] = []
"""What ran, in order; tests clear it."""


class Throttled(TransientError):
    pass


class SlowDown(Throttled):
    pass


class BadRow(DataError):
    pass


def note(**arguments: Any) -> Any:
    calls.append(arguments)
    return arguments


def double(x: int) -> int:
    calls.append(x)
    return x * 2


def length_of(x: Any) -> int:
    return len(x)


def made(kind: str) -> Any:
    """A value of a kind that JSON does not have."""
    return {
        "array": np.array([1.5, 2.5]),
        "arrays": [np.arange(3), np.arange(4)],
        "tuple": (1, 2),
        "range": range(2),
        "series": pd.Series([1, 2]),
        "frame": pd.DataFrame({"a": [1]}),
    }[kind]


def fails_for(x: int, bad: int = 1) -> int:
    calls.append(x)
    if x == bad:
        raise DataError(f"{x} is bad")
    return x


def skips_for(x: int) -> int:
    if x == 1:
        raise Skip("not today")
    return x


def flaky(x: int) -> int:
    calls.append(x)
    if x == 1 and calls.count(1) == 1:
        raise TransientError("once")
    return x


def patient(x: int) -> int:
    calls.append(x)
    if x == 1 and calls.count(1) == 1:
        raise RetryAfter(5)
    return x


def lazily(values: Any) -> list[Any]:
    return [type(values).__name__, len(values), values[0], list(values[1:3])]


def as_list(values: list[int]) -> str:
    return type(values).__name__


def as_optional_list(values: list[int] | None = None) -> str:
    return type(values).__name__


def as_sequence(values: Sequence[int]) -> str:
    return type(values).__name__


def contents(paths: list[Path]) -> list[str]:
    return [path.read_text() for path in paths]


def hand_back(values: Any) -> Any:
    return values


def raises(kind: str) -> None:
    raise {
        "slow": SlowDown("slow down"),
        "row": BadRow("no such row"),
        "later": RetryAfter(29.2, "quota"),
        "value": ValueError("no"),
        "skip": Skip("no"),
    }[kind]


def choose(answer: Any = None) -> Any:
    return answer


def poke(answer: Any = None) -> Any:
    calls.append("poke")
    return answer


def poke_for_value() -> PokeReturn:
    return PokeReturn(True, {"rows": 3})


def poke_in_vain() -> PokeReturn:
    return PokeReturn(False, 1)


def where() -> dict[str, Any]:
    context = get_current_context()
    return {"indexes": list(context.map_indexes), "index": context.map_index, "path": context.index}


def beats(times: int, seconds: float) -> str:
    for _ in range(times):
        time.sleep(seconds)
        get_current_context().heartbeat()
    return "alive"


def silent(seconds: float) -> str:
    print("before the silence")
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(0.01)
    calls.append("woke up")
    return "too late"


def publishing(value: Any) -> None:
    get_current_context().publish("rows", "2026-11-21", value)


def reading() -> Any:
    return get_current_context().latest("rows", "2026-11-21")


def last_good() -> Any:
    return get_current_context().last_success()


def create_table(name: str, size: int = 0) -> dict[str, Any]:
    calls.append(("create", name))
    return {"table": name, "size": size}


def drop_table(name: str, result: dict[str, Any]) -> None:
    calls.append(("drop", name, result["table"]))


def drop_or_fail(name: str) -> None:
    calls.append(("drop", name))
    if name == "b" and calls.count(("drop", "b")) == 1:
        raise TransientError("the database is busy")


def drop_and_die(name: str, result: dict[str, Any]) -> None:
    """Its process ends the first time, after what it did."""
    drop_table(name, result)
    if calls.count(("drop", name, result["table"])) == 1:
        raise KeyboardInterrupt


def drop_other(other: str) -> None:
    calls.append(("drop", other))


def told(run_id: str, status: str, failed: list[str], params: dict[str, Any]) -> None:
    calls.append((run_id, status, failed, params))
