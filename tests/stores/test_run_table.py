from datetime import UTC, date, datetime

import pytest

from stepweave.stores.attributes import attribute, number, text, texts
from stepweave.stores.run_queue import RunQueue
from stepweave.stores.run_table import MAX_PARAMS_BYTES, ExecutionState, RunFacts, RunTable
from tests.functions.environment_fakes import TABLE

DAY = date(2026, 11, 21)
MS = round(datetime(2026, 11, 21, 6, tzinfo=UTC).timestamp() * 1000)


@pytest.fixture
def table(dynamodb):
    return RunTable(dynamodb, TABLE)


def state(run_id="r1", status="running", started_ms=MS, dag="sales", **more):
    execution = f"arn:execution:{dag}:{run_id}"
    return ExecutionState(
        **{
            "dag": dag,
            "run_id": run_id,
            "execution": execution,
            "status": status,
            "started_ms": started_ms,
            **more,
        }
    )


def test_a_run_that_nobody_told_of_is_unknown(table):
    assert table.get("sales", "r1") is None


def test_the_same_news_is_news_once(table):
    assert [table.tell(state()) for _ in range(3)] == [True, False, False]


def test_facts_are_kept_by_whoever_tells_of_them_and_never_replaced(table):
    table.tell(state(), RunFacts(params='{"a": 1}'))
    table.tell(state(), RunFacts(params='{"a": 2}', logical_date="2026-11-21", by="ana"))
    facts = table.get("sales", "r1").facts
    assert (facts.params, facts.logical_date, facts.by) == ('{"a": 1}', "2026-11-21", "ana")


def test_params_that_are_too_long_are_left_out(table):
    table.tell(state(), RunFacts(params='"' + "x" * MAX_PARAMS_BYTES + '"', by="ana"))
    run = table.get("sales", "r1")
    assert (run.params, run.facts.by) == (None, "ana")


def test_an_error_of_any_length_fits(table):
    table.tell(state(status="failed", ended_ms=MS + 1, error="x" * 100_000))
    assert len(table.get("sales", "r1").error) == 4096


def test_a_redriven_run_goes_on_and_ends_again(table):
    table.tell(state(status="failed", ended_ms=MS + 1, error="no", failed=frozenset({"a"})))
    assert table.tell(state(redrives=1))
    run = table.get("sales", "r1")
    assert (run.status, run.ended, run.error, run.failed) == ("running", None, "", frozenset())
    assert table.tell(state(status="success", redrives=1, ended_ms=MS + 9))
    assert not table.tell(state(status="failed", ended_ms=MS + 1))
    assert (table.get("sales", "r1").status, table.get("sales", "r1").attempt) == ("success", 1)


def test_runs_are_listed_by_day_the_latest_first(table):
    hour = 3_600_000
    for name, started in (("a", MS), ("b", MS + hour), ("c", MS - 24 * hour), ("d", MS - 48 * hour)):
        table.tell(state(name, started_ms=started))
    table.tell(state("other", started_ms=MS + 2 * hour, dag="churn"))
    assert [run.run_id for run in table.recent(days=2, today=DAY)] == ["other", "b", "a", "c"]
    assert [run.run_id for run in table.recent(days=3, dag="sales", today=DAY)] == ["b", "a", "c", "d"]


def test_long_lists_come_in_pages(table):
    for later in range(30):
        table.tell(state(f"r{later:02}", started_ms=MS + later))
    paged = table.client.query

    def small_pages(**asked):
        return paged(**asked, Limit=7)

    table.client.query = small_pages
    assert len(list(table.recent(days=1, today=DAY))) == 30


def test_open_runs_are_those_that_began_and_did_not_end(table):
    table.tell(state("a"))
    table.tell(state("b"))
    table.tell(state("a", status="cancelled", ended_ms=MS))
    assert table.open_runs("sales") == ["b"]


def test_the_end_that_was_handled_is_the_latest(table):
    table.tell(state(status="failed", ended_ms=MS))
    table.mark_handled(state(status="failed"))
    assert table.get("sales", "r1").is_handled
    table.tell(state(redrives=1))
    assert not table.get("sales", "r1").is_handled
    table.mark_handled(state(status="failed"))
    assert not table.get("sales", "r1").is_handled


def test_an_end_counts_whatever_it_says_of_the_start(table):
    table.tell(state(started_ms=MS + 1))
    assert table.tell(state(status="success", started_ms=MS, ended_ms=MS + 9))
    assert not table.tell(state(started_ms=MS + 2))
    assert table.get("sales", "r1").status == "success"


def test_other_errors_of_the_table_are_not_taken_for_old_news(dynamodb):
    with pytest.raises(Exception, match="ResourceNotFound"):
        RunTable(dynamodb, "elsewhere").tell(state())


def test_a_queued_run_is_on_record_with_its_facts(dynamodb, table):
    queue = RunQueue(dynamodb, TABLE)
    assert queue.enqueue("sales", "r1", "{}", RunFacts(params="{}"), MS)
    assert not queue.enqueue("sales", "r1", "{}", RunFacts(params="{}"), MS + 5)
    run = table.get("sales", "r1")
    assert (run.status, run.queued, run.params, run.execution) == (
        "queued",
        "2026-11-21T06:00:00.000+00:00",
        {},
        None,
    )
    assert [run.run_id for run in table.recent(days=1, today=DAY)] == ["r1"]
    table.tell(state(started_ms=MS + 9))
    run = table.get("sales", "r1")
    assert (run.status, run.place, run.started) == ("running", None, "2026-11-21T06:00:00.009+00:00")


@pytest.mark.parametrize("value, read", [("a", text), (7, number), (frozenset({"a", "b"}), texts)])
def test_attributes_are_read_as_they_were_written(value, read):
    item = {"name": attribute(value)}
    assert read(item, "name") == value
    assert not read({}, "name")
