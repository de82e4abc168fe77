"""Options of a DAG: what users may write, brought to one normal form."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from stepweave.authoring.option_values import count, function, positive, text, texts, truth
from stepweave.authoring.options import conflicts, resolve
from stepweave.authoring.schedule import Schedule, mistakes, to_schedule
from stepweave.authoring.shipping import permissions, requirements
from stepweave.authoring.signatures import signature_of
from stepweave.authoring.suggest import did_you_mean
from stepweave.authoring.units import seconds
from stepweave.errors import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class DagOptions:
    """Options of a DAG in their normal form; None where nothing was said."""

    dag_id: str | None = None
    schedule: Schedule | None = None
    triggers: tuple[str, ...] = ()
    """JSON texts."""
    default_args: Mapping[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    owner: str = ""
    fail_fast: bool = False
    max_failed_tasks: int | None = None
    retries: int = 0
    on_failure: Callable[..., Any] | None = None
    on_success: Callable[..., Any] | None = None
    version: str = ""
    timeout: int | None = None
    """Seconds."""
    max_active_runs: int | None = None
    requirements: tuple[str, ...] = ()
    """PEP 508."""
    permissions: tuple[str, ...] = ()
    """JSON texts."""
    doc: str | None = None


def read(given: Mapping[str, Any]) -> tuple[DagOptions, list[Problem]]:
    """The options in their normal form, and what is wrong with them; a wrong option counts as not given."""
    problems: list[Problem] = []
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name not in _OPTIONS:
            problems.append(_unknown(name))
        elif value is not None:
            try:
                values[name] = _OPTIONS[name](value)
            except (ValueError, TypeError) as error:
                problems.append(_wrong(name, str(error), repr(value)))
    problems += _schedule_problems(values)
    for name in ("on_failure", "on_success"):
        if name in values:
            problems += _notice_problems(name, values[name])
    for problem in (*conflicts(values.get("default_args", {})), *resolve(values.get("default_args", {}))[1]):
        problems.append(Problem(what=f"default_args: {problem.what}", code=problem.code, expected=problem.expected,
                                got=problem.got, fix=problem.fix))  # fmt: skip
    return DagOptions(**values), problems


def _schedule_problems(values: dict[str, Any]) -> list[Problem]:
    schedule = values.get("schedule")
    found = list(mistakes(schedule)) if schedule is not None else []
    if found:
        del values["schedule"]
    return [Problem(what=what, code="schedule", got=repr(schedule), fix=_SCHEDULE_FIX) for what in found]


_SCHEDULE_FIX = "write e.g. Cron('0 6 * * 1-5', timezone='Europe/Berlin') or Every('15m')"


NOTICE = ("run_id", "dag_id", "status", "failed", "params")
"""What a function that is told how a run ended may take."""


def _notice_problems(name: str, told: Callable[..., Any]) -> list[Problem]:
    signature = signature_of(getattr(told, "function", told))
    strange = [one for one in signature.required if one not in NOTICE]
    if not strange:
        return []
    return [
        Problem(
            what=f"{name}: {signature.name}() needs {', '.join(map(repr, strange))}",
            code="notice-signature",
            expected=f"parameters among {', '.join(NOTICE)}",
            got=signature.text,
            fix="take what a run can tell",
        )
    ]


def _wrong(name: str, expected: str, got: str) -> Problem:
    return Problem(
        what=f"option {name!r} of the DAG has a wrong value",
        code="option-value",
        expected=expected,
        got=got,
        fix=f"correct or leave out {name}",
    )


def _unknown(name: str) -> Problem:
    if name in _LATER:
        return Problem(
            what=f"DAG option {name!r} is not available yet", code="unknown-option", fix=f"leave {name} out"
        )
    fix = f"write {_AIRFLOW[name]}" if name in _AIRFLOW else did_you_mean(name, _OPTIONS)
    return Problem(what=f"unknown DAG option {name!r}", code="unknown-option", fix=fix)


def _triggers(value: Any) -> tuple[str, ...]:
    items = value if isinstance(value, (list, tuple)) else [value]
    if not all(callable(getattr(item, "as_trigger", None)) for item in items):
        raise ValueError("a list of triggers, e.g. [S3ObjectCreated('raw/')]")
    return tuple(item.as_trigger() for item in items)


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError("a dict of task options")
    return value


_OPTIONS: dict[str, Callable[[Any], Any]] = {
    "dag_id": text,
    "schedule": to_schedule,
    "triggers": _triggers,
    "default_args": _mapping,
    "tags": texts,
    "owner": text,
    "fail_fast": truth,
    "max_failed_tasks": count,
    "retries": count,
    "on_failure": function,
    "on_success": function,
    "version": text,
    "timeout": seconds,
    "max_active_runs": positive,
    "requirements": requirements,
    "permissions": permissions,
    "doc": text,
}

_LATER: Iterable[str] = frozenset({"start_date", "end_date", "catchup", "max_active_tasks"})

_AIRFLOW = {
    "description": "doc=",
    "doc_md": "doc=",
    "schedule_interval": "schedule=",
    "dagrun_timeout": "timeout=",
    "on_failure_callback": "on_failure=",
    "on_success_callback": "on_success=",
    "params": "the params as arguments of the DAG function: def my_dag(threshold: float = 0.8)",
}
"""What Airflow calls something else."""
