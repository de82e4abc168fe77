"""One run of a DAG function: the nodes, the order between them, and the mistakes, as they turn up.

A trace is the only mutable value of authoring; it lives while the DAG function runs, and ``finishing`` turns it into
tasks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from stepweave.authoring.nodes import End, GroupNode, Node, Scope
from stepweave.authoring.source import here
from stepweave.errors import DagError, Problem
from stepweave.graph.model import Source

if TYPE_CHECKING:
    from stepweave.authoring.dags import Dag

_CURRENT: ContextVar[Trace | None] = ContextVar("stepweave_trace", default=None)


class Trace:
    """Nodes, groups, edges and mistakes of one run of a DAG function."""

    def __init__(self, default_args: Mapping[str, Any]) -> None:
        self.default_args = default_args
        self.root = Scope()
        self.scope = self.root
        """The graph that tasks are added to now."""
        self.nodes: dict[str, Node] = {}
        """Nodes of all graphs, by id."""
        self.problems: list[Problem] = []
        self.group: GroupNode | None = None
        self.group_edges: list[tuple[End, End, Source]] = []
        self.calling: list[str] = []
        """Ids of the DAGs whose functions run now inside this one, outermost first."""
        self.inlined: list[Dag] = []
        """DAGs whose tasks became tasks of this one."""
        self.caches: dict[Any, Any] = {}
        """What need not be worked out again for each call of the same task, by whoever works it out."""
        self.unopened: dict[object, Problem] = {}
        """Blocks that were made, but not entered by ``with`` so far."""
        self._ids: dict[str, int] = {}
        self._outer: list[Token[Trace | None]] = []

    def __enter__(self) -> Trace:
        self._outer.append(_CURRENT.set(self))
        return self

    def __exit__(self, *_: object) -> None:
        _CURRENT.reset(self._outer.pop())

    def unique_id(self, wanted: str) -> str:
        """``wanted`` if it is free, else with ``__1``, ``__2``, ..."""
        if wanted not in self._ids:
            self._ids[wanted] = 0
            return wanted
        while True:
            self._ids[wanted] += 1
            candidate = f"{wanted}__{self._ids[wanted]}"
            if candidate not in self._ids:
                self._ids[candidate] = 0
                return candidate

    def is_taken(self, name: str) -> bool:
        """Whether a task or group has this id."""
        return name in self._ids

    def prefixed(self, name: str) -> str:
        """``name`` inside the group that is open now: ``group.name``."""
        return f"{self.group.id}.{name}" if self.group else name

    def add(self, node: Node) -> None:
        """Take ``node`` as the next one, inside the group and the blocks that are open now."""
        scope = node.scope
        self.nodes[node.id] = scope.nodes[node.id] = node
        scope.chain = None
        if scope.blocks:
            node.guards = tuple(scope.blocks)
        group = self.group
        node.groups = group.path() if group else ()
        while group is not None and group.scope is scope:
            group.members.append(node)
            group = group.parent

    @contextmanager
    def body_of(self, node: Node, default_args: Mapping[str, Any] | None = None) -> Iterator[Scope]:
        """The body of ``node``, open for the nodes written meanwhile; their ids get that of ``node`` as prefix."""
        outer, group = self.scope, self.group
        node.body = self.scope = Scope(node)
        self.group = GroupNode(self, node.id, group, default_args or {}, node.source)
        try:
            yield node.body
        finally:
            self.scope, self.group = outer, group

    def order(self, left: End, right: End, source: Source) -> None:
        """``right`` comes after ``left``. What a group's ends are is known when the DAG function has ended."""
        if isinstance(left, GroupNode) or isinstance(right, GroupNode):
            self.group_edges.append((left, right, source))
        else:
            right.upstream[left.id] = None


def expect_block(block: object, word: str, source: Source) -> None:
    """Note that ``block`` has been made: what is never entered by ``with`` is a mistake."""
    trace = _CURRENT.get()
    if trace is not None:
        trace.unopened[block] = Problem(
            what=f"{word} is not opened as a block",
            code="block-not-opened",
            file=source.file,
            line=source.line,
            fix=f"write `with {word}(...):` and call the tasks inside",
        )


def current() -> Trace | None:
    """The trace of the DAG function that is running now; None outside of one."""
    return _CURRENT.get()


def located(problem: Problem, source: Source, task: str) -> Problem:
    """The problem at a place in the user's code."""
    return replace(problem, file=source.file, line=source.line, task=problem.task or task)


def report(
    code: str,
    what: str,
    *,
    task: str | None = None,
    expected: str | None = None,
    got: str | None = None,
    fix: str | None = None,
    source: Source | None = None,
) -> None:
    """Note a mistake at the user's line and go on; outside of a DAG function raise it as ``DagError``."""
    source = source or here()
    problem = Problem(
        what=what,
        code=code,
        file=source.file,
        line=source.line,
        task=task,
        expected=expected,
        got=got,
        fix=fix,
    )
    trace = current()
    if trace is None:
        raise DagError([problem])
    trace.problems.append(problem)
