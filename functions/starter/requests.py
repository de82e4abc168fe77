"""`to_request(event, dag, ...)`: the event of a schedule, an upload, a person → the run that it asks for.

    {"source": "schedule", "scheduled_time", "schedule"}   run id ``scheduled-20260102T030000Z``; logical date: the time
    {"source": "s3", "trigger": i, "event": {…}}           run id ``s3-<digest of the object's version>``
    {"source": "manual", "params"?, "run_id"?, "logical_date"?, "by"?}

The same event asks for the same run with the same bytes of input, however often it is delivered: the run id names the
execution, and Step Functions starts a name once
(https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html). A resumed run is asked for by
its record (:func:`resumed`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from functions.shared.execution_names import (
    MAX_RESUMES,
    MAX_RUN_ID,
    is_resumed,
    resumed_name,
    scheduled_run_id,
)
from functions.starter.dag_file import DagFile
from functions.starter.params import checked_params
from stepweave.errors import UsageError
from stepweave.runtime.run_ids import check_run_id, new_run_id
from stepweave.stores.run_table import DeployedRun, RunFacts, fact_values

MAX_INPUT_BYTES = 262_144
"""Longest input: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A run that is asked for."""

    run_id: str
    execution: str
    """Name of its execution."""
    input: str
    """JSON text."""
    facts: RunFacts
    source: str
    scheduled: str | None = None
    """When it should have begun, as ISO 8601 text, if it is of a schedule."""

    def to_json(self) -> str:
        """Text from which :meth:`from_json` makes the same request, for the queue."""
        own = {name: getattr(self, name) for name in ("run_id", "execution", "source", "scheduled")}
        # An item has at most 400 KB: the input as JSON, since text would be escaped, and facts as short as on record.
        return _text({**own, "input": json.loads(self.input), "facts": fact_values(self.facts)})

    @classmethod
    def from_json(cls, text: str) -> Request:
        """What :meth:`to_json` wrote."""
        given = json.loads(text)
        return cls(**{**given, "input": _text(given["input"]), "facts": RunFacts(**given["facts"])})


def to_request(event: Mapping[str, Any], dag: DagFile, now: datetime) -> Request | None:
    """The run that ``event`` asks for; None for a folder that somebody made in the console of S3.

    Raises ``ParamsError`` and ``UsageError``; then nothing is started.
    """
    source = event.get("source")
    if source == "schedule":
        return _of_schedule(event, dag)
    if source == "s3":
        return _of_upload(event, dag)
    if source == "manual":
        return _by_hand(event, dag, now)
    raise UsageError(
        f"the starter of DAG {dag.dag!r} was called with source {source!r}; "
        "expected schedule, s3, manual, resume or queue"
    )


def resumed(run: DeployedRun, given: Mapping[str, Any], by: str | None, code_version: str | None) -> Request:
    """The next execution of a run that did not succeed; ``given`` is the input of the one before."""
    number = max(run.attempt, 1)
    if number > MAX_RESUMES:
        raise UsageError(f"run {run.run_id!r} was resumed {MAX_RESUMES} times; start a new run")
    text = _input(given["params"], run.run_id, given.get("logical_date"), resume=True)
    trigger = _text({"source": "resume", "by": by}) if by else _text({"source": "resume"})
    return Request(
        run_id=run.run_id,
        execution=resumed_name(run.run_id, number),
        input=text,
        facts=RunFacts(trigger=trigger, by=by, code_version=code_version),
        source="resume",
    )


def _of_schedule(event: Mapping[str, Any], dag: DagFile) -> Request:
    moment = _moment(event.get("scheduled_time"), "scheduled_time").astimezone(UTC)
    date = moment.isoformat()
    name = event.get("schedule") or dag.dag
    return _request(
        dag,
        scheduled_run_id(moment),
        event.get("params", {}),
        date=date,
        source="schedule",
        trigger={"source": "schedule", "schedule": name},
        scheduled=date,
    )


def _of_upload(event: Mapping[str, Any], dag: DagFile) -> Request | None:
    try:
        number = int(event["trigger"])
        trigger = dag.triggers[number]
        detail = event["event"]["detail"]
        bucket, found = detail["bucket"]["name"], detail["object"]
        key = found["key"]
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise UsageError(
            f"the event of an upload for DAG {dag.dag!r} lacks {error}; expected an event 'Object Created' of S3 "
            f"and the number of one of {len(dag.triggers)} triggers"
        ) from error
    if _is_folder(found) and not str(trigger.get("suffix") or "").endswith("/"):
        return None
    version = found.get("version-id") or found.get("etag", "")
    identity = json.dumps([bucket, key, version, found.get("sequencer", "")])
    uri = f"s3://{bucket}/{key}"
    param = trigger.get("param", "uri")
    return _request(
        dag,
        f"s3-{hashlib.sha256(identity.encode()).hexdigest()[:32]}",
        {} if param is None else {param: uri},
        date=None,
        source="s3",
        trigger={"source": "s3", "uri": uri, "version": version},
    )


def _is_folder(found: Mapping[str, Any]) -> bool:
    """Whether an object only marks a folder: it is empty, and its key ends with a slash
    (https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-folders.html).
    """
    return str(found["key"]).endswith("/") and found.get("size") == 0


def _by_hand(event: Mapping[str, Any], dag: DagFile, now: datetime) -> Request:
    asked = event.get("run_id")
    run_id = new_run_id(dag.dag[: MAX_RUN_ID - 21], now) if asked is None else _checked(str(asked))
    date = event.get("logical_date")
    if date is not None:
        moment = _moment(date, "logical_date")
        date = (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).isoformat()
    by = event.get("by")
    return _request(
        dag,
        run_id,
        event.get("params") or {},
        date=date,
        source="manual",
        trigger={"source": "manual", **({"by": by} if by else {})},
        by=by,
    )


def _request(
    dag: DagFile,
    run_id: str,
    given: Any,
    *,
    date: str | None,
    source: str,
    trigger: Mapping[str, Any],
    scheduled: str | None = None,
    by: str | None = None,
) -> Request:
    if not isinstance(given, Mapping):
        raise UsageError(f"params of DAG {dag.dag!r} are {type(given).__name__}; expected an object by name")
    params = checked_params(dag, given)
    facts = RunFacts(
        params=_text(params),
        logical_date=date,
        trigger=_text(trigger),
        by=by,
        code_version=dag.code_version,
    )
    return Request(
        run_id=run_id,
        execution=run_id,
        input=_input(params, run_id, date),
        facts=facts,
        source=source,
        scheduled=scheduled,
    )


def _input(params: Mapping[str, Any], run_id: str, date: str | None, *, resume: bool = False) -> str:
    parts: dict[str, Any] = {"params": dict(params), "run_id": run_id}
    if date is not None:
        parts["logical_date"] = date
    if resume:
        parts["resume"] = True
    text = _text(parts)
    size = len(text.encode())
    if size > MAX_INPUT_BYTES:
        raise UsageError(
            f"the params of run {run_id!r} are {size:,} bytes of JSON; Step Functions takes {MAX_INPUT_BYTES:,} at "
            "most: put large values in the store and pass their address"
        )
    return text


def _checked(run_id: str) -> str:
    check_run_id(run_id)
    if len(run_id) > MAX_RUN_ID or is_resumed(run_id):
        raise UsageError(
            f"the run id {run_id!r} cannot be used in a deployed environment: expected at most {MAX_RUN_ID} "
            "characters, and no -r<number> at the end, which names the executions of resumed runs"
        )
    return run_id


def _moment(given: Any, name: str) -> datetime:
    try:
        return datetime.fromisoformat(given)
    except (TypeError, ValueError):
        raise UsageError(
            f"{name} is {given!r}; expected ISO 8601 such as 2026-01-31T06:00:00+00:00"
        ) from None


def _text(value: Any) -> str:
    # Sorted, so that a repeated event gives the same bytes, which makes StartExecution idempotent.
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
