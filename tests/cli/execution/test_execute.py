"""`stepweave execute`: what every option does, and what is told of the execution."""

from __future__ import annotations

import io
import json
import os
import sys
import time
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from stepweave.cli.main import execute
from tests.cli.execution.orders import (
    HANDLERS,
    ORDERS,
    Capture,
    json_of,
    text_of,
    write_json,
    write_machine,
    write_orders,
)
from tests.engine.building import block, call, passing

PAID = {"Charge": {"Return": {"id": "{% 'ch-' & $states.input.total %}"}}}
DECLINED = {"Charge": {"Throw": {"Error": "CardDeclined", "Cause": "no funds"}}}
ECHO = ("echo", {"Type": "Succeed"})


def job(**fields: object) -> dict[str, object]:
    arguments = {"JobName": "train-1", "JobDefinition": "train", "JobQueue": "q"}
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::batch:submitJob.sync",
        "Arguments": arguments,
        **fields,
    }


def test_json_is_one_object_with_everything_that_happened(capfd: Capture) -> None:
    found = json_of(capfd, [*write_orders(PAID), "--input", '{"total": 20}'])
    assert list(found) == [
        *("name", "machine", "status", "input", "output", "started_at", "stopped_at", "wall_seconds"),
        *("redrives", "states", "calls", "events"),
    ]
    assert (found["name"], found["machine"], found["status"]) == ("orders-1", "orders", "SUCCEEDED")
    assert (found["input"], found["output"]) == ({"total": 20}, {"id": "ch-20"})
    assert found["states"] == ["Validate", "Charge card", "Ship", "Pack", "Pack", "Pack"]
    assert found["stopped_at"] - found["started_at"] == 60
    assert found["wall_seconds"] < 30
    [charge] = found["calls"]
    assert (charge["state"], charge["resource"], charge["attempt"]) == ("Charge card", "lambda:invoke", 0)
    assert charge["arguments"] == {"FunctionName": "Charge", "Payload": {"total": 20}}
    assert charge["result"]["Payload"] == {"id": "ch-20"}


def test_json_of_a_failure_says_where_and_why(capfd: Capture) -> None:
    found = json_of(capfd, [*write_orders(DECLINED), "-i", '{"total": 20}'], status=1)
    assert (found["status"], found["error"], found["cause"]) == (
        "FAILED",
        "Refused",
        "the card was declined",
    )
    assert found["failed_at"] == "Refuse"
    assert "output" not in found
    assert (found["calls"][0]["error"], found["calls"][0]["cause"]) == ("CardDeclined", "no funds")


def test_json_with_history_has_the_events_of_get_execution_history(capfd: Capture) -> None:
    found = json_of(capfd, [*write_orders(PAID), "--history", "-i", '{"total": 20}'])
    assert len(found["history"]) == found["events"]
    assert [event["id"] for event in found["history"]] == list(range(1, found["events"] + 1))
    assert found["history"][0]["type"] == "ExecutionStarted"
    assert json.loads(found["history"][-1]["executionSucceededEventDetails"]["output"]) == {"id": "ch-20"}


def test_people_see_each_state_as_it_goes_then_the_output(capfd: Capture) -> None:
    mocks = {"Charge": [{"Throw": {"Error": "Busy", "Cause": "later"}}, PAID["Charge"]]}
    lines = text_of(capfd, [*write_orders(mocks), "-i", '{"total": 20}']).splitlines()
    steps = [line[12:] for line in lines[: lines.index(next(line for line in lines if "orders-1" in line))]]
    assert steps == [
        "✓ Validate",
        "→ Charge card  lambda:invoke",
        "↻ Charge card  Busy: later  again in 30.00 s, attempt 2",
        "✓ Charge card  30.00 s",
        "→ Ship",
        *["→ Pack"] * 3,
        *["✓ Pack  1 min 0 s"] * 3,
        "✓ Ship  1 min 0 s",
    ]
    assert lines[4].startswith("   30.00 s  ")
    headline = next(index for index, line in enumerate(lines) if "orders-1" in line)
    assert lines[headline].startswith("✓ orders-1: SUCCEEDED in 1 min 30 s (6 states, ")
    assert json.loads("\n".join(lines[headline + 1 :])) == {"id": "ch-20"}


def test_people_see_what_was_caught_and_why_it_failed(capfd: Capture) -> None:
    out = text_of(capfd, [*write_orders(DECLINED), "-i", '{"total": 20}'], status=1)
    assert "↷ Charge card  0.0 ms  caught CardDeclined" in out
    assert "✗ orders-1: FAILED in 0.0 ms at Refuse (3 states" in out
    assert "  error  Refused\n  cause  the card was declined\n" in out


