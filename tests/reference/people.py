"""What comes of asking people: approvals, with those who are asked next when nobody answers."""

from __future__ import annotations

from stepweave.graph.model import Task
from tests.reference.rules import Status
from tests.reference.worlds import Index, World

SILENCE = ("silence",)


def asked(task: Task, index: Index, world: World) -> tuple[Status, float, int]:
    """How an approval ends, after how many seconds, and how often somebody was asked."""
    approval = task.approval
    assert approval
    answers = world.answers.get((task.id, index), SILENCE)
    passed = 0.0
    for number, seconds in enumerate((approval.timeout_seconds, *(time for _, time in approval.escalations))):
        answer = answers[min(number, len(answers) - 1)]
        thought = world.length(task.id)
        if answer != "silence" and thought < seconds:
            return _excused(task, _answered(task, answer)), passed + thought, number + 1
        passed += seconds
    asked = 1 + len(approval.escalations)
    return _excused(task, _unanswered(task, approval.on_timeout)), passed, asked


def _unanswered(task: Task, on_timeout: str) -> Status:
    match on_timeout:
        case "approve":
            return "success"
        case "reject":
            return _answered(task, "reject")
        case "skip":
            return "skipped"
    return "failed"


def _answered(task: Task, answer: str) -> Status:
    assert task.approval
    if answer == "approve" or task.approval.on_reject == "continue":
        return "success"
    return "skipped" if task.approval.on_reject == "skip" else "failed"


def _excused(task: Task, status: Status) -> Status:
    return "skipped" if task.optional and status == "failed" else status
