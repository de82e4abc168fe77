import json
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from stepweave.errors import DataError, PermanentError, Skip, TransientError, UsageError
from stepweave.graph.model import (
    DagInfo,
    DictOf,
    Expression,
    FromParam,
    FromTask,
    Graph,
    ListOf,
    Literal,
    Task,
)
from stepweave.runtime.context import get_current_context
from stepweave.runtime.invoke import invoke
from stepweave.stores.objects import open_store
from tests.runtime import sample_tasks
from tests.runtime.events import MODULE, event


@pytest.fixture
def store(tmp_path):
    sample_tasks.calls.clear()
    return open_store(tmp_path / "store")


def envelope(store, task):
    return json.loads(store.get(f"runs/sales/r1/{task}/result.json"))


def test_a_small_value_is_answered_inline_and_committed(store):
    assert invoke(event("a", "one"), store) == {"status": "success", "value": "1"}
    assert envelope(store, "a")["value"] == "1"
    assert [key for key, _ in store.list("runs")] == ["runs/sales/r1/a/result.json"]


def test_a_float_stays_a_float_and_a_large_int_stays_exact(store):
    record = invoke(event("a", "give", {"value": {"v": [1.0, 2**80]}}), store)
    assert record["value"] == "[1.0,1208925819614629174706176]"


def test_a_value_beyond_the_inline_budget_is_answered_by_reference(store):
    assert invoke(event("a", "give", {"value": {"v": "x" * 100}}, inline=101), store) == {
        "status": "success",
        "ref": "runs/sales/r1/a/result.json",
    }
    record = invoke(event("b", "give", {"value": {"v": "x" * 20_000}}), store)
    assert record == {"status": "success", "ref": "runs/sales/r1/b/output.json"}
    assert json.loads(store.get(record["ref"])) == "x" * 20_000


def test_none_is_a_value(store):
    assert invoke(event("a", "give"), store) == {"status": "success", "value": "null"}


def test_fields_are_answered_natively(store):
    value = {"auc": 0.9, "rows": [{"n": 1}], "when": {"$": 1}}
    asked = event("a", "give", {"value": {"v": value}}, fields='[["auc"], ["rows", 0, "n"]]', inline=0)
    record = invoke(asked, store)
    assert record["fields"] == {"auc": 0.9, "rows.0.n": 1}
    assert invoke(event("b", "one", fields="[[]]"), store)["fields"] == {"value": 1}
    assert invoke({**asked, "attempt": 1}, store) == record


def test_a_field_that_is_not_there_is_a_data_error_that_names_what_is(store):
    with pytest.raises(DataError, match=r"the value of task 'a' has no part \['f1'\].*keys 'auc'"):
        invoke(event("a", "give", {"value": {"v": {"auc": 1}}}, fields='[["f1"]]'), store)
    with pytest.raises(DataError, match="which an expression cannot compute with"):
        invoke(event("b", "not_a_number", fields='[["auc"]]'), store)
    assert [key for key, _ in store.list("runs") if key.endswith("result.json")] == []


def test_every_kind_of_argument_spec_is_understood(store):
    invoke(event("up", "give", {"value": {"v": {"rows": [1.0, 2]}}}), store)
    args = {
        "literal": {"v": {"x": 1.0}},
        "stored": {"t": "up"},
        "part": {"t": "up", "p": ["rows", 0]},
        "at_hand": {"t": "other", "p": ["k"]},
        "param": {"r": "rate"},
        "param_part": {"r": "nested", "p": ["a", 1]},
        "value": {"x": 1},
        "list": {"l": [{"v": 1}, {"t": "other"}]},
        "dict": {"d": {"k": {"l": [{"r": "rate"}]}}},
    }
    invoke(
        event(
            "a",
            args=args,
            run={"params": {"rate": 0.5, "nested": {"a": [1, 2]}}},
            values=["no", True],
            records={"other": {"status": "success", "value": '{"k":2.0}'}},
        ),
        store,
    )
    assert sample_tasks.calls[-1] == (
        "echo",
        {
            "literal": {"x": 1.0},
            "stored": {"rows": [1.0, 2]},
            "part": 1.0,
            "at_hand": 2.0,
            "param": 0.5,
            "param_part": 2,
            "value": True,
            "list": [1, {"k": 2.0}],
            "dict": {"k": [0.5]},
        },
    )