def test_people_see_the_history_when_they_ask_for_it(capfd: Capture) -> None:
    out = text_of(capfd, [*write_orders(PAID), "--history", "-i", '{"total": 20}'])
    events = [line.split() for line in out.splitlines() if line.strip()[:1].isdigit() and "{" in line]
    assert events[0][:3] == ["1", "0.000", "ExecutionStarted"]
    assert ["TaskScheduled"] in [event[2:3] for event in events]


def test_a_hint_says_what_to_do_about_an_error_of_step_functions(capfd: Capture) -> None:
    file = write_machine(("read", passing(Output="{% $states.input.nothing %}")))
    out = text_of(capfd, [file], status=1)
    assert "error  States.QueryEvaluationError" in out
    assert "hint   an expression failed" in out


def test_many_visits_of_a_state_are_counted_not_shown(capfd: Capture) -> None:
    items = {"Type": "Map", "Items": "{% [1..500] %}", "ItemProcessor": block(("Inner", passing()))}
    out = text_of(capfd, [write_machine(("Each", items)), "--virtual-time"])
    assert out.count("✓ Inner") == 20
    assert out.count("… Inner  more than 20: the rest is counted") == 1
    assert "(501 states" in out


@pytest.mark.parametrize(
    "text, value",
    [('{"a": 1}', {"a": 1}), ("[1, 2]", [1, 2]), ('"text"', "text"), ("7", 7), ("null", None), (None, {})],
)
def test_the_input_may_be_json_on_the_command_line(capfd: Capture, text: str | None, value: object) -> None:
    option = [] if text is None else ["--input", text]
    assert json_of(capfd, [write_machine(ECHO), *option])["output"] == value


def test_the_input_may_be_a_file_also_with_a_name_that_is_json(capfd: Capture) -> None:
    write_json("input.json", {"from": "a file"})
    write_json("7", {"from": "seven"})
    assert json_of(capfd, [write_machine(ECHO), "-i", "input.json"])["output"] == {"from": "a file"}
    assert json_of(capfd, [write_machine(ECHO), "-i", "7"])["output"] == {"from": "seven"}


def test_the_input_may_come_from_standard_input(capfd: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO('{"piped": true}'))
    assert json_of(capfd, [write_machine(ECHO), "-i", "-"])["output"] == {"piped": True}


def test_a_name_is_the_executions_name(capfd: Capture) -> None:
    shown = ("name", passing(Output="{% $states.context.Execution.Name %}"))
    found = json_of(capfd, [write_machine(shown), "--name", "nightly.7"])
    assert (found["name"], found["output"]) == ("nightly.7", "nightly.7")


def test_functions_run_in_processes_of_their_own_and_what_they_print_is_told(capfd: Capture) -> None:
    Path("app.py").write_text(HANDLERS)
    write_json("orders.asl.json", {**ORDERS, "StartAt": "Charge card", "States": charge_alone()})
    assert (
        execute(["execute", "orders.asl.json", "--function", "Charge=app:charge", "-i", '{"total": 1}']) == 0
    )
    captured = capfd.readouterr()
    assert '"function": "Charge"' in captured.out
    assert f'"pid": {os.getpid()}' not in captured.out
    assert "Charge | charging 1\n" in captured.err


@pytest.mark.parametrize("target", ["app:charge", "app.charge", "app.py:charge", "code/app.py:charge"])
@pytest.mark.parametrize("option", ["--inline", "--virtual-time"])
def test_functions_are_modules_or_files_and_run_here_inline(capfd: Capture, target: str, option: str) -> None:
    Path("code").mkdir()
    Path("code/app.py" if "/" in target else "app.py").write_text(HANDLERS)
    file = write_json("orders.asl.json", {**ORDERS, "StartAt": "Charge card", "States": charge_alone()})
    found = json_of(capfd, [file, "--function", f"Charge={target}", option, "-i", '{"total": 1}'])
    assert found["output"] == {"pid": os.getpid(), "function": "Charge"}


def test_the_exception_of_a_function_is_told_with_the_place_where_it_was_raised(capfd: Capture) -> None:
    Path("app.py").write_text(HANDLERS)
    file = write_machine(("charge", call("charge", {"total": 200})))
    out = text_of(capfd, [file, "--function", "charge=app:charge", "--inline"], status=1)
    assert "  error  CardDeclined\n  cause  no funds\n" in out
    assert 'app.py", line 9, in charge' in out


def test_a_module_that_is_not_there_is_an_error_with_a_hint(capfd: Capture) -> None:
    file = write_machine(("charge", call("charge")))
    out = text_of(capfd, [file, "--function", "charge=nowhere:charge", "--inline"], status=1)
    assert "error  Runtime.ImportModuleError" in out
    assert "hint   run the command where Python finds the module" in out


