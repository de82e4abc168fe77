"""Histories written down as short lines, to compare with what Step Functions recorded."""

from __future__ import annotations

from typing import Any

from stepweave.engine.execution import Execution


def steps(execution: Execution) -> list[str]:
    """One line per event, ``id<previous type``: ``2<0 PassStateEntered``."""
    return [
        f"{event['id']}<{event['previousEventId']} {event['type']}" for event in execution.history.events()
    ]


def details(execution: Execution, kind: str, nth: int = 0) -> dict[str, Any] | None:
    """The details of the ``nth`` event of a type; None when it has none."""
    event = [event for event in execution.history.events() if event["type"] == kind][nth]
    return next((value for key, value in event.items() if key.endswith("EventDetails")), None)


def ids(execution: Execution, kind: str) -> list[int]:
    """The ids of the events of a type."""
    return [event["id"] for event in execution.history.events() if event["type"] == kind]


def previous(execution: Execution, kind: str) -> list[int]:
    """The previous ids of the events of a type."""
    return [event["previousEventId"] for event in execution.history.events() if event["type"] == kind]


def where(name: str, event: int) -> str:
    """How the cause of what goes wrong inside a state begins."""
    return f"An error occurred while executing the state '{name}' (entered at the event id #{event}). "
