"""`imports_of(file, module)`: what a module imports, read from its source, without running it.

import a.b                         a.b
from .c import d                   package.c, and package.c.d where that is a module
import_module("a.b")               a.b
import_module(f"a.{_TABLE[x]}")    a.<each text in the dict _TABLE>
import_module(f"a.{name}")         every module in the package a
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from infra.packaging.parsing import parsed

Scope: TypeAlias = Literal["module", "guarded", "function", "attribute"]
"""When it runs.

module     whenever the module is imported
guarded    then, but it may fail, or hangs on a condition
function   when a function is called
attribute  when a name is asked for that the module has not: in its ``__getattr__`` (PEP 562)
"""

_CAUGHT = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}


@dataclass(frozen=True, slots=True)
class Import:
    """One imported name."""

    module: str
    members: tuple[str, ...]
    """Names after ``from … import``, each of which may be a module itself."""
    scope: Scope
    line: int


@dataclass(frozen=True, slots=True)
class Imports:
    """What a module imports."""

    static: tuple[Import, ...]
    packages: tuple[str, ...]
    """Packages of which it may import any module, by a name known only when it runs."""


def imports_of(file: Path, module: str) -> Imports:
    """The imports of ``file``, which is ``module``."""
    tree = parsed(file)
    reader = _Reader(module, is_package=file.name == "__init__.py", constants=_constants(tree, module))
    reader.read(tree.body, "module")
    return Imports(tuple(reader.static), tuple(dict.fromkeys(reader.packages)))


def imports_in(function: ast.FunctionDef | ast.AsyncFunctionDef, module: str) -> tuple[Import, ...]:
    """What the body of a function imports."""
    reader = _Reader(module, is_package=False, constants={})
    reader.read(function.body, "function")
    return tuple(reader.static)


def _constants(tree: ast.Module, module: str) -> dict[str, str | tuple[str, ...]]:
    """Names that the module binds to a text, or to a dict of texts, at its top."""
    found: dict[str, str | tuple[str, ...]] = {"__name__": module, "__package__": module.rpartition(".")[0]}
    for statement in tree.body:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            name, value = statement.targets[0].id, statement.value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                found[name] = value.value
            elif isinstance(value, ast.Dict):
                texts = [one.value for one in value.values if isinstance(one, ast.Constant)]
                found[name] = tuple(text for text in texts if isinstance(text, str))
    return found


class _Reader:
    def __init__(self, module: str, *, is_package: bool, constants: dict[str, str | tuple[str, ...]]) -> None:
        self.package = module if is_package else module.rpartition(".")[0]
        self.constants = constants
        self.static: list[Import] = []
        self.packages: list[str] = []

    def read(self, body: list[ast.stmt], scope: Scope) -> None:
        for statement in body:
            self._statement(statement, scope)

    def _statement(self, node: ast.stmt, scope: Scope) -> None:
        match node:
            case ast.Import():
                for alias in node.names:
                    self.static.append(Import(alias.name, (), scope, node.lineno))
            case ast.ImportFrom():
                members = tuple(alias.name for alias in node.names)
                self.static.append(Import(self._absolute(node), members, scope, node.lineno))
            case ast.If() if _is_type_checking(node.test):
                self.read(node.orelse, scope)
            case ast.If():
                self._inside(node, "guarded" if scope == "module" else scope)
            case ast.Try() if any(_catches_import_errors(handler) for handler in node.handlers):
                inner: Scope = "guarded" if scope == "module" else scope
                self.read(node.body, inner)
                for handler in node.handlers:
                    self.read(handler.body, inner)
                self.read([*node.orelse, *node.finalbody], scope)
            case ast.FunctionDef(name="__getattr__") if scope == "module":
                self._inside(node, "attribute")
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._inside(node, "function")
            case _:
                self._inside(node, scope)

    def _inside(self, node: ast.AST, scope: Scope) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.stmt):
                self._statement(child, scope)
            else:
                if isinstance(child, ast.Call):
                    self._call(child, "attribute" if scope == "attribute" else "function")
                self._inside(child, scope)

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = self.package.split(".")
        base = parts[: len(parts) - node.level + 1]
        return ".".join([*base, *([node.module] if node.module else [])])

    def _call(self, call: ast.Call, scope: Scope) -> None:
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if name not in ("import_module", "__import__") or not call.args:
            return
        match call.args[0]:
            case ast.Constant(value=str() as module):
                self.static.append(Import(module, (), scope, call.lineno))
            case ast.JoinedStr(values=values):
                self._formatted(values, scope, call.lineno)

    def _formatted(self, values: list[ast.expr], scope: Scope, line: int) -> None:
        """A module whose name is put together: the modules of a table, or all of a package."""
        prefix = ""
        for value in values:
            text = _text(value, self.constants)
            if text is None:
                table = _table(value, self.constants)
                if table and prefix.endswith("."):
                    self.static += [Import(prefix + entry, (), scope, line) for entry in table]
                else:  # where even the package is worked out, it is the module's own
                    self.packages.append(prefix.rstrip(".") or self.package)
                return
            prefix += text
        self.static.append(Import(prefix, (), scope, line))


def _text(value: ast.expr, constants: dict[str, str | tuple[str, ...]]) -> str | None:
    match value:
        case ast.Constant(value=str() as text):
            return text
        case ast.FormattedValue(value=ast.Name(id=name)):
            known = constants.get(name)
            return known if isinstance(known, str) else None
    return None


def _table(value: ast.expr, constants: dict[str, str | tuple[str, ...]]) -> tuple[str, ...]:
    match value:
        case ast.FormattedValue(value=ast.Subscript(value=ast.Name(id=name))):
            known = constants.get(name)
            return known if isinstance(known, tuple) else ()
    return ()


def _is_type_checking(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def _catches_import_errors(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    return any(_name(one) in _CAUGHT for one in _types(handler.type))


def _types(node: ast.expr) -> Iterator[ast.expr]:
    yield from node.elts if isinstance(node, ast.Tuple) else [node]


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")
