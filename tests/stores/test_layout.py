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
    assert layout.cache_key("churn", "train", "k") == "cache/churn/train/k.json"
    assert layout.checkpoint_prefix("churn", "r1", "train") == "checkpoints/churn/r1/train"
