"""EventBridge's part of the layer: schedules and rules fire by the layer's clock, and deliver with retry and DLQ.

What schedules and rules there are, and which events match a rule, stays ministack's.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from typing import Any

from ministack.core.arn import ArnParseError, parse_arn
from ministack.services import eventbridge, scheduler

from stepweave.engine.integrations.aws_services import AwsServices
from stepweave.local_aws.home import ACCOUNT, REGION
from stepweave.local_aws.layer.part import Part, Setting
from stepweave.local_aws.layer.scope import local_account
from stepweave.local_aws.layer.seams import Seam
from stepweave.local_aws.schedules import cloudformation
from stepweave.local_aws.schedules.delivering import Deliverer, Delivery
from stepweave.local_aws.schedules.firing import Firing
from stepweave.local_aws.schedules.records import Planned
from stepweave.local_aws.schedules.targets import LocalTargets
from stepweave.local_aws.timing import timing

_OTHERS = ("api-destination/", "event-bus/")
"""Resources of EventBridge itself, to which ministack brings events."""


class _Server:
    """What fires in this server."""

    def __init__(self, setting: Setting) -> None:
        clock = timing().clock
        services = AwsServices(endpoint=setting.endpoint, region=REGION, account=ACCOUNT)
        self.firing = Firing(
            _planned,
            Deliverer(LocalTargets(services), clock.now),
            _finished,
            _deliveries,
            clock.now,
            lambda: clock.speed,
        )
        self.running: Future[None] | None = None
        self.others = eventbridge._invoke_target

    def invoke_target(
        self, target: Mapping[str, Any], event: Mapping[str, Any], rule: Mapping[str, Any], view: Any = None
    ) -> None:
        """Bring an event that matched a rule to a target of it."""
        arn = str(target.get("Arn", ""))
        try:
            resource = parse_arn(arn).resource
        except ArnParseError:
            resource = ""
        if resource.startswith(_OTHERS) and ":events:" in arn:
            self.others(target, event, rule, view)
            return
        delivery = _of_rule(target, rule, view or eventbridge._pattern_event_view(event))
        timing().loop.call_soon_threadsafe(self.firing.deliver, delivery)


def _of_rule(target: Mapping[str, Any], rule: Mapping[str, Any], view: Any) -> Delivery:
    """What a rule brings to a target of an event."""
    return Delivery(
        target=target,
        payload=_payload(target, rule, view),
        source="events",
        attributes={"RULE_ARN": str(rule.get("Arn", ""))},
        dimensions={"RuleName": str(rule.get("Name", ""))},
    )


def _payload(target: Mapping[str, Any], rule: Mapping[str, Any], view: Any) -> str:
    """What a target gets of an event."""
    if target.get("InputTransformer"):
        return str(eventbridge._apply_input_transformer(target["InputTransformer"], rule, view))
    if target.get("Input"):
        return str(target["Input"])
    event = view.event_with_detail()
    found: Any = event
    for part in str(target.get("InputPath") or "").strip("$.").split("."):
        if part:
            found = found.get(part) if isinstance(found, Mapping) else None
    return json.dumps(event if found is None else found)


def _planned() -> Iterator[Planned]:
    """Every schedule and every scheduled rule."""
    clock = timing().clock
    for (_, _, key), schedule in list(scheduler._schedules._data.items()):
        yield Planned(
            key=("schedule", key),
            arn=schedule["Arn"],
            expression=schedule["ScheduleExpression"],
            zone=schedule.get("ScheduleExpressionTimezone") or "UTC",
            enabled=schedule.get("State") == "ENABLED",
            created=clock.from_real(schedule["CreationDate"]),
            start=scheduler._to_epoch(schedule.get("StartDate")),
            end=scheduler._to_epoch(schedule.get("EndDate")),
            source="scheduler",
            once=schedule.get("ActionAfterCompletion") == "DELETE",
            targets=json.dumps([schedule["Target"]], sort_keys=True),
            dimensions=(("ScheduleGroup", schedule.get("GroupName", "default")),),
        )
    for scope, rule in list(eventbridge._rules._data.items()):
        if rule.get("ScheduleExpression"):
            yield Planned(
                key=("rule", scope[2]),
                arn=rule["Arn"],
                expression=rule["ScheduleExpression"],
                enabled=rule.get("State") == "ENABLED",
                created=clock.from_real(float(rule.get("CreationTime", 0.0))),
                source="events",
                targets=json.dumps(eventbridge._targets._data.get(scope) or [], sort_keys=True),
                dimensions=(("RuleName", rule.get("Name", "")),),
            )


def _deliveries(planned: Planned, due: float) -> list[Delivery]:
    """What a schedule or a scheduled rule brings at the moment ``due``."""
    if planned.source == "scheduler":
        return planned.deliveries(due)
    event = {
        "EventId": str(uuid.uuid4()),
        "Source": "aws.events",
        "DetailType": "Scheduled Event",
        "Detail": "{}",
        "Time": int(due),
        "Resources": [planned.arn],
        "Account": ACCOUNT,
        "Region": REGION,
    }
    view = eventbridge._pattern_event_view(event)
    rule = {"Arn": planned.arn, "Name": dict(planned.dimensions)["RuleName"]}
    return [_of_rule(target, rule, view) for target in json.loads(planned.targets)]


def _finished(planned: Planned) -> None:
    """Delete a schedule that has fired for the last time."""
    if planned.source == "scheduler":
        group, _, name = planned.key[1].partition("/")
        with local_account():
            scheduler._delete_schedule(name, {"groupName": group})


_server: list[_Server] = []


def _install(setting: Setting) -> None:
    server = _Server(setting)
    _server.append(server)
    eventbridge._invoke_target = server.invoke_target
    cloudformation.install()
    # Its own sweeps know neither the layer's clock nor time zones.
    eventbridge.start_scheduler = scheduler.start_scheduler = lambda: None


def _start() -> None:
    _server[-1].running = timing().submit(_server[-1].firing.run())


def _stop() -> None:
    running = _server[-1].running
    if running is not None:
        running.cancel()


_EVENTS = "ministack.services.eventbridge"
_SCHEDULER = "ministack.services.scheduler"

PART = Part(
    name="schedules",
    seams=(
        *cloudformation.SEAMS,
        Seam(_EVENTS, "_invoke_target", ("target", "event", "rule", "view")),
        Seam(_EVENTS, "_apply_input_transformer", ("transformer", "rule", "view")),
        Seam(_EVENTS, "_pattern_event_view", ("event",)),
        Seam(_EVENTS, "start_scheduler", ()),
        Seam(_EVENTS, "_rules"),
        Seam(_EVENTS, "_targets"),
        Seam(_SCHEDULER, "start_scheduler", ()),
        Seam(_SCHEDULER, "_schedules"),
        Seam(_SCHEDULER, "_to_epoch", ("value",)),
        Seam("ministack.services.lambda_svc", "_get_func_record_for_ref", ("function_ref",)),
        Seam("ministack.services.sqs", "_queue_by_arn", ("arn",)),
        Seam("ministack.services.stepfunctions", "_start_execution", ("data",)),
    ),
    install=_install,
    start=_start,
    stop=_stop,
)
