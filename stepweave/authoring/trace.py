"""One run of a DAG function: the tasks, the order between them, and the mistakes, as they turn up.

A trace is the only mutable value of authoring; it lives while the DAG function runs and ends as a tuple of ``Task``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar, Token
from typing import Any

from stepweave.authoring.options import TaskOptions
from stepweave.authoring.source import here
from stepweave.errors import DagError, Problem
from stepweave.graph.model import Binding, FromParam, FromTask, Path, Source, Task

_CURRENT: ContextVar[Trace | None] = ContextVar("stepweave_trace", default=None)


class Node:
    """A task that has been called."""

    __slots__ = (
        "arguments", "call", "doc", "fields", "function", "groups", "id", "options", "source", "trace", "upstream",
    )  # fmt: skip

    def __init__(
        self,
        *,
        trace: Trace,
        id: str,
        function: Callable[..., Any],
        options: TaskOptions,
        doc: str,
        source: Source,
    ) -> None:
        self.trace = trace
        self.id = id
        self.call = ""
        self.function = function
        self.options = options
        self.doc = doc
        self.source = source
        self.arguments: list[tuple[str, Binding]] = []
        self.upstream: dict[str, None] = {}
        self.fields: dict[Path, None] = {}
        self.groups: tuple[str, ...] = ()

    def bind(self, path: Path) -> FromTask:
        """The binding of a part of this task's value."""
        return FromTask(task=self.id, path=path)

    def describe(self) -> str:
        """The task, in words."""
        return f"task {self.id!r}"

    def to_task(self) -> Task:
        """The task in its final form."""
        options = self.options
        return Task(
            id=self.id,
            call=self.call,
            arguments=tuple(self.arguments),
            upstream=tuple(self.upstream),
            fields=tuple(self.fields),
            trigger_rule=options.trigger_rule,
            teardown=options.teardown,
            retry=options.retry,
            timeout_seconds=options.timeout_seconds,
            resources=options.resources,
            compute=options.compute,
            doc=self.doc,
            owner=options.owner,
            tags=options.tags,
            groups=self.groups,
            source=self.source,
        )


class ParamNode:
    """A param of the DAG."""

    __slots__ = ("name", "trace")

    def __init__(self, trace: Trace, name: str) -> None:
        self.trace = trace
        self.name = name

    def bind(self, path: Path) -> FromParam:
        """The binding of a part of this param."""
        return FromParam(param=self.name, path=path)

    def describe(self) -> str:
        """The param, in words."""
        return f"param {self.name!r}"


class GroupNode:
    """A task group: an id, and the tasks called inside it."""

    __slots__ = ("default_args", "id", "members", "parent", "source", "trace")

    def __init__(
        self, trace: Trace, id: str, parent: GroupNode | None, default_args: Mapping[str, Any], source: Source
    ) -> None:
        self.trace = trace
        self.id = id
        self.parent = parent
        self.default_args = default_args
        self.source = source
        self.members: list[Node] = []

    def path(self) -> tuple[str, ...]:
        """Ids of the enclosing groups and of this one, outermost first."""
        return (*(self.parent.path() if self.parent else ()), self.id)


End = Node | GroupNode
"""What an edge without data may start or end at."""


class Trace:
    """Tasks, groups, edges and mistakes of one run of a DAG function."""

    def __init__(self, default_args: Mapping[str, Any]) -> None:
        self.default_args = default_args
        self.nodes: dict[str, Node] = {}
        self.problems: list[Problem] = []
        self.group: GroupNode | None = None
        self.caches: dict[Any, Any] = {}
        """What need not be worked out again for each call of the same task, by whoever works it out."""
        self._ids: dict[str, int] = {}
        self._group_edges: list[tuple[End, End, Source]] = []
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
        """Take ``node`` as the next task, inside the group that is open now."""
        self.nodes[node.id] = node
        group = self.group
        node.groups = group.path() if group else ()
        while group is not None:
            group.members.append(node)
            group = group.parent

    def order(self, left: End, right: End, source: Source) -> None:
        """``right`` comes after ``left``. What a group's ends are is known when the DAG function has ended."""
        if isinstance(left, GroupNode) or isinstance(right, GroupNode):
            self._group_edges.append((left, right, source))
        else:
            right.upstream[left.id] = None

    def tasks(self) -> tuple[Task, ...]:
        """All tasks in the order in which they were called, with the edges of groups resolved."""
        # An edge inside a group decides which tasks are the group's first and last, so inner edges come first.
        for left, right, source in sorted(self._group_edges, key=_depth, reverse=True):
            firsts, lasts = self._first(right, source), self._last(left, source)
            for first in firsts:
                for last in lasts:
                    if first is not last:
                        first.upstream[last.id] = None
        self._group_edges.clear()
        return tuple(node.to_task() for node in self.nodes.values())

    def _first(self, end: End, source: Source) -> list[Node]:
        if isinstance(end, Node):
            return [end]
        inside = {node.id for node in end.members}
        return self._members(end, [node for node in end.members if inside.isdisjoint(node.upstream)], source)

    def _last(self, end: End, source: Source) -> list[Node]:
        if isinstance(end, Node):
            return [end]
        followed = {up for node in end.members for up in node.upstream}
        return self._members(end, [node for node in end.members if node.id not in followed], source)

    def _members(self, group: GroupNode, found: list[Node], source: Source) -> list[Node]:
        if not group.members:
            self.problems.append(
                Problem(
                    what=f"task group {group.id!r} is ordered but has no tasks",
                    code="empty-group",
                    file=source.file,
                    line=source.line,
                    fix="call a task inside the group, or leave the edge out",
                )
            )
        return found


def _depth(edge: tuple[End, End, Source]) -> int:
    return min(len(end.path()) for end in edge[:2] if isinstance(end, GroupNode))


def current() -> Trace | None:
    """The trace of the DAG function that is running now; None outside of one."""
    return _CURRENT.get()


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
