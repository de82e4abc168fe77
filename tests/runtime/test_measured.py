import contextlib
import json

import pytest

from stepweave.errors import DataError, RetryAfter, Skip
from stepweave.runtime.emf import line
from stepweave.runtime.measured import measured
from stepweave.runtime.sensors import NotYet
from tests.runtime.events import event


def told(asked, failure=None, **environment):
    """Lines about an attempt that ends with ``failure``."""
    lines = []
    with (
        contextlib.suppress(type(failure)),
        measured(asked, {"STEPWEAVE_ENV": "dev", **environment}, lines.append),
    ):
        if failure is not None:
            raise failure
    return [json.loads(text) for text in lines]


@pytest.mark.parametrize(
    "failure, status, counts",
    [
        (None, "success", {"TaskSucceeded": 1}),
        (Skip("no"), "skipped", {"TaskSkipped": 1}),
        (DataError("no"), "failed", {"TaskFailed": 1}),
        (KeyboardInterrupt(), "failed", {"TaskFailed": 1}),
        (NotYet("wait"), "put off", {}),
        (RetryAfter(3), "put off", {}),
    ],
)
def test_an_attempt_is_counted_as_it_ended(failure, status, counts):
    (found,) = told(event("a"), failure)
    assert (found["status"], found.get("error")) == (status, type(failure).__name__ if failure else None)
    assert {
        name: found[name] for name in found if name.startswith("Task") and name != "TaskSeconds"
    } == counts


def test_a_further_attempt_is_a_retry_unless_the_task_was_put_off():
    assert "TaskRetried" not in told(event("a"))[0]
    assert told(event("a", attempt=2))[0]["TaskRetried"] == 1
    assert "TaskRetried" not in told(event("a", attempt=2, later=2))[0]


@pytest.mark.parametrize("failure", [None, DataError("no")])
@pytest.mark.parametrize("form", ["notice", "undo"])
def test_a_callback_has_a_line_that_says_whose_the_lines_around_it_are(form, failure):
    (found,) = told(event("a", **{form: True}), failure)
    assert (found["message"], found["run"], found["task"]) == ("callback ended", "r1", "a")
    assert "TaskSeconds" not in found


@pytest.mark.parametrize("form", ["prepare", "collect", "items", "commit"])
def test_what_runs_no_task_has_no_line(form):
    assert told(event("a", **{form: True})) == []


def test_no_metric_has_the_run_among_its_dimensions():
    (found,) = told(event("a"), STEPWEAVE_TASK_METRICS="1")
    described = found["_aws"]["CloudWatchMetrics"]
    assert {name for one in described for names in one["Dimensions"] for name in names} == {
        "env",
        "dag",
        "task",
    }
    assert all(metric["Name"] in found for one in described for metric in one["Metrics"])


def test_units_follow_from_names():
    values = {"RunSeconds": 1.5, "PeakMemoryMiB": 20, "Runs": 1}
    found = json.loads(line(values, {"env": "dev"}, metrics={("env",): tuple(values)}, timestamp_ms=5))
    (described,) = found["_aws"]["CloudWatchMetrics"]
    assert [metric["Unit"] for metric in described["Metrics"]] == ["Seconds", "Megabytes", "Count"]
    assert (found["_aws"]["Timestamp"], found["RunSeconds"], found["env"]) == (5, 1.5, "dev")
