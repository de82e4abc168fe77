"""Which DAG does ``path.py:dag`` name?

A module is imported under the name by which every other process (a worker, a Lambda function) can import it too.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType

from stepweave.authoring.dags import Dag
from stepweave.authoring.modules import MADE_HERE, importable_file
from stepweave.authoring.source import is_ours, shown
from stepweave.authoring.suggest import did_you_mean
from stepweave.errors import DagError, Problem, UsageError

FOLDER = "statemachines"
"""Folder, in the working directory, in which DAGs are looked up by id."""

_FORMS = f"give a file (path/to/file.py), a file and a DAG (file.py:dag), or the id of a DAG in ./{FOLDER}"


def load(target: str) -> Dag:
    """The DAG that ``path.py``, ``path.py:dag`` or a DAG's id names.

    Raises ``UsageError`` when there is none or more than one, and ``DagError`` when the module cannot be imported.
    """
    file, colon, name = target.rpartition(":")
    if colon and file.endswith(".py"):
        return _named(file, name)
    return _only(target) if is_path(target) else _by_id(target)


def is_path(target: str) -> bool:
    """Whether ``target`` names a file, or a DAG in a file, rather than the id of a DAG."""
    return target.endswith(".py") or os.sep in target or ".py:" in target


def all_dags(folder: str = FOLDER) -> tuple[Dag, ...]:
    """Every DAG of the modules in ``folder``, by file and then in the order written.

    Raises ``UsageError`` where two have the same id, and ``DagError`` when a module cannot be imported.
    """
    found: dict[str, Dag] = {}
    for file in _modules(Path(folder)):
        for dag in dags_in(import_file(str(file))).values():
            other = found.setdefault(dag.id, dag)
            if other is not dag:
                places = f"{other.source.file}:{other.source.line} and {dag.source.file}:{dag.source.line}"
                raise UsageError(
                    f"two DAGs have the id {dag.id!r}: {places}; give one of them another dag_id"
                )
    return tuple(found.values())


def module_root(dag: Dag) -> tuple[tuple[str, ...], str]:
    """The folders that ``sys.path`` needs, and the module name, to import the DAG's module in another process."""
    file = getattr(sys.modules.get(dag.made_in), "__file__", None) or dag.function.__code__.co_filename
    folder = Path(file).resolve().parent
    for _ in range(dag.module.count(".")):
        folder = folder.parent
    return (str(folder),), dag.module


def import_file(path: str) -> ModuleType:
    """The module of a file, imported once. Raises ``UsageError`` when there is no such file."""
    file = Path(path)
    if not file.is_file():
        raise UsageError(f"there is no file {path!r}; {_FORMS}")
    folder, name = importable_file(file)
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    loaded = sys.modules.get(name)
    if loaded is None:
        loaded = _imported(name, path)
    if not _is_file(loaded, file):
        other = getattr(loaded, "__file__", None) or "a built-in module"
        raise UsageError(
            f"{path!r} cannot be imported: the module name {name!r} means {other}; rename the file"
        )
    return loaded


def _is_file(module: ModuleType, file: Path) -> bool:
    origin = getattr(module, "__file__", None)
    return origin is not None and Path(origin).resolve() == file.resolve()


def _imported(name: str, path: str) -> ModuleType:
    importlib.invalidate_caches()  # the file may be newer than the last look into its folder
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            raise _shadowed(name, path) from error
        raise _import_error(error, path) from error
    except (Exception, SystemExit) as error:  # a module runs whatever its author wrote
        raise _import_error(error, path) from error


def _shadowed(name: str, path: str) -> UsageError:
    """The error for a module that cannot be found under its own name: a package of that name hides its folder."""
    package = sys.modules.get(name.partition(".")[0])
    other = getattr(package, "__file__", None) or "another package"
    return UsageError(
        f"{path!r} cannot be imported as {name!r}: {other} has the same name; rename the folder, "
        "or put an empty __init__.py into it"
    )


def _import_error(error: BaseException, path: str) -> DagError:
    file, line = _place(error, path)
    problem = Problem(
        what=f"importing it raised {type(error).__name__}: {error}",
        code="import",
        file=file,
        line=line,
        fix=f"run `python {path}` to see the whole traceback",
    )
    return DagError([problem])


def _place(error: BaseException, path: str) -> tuple[str, int | None]:
    """File and line of the user's code in which an import failed."""
    if isinstance(error, SyntaxError) and error.filename:
        return shown(error.filename), error.lineno
    place: tuple[str, int | None] = (path, None)
    step = error.__traceback__
    while step is not None:
        file = step.tb_frame.f_code.co_filename
        if not (is_ours(file) or file.startswith("<") or file == importlib.__file__):
            place = (shown(file), step.tb_lineno)
        step = step.tb_next
    return place


def dags_in(module: ModuleType) -> dict[str, Dag]:
    """DAGs of a module by name, in the order written: those it makes, or where there are none, those it imports.

    A DAG that a factory made, and that is bound to no name, has its id as name.
    """
    bound: dict[int, str] = {}
    for name, value in vars(module).items():
        if isinstance(value, Dag):
            bound.setdefault(id(value), name)
    made = {bound.get(id(dag), dag.id): dag for dag in vars(module).get(MADE_HERE, ())}
    found = {name: vars(module)[name] for name in bound.values()}
    own = made | {name: dag for name, dag in found.items() if dag.made_in == module.__name__}
    return own or found


def _only(path: str) -> Dag:
    dags = dags_in(import_file(path))
    if not dags:
        raise UsageError(f"{path} has no DAG; decorate a function with @dag")
    if len(dags) > 1:
        choices = ", ".join(f"{path}:{name}" for name in dags)
        raise UsageError(f"{path} has {len(dags)} DAGs; name one of them: {choices}")
    return next(iter(dags.values()))


def _named(path: str, name: str) -> Dag:
    module = import_file(path)
    found = getattr(module, name, None)
    if isinstance(found, Dag):
        return found
    dags = dags_in(module)
    by_id = {dag.id: dag for dag in dags.values()}
    if name in by_id:
        return by_id[name]
    advice = did_you_mean(name, {*dags, *by_id}) if dags else "it has none; decorate a function with @dag"
    raise UsageError(f"{path} has no DAG {name!r}; {advice}")


def _modules(folder: Path) -> list[Path]:
    return sorted(
        file
        for file in folder.rglob("*.py")
        if not any(part.startswith((".", "_")) for part in file.relative_to(folder).parts)
    )


def _by_id(dag_id: str) -> Dag:
    folder = Path(FOLDER)
    if not folder.is_dir():
        raise UsageError(f"cannot look up DAG {dag_id!r}: there is no folder {FOLDER}/ here; {_FORMS}")
    # The module that is named like the DAG comes first: usually no other one need be imported.
    files = sorted(_modules(folder), key=lambda file: file.stem != dag_id)
    known: set[str] = set()
    broken: list[Problem] = []
    for file in files:
        try:
            dags = {dag.id: dag for dag in dags_in(import_file(str(file))).values()}
        except DagError as error:  # it may not be the module that is meant
            broken += error.problems
            continue
        if dag_id in dags:
            return dags[dag_id]
        known |= dags.keys()
    if broken:
        raise DagError(broken)
    raise UsageError(f"there is no DAG {dag_id!r} in {FOLDER}/; {did_you_mean(dag_id, known)}")