def test_jobs_are_command_lines(capfd: Capture) -> None:
    file = write_machine(("train", job(Output="{% $states.result.Status %}")))
    command = f"{sys.executable} -c \"print('epoch 1'); open('model', 'w').write('x')\""
    assert execute(["execute", file, "--job", f"train={command}"]) == 0
    captured = capfd.readouterr()
    assert '"SUCCEEDED"' in captured.out
    assert "train-1 | epoch 1\n" in captured.err
    assert Path("model").read_text() == "x"


def test_a_job_that_nobody_waits_for_is_waited_for_in_the_end(capfd: Capture) -> None:
    submit = {**job(), "Resource": "arn:aws:states:::batch:submitJob"}
    code = "import time, pathlib; time.sleep(0.3); pathlib.Path('late').touch()"
    json_of(capfd, [write_machine(("s", submit)), "--job", f'train={sys.executable} -c "{code}"'])
    assert Path("late").exists()


def test_machines_are_started_by_name_and_executions_that_nobody_waits_for_end(capfd: Capture) -> None:
    child = write_machine(("slow", {"Type": "Wait", "Seconds": 60}), ("mark", call("mark")), name="child")
    start = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution",
        "Arguments": {"StateMachineArn": "archive", "Input": {"a": 1}, "Name": "archive-1"},
    }
    mocks = write_json("mocks.json", {"mark": {"Return": 1}})
    argv = [write_machine(("start", start)), "--machine", f"archive={child}", "--mock", mocks]
    found = json_of(capfd, [*argv, "--virtual-time"])
    assert [(each["execution"], each["state"]) for each in found["calls"]] == [
        ("main-1", "start"),
        ("archive-1", "mark"),
    ]
    out = text_of(capfd, [*argv, "--virtual-time"])
    assert "  → archive-1\n" in out
    assert "  ✓ archive-1\n" in out


def test_placeholders_get_values_or_stand_for_their_own_names(capfd: Capture) -> None:
    file = write_machine(("charge", call("${Charge}")), ("table", passing(Output="${Table}")))
    mocks = write_json("mocks.json", {"live-charge": {"Return": 1}})
    found = json_of(capfd, [file, "--set", "Charge=live-charge", "--mock", mocks])
    assert found["output"] == "Table"
    assert found["calls"][0]["arguments"]["FunctionName"] == "live-charge"


def test_virtual_time_takes_none_and_begins_at_a_known_date(capfd: Capture) -> None:
    file = write_machine(
        ("wait", {"Type": "Wait", "Seconds": 86_400 * 300}), ("now", passing(Output="{% $now() %}"))
    )
    began = time.monotonic()
    found = json_of(capfd, [file, "--virtual-time"])
    assert found["output"] == "2026-10-28T00:00:00.000Z"
    assert time.monotonic() - began < 60


def test_the_seed_decides_what_is_random(capfd: Capture) -> None:
    file = write_machine(("draw", passing(Output="{% $uuid() %}")))
    first, again, other = (
        json_of(capfd, [file, "--name", "x", "--seed", seed])["output"] for seed in ("1", "1", "2")
    )
    assert first == again != other


def doubling(**fields: object) -> tuple[str, dict[str, object]]:
    """A distributed map that doubles the numbers in an object."""
    distributed = {
        "Type": "Map",
        "ItemReader": {
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"InputType": "JSON"},
            "Arguments": {"Bucket": "orders", "Key": "items.json"},
        },
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
            "StartAt": "double",
            "States": {"double": passing(Output="{% $states.input * 2 %}", End=True)},
        },
        **fields,
    }
    return ("Each", distributed)


def test_buckets_are_folders_for_distributed_maps_and_for_tasks(capfd: Capture) -> None:
    Path("s3/orders").mkdir(parents=True)
    write_json("s3/orders/items.json", [1, 2, 3])
    put = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:s3:putObject",
        "Arguments": {"Bucket": "orders", "Key": "out/sum.json", "Body": "{% $sum($states.input) %}"},
        "Output": "{% $states.input %}",
    }
    argv = [write_machine(doubling(), ("Put", put)), "--buckets", "s3"]
    assert json_of(capfd, argv)["output"] == [2, 4, 6]
    assert Path("s3/orders/out/sum.json").read_text() == "12"
    assert "✓ Each" in text_of(capfd, argv)


