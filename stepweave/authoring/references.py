"""What a task call and a param are inside a DAG function: references to values that exist only in a run.

``ref["key"]`` and ``ref.attr`` are references too. Operators on references build a :class:`Computed`, which the state
machine evaluates (``expressions`` says how). Whatever would need the value now is refused (``refusals``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from stepweave.authoring import expressions
from stepweave.authoring.contracts import NoSuchPartError, at_path, fixed_length, kind_of
from stepweave.authoring.expressions import Kind, Operation, Tree
from stepweave.authoring.nodes import End, GivenNode, Node, Origin
from stepweave.authoring.ordering import Orderable, put_in_order
from stepweave.authoring.refusals import Refusing
from stepweave.authoring.trace import report
from stepweave.graph.model import Path

_Rule: TypeAlias = Callable[[str, Tree, Tree, tuple[Kind | None, Kind | None]], Operation]
_SET = object.__setattr__


def _binary(rule: _Rule, symbol: str, *, reflected: bool = False) -> Any:
    """A method for the operator ``symbol``."""
    if reflected:
        return lambda self, other: combine(rule, symbol, other, self)
    return lambda self, other: combine(rule, symbol, self, other)


class Operand(Orderable, Refusing):
    """A value of the run on which operators work."""

    __slots__ = ()
    __array_ufunc__ = None  # numpy must leave operators to us
    __hash__ = object.__hash__  # by identity: a reference may be in a set while the DAG is written

    def _tree(self) -> Tree:
        raise NotImplementedError

    def _kind(self) -> Kind | None:
        raise NotImplementedError

    __eq__ = _binary(expressions.comparison, "==")
    __ne__ = _binary(expressions.comparison, "!=")
    __lt__ = _binary(expressions.comparison, "<")
    __le__ = _binary(expressions.comparison, "<=")
    __gt__ = _binary(expressions.comparison, ">")
    __ge__ = _binary(expressions.comparison, ">=")
    __and__ = _binary(expressions.logical, "and")
    __rand__ = _binary(expressions.logical, "and", reflected=True)
    __or__ = _binary(expressions.logical, "or")
    __ror__ = _binary(expressions.logical, "or", reflected=True)
    __add__ = _binary(expressions.arithmetic, "+")
    __radd__ = _binary(expressions.arithmetic, "+", reflected=True)
    __sub__ = _binary(expressions.arithmetic, "-")
    __rsub__ = _binary(expressions.arithmetic, "-", reflected=True)
    __mul__ = _binary(expressions.arithmetic, "*")
    __rmul__ = _binary(expressions.arithmetic, "*", reflected=True)
    __truediv__ = _binary(expressions.arithmetic, "/")
    __rtruediv__ = _binary(expressions.arithmetic, "/", reflected=True)
    __floordiv__ = _binary(expressions.arithmetic, "//")
    __rfloordiv__ = _binary(expressions.arithmetic, "//", reflected=True)
    __mod__ = _binary(expressions.arithmetic, "%")
    __rmod__ = _binary(expressions.arithmetic, "%", reflected=True)
    __pow__ = _binary(expressions.arithmetic, "**")
    __rpow__ = _binary(expressions.arithmetic, "**", reflected=True)

    def __invert__(self) -> Any:
        return _apply("$not", self, "bool")

    def __neg__(self) -> Any:
        return _apply("-", self, "number")

    def __abs__(self) -> Any:
        return _apply("$abs", self, "number")

    def is_in(self, options: Any) -> Any:
        """Whether this value is one of ``options``: numbers, texts, True, False, None, or a reference to a list."""
        if isinstance(options, (set, frozenset)):
            options = sorted(options, key=repr)
        if isinstance(options, Operand):
            return combine(expressions.membership, "in", self, options)
        if not isinstance(options, (list, tuple)) or any(
            isinstance(one, (list, dict, Operand)) for one in options
        ):
            report(
                "expression-operand",
                ".is_in() needs a list of numbers, texts, True, False and None",
                got=repr(options),
                fix="write .is_in(['a', 'b']), or combine comparisons: (ref == a) | (ref == b)",
            )
            return BROKEN
        return combine(expressions.membership, "in", self, list(options))

    def contains(self, item: Any) -> Any:
        """Whether ``item`` is an item of this list, a part of this text, or a key of this dict."""
        return combine(expressions.containment, "contains", self, item)


class Computed(Operand):
    """An expression over references: ``(best["auc"] >= 0.8) & ~dry_run``."""

    __slots__ = ("_operation", "_origins")
    _operation: Operation
    _origins: tuple[Origin, ...]

    def __init__(self, operation: Operation, origins: tuple[Origin, ...]) -> None:
        _SET(self, "_operation", operation)
        _SET(self, "_origins", origins)

    def _tree(self) -> Tree:
        return self._operation

    def _kind(self) -> Kind | None:
        return self._operation.kind

    def _described(self) -> str:
        return "a condition or computed value"

    def _end(self) -> End | None:
        report(
            "order-end",
            "a condition or computed value cannot be put in order",
            expected="the result of a task call, or a group",
            fix="order the tasks that it is computed from",
        )
        return None

    def __getitem__(self, key: Any) -> Any:
        self._refuse(
            "reference-key", "a part is asked", "take the part first: ref['k'] + 1, not (ref + 1)['k']"
        )
        return BROKEN

    def __repr__(self) -> str:
        return f"<expression {expressions.to_expression(self._operation).text}>"


class Reference(Operand):
    """The value of a task or a param, or a part of it."""

    __slots__ = ("_annotation", "_origin", "_path")
    _annotation: Any
    _origin: Origin | None
    _path: Path

    def __init__(self, origin: Origin | None, annotation: Any, path: Path = ()) -> None:
        _SET(self, "_origin", origin)
        _SET(self, "_annotation", annotation)
        _SET(self, "_path", path)

    def _tree(self) -> Tree:
        origin = self._origin
        assert origin is not None  # BROKEN is in no expression
        return (
            expressions.constant(origin.at(self._path))
            if isinstance(origin, GivenNode)
            else origin.bind(self._path)
        )

    def _kind(self) -> Kind | None:
        return kind_of(self._annotation)

    def _described(self) -> str | None:
        if self._origin is None:
            return None
        return self._origin.describe() + "".join(f"[{key!r}]" for key in self._path)

    def _end(self) -> End | None:
        if isinstance(self._origin, Node):
            return self._origin
        if self._origin is not None:
            report(
                "order-end",
                f"{self._described()} cannot be put in order: it is there before the run starts",
                expected="the result of a task call, or a group",
                fix="leave it out of >> and chain()",
            )
        return None

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, (str, int)) and not isinstance(key, bool):
            return self._part(key)
        if self._origin is not None:
            report(
                "reference-key",
                f"a part of {self._described()} is asked by {'a slice' if isinstance(key, slice) else repr(key)}",
                expected="text or a whole number",
                fix="take the part inside a task",
            )
        return BROKEN

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # Python and libraries ask for these of any object
            raise AttributeError(
                f"a reference has no attribute {name!r}; for a part of the value write ref[{name!r}]"
            )
        return self._part(name)

    def _part(self, key: str | int) -> Any:
        if self._origin is None:
            return BROKEN
        try:
            annotation = at_path(self._annotation, (key,))
        except NoSuchPartError as error:
            report(
                "unknown-part",
                f"{self._described()}: {error}",
                fix=error.advice or "take a part that it has, or correct the annotation",
            )
            return BROKEN
        return Reference(self._origin, annotation, (*self._path, key))

    def __iter__(self) -> Iterator[Any]:
        length = fixed_length(self._annotation)
        if length is None:
            return super().__iter__()
        return iter([self._part(index) for index in range(length)])

    def as_setup(self) -> Reference:
        """Itself, its task marked as one that makes what a tear-down removes."""
        node = self._task("as_setup")
        if node is not None:
            node.setup = True
        return self

    def as_teardown(self, setups: Any = None) -> Reference:
        """Itself, its task marked as clean-up of what the tasks ``setups`` make; it comes after them."""
        node = self._task("as_teardown")
        if node is not None:
            node.teardown = True
        if setups is not None and self._origin is not None:
            for one in setups if isinstance(setups, (list, tuple)) else [setups]:
                if isinstance(one, Reference):
                    one.as_setup()
            put_in_order(setups, self)
        return self

    def _task(self, method: str) -> Node | None:
        if isinstance(self._origin, Node):
            return self._origin
        if self._origin is not None:
            report(
                "setup-task",
                f"{self._described()} is no task",
                expected="the result of a task call",
                fix=f"write task().{method}()",
            )
        return None

    def __repr__(self) -> str:
        return f"<reference to {self._described() or 'a mistake'}>"


BROKEN = Reference(None, Any)
"""Stands for a value where a mistake has been reported; whatever is done with it is no further mistake."""


def _apply(name: str, operand: Operand, kind: Kind) -> Any:
    return combine(
        lambda _, tree, __, kinds: expressions.function(name, tree, kinds[0], kind), name, operand, None
    )


def combine(rule: _Rule, symbol: str, left: Any, right: Any) -> Any:
    """The expression that ``rule`` makes of two operands; ``BROKEN`` where there is a mistake."""
    if left is BROKEN or right is BROKEN:
        return BROKEN
    try:
        (one, one_kind), (other, other_kind) = _operand(left), _operand(right)
        return Computed(rule(symbol, one, other, (one_kind, other_kind)), (*_origins(left), *_origins(right)))
    except ValueError as error:
        report(
            "expression-type",
            f"the expression {_sketch(left)} {symbol} {_sketch(right)} cannot be computed: {error}",
            fix="compute it inside a task, or correct the annotation or the literal",
        )
        return BROKEN


def _operand(value: Any) -> tuple[Tree, Kind | None]:
    if isinstance(value, Operand):
        return value._tree(), value._kind()
    constant = expressions.constant(value)
    return constant, constant.kind


def _origins(value: Any) -> tuple[Origin, ...]:
    if isinstance(value, Computed):
        return value._origins
    origin = value._origin if isinstance(value, Reference) else None
    return () if origin is None or isinstance(origin, GivenNode) else (origin,)


def _sketch(value: Any) -> str:
    return value._described() or "" if isinstance(value, Operand) else repr(value)
