"""Options of a task: what users may write, brought to one normal form.

Layers of options override one another: ``default_args`` of the DAG, of the groups from outside to inside, the
decorator, ``override``. :func:`merge` combines them, :func:`resolve` reads the result.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from stepweave.authoring.compute import compute_name
from stepweave.authoring.retry import Retry, policy
from stepweave.authoring.suggest import did_you_mean
from stepweave.authoring.units import mebibytes, seconds
from stepweave.errors import Problem
from stepweave.graph.model import Compute, Resources, RetryPolicy

_NO_RETRY = RetryPolicy()
_NO_RESOURCES = Resources()


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskOptions:
    """Options of a task in their normal form; None where nothing was said and the default depends on the task."""

    task_id: str | None = None
    trigger_rule: str = "all_success"
    teardown: bool = False
    retry: RetryPolicy = _NO_RETRY
    timeout_seconds: int | None = None
    resources: Resources = _NO_RESOURCES
    compute: Compute | None = None
    doc: str | None = None
    owner: str = ""
    tags: tuple[str, ...] = ()


def merge(layers: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The options of all layers; a later layer wins, and its ``retry`` replaces all that was said of retries."""
    merged: dict[str, Any] = {}
    for layer in layers:
        if "retry" in layer:
            merged.pop("retries", None)
            merged.pop("retry_delay", None)
        merged.update(layer)
    return merged


def resolve(given: Mapping[str, Any]) -> tuple[TaskOptions, list[Problem]]:
    """The normal form of merged options, and what is wrong with them; a wrong option counts as not given."""
    problems: list[Problem] = []
    read: dict[str, Any] = {}
    for name, value in given.items():
        if name not in OPTIONS:
            problems.append(_unknown(name))
        elif value is not None:
            try:
                read[name] = OPTIONS[name](value)
            except (ValueError, TypeError) as error:
                problems.append(_wrong(name, value, str(error)))
    return _normal(read), problems


def conflicts(layer: Mapping[str, Any]) -> list[Problem]:
    """What contradicts itself within one layer."""
    if "retry" not in layer or not {"retries", "retry_delay"} & layer.keys():
        return []
    return [
        Problem(
            what="both retry= and retries= or retry_delay= are given",
            code="option-conflict",
            fix="write retry=Retry(attempts=..., delay=...) alone",
        )
    ]


def _normal(read: dict[str, Any]) -> TaskOptions:
    retry = read.get("retry", _NO_RETRY)
    if "retries" in read or "retry_delay" in read:
        delay = read.get("retry_delay", retry.delay_seconds)
        ceiling = retry.max_delay_seconds
        retry = dataclasses.replace(
            retry,
            attempts=read.get("retries", retry.attempts),
            delay_seconds=delay,
            max_delay_seconds=None if ceiling is not None and ceiling <= delay else ceiling,
        )
    teardown = read.get("teardown", False)
    return TaskOptions(
        task_id=read.get("task_id"),
        trigger_rule=read.get("trigger_rule", "all_done" if teardown else "all_success"),
        teardown=teardown,
        retry=retry,
        timeout_seconds=read.get("timeout"),
        resources=Resources(
            cpu=read.get("cpu"),
            memory_mib=read.get("memory"),
            gpu=read.get("gpu", 0),
            ephemeral_mib=read.get("ephemeral"),
            spot=read.get("spot", False),
        ),
        compute=read.get("compute"),
        doc=read.get("doc"),
        owner=read.get("owner", ""),
        tags=read.get("tags", ()),
    )


def _unknown(name: str) -> Problem:
    what = f"unknown option {name!r}"
    if name in _LATER:
        return Problem(
            what=f"option {name!r} is not available yet", code="unknown-option", fix=f"leave {name} out"
        )
    fix = f"write {_AIRFLOW[name]}" if name in _AIRFLOW else did_you_mean(name, OPTIONS)
    return Problem(what=what, code="unknown-option", fix=fix)


def _wrong(name: str, value: object, expected: str) -> Problem:
    return Problem(
        what=f"option {name!r} has a wrong value",
        code="option-value",
        expected=expected,
        got=repr(value),
        fix=f"correct or leave out {name}",
    )


def text(value: Any) -> str:
    """``value`` if it is text. Raises ``ValueError`` otherwise, as do the readers below."""
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


def _count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError("a whole number, 0 or more")
    return value


def _cpus(value: Any) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 < value < math.inf:
        raise ValueError("a number of virtual CPUs above 0")
    return float(value)


def _retry(value: Any) -> RetryPolicy:
    if not isinstance(value, Retry):
        raise ValueError("Retry(attempts=..., delay=...)")
    return policy(value)


OPTIONS: dict[str, Callable[[Any], Any]] = {
    "task_id": text,
    "retries": _count,
    "retry": _retry,
    "retry_delay": seconds,
    "timeout": seconds,
    "cpu": _cpus,
    "memory": mebibytes,
    "gpu": _count,
    "ephemeral": mebibytes,
    "spot": truth,
    "compute": compute_name,
    "trigger_rule": text,
    "teardown": truth,
    "owner": text,
    "tags": texts,
    "doc": text,
}
"""Every option of a task and what reads it."""

_LATER = frozenset({"pool", "outlets", "inlets", "cache", "checkpoint", "expand"})

_AIRFLOW = {
    "execution_timeout": "timeout=",
    "retry_exponential_backoff": "retry=Retry(backoff=...)",
    "max_retry_delay": "retry=Retry(max_delay=...)",
    "doc_md": "doc=",
    "name": "task_id=",
    "id": "task_id=",
}
"""What Airflow (or habit) calls something else."""