def test_the_value_of_a_task_that_did_not_succeed_is_none(store):
    args = {"skipped": {"t": "s", "p": ["auc"]}, "failed": {"t": "f"}, "unknown": {"t": "u"}}
    records = {"s": {"status": "skipped"}}
    invoke(event("a", args=args, records=records, upstream={"f": "failed"}), store)
    assert sample_tasks.calls[-1][1] == {"skipped": None, "failed": None, "unknown": None}


def test_a_value_that_should_be_there_and_is_not_is_an_error(store):
    with pytest.raises(DataError, match="the value of task 'up' is not in the store"):
        invoke(event("a", args={"x": {"t": "up"}}), store)


def test_an_unknown_param_is_an_error_that_lists_the_params(store):
    with pytest.raises(DataError, match=r"no param 'rat'; expected one of rate"):
        invoke(event("a", args={"x": {"r": "rat"}}, run={"params": {"rate": 1}}), store)


def test_arguments_become_what_their_annotations_say(store):
    args = {
        "rate": {"v": 1},
        "maybe": {"v": 2},
        "rates": {"v": [1, 0.5]},
        "day": {"v": "2026-11-21"},
        "colour": {"v": "red"},
        "where": {"v": "/data"},
        "interval": {"v": {"low": 0}},
        "metrics": {"v": {"auc": 1, "day": "2026-11-21", "interval": {"low": 0}}},
        "pair": {"v": [1, 2]},
        "plain": {"v": 1},
    }
    record = invoke(event("a", "typed", args), store)
    assert json.loads(record["value"]) == [
        "1.0",
        "2.0",
        "[1.0, 0.5]",
        "datetime.date(2026, 11, 21)",
        "<Colour.RED: 'red'>",
        "PosixPath('/data')",
        "Interval(low=0.0, high=1.0, seen=())",
        "1.0",
        "(1.0, 2.0)",
        "1",
    ]


def test_an_argument_that_does_not_fit_is_a_data_error_that_names_it(store):
    args = {
        name: {"v": None}
        for name in ("rate", "maybe", "rates", "day", "where", "interval", "metrics", "pair")
    }
    with pytest.raises(DataError, match="argument 'colour' does not fit its annotation: 'green'"):
        invoke(event("a", "typed", {**args, "colour": {"v": "green"}}), store)


def test_a_second_attempt_returns_what_the_first_committed(store):
    first = invoke(event("a", "one"), store)
    assert invoke(event("a", "one", attempt=1), store) == first
    assert len(sample_tasks.calls) == 1


def test_a_duplicate_cannot_overwrite_a_committed_result(store):
    invoke(event("a", "give", {"value": {"v": "first" * 5000}}), store)
    late = invoke(event("a", "give", {"value": {"v": "late" * 5000}}), store)
    assert json.loads(store.get(late["ref"])) == "first" * 5000
    invoke(event("b", "give", {"value": {"v": 1}}), store)
    assert invoke(event("b", "give", {"value": {"v": 2}}), store)["value"] == "1"


def test_an_output_that_a_crashed_attempt_left_is_not_in_the_way(store):
    store.put("runs/sales/r1/a/output.json", b'"torn')
    record = invoke(event("a", "give", {"value": {"v": "x" * 20_000}}), store)
    assert record["ref"].startswith("runs/sales/r1/a/output-")
    assert invoke(event("b", "give", {"value": {"t": "a"}}, inline=10**6), store)["value"] == json.dumps(
        "x" * 20_000
    )


