"""What the rest of the local AWS is told of executions: status events, metrics, logs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from stepweave.local_aws.states.entry import Entry
from stepweave.local_aws.states.execution_metrics import Sample, metrics_of
from stepweave.local_aws.states.log_lines import log_lines, stream_of
from stepweave.local_aws.states.machines import Logging, Revision
from stepweave.local_aws.states.publishing import Publisher
from stepweave.local_aws.states.status_events import DATA_BYTES, status_event
from tests.local_aws.states.world import Local, definition, execution_arn, invoke, machine_arn


def entry(**fields: Any) -> Entry:
    revision = Revision(
        machine_arn=machine_arn("main"),
        name="main",
        definition="{}",
        role_arn="arn:role",
        version_arn=machine_arn("main") + ":3",
        alias_arn=machine_arn("main") + ":live",
    )
    given = {
        "arn": execution_arn("main", "one"),
        "name": "one",
        "revision": revision,
        "input": '{"a":1}',
        "started_at": 100.25,
    }
    return Entry(**given | fields)


ENDED = {"status": "SUCCEEDED", "stopped_at": 102.5, "output": '"b"'}


def test_a_status_event_has_the_fields_of_aws() -> None:
    event = status_event(entry(**ENDED), 103.0)

    assert (event["Source"], event["DetailType"], event["Resources"]) == (
        "aws.states",
        "Step Functions Execution Status Change",
        [execution_arn("main", "one")],
    )
    assert json.loads(event["Detail"]) == {
        "executionArn": execution_arn("main", "one"),
        "stateMachineArn": machine_arn("main"),
        "name": "one",
        "status": "SUCCEEDED",
        "startDate": 100250,
        "stopDate": 102500,
        "input": '{"a":1}',
        "output": '"b"',
        "inputDetails": {"included": True},
        "outputDetails": {"included": True},
        "stateMachineVersionArn": machine_arn("main") + ":3",
        "stateMachineAliasArn": machine_arn("main") + ":live",
        "redriveCount": 0,
        "redriveDate": None,
        "redriveStatus": "NOT_REDRIVABLE",
        "redriveStatusReason": "Execution is SUCCEEDED and cannot be redriven",
        "error": None,
        "cause": None,
    }


def test_answers_and_events_tell_the_same_moments(tmp_path: Path) -> None:
    local = Local(tmp_path)
    arn = local.registry.deploy("main", definition({"Type": "Pass"}))

    async def main() -> list[Entry]:
        return [await local.states.wait(local.states.start(arn).arn) for _ in range(50)]

    for ended in local.run(main()):
        answer, detail = ended.description(0.0), json.loads(status_event(ended, 0.0)["Detail"])
        for name in ("startDate", "stopDate"):
            # As a client of Python reads it.
            told = datetime.fromtimestamp(answer[name], UTC)
            assert told == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=detail[name])


def test_a_status_event_leaves_out_data_that_are_too_large() -> None:
    large = json.dumps("x" * (DATA_BYTES // 2))

    detail = json.loads(status_event(entry(**ENDED | {"input": large, "output": large}), 103.0)["Detail"])

    assert (detail["input"], detail["inputDetails"]) == (large, {"included": True})
    assert (detail["output"], detail["outputDetails"]) == (None, {"included": False})


@pytest.mark.parametrize(
    "status, name",
    [
        ("SUCCEEDED", "ExecutionsSucceeded"),
        ("FAILED", "ExecutionsFailed"),
        ("TIMED_OUT", "ExecutionsTimedOut"),
        ("ABORTED", "ExecutionsAborted"),
    ],
)
def test_the_end_of_an_execution_is_counted_and_its_time_measured(status: str, name: str) -> None:
    samples = list(metrics_of(entry(**ENDED | {"status": status})))

    of_machine = [s for s in samples if s.dimensions == (("StateMachineArn", machine_arn("main")),)]
    assert [(s.name, s.value, s.unit) for s in of_machine] == [
        (name, 1, "Count"),
        ("ExecutionTime", 2250.0, "Milliseconds"),
    ]


def test_a_redrive_is_no_start() -> None:
    assert {sample.name for sample in metrics_of(entry(redrive_count=1))} == {"RedrivenExecutions"}


def test_versions_and_aliases_are_counted_by_themselves() -> None:
    found = {dict(sample.dimensions).get("Alias") for sample in metrics_of(entry())}
    arns = {dict(sample.dimensions)["StateMachineArn"] for sample in metrics_of(entry())}

    assert found == {None, "live"}
    assert arns == {machine_arn("main") + tail for tail in ("", ":3", ":live")}


def events_of(local: Local, *states: dict[str, Any], **logging: Any) -> tuple[Entry, list[dict[str, Any]]]:
    """An execution, ended, and the events that were told."""
    configuration = {
        "level": "ALL",
        "includeExecutionData": True,
        "destinations": [
            {"cloudWatchLogsLogGroup": {"logGroupArn": "arn:aws:logs:us-east-1:0:log-group:/aws/x:*"}}
        ],
    }
    arn = local.registry.deploy("main", definition(*states), loggingConfiguration=configuration | logging)

    async def main() -> Entry:
        return await local.states.wait(local.states.start(arn, '{"secret": 1}', "one").arn)

    ended: Entry = local.run(main())
    return ended, local.told.events.get("one", [])


def test_every_event_is_told_once_in_order(tmp_path: Path) -> None:
    local = Local(tmp_path)
    local.functions.known["f"] = lambda event: event

    ended, events = events_of(local, {"Type": "Wait", "Seconds": 600}, invoke("f"))

    history = local.run(local.ask("GetExecutionHistory", executionArn=ended.arn))["events"]
    assert events == history
    assert local.told.changes[-1] == ("one", "ended", "SUCCEEDED")


def test_a_log_line_has_the_form_of_aws(tmp_path: Path) -> None:
    ended, events = events_of(Local(tmp_path), {"Type": "Pass", "Output": 1})

    at, text = log_lines(ended, events)[0]

    line = json.loads(text)
    assert line["details"].pop("roleArn") == "arn:aws:iam::000000000000:role/main"
    assert line == {
        "id": "1",
        "type": "ExecutionStarted",
        "details": {"input": '{"secret":1}', "inputDetails": {"truncated": False}},
        "redrive_count": "0",
        "previous_event_id": "0",
        "event_timestamp": str(at),
        "execution_arn": execution_arn("main", "one"),
    }
    assert ended.revision.logging == Logging(level="ALL", group="/aws/x", with_data=True)
    assert stream_of(ended).startswith("states/main/")


def test_data_are_logged_only_where_the_machine_says_so(tmp_path: Path) -> None:
    ended, events = events_of(Local(tmp_path), {"Type": "Pass"}, includeExecutionData=False)

    assert "secret" not in "".join(text for _, text in log_lines(ended, events))


@pytest.mark.parametrize(
    "level, kinds",
    [
        ("ERROR", ["TaskFailed", "ExecutionFailed"]),
        ("FATAL", ["ExecutionFailed"]),
        ("OFF", []),
    ],
)
def test_a_level_lets_through_what_aws_says(tmp_path: Path, level: str, kinds: list[str]) -> None:
    ended, events = events_of(Local(tmp_path), invoke("missing"), level=level)

    assert [json.loads(text)["type"] for _, text in log_lines(ended, events)] == kinds


@dataclass
class Services:
    """Where a publisher brings things; the first event is refused."""

    calls: list[tuple[str, Any]] = field(default_factory=list)
    refuse: bool = False

    def put_event(self, event: dict[str, Any]) -> None:
        if self.refuse:
            self.refuse = False
            raise RuntimeError("not now")
        self.calls.append(("event", json.loads(event["Detail"])["status"]))

    def record(self, namespace: str, sample: Sample) -> None:
        if len(sample.dimensions) == 1 and sample.dimensions[0][1].endswith("main"):
            self.calls.append((namespace, sample.name))

    def write(self, group: str, stream: str, lines: Sequence[str], at_ms: int) -> None:
        self.calls.append((group, (at_ms, len(lines))))


def test_a_publisher_brings_things_in_order(caplog: pytest.LogCaptureFixture) -> None:
    services = Services()
    publisher = Publisher(services, lambda: 103.0)
    logged = entry()
    logged.revision = replace(logged.revision, logging=Logging(level="ALL", group="/aws/x"))
    event = {"id": 1, "type": "ExecutionStarted", "previousEventId": 0}

    publisher.started(logged)
    publisher.happened(logged, [{**event, "timestamp": at} for at in (100.25, 100.25, 101.0)])
    logged.status, logged.stopped_at = "FAILED", 102.0
    publisher.ended(logged)
    publisher.close()

    assert services.calls == [
        ("AWS/States", "ExecutionsStarted"),
        ("event", "RUNNING"),
        ("/aws/x", (100250, 2)),
        ("/aws/x", (101000, 1)),
        ("AWS/States", "ExecutionsFailed"),
        ("AWS/States", "ExecutionTime"),
        ("event", "FAILED"),
    ]


def test_what_is_refused_does_not_stop_what_follows(caplog: pytest.LogCaptureFixture) -> None:
    services = Services(refuse=True)
    publisher = Publisher(services, lambda: 103.0)

    publisher.started(entry())
    publisher.ended(entry(**ENDED))
    publisher.close()

    assert [call for call in services.calls if call[0] == "event"] == [("event", "SUCCEEDED")]
    assert "not now" in caplog.text


def test_running_executions_are_told_of_before_they_end(tmp_path: Path) -> None:
    local = Local(tmp_path)
    arn = local.registry.deploy(
        "main", definition({"Type": "Wait", "Seconds": 100_000}), loggingConfiguration={"level": "ALL"}
    )

    async def main() -> list[str]:
        local.states.resume()
        local.states.start(arn, name="one")
        while "one" not in local.told.events:
            await asyncio.sleep(1)
        return [event["type"] for event in local.told.events["one"]]

    assert local.run(main()) == ["ExecutionStarted", "WaitStateEntered"]
