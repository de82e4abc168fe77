"""What may be used where: references and order across the borders of bodies.

Inside a body everything of the graphs around it may be used; the node that stands in that graph then waits for it. What
is inside a body cannot be used outside, except through the value of the node.
"""

from __future__ import annotations

from stepweave.authoring.nodes import End, GivenNode, GroupNode, Node, Origin, Scope
from stepweave.graph.model import FromTask, Literal, Path, Reference


class OutOfReachError(Exception):
    """A reference leads to where it cannot be used: why, and what to write instead."""

    def __init__(self, code: str, what: str, fix: str) -> None:
        self.code = code
        self.what = what
        self.fix = fix
        super().__init__(what)


def use(origin: Origin, path: Path, node: Node) -> Reference | Literal:
    """The binding of a part of ``origin`` as ``node`` sees it; whoever has to wait for it notes that.

    Raises :class:`OutOfReachError` when ``node`` cannot see it.
    """
    if origin.trace is not node.trace:
        raise OutOfReachError(
            "foreign-reference", f"{origin.describe()} belongs to another DAG", "call the task in this DAG"
        )
    if isinstance(origin, GivenNode):
        try:
            return origin.bind(path)
        except ValueError as error:
            raise OutOfReachError("unknown-part", str(error), "take a part that it has") from None
    waiting = node if origin.home is node.scope else node.scope.inside(origin.home)
    if waiting is None:
        return _from_outside(origin, path, node)
    if isinstance(origin, Node):
        waiting.upstream[origin.id] = None
    return origin.bind(path)


def _from_outside(origin: Origin, path: Path, node: Node) -> Reference | Literal:
    owner = origin.home.owner
    if owner is not None and owner.exports is not None and isinstance(origin, Node):
        name = origin.id.removeprefix(f"{owner.id}.")
        owner.exports[name] = FromTask(task=origin.id)
        return use(owner, (name, *path), node)
    inside = f"{owner.id!r}" if owner else "a body"
    raise OutOfReachError(
        "inner-reference",
        f"{origin.describe()} is used outside of {inside}, inside which it exists once per item or round",
        "use what the mapped group returns, or the loop's .result",
    )


def seen_in(end: End, scope: Scope) -> End | None:
    """``end`` as ``scope`` sees it: itself, or the node of ``scope`` inside which it is; None when it is elsewhere."""
    return end if end.scope is scope else end.scope.inside(scope)


def together(one: End, other: End) -> tuple[End, End] | None:
    """The two ends, or the nodes inside which they are, in the innermost graph that holds both."""
    scope: Scope | None = one.scope
    while scope is not None:
        left, right = seen_in(one, scope), seen_in(other, scope)
        if left is not None and right is not None:
            return left, right
        scope = scope.parent
    return None


def first_nodes(end: End) -> list[Node]:
    """The node, or the nodes of a group that come after none of the group."""
    if isinstance(end, Node):
        return [end]
    inside = {node.id for node in end.members}
    return [node for node in end.members if inside.isdisjoint(before(node))]


def last_nodes(end: End) -> list[Node]:
    """The node, or the nodes of a group that none of the group comes after."""
    if isinstance(end, Node):
        return [end]
    followed = {up for node in end.members for up in before(node)}
    return [node for node in end.members if node.id not in followed]


def before(node: Node) -> list[str]:
    """Ids of the nodes that ``node`` waits for: upstream, and those that decide whether it runs."""
    return [*node.upstream, *(guard.decider for guard in node.guards)]


def depth(edge: tuple[End, End, object]) -> int:
    """How deep the outermost group of an edge is inside others."""
    return min(len(end.path()) for end in edge[:2] if isinstance(end, GroupNode))