def test_of_many_duplicates_side_by_side_one_is_committed_and_all_answer_with_it(store):
    records = []

    def run(number):
        records.append(invoke(event("a", "give", {"value": {"v": f"{number}" * 20_000}}), store))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(records) == 4
    assert len({record["ref"] for record in records}) == 1
    assert envelope(store, "a")["key"] == records[0]["ref"]


def test_a_stale_result_that_vanishes_under_an_attempt_makes_room_for_its_own(store):
    class Vanishing:
        """A store in which the first envelope disappears as soon as somebody looks at it."""

        def __getattr__(self, name):
            return getattr(store, name)

        def create(self, key, data):
            created = store.create(key, data)
            if not created:
                store.delete(key)
            return created

    store.put("runs/sales/r1/a/result.json", b"stale")
    assert invoke(event("a", "one"), Vanishing())["value"] == "1"
    assert envelope(store, "a")["value"] == "1"


def test_resume_reuses_what_was_committed(store):
    first = invoke(event("a", "one"), store)
    assert invoke(event("a", "one", run={"resume": True}), store) == first
    assert len(sample_tasks.calls) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"args": '{"x": {"v": 2}, "up": {"t": "up"}}'},
        {"records": {"up": {"status": "success", "value": "8"}}},
        {"run": {"params": {"rate": 2}}},
        {"values": [2]},
        {"upstream": {"up": "success", "o": "failed"}},
    ],
)
def test_resume_runs_again_what_has_other_inputs(store, change):
    parts = {
        "args": {"x": {"r": "rate"}, "y": {"x": 0}, "up": {"t": "up"}},
        "records": {"up": {"status": "success", "value": "7"}},
        "values": [1],
        "upstream": {"up": "success", "o": "success"},
    }
    invoke(event("a", run={"params": {"rate": 1}}, **parts), store)
    invoke(event("a", run={"params": {"rate": 1}, "resume": True}, **parts), store)
    assert len(sample_tasks.calls) == 1
    changed = {**event("a", run={"params": {"rate": 1}, "resume": True}, **parts), **change}
    changed["run"] = {
        "dag": "sales",
        "id": "r1",
        "params": {"rate": 1},
        **change.get("run", {}),
        "resume": True,
    }
    invoke(changed, store)
    assert len(sample_tasks.calls) == 2
    invoke(changed, store)
    assert len(sample_tasks.calls) == 2


def test_resume_compares_values_and_not_when_they_were_made(store):
    invoke(event("up", "give", {"value": {"v": 1}}), store)
    invoke(event("a", args={"x": {"t": "up"}}), store)
    store.delete("runs/sales/r1/up/result.json")
    invoke(event("up", "give", {"value": {"v": 1}}, run={"resume": True}), store)
    invoke(event("a", args={"x": {"t": "up"}}, run={"resume": True}), store)
    # The same value inline has the same digest as the one in the store.
    at_hand = {"up": {"status": "success", "value": "1"}}
    invoke(event("a", args={"x": {"t": "up"}}, run={"resume": True}, records=at_hand), store)
    assert len(sample_tasks.calls) == 1


def test_the_envelope_holds_what_is_known_of_the_result(store):
    invoke(event("up", "one"), store)
    invoke(event("a", "about_itself", {}, attempt=2), store, compute="lambda")
    found = envelope(store, "a")
    assert found["status"] == "success"
    assert (found["dag"], found["run"], found["task"]) == ("sales", "r1", "a")
    assert (found["type"], found["codec"], found["size"]) == (
        "builtins.dict",
        "json",
        len(found["value"].encode()),
    )
    assert (found["attempt"], found["compute"], found["metadata"]) == (2, "lambda", {"rows": 3})
    assert len(found["digest"]) == len(found["code"]["digest"]) == len(found["input_digest"]) == 64
    assert found["duration_seconds"] >= 0
    assert found["peak_memory_mib"] > 5
    invoke(event("b", args={"x": {"t": "up"}}), store)
    assert envelope(store, "b")["inputs"] == {"up": envelope(store, "up")["digest"]}


