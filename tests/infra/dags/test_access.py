"""What tasks of the examples really read and write, their role allows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from infra.dags.asset_uses import asset_uses
from infra.dags.nested import inner_dags
from infra.dags.packaged import PackagedCode
from infra.dags.targets import every_task
from infra.dags.task_needs import Tasks, task_needs
from infra.dags.triggers import triggers_of
from infra.needs import document, statements
from infra.settings import parse
from stepweave.authoring.dags import Dag
from stepweave.embedded import functions
from stepweave.embedded.request import RunRequest
from stepweave.embedded.run import run_dag
from stepweave.loading import load
from stepweave.runtime.invoke import invoke
from stepweave.stores.objects import ObjectStore
from tests.infra.dags.flows import ARNS, ROOT, compiled
from tests.infra.dags.iam import Request, allows

BUCKET = ARNS.bucket()
CODE = PackagedCode(ROOT, parse("local", {"target": "local"}, "local.toml"))
READ, WRITTEN, DELETED, LISTED = "s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket"
ASKED = {
    "get": READ, "get_or_none": READ, "read": READ, "size": READ, "download": READ,
    "put": WRITTEN, "create": WRITTEN, "swap": WRITTEN, "upload": WRITTEN,
    "delete": DELETED, "list": LISTED,
}  # fmt: skip
"""Method of a store → the permission that S3 asks for."""


class Watching:
    """A store that notes what is asked of it."""

    def __init__(self, store: ObjectStore, asked: set[tuple[str, str]]) -> None:
        self._store, self._asked = store, asked

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        if name not in ASKED:
            return found

        def called(*arguments: Any) -> Any:
            key = arguments[1] if name == "upload" else arguments[0]
            self._asked.add((ASKED[name], key))
            return found(*arguments)

        return called


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, set[tuple[str, str]]]:
    """Permissions and keys that tasks ask for, by DAG."""
    found: dict[str, set[tuple[str, str]]] = {}

    def watched(event: Any, store: ObjectStore, **settings: Any) -> Any:
        noted = found.setdefault(event["run"]["dag"], set())
        return invoke(event, Watching(store, noted), **settings)  # type: ignore[arg-type]

    monkeypatch.setattr(functions, "invoke", watched)
    return found


def policy(dag_id: str) -> dict[str, Any]:
    """The permissions of a DAG's tasks on Lambda, as the stack makes them."""
    flow = compiled(dag_id)
    dag = flow.graph.dag
    who = Tasks(
        dag=dag_id,
        tasks=list(every_task(flow)),
        assets=asset_uses(CODE.user_files(flow)),
        inner_dags=inner_dags(flow.graph),
        triggers=triggers_of(dag),
        permissions=dag.permissions,
    )
    return document(statements(task_needs(who, ARNS)))


def requests(asked: set[tuple[str, str]]) -> Iterator[Request]:
    for action, key in sorted(asked):
        if action == LISTED:
            yield Request(action, BUCKET, {"s3:prefix": (f"{key}/",)})
            continue
        yield Request(action, f"{BUCKET}/{key}")
        if action == READ:  # of an object that is not there S3 says so only to who may list it
            yield Request(LISTED, BUCKET, {"s3:prefix": (key,)})


def example(file: str, dag_id: str) -> Dag:
    return load(f"{ROOT}/statemachines/examples/{file}.py:{dag_id}")


RUNS: dict[str, tuple[str, dict[str, Any]]] = {
    "chain": ("e01_chain", {}),
    "retries_and_failure": ("e04_retries_and_failure", {}),
    "mapping": ("e08_mapping", {}),
    "composition": ("e15_composition", {}),
    "setup_teardown": ("e17_setup_teardown", {}),
    "fallbacks": ("e19_fallbacks", {}),
    "compensation": ("e20_compensation", {}),
    "replicas_and_hedging": ("e21_replicas_and_hedging", {"rows": 100, "patience": 0.1}),
    "speculation": ("e22_speculation", {"seconds": 0}),
    "circuit_breaker": ("e23_circuit_breaker", {}),
    "persistent": ("e26_limits_of_failure", {}),
    "load_range": ("e27_partitions", {}),
    "dispatch": ("e28_dispatch", {}),
    "release": ("e30_release", {}),
}
"""DAG → its example, and params with which it takes no long time."""


@pytest.mark.parametrize("dag_id", sorted(RUNS))
def test_a_role_allows_what_the_tasks_of_a_run_read_and_write(
    dag_id: str, asked: dict[str, set[tuple[str, str]]]
) -> None:
    file, params = RUNS[dag_id]
    run_dag(RunRequest(dag=example(file, dag_id), params=params, inline=True))
    assert asked[dag_id]
    for dag, noted in asked.items():
        allowed = policy(dag)
        assert [str(one) for one in requests(noted) if not allows(allowed, one)] == []


def test_a_role_without_one_of_its_prefixes_would_not_do(asked: dict[str, set[tuple[str, str]]]) -> None:
    run_dag(RunRequest(dag=example("e27_partitions", "load_range"), inline=True))
    plain = document(statements(task_needs(Tasks(dag="load_range", tasks=(), assets=asset_uses([])), ARNS)))
    refused = {one.resource for one in requests(asked["load_range"]) if not allows(plain, one)}
    assert any(f"{BUCKET}/assets/daily_load/" in resource for resource in refused)
