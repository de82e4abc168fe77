"""The role of tasks reaches their own artifacts, what their options and their code use, and what users declared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from infra.dags.asset_uses import AssetUses
from infra.dags.targets import every_task
from infra.dags.task_needs import Tasks, task_needs
from infra.dags.triggers import Trigger
from infra.needs import document, statements
from stepweave.stores import layout
from tests.infra.dags.flows import ARNS, HEAVY, compiled, written
from tests.infra.dags.iam import Request, allows, without_each

BUCKET = "arn:aws:s3:::stepweave-dev-123456789012-eu-west-1"
NOTHING = AssetUses()


def policy(dag: str = "churn", **given: Any) -> dict[str, Any]:
    who = Tasks(**{"dag": dag, "tasks": (), "assets": NOTHING, **given})
    return document(statements(task_needs(who, ARNS)))


def get(key: str, bucket: str = BUCKET) -> Request:
    return Request("s3:GetObject", f"{bucket}/{key}")


def put(key: str) -> Request:
    return Request("s3:PutObject", f"{BUCKET}/{key}")


def listed(prefix: str, bucket: str = BUCKET) -> Request:
    return Request("s3:ListBucket", bucket, {"s3:prefix": (prefix,)})


OWN_KEYS = (
    layout.result_key(layout.task_prefix("churn", "r1", "train")),
    layout.checkpoint_prefix("churn", "r1", "train") + "/model",
    layout.last_key("churn", "train"),
)


@pytest.mark.parametrize("key", OWN_KEYS)
@pytest.mark.parametrize("action", ["GetObject", "PutObject", "DeleteObject", "AbortMultipartUpload"])
def test_a_dag_has_its_own_artifacts_checkpoints_and_cache(key: str, action: str) -> None:
    assert allows(policy(), Request(f"s3:{action}", f"{BUCKET}/{key}"))
    assert allows(policy(), listed(key))


@pytest.mark.parametrize(
    "key",
    [
        "runs/churn2/r1/train/result.json",
        "runs/other/r1/train/result.json",
        "cache/other/train/k.json",
        "assets/churn-model/latest/current.json",
        "breakers/api.json",
        "status/churn/2026-01-01.json",
        "raw/customers.csv",
    ],
)
def test_a_plain_dag_reaches_nothing_else_in_the_bucket(key: str) -> None:
    assert not allows(policy(), get(key))
    assert not allows(policy(), put(key))
    assert not allows(policy(), listed(key))


def test_missing_objects_are_told_from_forbidden_ones_and_no_other_prefix_can_be_listed() -> None:
    assert allows(policy(), Request("s3:ListBucket", BUCKET))  # what S3 asks before it says 404
    assert not allows(policy(), listed("runs/"))
    assert not allows(policy(), listed(""))


def test_every_permission_of_a_plain_dag_is_needed_for_some_key() -> None:
    asked = [
        Request(f"s3:{action}", f"{BUCKET}/{key}")
        for key in OWN_KEYS
        for action in ("GetObject", "PutObject", "DeleteObject", "AbortMultipartUpload")
    ]
    asked += [listed(key) for key in OWN_KEYS]
    idle = [what for what, less in without_each(policy()) if all(allows(less, one) for one in asked)]
    assert idle == []


def test_assets_are_published_where_the_code_publishes_and_read_where_it_reads() -> None:
    allowed = policy(assets=AssetUses(read=("features",), written=("churn-model",)))
    model = layout.version_prefix("churn-model", "latest", "churn", "r1") + "/output.json"
    features = layout.current_key("features", "2026-01-01")
    assert allows(allowed, put(model))
    assert allows(allowed, put(layout.current_key("churn-model", "latest")))
    assert allows(allowed, get(features))
    assert allows(allowed, listed(features))
    assert not allows(allowed, put(features))
    assert not allows(allowed, get(layout.current_key("other", "latest")))


def test_an_asset_whose_name_is_computed_may_be_any() -> None:
    assert allows(policy(assets=AssetUses(read=("",))), get(layout.current_key("whichever", "p")))


def test_values_of_inner_dags_are_read_and_never_written() -> None:
    allowed = policy("release", inner_dags=("city_features",))
    inner = layout.result_key(layout.task_prefix("city_features", "r1.city", "load"))
    assert allows(allowed, get(inner))
    assert allows(allowed, listed(inner))
    assert not allows(allowed, put(inner))


def test_a_circuit_breaker_is_one_object_that_is_read_and_written() -> None:
    flow = compiled("circuit_breaker")
    allowed = policy("circuit_breaker", tasks=list(every_task(flow)))
    names = {task.breaker.name for task in every_task(flow) if task.breaker is not None}
    assert names
    for name in names:
        assert allows(allowed, get(layout.breaker_key(name)))
        assert allows(allowed, put(layout.breaker_key(name)))
    assert not allows(allowed, get(layout.breaker_key("another")))


def test_a_dag_that_waits_for_another_reads_its_markers_alone(tmp_path: Path) -> None:
    flow = written(tmp_path, HEAVY, "heavy_needs")
    allowed = policy("heavy", tasks=list(every_task(flow)))
    assert allows(allowed, get(layout.status_key("upstream_dag", "2026-01-01T00:00:00Z")))
    assert not allows(allowed, get(layout.status_key("another", "2026-01-01T00:00:00Z")))


def test_what_a_trigger_announces_can_be_read() -> None:
    lake = Trigger(number=0, bucket="lake", prefix="raw/", suffix=".csv")
    own = Trigger(number=1, bucket=None, prefix="in/", suffix="")
    allowed = policy(triggers=(lake, own))
    assert allows(allowed, get("raw/2026/a.csv", "arn:aws:s3:::lake"))
    assert allows(allowed, listed("raw/2026/a.csv", "arn:aws:s3:::lake"))
    assert allows(allowed, get("in/a.csv"))
    assert not allows(allowed, get("other/a.csv", "arn:aws:s3:::lake"))
    assert not allows(allowed, put("in/a.csv"))


def test_declared_permissions_are_in_the_role_as_they_were_written() -> None:
    text = '{"actions":["sqs:SendMessage"],"resources":["arn:aws:sqs:eu-west-1:1:jobs"]}'
    allowed = policy(permissions=(text,))
    assert allows(allowed, Request("sqs:SendMessage", "arn:aws:sqs:eu-west-1:1:jobs"))
    assert not allows(allowed, Request("sqs:SendMessage", "arn:aws:sqs:eu-west-1:1:other"))
    assert not allows(allowed, Request("sqs:ReceiveMessage", "arn:aws:sqs:eu-west-1:1:jobs"))
