"""Options of a task: what users may write, brought to one normal form.

Layers of options override one another: ``default_args`` of the DAG, of the groups from outside to inside, the
decorator, ``override``. :func:`merge` combines them, :func:`resolve` reads the result.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from stepweave.authoring.breakers import Breaker
from stepweave.authoring.option_values import AIRFLOW, LATER, OF_KIND, OPTIONS
from stepweave.authoring.suggest import did_you_mean
from stepweave.errors import Problem
from stepweave.graph.model import Compute, Resources, RetryPolicy

_NO_RETRY = RetryPolicy()
_NO_RESOURCES = Resources()


@dataclass(frozen=True, slots=True, kw_only=True)
class MapOptions:
    """How a mapped task goes through its items."""

    max_concurrency: int | None = None
    batch_size: int | None = None
    tolerated_failures: tuple[int, float] = (0, 0.0)
    """Number and percentage."""
    map_label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PokeOptions:
    """How a sensor asks again."""

    poke_interval: int = 60
    """Seconds."""
    backoff: float = 1.0
    max_interval: int | None = None
    soft_fail: bool = False


_NO_MAP = MapOptions()
_NO_POKE = PokeOptions()


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskOptions:
    """Options of a task in their normal form; None where nothing was said and the default depends on the task."""

    task_id: str | None = None
    trigger_rule: str | None = None
    setup: bool = False
    teardown: bool = False
    optional: bool = False
    lazy: bool = False
    when: Any = None
    """A condition, as the user wrote it."""
    retry: RetryPolicy = _NO_RETRY
    other_retries: tuple[RetryPolicy, ...] = ()
    timeout_seconds: int | None = None
    heartbeat_seconds: int | None = None
    resources: Resources = _NO_RESOURCES
    compute: Compute | None = None
    requirements: tuple[str, ...] = ()
    """PEP 508."""
    permissions: tuple[str, ...] = ()
    """JSON texts."""
    more_memory: tuple[int, ...] = ()
    """MiB, from small to large."""
    degrade: tuple[Callable[..., Any], ...] = ()
    replicas: int = 1
    quorum: int | None = None
    hedge_seconds: int | None = None
    compensate: Callable[..., Any] | None = None
    breaker: Breaker | None = None
    mapping: MapOptions = _NO_MAP
    poking: PokeOptions = _NO_POKE
    ignore_downstream_trigger_rules: bool = True
    version: str = ""
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


def conflicts(layer: Mapping[str, Any], kind: str | None = None) -> list[Problem]:
    """What contradicts itself within one layer; with ``kind``, also what only tasks of another kind have."""
    found = []
    if "retry" in layer and {"retries", "retry_delay"} & layer.keys():
        found.append(
            Problem(
                what="both retry= and retries= or retry_delay= are given",
                code="option-conflict",
                fix="write retry=Retry(attempts=..., delay=...) alone",
            )
        )
    for name in sorted(OF_KIND.keys() & layer.keys()) if kind is not None else ():
        if OF_KIND[name] != kind:
            found.append(
                Problem(
                    what=f"option {name!r} is for tasks made by @task.{OF_KIND[name]}",
                    code="option-kind",
                    fix=f"write @task.{OF_KIND[name]}, or leave {name} out",
                )
            )
    return found


def contradictions(options: TaskOptions) -> list[Problem]:
    """What in options of one task does not go together."""
    found = []
    if options.quorum is not None and options.quorum > options.replicas:
        found.append(
            Problem(
                what=f"a quorum of {options.quorum} of {options.replicas} can never agree",
                code="option-conflict",
                expected="quorum= at most replicate=",
                fix=f"write replicate={options.quorum} or more, or a smaller quorum",
            )
        )
    if options.hedge_seconds is not None and options.replicas > 1:
        found.append(
            Problem(
                what="both hedge= and replicate= are given: replicas run side by side anyway",
                code="option-conflict",
                fix="leave hedge out",
            )
        )
    for name, given in (("heartbeat", options.heartbeat_seconds), ("hedge", options.hedge_seconds)):
        if given is not None and options.timeout_seconds is not None and given >= options.timeout_seconds:
            found.append(
                Problem(
                    what=f"{name} is not shorter than the timeout, which ends the attempt first",
                    code="option-conflict",
                    expected=f"less than {options.timeout_seconds:,} s",
                    got=f"{given:,} s",
                    fix=f"write a shorter {name}=, or a longer timeout=",
                )
            )
    if options.mapping.batch_size is not None:
        found += [_not_in_batches(name) for name in _FOR_CALLS_OF_THEIR_OWN if _is_given(options, name)]
    memory = options.resources.memory_mib
    if memory is not None and options.more_memory and options.more_memory[0] <= memory:
        found.append(
            Problem(
                what="on_out_of_memory does not ask for more memory than the first attempt had",
                code="option-conflict",
                expected=f"more than {memory:,} MiB",
                got=f"{options.more_memory[0]:,} MiB",
                fix="name larger sizes",
            )
        )
    if options.setup and options.teardown:
        what = "a task is both setup and teardown"
        found.append(Problem(what=what, code="option-conflict", fix="make it one of the two"))
    return found


_FOR_CALLS_OF_THEIR_OWN = ("replicate", "hedge", "degrade")
"""Options about the call of one item, of which a batch has none."""


def _is_given(options: TaskOptions, name: str) -> bool:
    return {
        "replicate": options.replicas > 1,
        "hedge": options.hedge_seconds is not None,
        "degrade": bool(options.degrade),
    }[name]


def _not_in_batches(name: str) -> Problem:
    return Problem(
        what=f"both batch_size= and {name}= are given: items of a batch share one call",
        code="option-conflict",
        expected=f"{name}= where each item is a call of its own",
        fix=f"leave out batch_size or {name}",
    )


def _normal(read: dict[str, Any]) -> TaskOptions:
    first, *others = read.get("retry", (_NO_RETRY,))
    return TaskOptions(
        retry=_with_retries(first, read),
        other_retries=tuple(others),
        timeout_seconds=read.get("timeout"),
        heartbeat_seconds=read.get("heartbeat"),
        more_memory=read.get("on_out_of_memory", ()),
        replicas=read.get("replicate", 1),
        hedge_seconds=read.get("hedge"),
        resources=Resources(
            cpu=read.get("cpu"),
            memory_mib=read.get("memory"),
            gpu=read.get("gpu", 0),
            ephemeral_mib=read.get("ephemeral"),
            spot=read.get("spot", False),
        ),
        mapping=MapOptions(**_taken(read, _MAP_FIELDS)),
        poking=PokeOptions(**_taken(read, _POKE_FIELDS)),
        **_taken(read, _SAME_FIELDS),
    )


_MAP_FIELDS = tuple(MapOptions.__dataclass_fields__)
_POKE_FIELDS = tuple(PokeOptions.__dataclass_fields__)
_SAME_FIELDS = tuple(name for name in TaskOptions.__dataclass_fields__ if name in OPTIONS and name != "retry")
"""Options that are called as users call them."""


def _taken(read: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: read[name] for name in names if name in read}


def _with_retries(retry: RetryPolicy, read: dict[str, Any]) -> RetryPolicy:
    if "retries" not in read and "retry_delay" not in read:
        return retry
    delay = read.get("retry_delay", retry.delay_seconds)
    ceiling = retry.max_delay_seconds
    return dataclasses.replace(
        retry,
        attempts=read.get("retries", retry.attempts),
        delay_seconds=delay,
        max_delay_seconds=None if ceiling is not None and ceiling <= delay else ceiling,
    )


def _unknown(name: str) -> Problem:
    what = f"unknown option {name!r}"
    if name in LATER:
        return Problem(
            what=f"option {name!r} is not available yet", code="unknown-option", fix=f"leave {name} out"
        )
    fix = f"write {AIRFLOW[name]}" if name in AIRFLOW else did_you_mean(name, OPTIONS)
    return Problem(what=what, code="unknown-option", fix=fix)


def _wrong(name: str, value: object, expected: str) -> Problem:
    return Problem(
        what=f"option {name!r} has a wrong value",
        code="option-value",
        expected=expected,
        got=repr(value),
        fix=f"correct or leave out {name}",
    )