def test_without_buckets_distributed_maps_use_those_of_the_aws_in_this_process(capfd: Capture) -> None:
    writer = {
        "Resource": "arn:aws:states:::s3:putObject",
        "Arguments": {"Bucket": "orders", "Prefix": "results"},
    }
    create = {"call": "s3:createBucket", "arguments": {"Bucket": "orders"}}
    put = {"call": "s3:putObject", "arguments": {"Bucket": "orders", "Key": "items.json", "Body": [4, 5]}}
    mocks = write_json("mocks.json", {"aws": [create, put]})
    found = json_of(capfd, [write_machine(doubling()), "--mock", mocks])
    assert found["output"] == [8, 10]
    found = json_of(capfd, [write_machine(doubling(ResultWriter=writer)), "--mock", mocks])
    assert found["output"]["ResultWriterDetails"]["Bucket"] == "orders"
    missing = json_of(capfd, [write_machine(doubling())], status=1)
    assert missing["error"] == "States.ItemReaderFailed"


def test_the_mock_file_sets_up_what_tasks_find_in_the_aws_of_this_process(capfd: Capture) -> None:
    url = "https://sqs.us-east-1.amazonaws.com/123456789012/orders"
    send = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage",
        "Arguments": {"QueueUrl": url, "MessageBody": {"id": 1}},
    }
    count = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:sqs:receiveMessage",
        "Arguments": {"QueueUrl": url},
        "Output": "{% $states.result.Messages[0].Body %}",
    }
    create = {"call": "sqs:createQueue", "arguments": {"QueueName": "orders"}}
    mocks = write_json("mocks.json", {"aws": [create]})
    found = json_of(capfd, [write_machine(("send", send), ("count", count)), "--mock", mocks])
    assert json.loads(found["output"]) == {"id": 1}


def test_a_test_case_of_step_functions_local_is_chosen_by_name(capfd: Capture) -> None:
    content = {
        "StateMachines": {"orders": {"TestCases": {"Paid": {"Charge card": "paid"}}}},
        "MockedResponses": {
            "paid": {
                "0-1": {"Throw": {"Error": "Busy", "Cause": "later"}},
                "2": {"Return": {"StatusCode": 200, "Payload": {"id": "ch"}}},
            }
        },
    }
    found = json_of(capfd, [*write_orders(content), "--case", "Paid", "-i", '{"total": 20}'])
    assert found["output"] == {"id": "ch"}
    assert [each["attempt"] for each in found["calls"]] == [0, 1, 2]


def charge_alone() -> dict[str, object]:
    """The one state that asks the function Charge."""
    states = ORDERS["States"]
    return {
        "Charge card": {**states["Charge card"], "Next": "Done", "Catch": []},
        "Done": {"Type": "Succeed"},
    }


@pytest.mark.aws
def test_an_endpoint_serves_what_nothing_else_does(capfd: Capture) -> None:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        endpoint = f"http://{host}:{port}"
        create = {"call": "sqs:createQueue", "arguments": {"QueueName": "orders"}}
        mocks = write_json("mocks.json", {"aws": [create]})
        send = {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage",
            "Arguments": {"QueueUrl": f"{endpoint}/123456789012/orders", "MessageBody": "x"},
            "Output": "{% $exists($states.result.MessageId) %}",
        }
        found = json_of(capfd, [write_machine(("send", send)), "--mock", mocks, "--endpoint", endpoint])
    finally:
        server.stop()
    assert found["output"] is True


def test_text_that_utf_8_cannot_hold_is_escaped(capfd: Capture) -> None:
    argv = [write_machine(ECHO), "-i", '"\\ud800 \U0001f600"']
    assert json_of(capfd, argv)["output"] == "\ud800 \U0001f600"
    assert '"\\ud800 \U0001f600"' in text_of(capfd, argv)


def test_the_name_of_an_execution_follows_from_any_file(capfd: Capture) -> None:
    assert json_of(capfd, [write_machine(ECHO, name="my orders ü")])["name"] == "my-orders--1"
    assert json_of(capfd, [write_machine(ECHO, name="ü")])["name"] == "execution-1"


def test_a_map_that_is_tried_again_is_told_also_when_its_items_are_too_many_to_show(capfd: Capture) -> None:
    pick = {"Type": "Choice", "Choices": [{"Condition": "{% $states.input = 400 %}", "Next": "no"}]}
    inner = block(("Pick", {**pick, "Default": "ok"}), ("ok", {"Type": "Succeed"}), ("no", {"Type": "Fail"}))
    retry = [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 1, "IntervalSeconds": 5}]
    each = {"Type": "Map", "Items": "{% [1..500] %}", "ItemProcessor": inner, "Retry": retry}
    out = text_of(capfd, [write_machine(("Each", each)), "--virtual-time"], status=1)
    assert out.count("↻ Each  ") == 1
    assert "again in 5.00 s, attempt 2" in out
    assert "at Each[399]/no" in out
