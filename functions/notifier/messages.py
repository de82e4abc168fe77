"""`read(message)`: what SNS delivers (an alarm of CloudWatch, a notice of ours, or text) → one :class:`Alert`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from stepweave.deployed.arns import console_page, region_of

_OPEN = ("failed", "timed_out")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """What people are to be told."""

    title: str
    """One line."""
    text: str = ""
    """Why, in a few lines."""
    key: str
    """What it is about: a later alert with the same key is news of the same thing."""
    is_over: bool = False
    """It is well again."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """Name → value, in the order to be shown."""
    links: Mapping[str, str] = field(default_factory=dict)
    source: str = "stepweave"


def read(message: str, subject: str | None = None) -> Alert:
    """The alert in the text of a notification."""
    try:
        given = json.loads(message)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        return Alert(title=subject or _first_line(message), text=message, key=subject or _first_line(message))
    if "AlarmName" in given:
        return _alarm(given)
    if given.get("stepweave") == "run-ended":
        return _run(given)
    if given.get("stepweave") == "approval":
        return _approval(given)
    if given.get("stepweave") == "queue-blocked":
        return _blocked(given)
    title = subject or "Notification"
    return Alert(title=title, text=json.dumps(given, indent=2, ensure_ascii=False), key=title)


def _alarm(given: Mapping[str, Any]) -> Alert:
    name, state = given["AlarmName"], given.get("NewStateValue", "ALARM")
    # The Region is a name for people; the ARN has the one of addresses.
    region = region_of(str(given.get("AlarmArn", "")))
    links = {"Alarm": console_page(region, "cloudwatch", f"alarmsV2:alarm/{name}")} if region else {}
    return Alert(
        title=f"{state}: {name}",
        text="\n".join(part for part in (given.get("AlarmDescription"), given.get("NewStateReason")) if part),
        key=f"alarm/{name}",
        is_over=state == "OK",
        facts={"Since": str(given.get("StateChangeTime", "")), "Was": str(given.get("OldStateValue", ""))},
        links=links,
        source="CloudWatch",
    )


def _run(given: Mapping[str, Any]) -> Alert:
    failed = ", ".join(given.get("failed", ())) or "none; the run itself broke off"
    what = "ran out of time" if given["status"] == "timed_out" else str(given["status"])
    return Alert(
        title=f"{given['dag']} {what} in {given['env']}",
        text=str(given.get("error", "")),
        key=f"run/{given['env']}/{given['dag']}/{given['run_id']}",
        is_over=given["status"] not in _OPEN,
        facts={
            "Run": str(given["run_id"]),
            "Failed tasks": failed,
            "Began": str(given.get("started") or ""),
            "Ended": str(given.get("ended") or ""),
        },
        links={str(name).capitalize(): str(link) for name, link in given.get("links", {}).items()},
    )


def _approval(given: Mapping[str, Any]) -> Alert:
    return Alert(
        title=f"{given['dag']} waits for an approval in {given['env']}: {given['task']}",
        text=str(given.get("message", "")),
        key=f"approval/{given['env']}/{given['dag']}/{given['run_id']}/{given['task']}/{given.get('index', '')}",
        facts={
            "Run": str(given["run_id"]),
            "Asked": ", ".join(given.get("approvers", ())) or "anybody",
            "Until": str(given.get("expires") or ""),
        },
        links={"Decide": str(given["link"])} if given.get("link") else {},
    )


def _blocked(given: Mapping[str, Any]) -> Alert:
    return Alert(
        title=f"Job queue {given['queue']} is blocked in {given['env']}",
        text=str(given.get("reason", "")),
        key=f"queue/{given['env']}/{given['queue']}",
        facts={"Job": str(given.get("job", ""))},
        links={"Runbook": str(given["runbook"])} if given.get("runbook") else {},
        source="Batch",
    )


def _first_line(text: str) -> str:
    return (text.strip().splitlines() or ["Notification"])[0][:120]
