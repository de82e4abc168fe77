"""Triggers become rules of EventBridge that match the objects they name."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.dags.triggers import Trigger, pattern, triggers_of
from stepweave.errors import DagError
from stepweave.graph.model import DagInfo
from stepweave.triggers import S3ObjectCreated


def dag(*triggers: S3ObjectCreated) -> DagInfo:
    return DagInfo(id="d", triggers=tuple(trigger.as_trigger() for trigger in triggers))


def matches(found: dict[str, Any], bucket: str, key: str) -> bool:
    """What EventBridge does, for the operators that are used."""
    detail = found["detail"]
    if bucket not in detail["bucket"]["name"]:
        return False
    (test,) = detail.get("object", {"key": [{"prefix": ""}]})["key"]
    ((operator, text),) = test.items()
    match operator:
        case "prefix":
            return key.startswith(text)
        case "suffix":
            return key.endswith(text)
    parts = re.split(r"(\\.|\*)", text)
    expression = "".join(
        ".*" if part == "*" else re.escape(part[1:] if part.startswith("\\") else part) for part in parts
    )
    return re.fullmatch(expression, key, re.S) is not None


keys = st.text(alphabet="ab*\\/.", max_size=8)


@given(prefix=keys, suffix=keys, key=keys)
def test_a_pattern_matches_the_keys_with_the_prefix_and_the_suffix(
    prefix: str, suffix: str, key: str
) -> None:
    found = pattern(Trigger(number=0, bucket="b", prefix=prefix, suffix=suffix), "artifacts")
    both = key.startswith(prefix) and key.endswith(suffix) and len(key) >= len(prefix) + len(suffix)
    wanted = both if prefix and suffix else key.startswith(prefix) and key.endswith(suffix)
    assert matches(found, "b", key) is wanted
    assert not matches(found, "artifacts", key)


def test_without_a_bucket_the_artifact_bucket_is_meant() -> None:
    (trigger,) = triggers_of(dag(S3ObjectCreated("raw/")))
    found = pattern(trigger, "artifacts")
    assert matches(found, "artifacts", "raw/x")
    assert found["source"] == ["aws.s3"]
    assert found["detail-type"] == ["Object Created"]
    assert json.loads(json.dumps(found)) == found


def test_triggers_keep_their_number_in_the_dag() -> None:
    found = triggers_of(dag(S3ObjectCreated("a/"), S3ObjectCreated("b/", bucket="lake")))
    assert [(one.number, one.prefix, one.bucket) for one in found] == [(0, "a/", None), (1, "b/", "lake")]


@pytest.mark.parametrize("prefix", ["", "runs/", "runs/d/", "r", "assets/model/"])
def test_a_trigger_on_what_runs_themselves_store_is_refused(prefix: str) -> None:
    with pytest.raises(DagError, match="without end"):
        triggers_of(dag(S3ObjectCreated(prefix)))
    assert triggers_of(dag(S3ObjectCreated(prefix, bucket="lake")))[0].prefix == prefix
