"""`TaskLogs`: what the tasks of a deployed run logged and printed, from CloudWatch.

What a task logs is a line of JSON that names its run, task, index and attempt. What it prints is not: such a line
belongs to the attempt whose lines are around it, in a stream of Lambda between the lines ``START`` and ``END`` of the
same invocation, in a stream of Batch from its first line to its last.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from stepweave.deployed.log_groups import LogEvent, LogGroups, in_order

_START = re.compile(r"START RequestId: (\S+)")
_PLATFORM = re.compile(r"(?:INIT_START|START RequestId:|END RequestId:|REPORT RequestId:|XRAY TraceId:)")
"""Lines that Lambda itself writes: https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html"""
_SAID_BEFORE = re.compile(r'\[ERROR\] \w+: \{"type"')
"""How Lambda writes an error that the function itself has written by then; its traceback follows."""
_TOLD = ("status", "error_class", "error", "TaskSeconds")
"""Members of a line that are printed besides its message."""
MARGIN_MS = 60_000
"""Clocks differ, and lines arrive late."""


Part = tuple[str, str, str]
"""Group, stream and id of the invocation; no id outside of one, or before the first that is known."""


@dataclass(frozen=True, slots=True, order=True)
class Attempt:
    """One attempt of a task run."""

    task: str
    index: str
    number: int
    """From 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line that an attempt logged or printed."""

    attempt: Attempt
    id: str
    at_ms: int
    text: str


@dataclass(slots=True)
class TaskLogs:
    """The logs of one run."""

    groups: LogGroups
    run_id: str
    task: str | None = None
    index: str | None = None
    attempt: int | None = None
    """Of only these, from 0; None for all."""
    _owners: dict[Part, Attempt] = field(default_factory=dict)
    """The attempt of each part of each stream, as far as one of its lines has told."""

    def lines(self, begin_ms: int, end_ms: int | None = None) -> list[Line]:
        """What was logged between two moments, in the order of time."""
        named = self.groups.matching(self.pattern(), begin_ms, end_ms)
        found: list[Line] = []
        for group in self.groups.names:
            streams = {event.stream for event in named if event.group == group}
            if not streams:
                continue
            first = min(event.at_ms for event in named if event.group == group)
            around = self.groups.streams(group, streams, max(0, min(first, begin_ms) - MARGIN_MS), end_ms)
            found += self._of_streams(around, begin_ms)
        return sorted(found, key=lambda line: line.at_ms)

    def pattern(self) -> str:
        """The filter pattern of the lines that name themselves.

        >>> TaskLogs(None, "r-1", task="train").pattern()
        '{ $.run = "r-1" && $.task = "train" }'
        """
        parts = [f"$.run = {json.dumps(self.run_id)}"]
        parts += [f"$.task = {json.dumps(self.task)}"] if self.task is not None else []
        parts += [f"$.index = {json.dumps(self.index)}"] if self.index is not None else []
        parts += [f"$.attempt = {self.attempt}"] if self.attempt is not None else []
        return "{ " + " && ".join(parts) + " }"

    def _of_streams(self, events: Iterable[LogEvent], begin_ms: int) -> Iterator[Line]:
        parts = list(_in_parts(events))
        for *stream, invocation in {part for part, _, _ in parts}:
            if invocation:  # what comes before it in this look belongs to another one each time
                self._owners.pop((stream[0], stream[1], ""), None)
        for part, _, keys in parts:
            owner = _attempt(keys) if keys is not None else None
            if owner is not None and keys is not None and keys.get("run") == self.run_id:
                self._owners.setdefault(part, owner)
        for part, event, keys in parts:
            owner = self._owners.get(part)
            if owner is not None and event.at_ms >= begin_ms and self._wants(owner):
                yield Line(attempt=owner, id=event.id, at_ms=event.at_ms, text=_text(event.text, keys))

    def _wants(self, attempt: Attempt) -> bool:
        return (
            self.task in (None, attempt.task)
            and self.index in (None, attempt.index)
            and self.attempt in (None, attempt.number)
        )


def _in_parts(events: Iterable[LogEvent]) -> Iterator[tuple[Part, LogEvent, Mapping[str, Any] | None]]:
    """Each line of a task with the part of its stream and, of a line of JSON, its members."""
    invocations: dict[tuple[str, str], str] = {}
    over: set[tuple[str, str]] = set()
    for event in in_order(events):
        stream = (event.group, event.stream)
        begins = _START.match(event.text)
        if begins:
            invocations[stream] = begins[1]
            over.discard(stream)
        elif _SAID_BEFORE.match(event.text):
            over.add(stream)
        if stream not in over and not _PLATFORM.match(event.text):
            yield (*stream, invocations.get(stream, "")), event, _members(event.text)


def _members(text: str) -> Mapping[str, Any] | None:
    if not text.startswith("{"):
        return None
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) and "run" in found and "task" in found else None


def _attempt(keys: Mapping[str, Any]) -> Attempt:
    return Attempt(str(keys["task"]), str(keys.get("index") or ""), int(keys.get("attempt") or 0))


def _text(text: str, keys: Mapping[str, Any] | None) -> str:
    """A line as people read it: level and message of a line of JSON, and why there was an exception."""
    if keys is None or "message" not in keys:
        return text
    error = _object(keys.get("error"))
    told = {**keys, "error": error.get("message", keys.get("error"))}
    words = [str(keys.get("level") or ""), _plain(keys["message"])]
    words += [f"{name}={told[name]}" for name in _TOLD if told.get(name) is not None]
    line = " ".join(word for word in words if word)
    below = keys.get("exception") or error.get("traceback")
    return f"{line}\n{str(below).rstrip()}" if below else line


def _object(text: Any) -> Mapping[str, Any]:
    """The members of the JSON object that an error's text is; empty where it is none."""
    try:
        found = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _plain(message: Any) -> str:
    return message if isinstance(message, str) else json.dumps(message, ensure_ascii=False)
