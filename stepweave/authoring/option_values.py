"""Readers of single options: each brings what users may write to one normal form, or raises ``ValueError``.

The text of the error is what was expected.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Iterable
from typing import Any

from stepweave.authoring.breakers import Breaker, checked
from stepweave.authoring.compute import compute_name
from stepweave.authoring.retry import Retry, policy
from stepweave.authoring.shipping import permissions, requirements
from stepweave.authoring.units import mebibytes, seconds
from stepweave.graph.model import RetryPolicy

_PERCENT = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*%\s*")


def text(value: Any) -> str:
    """``value`` if it is text."""
    if not isinstance(value, str):
        raise ValueError("text")
    return value


def truth(value: Any) -> bool:
    """``value`` if it is True or False."""
    if not isinstance(value, bool):
        raise ValueError("True or False")
    return value


def texts(value: Any) -> tuple[str, ...]:
    """The texts in a list, in order, without repetition."""
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise ValueError("a list of texts")
    return tuple(dict.fromkeys(text(item) for item in value))


def count(value: Any) -> int:
    """``value`` if it is a whole number, 0 or more."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError("a whole number, 0 or more")
    return value


def positive(value: Any) -> int:
    """``value`` if it is a whole number, 1 or more."""
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ValueError("a whole number, 1 or more")
    return value


def some_seconds(value: Any) -> int:
    """Whole seconds, 1 or more."""
    found = seconds(value)
    if found < 1:
        raise ValueError("a duration of a second or more, such as '90s', '15m', '6h'")
    return found


def factor(value: Any) -> float:
    """A factor by which a wait grows, 1 or more."""
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 1 <= value < math.inf:
        raise ValueError("a number, 1 or more")
    return float(value)


def _cpus(value: Any) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 < value < math.inf:
        raise ValueError("a number of virtual CPUs above 0")
    return float(value)


def _retries(value: Any) -> tuple[RetryPolicy, ...]:
    given = tuple(value) if isinstance(value, (list, tuple)) else (value,)
    if not given or not all(isinstance(one, Retry) for one in given):
        raise ValueError("Retry(attempts=..., delay=...), or a list of them")
    policies = tuple(policy(one) for one in given)
    named = [name for one in policies for name in one.on]
    twice = next((name for name in named if named.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"an error class in one policy only, but {twice!r} is in two")
    return policies


def _memories(value: Any) -> tuple[int, ...]:
    sizes = tuple(mebibytes(one) for one in (value if isinstance(value, (list, tuple)) else [value]))
    if not sizes or list(sizes) != sorted(set(sizes)):
        raise ValueError("sizes of memory from small to large, such as ['16GiB', '60GiB']")
    return sizes


def function(value: Any) -> Callable[..., Any]:
    """``value`` if it is a task or a plain function."""
    inner = getattr(value, "function", value)
    if not callable(inner) or inspect.isclass(inner) or not hasattr(inner, "__name__"):
        raise ValueError("a task or a function, not called")
    return value  # type: ignore[no-any-return]


def _functions(value: Any) -> tuple[Callable[..., Any], ...]:
    try:
        return tuple(function(one) for one in (value if isinstance(value, (list, tuple)) else [value]))
    except ValueError:
        raise ValueError("a list of tasks or functions, not called") from None


def _breaker(value: Any) -> Breaker:
    if isinstance(value, str):
        value = Breaker(value)
    if not isinstance(value, Breaker):
        raise ValueError("the name of a circuit breaker, or Breaker(name, failures=..., reset=...)")
    return checked(value)


def _tolerance(value: Any) -> tuple[int, float]:
    """Number and percentage of items that may fail."""
    if isinstance(value, str) and (match := _PERCENT.fullmatch(value)) and float(match[1]) <= 100:
        return 0, float(match[1])
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value, 0.0
    raise ValueError("a number of items, or a percentage of them such as '1%'")


OPTIONS: dict[str, Callable[[Any], Any]] = {
    "task_id": text,
    "retries": count,
    "retry": _retries,
    "retry_delay": seconds,
    "timeout": seconds,
    "heartbeat": some_seconds,
    "cpu": _cpus,
    "memory": mebibytes,
    "gpu": count,
    "ephemeral": mebibytes,
    "spot": truth,
    "compute": compute_name,
    "requirements": requirements,
    "permissions": permissions,
    "trigger_rule": text,
    "setup": truth,
    "teardown": truth,
    "optional": truth,
    "lazy": truth,
    "when": lambda value: value,
    "on_out_of_memory": _memories,
    "degrade": _functions,
    "replicate": positive,
    "quorum": positive,
    "hedge": some_seconds,
    "compensate": function,
    "breaker": _breaker,
    "max_concurrency": positive,
    "batch_size": positive,
    "tolerated_failures": _tolerance,
    "map_label": text,
    "poke_interval": some_seconds,
    "backoff": factor,
    "max_interval": some_seconds,
    "soft_fail": truth,
    "ignore_downstream_trigger_rules": truth,
    "version": text,
    "owner": text,
    "tags": texts,
    "doc": text,
}
"""Every option of a task and what reads it."""

OF_MAPPED = frozenset({"max_concurrency", "batch_size", "tolerated_failures", "map_label"})
"""Options that mean something for a mapped task only."""

OF_KIND = {
    "poke_interval": "sensor",
    "backoff": "sensor",
    "max_interval": "sensor",
    "soft_fail": "sensor",
    "ignore_downstream_trigger_rules": "short_circuit",
}
"""Options that only one kind of task has."""

LATER = frozenset({"pool", "outlets", "inlets", "cache", "checkpoint"})
"""Options that are known but not available yet."""

AIRFLOW = {
    "execution_timeout": "timeout=",
    "retry_exponential_backoff": "retry=Retry(backoff=...)",
    "max_retry_delay": "retry=Retry(max_delay=...)",
    "max_active_tis_per_dagrun": "max_concurrency=",
    "max_active_tis_per_dag": "max_concurrency=",
    "map_index_template": "map_label=",
    "exponential_backoff": "backoff=2",
    "max_wait": "max_interval=",
    "on_failure_callback": "@dag(on_failure=...)",
    "run_if": "when=",
    "doc_md": "doc=",
    "name": "task_id=",
    "id": "task_id=",
}
"""What Airflow (or habit) calls something else."""
