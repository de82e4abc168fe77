"""``If``, ``Elif``, ``Else``: blocks of tasks that run only if a condition over references holds.

The state machine evaluates all tests of a chain at once, in the order written, and chooses the first that is true.
"""

from __future__ import annotations

from typing import Any

from stepweave.authoring.bindings import BindingError, to_condition
from stepweave.authoring.nodes import End, GroupNode, Node, Scope
from stepweave.authoring.options import TaskOptions
from stepweave.authoring.ordering import Orderable
from stepweave.authoring.references import BROKEN
from stepweave.authoring.source import here
from stepweave.authoring.trace import Trace, current, expect_block, report
from stepweave.graph.constructs import ELSE, Condition, Guard, Speculation
from stepweave.graph.model import Expression, FromTask

_UNKNOWN = Expression(text="false", operands=())
"""Stands for a test that is a mistake which has been reported."""


class _Chain:
    """An ``If`` with what follows it."""

    __slots__ = ("ended", "group", "node")

    def __init__(self, node: Node, group: GroupNode | None) -> None:
        self.node = node
        self.group = group
        self.ended = False
        """Whether it has its ``Else``."""

    @property
    def cases(self) -> tuple[tuple[str, Expression], ...]:
        condition = self.node.forms["condition"]
        assert isinstance(condition, Condition)
        return condition.cases

    def add(self, name: str, test: Expression) -> None:
        """One more case."""
        self.node.forms["condition"] = Condition(cases=(*self.cases, (name, test)))


class Block(Orderable):
    """A block of tasks that run only in one case of a condition; ``>>`` before it means the condition."""

    __slots__ = ("_body", "_case", "_chain", "_count", "_likely", "_source", "_test")
    _word = "If"

    def __init__(self, test: Any = None, *, likely: bool = False) -> None:
        self._test = test
        self._likely = likely
        self._chain: _Chain | None = None
        self._case = ""
        self._count = 0
        self._source = here()
        self._body: Any = None
        expect_block(self, self._word, self._source)

    def __enter__(self) -> Block:
        trace = current()
        if trace is None:
            report(
                "outside-dag",
                f"{self._word} is used outside of a DAG",
                fix="move it into a function decorated with @dag; inside a task write Python's if",
            )
            return self
        trace.unopened.pop(self, None)
        self._chain = self._joined(trace)
        if self._chain is not None:
            self._count = len(trace.nodes)
            self._open(trace, self._chain.node)
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        chain, trace = self._chain, current()
        if chain is None or trace is None:
            return
        if self._body is not None:
            self._body.__exit__(None, None, None)
        else:
            chain.node.scope.blocks.pop()
        if kind is None and len(trace.nodes) == self._count:
            report(
                "empty-block",
                f"the block of {self._word} calls no task",
                fix="call a task inside the block, or leave it out",
                source=self._source,
            )
        chain.node.scope.chain = chain

    def _joined(self, trace: Trace) -> _Chain | None:
        """The chain that the block belongs to, with its case noted; None after a mistake."""
        raise NotImplementedError

    def _open(self, trace: Trace, condition: Node) -> None:
        if not self._likely:
            condition.scope.blocks.append(Guard(decider=condition.id, cases=(self._case,), block=True))
            return
        node = Node(
            trace=trace,
            id=trace.unique_id(trace.prefixed("likely")),
            options=TaskOptions(),
            source=self._source,
        )
        node.forms["speculation"] = Speculation(decider=condition.id, cases=(self._case,))
        node.exports = {}
        trace.add(node)
        self._count += 1
        self._body = trace.body_of(node)
        self._body.__enter__()

    def _following(self, trace: Trace) -> _Chain | None:
        """The chain that has just been closed; None, reported, when there is none."""
        chain = trace.scope.chain
        if not isinstance(chain, _Chain) or chain.group is not trace.group or chain.ended:
            ended = isinstance(chain, _Chain) and chain.ended
            report(
                "condition-order",
                f"{self._word} comes after an Else" if ended else f"{self._word} does not follow an If",
                expected="If, then any number of Elif, then at most one Else, with nothing called between the blocks",
                fix="put it right after the block of an If or Elif",
                source=self._source,
            )
            return None
        return chain

    def _end(self) -> End | None:
        return self._chain.node if self._chain else None


class If(Block):
    """Tasks that run only if a condition holds: ``with If(best["auc"] >= 0.8): deploy(best)``.

    ``likely=True`` starts the block before the condition is known; its results count only if it holds.
    """

    __slots__ = ("_id",)

    def __init__(self, test: Any, id: str = "if", *, likely: bool = False) -> None:
        super().__init__(test, likely=likely)
        self._id = id

    def _joined(self, trace: Trace) -> _Chain | None:
        node = Node(
            trace=trace,
            id=trace.unique_id(trace.prefixed(self._id)),
            options=TaskOptions(),
            source=self._source,
        )
        test = _test_of(self._test, node, self._word)
        node.forms["condition"] = Condition(cases=(("if", test),))
        self._case = "if"
        trace.add(node)
        return _Chain(node, trace.group)


class Elif(Block):
    """Tasks that run only if this condition holds and none before it: ``with Elif(best["auc"] >= 0.7): ...``."""

    __slots__ = ()
    _word = "Elif"

    def __init__(self, test: Any, *, likely: bool = False) -> None:
        super().__init__(test, likely=likely)

    def _joined(self, trace: Trace) -> _Chain | None:
        chain = self._following(trace)
        if chain is None:
            return None
        test = _test_of(self._test, chain.node, self._word)
        inside = _inner_task(test, chain.node)
        if inside is not None:
            report(
                "condition-order",
                f"the test of Elif reads task {inside!r}, which runs only after this condition is decided",
                expected="tests over tasks that come before the If",
                fix="write an If of its own inside the Else",
                source=self._source,
            )
            chain.node.upstream.pop(inside)
            test = _UNKNOWN
        self._case = f"elif_{len(chain.cases)}"
        chain.add(self._case, test)
        return chain


class Else(Block):
    """Tasks that run only if none of the conditions before holds: ``with Else(): alert(best)``."""

    __slots__ = ()
    _word = "Else"

    def __init__(self, *, likely: bool = False) -> None:
        super().__init__(likely=likely)

    def _joined(self, trace: Trace) -> _Chain | None:
        chain = self._following(trace)
        if chain is not None:
            chain.ended = True
            self._case = ELSE
        return chain


def _test_of(test: Any, node: Node, word: str) -> Expression:
    """The test as an expression; a mistake is reported."""
    if test is BROKEN:
        return _UNKNOWN
    try:
        return to_condition(test, node)
    except BindingError as error:
        report(error.code, f"{word}: {error.what}", fix=error.fix, expected=error.expected, source=here())
        return _UNKNOWN


def _inner_task(test: Expression, condition: Node) -> str | None:
    """A task that ``test`` reads although it is inside a block of ``condition``."""
    nodes, scope = condition.trace.nodes, condition.scope
    for operand in test.operands:
        node = nodes.get(operand.task) if isinstance(operand, FromTask) else None
        if node is not None and node.scope is scope and _comes_after(node, condition, scope):
            return node.id
    return None


def _comes_after(node: Node, condition: Node, scope: Scope) -> bool:
    speculation = node.forms.get("speculation")
    if isinstance(speculation, Speculation) and speculation.decider == condition.id:
        return True
    return any(guard.decider == condition.id for guard in node.guards)
