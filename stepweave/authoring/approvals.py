"""``approval``: a task that waits until a person decides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypedDict

from stepweave.authoring.bindings import BindingError, to_binding
from stepweave.authoring.edges import mismatch
from stepweave.authoring.nodes import Node
from stepweave.authoring.option_values import some_seconds, texts
from stepweave.authoring.options import TaskOptions
from stepweave.authoring.references import BROKEN, Reference
from stepweave.authoring.retry import Duration
from stepweave.authoring.source import here
from stepweave.authoring.suggest import did_you_mean
from stepweave.authoring.trace import current, report
from stepweave.graph.constructs import Approval
from stepweave.graph.model import Binding, Source
from stepweave.graph.model import Literal as LiteralValue

_TIMEOUTS = ("fail", "skip", "reject", "approve")
_REJECTIONS = ("fail", "skip", "continue")


class ApprovalDecision(TypedDict):
    """The value of an approval."""

    approved: bool
    by: str
    """Who decided; empty when the time was over."""
    at: str
    """When, in ISO 8601."""
    comment: str


def approval(
    message: Any,
    *,
    approvers: Sequence[str] = (),
    timeout: Duration = "7d",
    escalate: Sequence[tuple[Sequence[str], Duration]] = (),
    on_timeout: Literal["fail", "skip", "reject", "approve"] = "fail",
    on_reject: Literal["fail", "skip", "continue"] = "fail",
    task_id: str = "approval",
) -> Any:
    """A reference to a person's decision: ``approval("Deploy?", approvers=["ml-leads"], timeout="2d")``.

    When ``timeout`` is over, the next of ``escalate`` are asked, each ``(approvers, time)``; after the last,
    ``on_timeout`` says what happens. The value is ``{"approved", "by", "at", "comment"}``.
    """
    trace, source = current(), here()
    if trace is None:
        report("outside-dag", "approval() is called outside of a DAG",
               fix="move it into a function decorated with @dag")  # fmt: skip
        return BROKEN
    node = Node(
        trace=trace, id=trace.unique_id(trace.prefixed(task_id)), options=TaskOptions(), source=source
    )
    read = _Reader(node.id, source)
    node.forms["approval"] = Approval(
        message=_message(node, message, source),
        approvers=read.names("approvers", approvers),
        timeout_seconds=read.seconds("timeout", timeout),
        escalations=tuple(read.escalations(escalate)),
        on_timeout=read.choice("on_timeout", on_timeout, _TIMEOUTS),
        on_reject=read.choice("on_reject", on_reject, _REJECTIONS),
    )
    trace.add(node)
    return Reference(node, ApprovalDecision)


def _message(node: Node, message: Any, source: Source) -> Binding:
    try:
        binding = to_binding(message, node)
    except BindingError as error:
        report(
            error.code, f"{error.where('message')}: {error.what}", task=node.id, fix=error.fix, source=source
        )
        return LiteralValue(json='""')
    if (got := mismatch(message, str)) is not None:
        report("edge-type", "the message of an approval is no text", task=node.id, expected="text", got=got,
               fix="write a text, or join texts and references: 'Deploy ' + best['name']", source=source)  # fmt: skip
    return binding


class _Reader:
    """Reads options of an approval; what is wrong is reported, and a harmless value taken instead."""

    def __init__(self, task: str, source: Source) -> None:
        self._task = task
        self._source = source

    def names(self, option: str, value: Any) -> tuple[str, ...]:
        """Names of people or groups."""
        try:
            return texts(value)
        except ValueError:
            self._wrong(option, value, "a list of names", f"write {option}=['ml-leads']")
            return ()

    def seconds(self, option: str, value: Any) -> int:
        """A duration."""
        try:
            return some_seconds(value)
        except ValueError as error:
            self._wrong(option, value, str(error), f"write {option}='2d'")
            return 1

    def choice(self, option: str, value: Any, choices: tuple[str, ...]) -> Any:
        """One of the choices."""
        if value not in choices:
            self._wrong(option, value, f"one of {', '.join(choices)}", did_you_mean(str(value), choices))
            return choices[0]
        return value

    def escalations(self, value: Any) -> list[tuple[tuple[str, ...], int]]:
        """Who is asked next, and for how long."""
        found = []
        for level in value if isinstance(value, (list, tuple)) else [value]:
            if not isinstance(level, (list, tuple)) or len(level) != 2:
                self._wrong(
                    "escalate", level, "pairs of approvers and time", "write escalate=[(['lead'], '1d')]"
                )
                continue
            found.append((self.names("escalate", level[0]), self.seconds("escalate", level[1])))
        return found

    def _wrong(self, option: str, value: Any, expected: str, fix: str) -> None:
        report("option-value", f"option {option!r} of an approval has a wrong value", task=self._task,
               expected=expected, got=repr(value), fix=fix, source=self._source)  # fmt: skip
