"""`task_needs`: what the code of tasks must be allowed: their artifacts, what their options need, what users declared.

Which part of the store which part of the runtime touches is said by :mod:`stepweave.stores.layout`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from infra.arns import Arns
from infra.dags.asset_uses import AssetUses
from infra.dags.triggers import Trigger
from infra.needs import Need, below_prefix
from stepweave.graph.model import Literal, Task
from stepweave.stores import layout

READ = ("s3:GetObject",)
WRITE = ("s3:GetObject", "s3:PutObject")
OWN = ("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload")
"""What a DAG does with objects that nobody else writes. Large objects are uploaded in parts."""

_WAITING = "stepweave.recipes.waiting:wait_for_dag"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tasks:
    """Tasks of a DAG that share a role."""

    dag: str
    tasks: Sequence[Task]
    assets: AssetUses
    inner_dags: Sequence[str] = ()
    """DAGs that are run inside this one, at whatever depth."""
    triggers: Sequence[Trigger] = ()
    permissions: Sequence[str] = field(default=())
    """As ``DagInfo.permissions`` has them."""


def task_needs(who: Tasks, arns: Arns) -> tuple[Need, ...]:
    """What the role of ``who`` must be allowed."""
    return tuple(dict.fromkeys(_needs(who, arns)))


def _needs(who: Tasks, arns: Arns) -> Iterator[Need]:
    dag = layout.segment(who.dag)
    for prefix in (f"runs/{dag}/", f"checkpoints/{dag}/", f"cache/{dag}/"):
        yield from _below(prefix, OWN, "artifacts of the DAG", arns)
    for inner in who.inner_dags:
        yield from _below(f"runs/{layout.segment(inner)}/", READ, f"values of the nested DAG {inner!r}", arns)
    yield from _asset_needs(who.assets, arns)
    for task in who.tasks:
        if task.breaker is not None:
            key = layout.breaker_key(task.breaker.name)
            yield from _objects(key, WRITE, f"circuit breaker of task {task.id!r}", arns)
            yield _listed(key, f"circuit breaker of task {task.id!r}", arns)
        if task.call == _WAITING:
            yield from _below(_waited_for(task), READ, f"task {task.id!r} waits for a DAG", arns)
    for trigger in who.triggers:
        yield from _below(trigger.prefix, READ, f"trigger on {trigger}", arns, trigger.bucket)
    yield from _declared(who.permissions)


def _asset_needs(uses: AssetUses, arns: Arns) -> Iterator[Need]:
    for name in uses.read:
        yield from _below(_assets(name), READ, f"asset {name!r} is read", arns)
    for name in uses.written:
        yield from _below(
            _assets(name), (*WRITE, "s3:AbortMultipartUpload"), f"asset {name!r} is published", arns
        )


def _assets(name: str) -> str:
    return f"assets/{layout.segment(name)}/" if name else "assets/"


def _waited_for(task: Task) -> str:
    """Prefix of the markers that a task waits for: of one DAG, or of all where the DAG is not written down."""
    binding = dict(task.arguments).get("dag_id")
    known = json.loads(binding.json) if isinstance(binding, Literal) else None
    return f"status/{layout.segment(known)}/" if isinstance(known, str) else "status/"


def _below(
    prefix: str, actions: Iterable[str], by: str, arns: Arns, bucket: str | None = None
) -> Iterator[Need]:
    """Objects below a prefix, and that one may learn whether they exist.

    Without ``s3:ListBucket`` S3 answers 403 for an object that is not there.
    """
    yield from _objects(f"{prefix}*", actions, by, arns, bucket)
    yield _listed(f"{prefix}*", by, arns, bucket)


def _objects(
    keys: str, actions: Iterable[str], by: str, arns: Arns, bucket: str | None = None
) -> Iterator[Need]:
    for action in actions:
        yield Need(action=action, resource=f"{arns.bucket(bucket or '')}/{keys}", by=by)


def _listed(keys: str, by: str, arns: Arns, bucket: str | None = None) -> Need:
    return Need(
        action="s3:ListBucket", resource=arns.bucket(bucket or ""), by=by, condition=below_prefix(keys)
    )


def _declared(permissions: Iterable[str]) -> Iterator[Need]:
    for text in permissions:
        given: dict[str, Any] = json.loads(text)
        for action in given["actions"]:
            for resource in given["resources"]:
                yield Need(action=action, resource=resource, by=given.get("reason") or "declared permission")
