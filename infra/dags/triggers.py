"""`Trigger`: what starts a DAG besides people and the clock, and the pattern by which EventBridge finds its events."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from stepweave.errors import DagError, Problem
from stepweave.graph.model import DagInfo

S3_OBJECT_CREATED = "s3-object-created"
STORED = ("assets/", "breakers/", "cache/", "checkpoints/", "runs/", "status/")
"""Prefixes of the artifact bucket below which runs write (:mod:`stepweave.stores.layout`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """An object appears in a bucket."""

    number: int
    """Position among the triggers of the DAG, by which the starter knows it."""
    bucket: str | None
    """None for the artifact bucket of the environment. Another one must send its events to EventBridge
    (https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-event-notifications-eventbridge.html)."""
    prefix: str
    suffix: str

    def __str__(self) -> str:
        return f"{self.bucket or 'the artifact bucket'}/{self.prefix}*{self.suffix}"


def triggers_of(dag: DagInfo) -> tuple[Trigger, ...]:
    """The triggers of ``dag`` that are rules."""
    parsed = [json.loads(text) for text in dag.triggers]
    found = tuple(
        Trigger(number=number, bucket=one["bucket"], prefix=one["prefix"], suffix=one["suffix"])
        for number, one in enumerate(parsed)
        if one["type"] == S3_OBJECT_CREATED
    )
    problems = [_loop(dag, trigger) for trigger in found if _is_loop(trigger)]
    if problems:
        raise DagError(problems)
    return found


def _is_loop(trigger: Trigger) -> bool:
    """Whether what runs store could start runs."""
    mine = trigger.prefix
    return trigger.bucket is None and any(mine.startswith(own) or own.startswith(mine) for own in STORED)


def _loop(dag: DagInfo, trigger: Trigger) -> Problem:
    return Problem(
        what="what runs store would start further runs, without end",
        code="trigger-loop",
        file=dag.source.file if dag.source else None,
        line=dag.source.line if dag.source else None,
        expected=f"a prefix of the artifact bucket other than {', '.join(STORED)}",
        got=f"prefix={trigger.prefix!r}",
        fix="give S3ObjectCreated a prefix of its own, such as 'raw/', or another bucket=",
    )


def pattern(trigger: Trigger, artifact_bucket: str) -> dict[str, Any]:
    """The event pattern of ``trigger``.

    A prefix and a suffix together are one ``wildcard``, in which ``*`` and the backslash are escaped
    (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html).

    >>> pattern(Trigger(number=0, bucket="b", prefix="raw/", suffix=".csv"), "a")["detail"]["object"]["key"]
    [{'wildcard': 'raw/*.csv'}]
    """
    detail: dict[str, Any] = {"bucket": {"name": [trigger.bucket or artifact_bucket]}}
    key = _key(trigger)
    if key:
        detail["object"] = {"key": [key]}
    return {"source": ["aws.s3"], "detail-type": ["Object Created"], "detail": detail}


def _key(trigger: Trigger) -> dict[str, str]:
    if trigger.prefix and trigger.suffix:
        return {"wildcard": f"{_escaped(trigger.prefix)}*{_escaped(trigger.suffix)}"}
    if trigger.prefix:
        return {"prefix": trigger.prefix}
    return {"suffix": trigger.suffix} if trigger.suffix else {}


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("*", "\\*")
