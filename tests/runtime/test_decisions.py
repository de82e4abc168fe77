import json

import pytest

from stepweave.errors import PermanentError
from stepweave.runtime.decisions import chosen
from stepweave.runtime.invoke import invoke
from stepweave.stores.objects import open_store
from tests.runtime import control_tasks
from tests.runtime.events import event

MODULE = control_tasks.__name__
BRANCH = {"kind": "branch", "cases": ["left", "g.right", "h.middle", "k.middle"]}


@pytest.fixture
def store(tmp_path):
    control_tasks.calls.clear()
    return open_store(tmp_path / "store")


@pytest.mark.parametrize(
    "answer, expected",
    [
        ("left", ["left"]),
        ("g.right", ["g.right"]),
        ("right", ["g.right"]),
        (["right", "left", "right"], ["g.right", "left"]),
        (("left",), ["left"]),
        ({"left", "right"}, ["left", "g.right"]),
        ([], []),
        (None, []),
    ],
)
def test_a_branch_chooses_ids_with_or_without_their_group(answer, expected):
    assert chosen(answer, BRANCH, "b") == expected


@pytest.mark.parametrize(
    "answer, message",
    [
        (
            "up",
            r"branch 'b' chose 'up'; expected None, or ids among left, g.right, h.middle, k.middle, got 'up'",
        ),
        ("middle", "chose 'middle', which fits h.middle and k.middle"),
        (3, "answered with a int"),
        ([3], "answered with a list"),
        (True, "answered with a bool"),
        ({"left": 1}, "answered with a dict"),
    ],
)
def test_any_other_answer_is_an_error_that_names_the_ids(answer, message):
    with pytest.raises(PermanentError, match=message):
        chosen(answer, BRANCH, "b")


@pytest.mark.parametrize("answer, expected", [(1, ["go"]), ([0], ["go"]), (0, []), (None, []), ("", [])])
def test_a_short_circuit_goes_on_when_the_answer_is_true(answer, expected):
    assert chosen(answer, {"kind": "short_circuit", "cases": ["go"]}, "s") == expected


def test_the_record_says_what_was_chosen_also_when_it_was_committed_before(store):
    asked = event("b", args={"answer": {"v": "right"}}, chooses=BRANCH, call=f"{MODULE}:choose", inline=0)
    record = {"status": "success", "ref": "runs/sales/r1/b/result.json", "chosen": ["g.right"]}
    assert invoke(asked, store) == record
    assert invoke({**asked, "attempt": 1}, store) == record


def test_a_wrong_choice_is_not_committed(store):
    asked = event("b", args={"answer": {"v": "up"}}, chooses=BRANCH, call=f"{MODULE}:choose")
    with pytest.raises(PermanentError) as raised:
        invoke(asked, store)
    assert "chose 'up'" in json.loads(str(raised.value))["message"]
    assert store.get_or_none("runs/sales/r1/b/result.json") is None