def test_metadata_is_kept_as_json_or_as_text(store):
    invoke(event("a", "noting"), store)
    assert envelope(store, "a")["metadata"] == {
        "auc": 0.5,
        "lost": "nan",
        "kind": "<class 'int'>",
        "rows": [1, 2],
    }


def test_the_peak_memory_sees_what_a_task_allocates(store):
    invoke(event("a", "one"), store)
    invoke(event("b", "allocate", {"mib": {"v": 200}}), store)
    assert envelope(store, "b")["peak_memory_mib"] >= 200


def test_the_context_says_where_the_task_is(store):
    args = event(
        "a",
        "about_itself",
        attempt=1,
        upstream={"up": "failed"},
        run={"params": {"rate": 1}, "logical_date": "2026-11-21T06:00:00+00:00", "index": "3"},
    )
    invoke(args, store)
    value = store.get("runs/sales/r1/a/3/result.json")
    found = json.loads(json.loads(value)["value"])
    assert found["ids"] == ["sales", "r1", "a", 3, 1]
    assert found["params"] == {"rate": 1}
    assert found["date"] == {"$datetime": datetime(2026, 11, 21, 6, tzinfo=UTC).isoformat()}
    assert found["upstream"] == {"up": "failed"}
    assert not Path(found["scratch"]).exists()


def test_there_is_no_context_outside_of_a_task(store):
    with pytest.raises(
        UsageError, match=r"outside of a running task; call it inside a function decorated with @task"
    ):
        get_current_context()
    invoke(event("a", "about_itself"), store)
    with pytest.raises(UsageError):
        get_current_context()


def test_files_travel_from_task_to_task(store):
    record = invoke(event("a", "write_file", {"text": {"v": "<h1>"}}), store)
    assert record == {"status": "success", "ref": "runs/sales/r1/a/output.html"}
    assert invoke(event("b", "read_file", {"path": {"t": "a"}}), store)["value"] == '"report.html: <h1>"'


def test_a_task_object_stands_for_its_function(store):
    assert invoke(event("a", "wrapped"), store)["value"] == "1"


def test_async_tasks_are_awaited(store):
    assert invoke(event("a", "later", {"value": {"v": 1}}), store)["value"] == "2"


def test_async_tasks_run_beside_a_running_event_loop(store):
    import asyncio

    async def inside():
        return invoke(event("a", "later", {"value": {"v": 1}}), store)

    assert asyncio.run(inside())["value"] == "2"


def test_a_task_is_found_by_tracing_its_dag(store, monkeypatch):
    arguments = (
        ("a", Literal(json="1.0")),
        (
            "b",
            ListOf(
                items=(FromParam(param="rate"), Expression(text="$_0_ > 1", operands=(FromTask(task="up"),)))
            ),
        ),
        ("c", DictOf(items=(("k", FromTask(task="up", path=("rows", 0))),))),
    )
    task = Task(id="a", call=f"{MODULE}:dag#a", arguments=arguments)
    dag = sample_tasks.SampleDag(Graph(dag=DagInfo(id="sales"), tasks=(task,)), {"a": sample_tasks.echo})
    monkeypatch.setattr(sample_tasks, "dag", dag, raising=False)
    for call in (f"{MODULE}:dag#a", f"{MODULE}:echo"):
        traced = event(
            "a",
            call=call,
            run={"params": {"rate": 2}},
            values=[True],
            records={"up": {"status": "success", "value": '{"rows":[7]}'}},
        )
        invoke({**traced, "task": "a", "args": "graph", "run": {**traced["run"], "id": call}}, store)
    assert sample_tasks.calls == [("echo", {"a": 1.0, "b": [2, True], "c": {"k": 7}})] * 2


