import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepweave.errors import StoreError
from stepweave.stores import layout


@pytest.mark.parametrize("name", ["train", "group.train__1", "2026-11-21T00:00:00+00:00", "a@b=c,d"])
def test_ordinary_ids_stand_in_a_key_as_they_are(name):
    assert layout.segment(name) == name


@pytest.mark.parametrize(
    "name, expected",
    [("..", "!2e."), (".", "!2e"), ("a/b", "a!2fb"), ("a b", "a!20b"), ("é", "!c3!a9"), ("a!b", "a!21b")],
)
def test_other_ids_are_encoded(name, expected):
    assert layout.segment(name) == expected


@given(st.text(min_size=1), st.text(min_size=1))
def test_different_ids_never_share_a_segment(one, other):
    assert (layout.segment(one) == layout.segment(other)) == (one == other)


@given(st.text(min_size=1))
def test_no_id_leaves_its_folder(name):
    assert layout.checked_key(layout.result_key(layout.task_prefix(name, name, name)))


def test_an_empty_id_is_refused():
    with pytest.raises(StoreError, match="empty"):
        layout.segment("")


@pytest.mark.parametrize("key", ["", "/a", "a//b", "a/../b", "..", "a/.", "a\\b", "a\0"])
def test_keys_that_are_not_canonical_are_refused(key):
    with pytest.raises(StoreError, match="canonical"):
        layout.checked_key(key)


def test_keys_are_those_of_the_documented_layout():
    prefix = layout.task_prefix("churn", "r1", "train", "3")
    assert prefix == "runs/churn/r1/train/3"
    assert layout.result_key(prefix) == "runs/churn/r1/train/3/result.json"
    assert layout.output_key(prefix, "parquet") == "runs/churn/r1/train/3/output.parquet"
    assert layout.log_key(prefix, 0) == "runs/churn/r1/train/3/logs/0.log"
    assert layout.checkpoint_prefix("churn", "r1", "train") == "checkpoints/churn/r1/train"


def test_keys_of_control_flow_are_those_of_the_documented_layout():
    prefix = layout.task_prefix("churn", "r1", "train", "3/0")
    assert prefix == "runs/churn/r1/train/3/0"
    assert layout.staged_key(prefix) == f"{prefix}/staged.json"
    assert layout.manifest_key(prefix) == f"{prefix}/items.json"
    assert layout.chunk_key(prefix, 2) == f"{prefix}/items/2.json"
    assert layout.replica_prefix(prefix, 1) == f"{prefix}/replicas/1"
    assert layout.undo_prefix(prefix) == f"{prefix}/undo"
    assert layout.approval_key(prefix) == f"{prefix}/approval.json"
    assert layout.decision_key(prefix) == f"{prefix}/decision.json"
    assert layout.last_key("churn", "train", "3") == "cache/churn/train/3/last.json"
    assert layout.breaker_key("crm api") == "breakers/crm!20api.json"
    assert layout.current_key("rows", "2026-11-21") == "assets/rows/2026-11-21/current.json"
    assert layout.version_prefix("rows", "a/b", "churn", "r1") == "assets/rows/a!2fb/churn/r1"
    assert layout.notice_prefix("churn", "r1", "on_failure") == "runs/churn/r1/_notices/on_failure"


@given(st.text(min_size=1), st.from_regex(r"\A[0-9]{1,3}(/[0-9]{1,3})?\Z"))
def test_marks_of_failed_tasks_lie_below_their_execution_and_apart_from_all_task_runs(task, index):
    key = layout.failed_key("churn", "r1", "x", task, index)
    assert layout.checked_key(key).startswith(layout.failed_prefix("churn", "r1", "x") + "/")
    assert layout.failed_key("churn", "r1", "x", task) != key
