"""What a DAG function writes: nodes, the groups they are in, and the scopes that become graphs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from stepweave.graph.model import Binding, FromItem, FromParam, FromState, FromTask, Literal, Path, Source

if TYPE_CHECKING:
    from stepweave.authoring.options import TaskOptions
    from stepweave.authoring.trace import Trace
    from stepweave.graph.constructs import Construct, Guard


class Scope:
    """A graph that is being written: that of the DAG, or the body of a node."""

    __slots__ = ("blocks", "chain", "nodes", "owner", "parent")

    def __init__(self, owner: Node | None = None) -> None:
        self.owner = owner
        """The node whose body this is; None for the DAG's own graph."""
        self.parent: Scope | None = owner.scope if owner else None
        self.nodes: dict[str, Node] = {}
        self.blocks: list[Guard] = []
        """Guards of the blocks that are open now, outermost first."""
        self.chain: object = None
        """The chain of conditions that ``Elif`` and ``Else`` go on with: the one that was closed last."""

    def inside(self, other: Scope) -> Node | None:
        """The node of ``other`` in whose body this scope is; None when it is not inside."""
        scope = self
        while scope.owner is not None and scope.owner.scope is not other:
            scope = scope.owner.scope
        return scope.owner


class Node:
    """A node of the graph: a task that has been called, or another construct."""

    __slots__ = (
        "arguments", "body", "call", "doc", "exports", "fields", "forms", "function", "groups", "guards", "id",
        "options", "others", "result", "scope", "setup", "source", "teardown", "trace", "upstream",
    )  # fmt: skip

    def __init__(
        self,
        *,
        trace: Trace,
        id: str,
        options: TaskOptions,
        source: Source,
        function: Callable[..., Any] | None = None,
        doc: str = "",
    ) -> None:
        self.trace = trace
        self.scope = trace.scope
        self.id = id
        self.call = ""
        self.function = function
        self.others: dict[str, Callable[..., Any]] = {}
        """Further functions that belong to it, by role: ``undo``, ``degrade1``."""
        self.options = options
        self.setup = options.setup
        self.teardown = options.teardown
        self.doc = doc
        self.source = source
        self.arguments: list[tuple[str, Binding]] = []
        self.upstream: dict[str, None] = {}
        self.fields: dict[Path, None] = {}
        self.groups: tuple[str, ...] = ()
        self.guards: tuple[Guard, ...] = ()
        self.forms: dict[str, Construct] = {}
        """What it is besides a call, by the name of the field of ``Task``."""
        self.body: Scope | None = None
        self.result: Binding | None = None
        """What the body returns."""
        self.exports: dict[str, Binding] | None = None
        """Values of the body that are read outside, by name; None where nobody may."""

    @property
    def home(self) -> Scope:
        """The scope in which it can be referred to."""
        return self.scope

    def bind(self, path: Path) -> FromTask:
        """The binding of a part of this node's value."""
        return FromTask(task=self.id, path=path)

    def describe(self) -> str:
        """The node, in words."""
        return f"task {self.id!r}"


class ParamNode:
    """A param of the DAG."""

    __slots__ = ("home", "name", "trace")

    def __init__(self, trace: Trace, name: str) -> None:
        self.trace = trace
        self.home = trace.root
        self.name = name

    def bind(self, path: Path) -> FromParam:
        """The binding of a part of this param."""
        return FromParam(param=self.name, path=path)

    def describe(self) -> str:
        """The param, in words."""
        return f"param {self.name!r}"


class ItemNode:
    """What a mapped task group gets for one of its parameters."""

    __slots__ = ("home", "name", "owner", "trace")

    def __init__(self, owner: Node, home: Scope, name: str) -> None:
        self.trace = owner.trace
        self.owner = owner
        self.home = home
        self.name = name

    def bind(self, path: Path) -> FromItem:
        """The binding of a part of the item."""
        return FromItem(node=self.owner.id, name=self.name, path=path)

    def describe(self) -> str:
        """The item, in words."""
        return f"parameter {self.name!r} of the mapped group {self.owner.id!r}"


class StateNode:
    """The state of a loop, or the number of its round."""

    __slots__ = ("counter", "home", "owner", "trace")

    def __init__(self, owner: Node, home: Scope, *, counter: bool = False) -> None:
        self.trace = owner.trace
        self.owner = owner
        self.home = home
        self.counter = counter

    def bind(self, path: Path) -> FromState:
        """The binding of a part of the state."""
        return FromState(node=self.owner.id, path=path, counter=self.counter)

    def describe(self) -> str:
        """The state or the counter, in words."""
        return f"the {'round' if self.counter else 'state'} of loop {self.owner.id!r}"


class GivenNode:
    """A param of a DAG that is called inside another DAG with a value known already."""

    __slots__ = ("home", "name", "trace", "value")

    def __init__(self, trace: Trace, name: str, value: Any) -> None:
        self.trace = trace
        self.home = trace.root
        self.name = name
        self.value = value

    def at(self, path: Path) -> Any:
        """A part of the value. Raises ``ValueError`` when it has no such part."""
        found = self.value
        for key in path:
            try:
                found = found[key]
            except (TypeError, LookupError):
                raise ValueError(f"{self.describe()} has no part {key!r}: {found!r}") from None
        return found

    def bind(self, path: Path) -> Literal:
        """The binding of a part of the value."""
        return Literal(json=json.dumps(self.at(path), ensure_ascii=False, separators=(",", ":")))

    def describe(self) -> str:
        """The param, in words."""
        return f"param {self.name!r}"


class GroupNode:
    """A task group: an id, and the nodes written inside it."""

    __slots__ = ("default_args", "id", "members", "parent", "scope", "source", "trace")

    def __init__(
        self, trace: Trace, id: str, parent: GroupNode | None, default_args: Mapping[str, Any], source: Source
    ) -> None:
        self.trace = trace
        self.scope = trace.scope
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

Origin = Node | ParamNode | ItemNode | StateNode | GivenNode
"""Where a reference leads to."""