@pytest.mark.parametrize(
    "call, message",
    [
        (
            "no.such.module:f",
            "module 'no.such.module' cannot be found; it must be importable where the task runs",
        ),
        (f"{MODULE}:no_such", f"module '{MODULE}' has no 'no_such'"),
        (f"{MODULE}:calls", "is a list, expected a task or a function"),
        ("nonsense", "names no object; expected module:qualname"),
    ],
)
def test_a_call_that_leads_nowhere_says_where_it_ends(store, call, message):
    with pytest.raises(PermanentError) as raised:
        invoke(event("a", call=call), store)
    assert message in json.loads(str(raised.value))["message"]


@pytest.mark.parametrize(
    "kind, expected, type_name",
    [
        ("value", TransientError, "ValueError"),
        ("later", TransientError, "RetryAfter"),
        ("fail", PermanentError, "Fail"),
        ("exit", PermanentError, "SystemExit"),
        ("data", DataError, "DataError"),
        ("skip", Skip, "Skip"),
    ],
)
def test_exceptions_arrive_as_their_class_with_a_json_text(store, kind, expected, type_name):
    with pytest.raises(Exception, match=type_name) as raised:
        invoke(event("a", "raising", {"kind": {"v": kind}}), store)
    assert type(raised.value) is expected
    assert json.loads(str(raised.value))["type"] == type_name
    assert store.get_or_none("runs/sales/r1/a/result.json") is None


def test_an_interrupt_is_nobodys_failure(store):
    with pytest.raises(KeyboardInterrupt):
        invoke(event("a", "raising", {"kind": {"v": "interrupt"}}), store)


def test_a_value_that_cannot_be_stored_is_a_permanent_error_that_says_where_it_is(store):
    with pytest.raises(PermanentError) as raised:
        invoke(event("a", "lock_inside"), store)
    message = json.loads(str(raised.value))["message"]
    assert "the value of task 'a' cannot be stored: value['rows'][1] is a _thread.lock" in message
    with pytest.raises(PermanentError, match="value is a generator, which cannot be stored"):
        invoke(event("b", "generator"), store)
    assert [key for key, _ in store.list("runs") if key.endswith("result.json")] == []


def test_prepare_writes_the_event_and_collect_answers_with_the_committed_record(store):
    asked = event("a", "one", fields="[[]]")
    answer = invoke({**asked, "prepare": True}, store)
    assert answer == {"uri": "runs/sales/r1/a/input.json"}
    assert json.loads(store.get(answer["uri"])) == asked
    with pytest.raises(PermanentError, match="ended without a result"):
        invoke({**asked, "collect": True}, store)
    record = invoke(asked, store)
    assert invoke({**asked, "collect": True}, store) == record
    with pytest.raises(Exception, match="success") as raised:
        invoke({**asked, "prepare": True}, store)
    assert type(raised.value).__name__ == "Reused"
    assert json.loads(str(raised.value)) == record


def test_prepare_of_a_resumed_run_looks_whether_the_inputs_are_the_same(store):
    invoke(event("a", "give", {"value": {"v": 1}}), store)
    changed = event("a", "give", {"value": {"v": 2}}, run={"resume": True}, prepare=True)
    assert "uri" in invoke(changed, store)
    assert store.get_or_none("runs/sales/r1/a/result.json") is None


def test_ids_with_unsafe_characters_stay_inside_their_folder(store):
    invoke(event("../../a", "one", run={"id": "2026-11-21T06:00/.."}), store)
    assert [key for key, _ in store.list("")] == [
        "runs/sales/2026-11-21T06:00!2f../!2e.!2f..!2fa/result.json"
    ]


def test_a_file_that_is_no_envelope_is_named(store):
    store.put("runs/sales/r1/up/result.json", b"{}")
    with pytest.raises(DataError, match=r"object 'runs/sales/r1/up/result.json' is no envelope"):
        invoke(event("a", args={"x": {"t": "up"}}), store)
    store.put("runs/sales/r1/up/result.json", b'{"version": 99}')
    with pytest.raises(DataError, match="version 99, expected 1; upgrade stepweave"):
        invoke(event("a", args={"x": {"t": "up"}}), store)
