"""``task_group``: tasks that belong together, as a decorator and as a context manager."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from typing import Any, Literal

from stepweave.authoring.items import KWARGS, Items, items_of
from stepweave.authoring.lazily import when_needed
from stepweave.authoring.nodes import End, GroupNode
from stepweave.authoring.options import conflicts, resolve
from stepweave.authoring.ordering import Orderable
from stepweave.authoring.references import BROKEN
from stepweave.authoring.source import here
from stepweave.authoring.trace import Trace, current, report
from stepweave.errors import DagError, Problem
from stepweave.graph.model import Source

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")


class TaskGroup(Orderable):
    """A task group: ``with task_group("prepare") as prepare: ...``, then ``prepare >> train(...)``.

    Ids of the tasks inside get the prefix ``prepare.``; ``>>`` before it means its first tasks, after it its last ones.
    """

    __slots__ = ("_default_args", "_group_id", "_node")

    def __init__(self, group_id: str, default_args: Mapping[str, Any]) -> None:
        self._group_id = group_id
        self._default_args = default_args
        self._node: GroupNode | None = None

    @property
    def id(self) -> str:
        """Id of the group, with those of the groups around it: ``prepare.images``."""
        return self._node.id if self._node else self._group_id

    def __enter__(self) -> TaskGroup:
        self._open(repeated=False)
        return self

    def __exit__(self, *_: object) -> None:
        if self._node is not None:
            self._node.trace.group = self._node.parent

    def __call__(self, function: Callable[..., Any]) -> GroupFunction:
        return GroupFunction(function, self._group_id, self._default_args)

    def _open(self, *, repeated: bool) -> None:
        trace, source = current(), here()
        if trace is None:
            fix = "open it inside a function decorated with @dag"
            report("outside-dag", f"task group {self._group_id!r} is opened outside of a DAG", fix=fix)
            return
        self._node = GroupNode(
            trace, self._id(trace, repeated, source), trace.group, self._default_args, source
        )
        trace.group = self._node
        for problem in (*conflicts(self._default_args), *resolve(self._default_args)[1]):
            report(
                problem.code,
                f"default_args of group {self.id!r}: {problem.what}",
                fix=problem.fix,
                source=source,
            )

    def _id(self, trace: Trace, repeated: bool, source: Source) -> str:
        name = self._group_id
        if not _NAME.fullmatch(name):
            fix = f"write {re.sub(r'[^A-Za-z0-9_-]+', '_', name).strip('_') or 'group'!r}"
            report("name", f"the task group id {name!r} cannot be used", fix=fix, source=source,
                   expected="a letter, then letters, digits, _ and -")  # fmt: skip
            name = "group"
        wanted = trace.prefixed(name)
        if not repeated and trace.is_taken(wanted):
            report("duplicate-id", f"two groups or tasks have the id {wanted!r}", source=source,
                   fix="give each group_id once")  # fmt: skip
        return trace.unique_id(wanted)

    def _end(self) -> End | None:
        return self._node


class GroupFunction:
    """A function whose task calls form a group; each call of it is a group of its own."""

    def __init__(
        self,
        function: Callable[..., Any],
        group_id: str,
        default_args: Mapping[str, Any],
        options: Mapping[str, Any] | None = None,
        bound: Mapping[str, Any] | None = None,
    ) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self._group_id = group_id or function.__name__
        self._default_args = default_args
        self._options = options or {}
        self._bound = bound or {}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        arguments = {**self._bound, **kwargs}
        if current() is None:
            return self.function(*args, **arguments)
        for name in self._options:
            report("option-kind", f"option {name!r} is given for a group that is not mapped",
                   fix=f"map the group, {self._group_id}.override(...).expand(...), or leave {name} out")  # fmt: skip
        group = TaskGroup(self._group_id, self._default_args)
        group._open(repeated=True)
        try:
            result = self.function(*args, **arguments)
        finally:
            group.__exit__()
        return group if result is None else result

    def override(
        self, *, group_id: str = "", default_args: Mapping[str, Any] | None = None, **options: Any
    ) -> GroupFunction:
        """The same group function with another id, other defaults for its tasks, or options for mapping it.

        These are ``max_concurrency``, ``tolerated_failures``, ``map_label`` and ``trigger_rule``.
        """
        merged = {**self._default_args, **(default_args or {})}
        known = {name: value for name, value in options.items() if _is_option(self._group_id, name)}
        for problem in resolve(known)[1]:
            report(problem.code, problem.what, expected=problem.expected, got=problem.got, fix=problem.fix)
        options = {**self._options, **known}
        return GroupFunction(self.function, group_id or self._group_id, merged, options, self._bound)

    def partial(self, **arguments: Any) -> GroupFunction:
        """The same group function with some arguments given."""
        bound = {**self._bound, **arguments}
        return GroupFunction(self.function, self._group_id, self._default_args, self._options, bound)

    def expand(self, *, how: Literal["product", "zip"] = "product", **lists: Any) -> Any:
        """A reference to the list of what the group returns, run once per item of a list: see ``task.expand``."""
        return self._mapped(items_of(lists, how, self._group_id))

    def expand_kwargs(self, kwargs: Any) -> Any:
        """A reference to the list of what the group returns, run once per dict of arguments in a list.

        Every dict must name every parameter that ``partial`` did not give.
        """
        return self._mapped(Items("kwargs", {KWARGS: kwargs}))

    def _mapped(self, items: Items | None) -> Any:
        trace = current()
        if trace is None:
            fix = "move it into a function decorated with @dag"
            report("outside-dag", f"group {self._group_id!r} is mapped outside of a DAG", fix=fix)
        if trace is None or items is None:
            return BROKEN
        return when_needed("bodies").call_mapped(
            trace, self._group_id, self.function, self._bound, items, self._options, self._default_args
        )


_OPTIONS = ("max_concurrency", "tolerated_failures", "map_label", "trigger_rule")


def _is_option(group: str, name: str) -> bool:
    if name in _OPTIONS:
        return True
    what = f"option {name!r} cannot be given for group {group!r}"
    if name == "batch_size":
        what = f"the items of group {group!r} cannot be run in batches: each runs several tasks"
    fix = "give it for the tasks inside, by their decorators or default_args"
    report("option-kind", what, expected=f"one of {', '.join(_OPTIONS)}", fix=fix)
    return False


def task_group(group_id: Any = "", *, default_args: Mapping[str, Any] | None = None) -> Any:
    """A task group: ``@task_group``, ``@task_group("id")``, or ``with task_group("id") as group:``.

    ``default_args`` are options of the tasks inside, where these say nothing themselves.
    """
    if isinstance(group_id, str):
        return TaskGroup(group_id, default_args or {})
    if callable(group_id):
        return GroupFunction(group_id, "", default_args or {})
    source = here()
    raise DagError(
        [Problem(what=f"task_group got {group_id!r}", code="name", file=source.file, line=source.line,
                 expected="an id or a function", fix="write task_group('prepare')")]
    )  # fmt: skip
