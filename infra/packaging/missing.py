"""`check_imports`: nothing that a bundle imports is missing from it. Found now, not by the first run."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Sequence

from infra.packaging.base import HANDLERS, LIBRARY
from infra.packaging.closure import Closure, Outside
from infra.packaging.dependencies import PROVIDED
from infra.packaging.imports import Import, imports_in
from infra.packaging.parsing import parsed
from infra.packaging.profile import Profile
from stepweave.errors import DagError, Problem


def check_imports(found: Closure, brought: Iterable[str], profile: Profile, calls: Sequence[str]) -> None:
    """Raise ``DagError`` with every import of the user's code that nothing in the bundle answers.

    ``brought``: top-level modules of its dependencies.
    """
    ours = {module.partition(".")[0] for module in found.modules}
    there = {*sys.stdlib_module_names, *ours, *(PROVIDED if profile.kind == "lambda" else ())}
    there.update(brought)
    problems = []
    for one in found.outside:
        home = one.module.partition(".")[0]
        if one.what.scope == "module" and one.package not in there and home != LIBRARY:
            problems.append(_problem(one, None))
    for call in calls:
        problems += [_problem(one, call) for one in _inside(call, found) if one.package not in there]
    if problems:
        raise DagError(list(dict.fromkeys(problems)))


def _problem(one: Outside, call: str | None) -> Problem:
    if call is None:
        where = f"module {one.module} imports {one.what.module} at its top"
        fix = f"add its distribution to @dag(requirements=[...]), or import {one.package} inside the tasks that use it"
        if one.module.partition(".")[0] == HANDLERS:
            fix = "add its distribution to the table in infra/packaging/base.py"
    else:
        where = f"task {call.rpartition(':')[2]} imports {one.what.module}"
        fix = f"add the distribution of {one.package} to its @task(requirements=[...])"
    return Problem(
        what=f"{where}, which none of its requirements brings",
        code="missing-requirement",
        file=str(one.file),
        line=one.what.line,
        expected="a requirement for every import that is neither Python's nor your project's",
        got=f"import of {one.package}",
        fix=fix,
    )


def _inside(call: str, found: Closure) -> Iterator[Outside]:
    """What a task's function imports in its body, and the functions of its module that it names."""
    module, _, name = call.partition(":")
    file = found.modules.get(module)
    if file is None or "#" in name:  # found by tracing: which function that is cannot be read off the source
        return
    functions = _functions(parsed(file))
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current in seen or current not in functions:
            continue
        seen.add(current)
        function = functions[current]
        for one in imports_in(function, module):
            if not _is_ours(one, found):
                yield Outside(one.module.partition(".")[0], module, file, one)
        waiting += [node.id for node in ast.walk(function) if isinstance(node, ast.Name)]


def _is_ours(one: Import, found: Closure) -> bool:
    return one.module in found.modules or any(
        f"{one.module}.{member}" in found.modules for member in one.members
    )


def _functions(tree: ast.Module) -> dict[str, ast.FunctionDef | ast.AsyncFunctionDef]:
    """Functions at the top of a module, by name."""
    return {
        node.name: node for node in tree.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    }
