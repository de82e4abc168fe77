"""Several DAGs by what people type: files, ``file.py:dag``, ids; or nothing, for all there are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from stepweave.authoring.dags import Dag
from stepweave.errors import UsageError
from stepweave.loading import FOLDER, all_dags, dags_in, import_file, load


def load_targets(targets: Sequence[str]) -> tuple[Dag, ...]:
    """The DAGs that ``targets`` name, a file standing for all its DAGs; without targets all in ``./statemachines``."""
    if targets:
        return tuple(dag for target in targets for dag in load_all(target))
    _need_folder()
    return all_dags()


def sources(targets: Sequence[str]) -> tuple[str, ...]:
    """What to check one by one: ``targets``, or without any every module in ``./statemachines``."""
    if targets:
        return tuple(targets)
    _need_folder()
    files = sorted(Path(FOLDER).rglob("*.py"))
    hidden = (".", "_")
    return tuple(
        str(file)
        for file in files
        if not any(part.startswith(hidden) for part in file.relative_to(FOLDER).parts)
    )


def load_all(target: str) -> tuple[Dag, ...]:
    """All DAGs of a file, or the one that ``target`` names otherwise."""
    if target.endswith(".py"):
        return tuple(dags_in(import_file(target)).values())
    return (load(target),)


def task_and_index(text: str) -> tuple[str, str]:
    """Task and index path of ``sign_off[3/0]``."""
    task, bracket, rest = text.partition("[")
    if bracket and not rest.endswith("]"):
        raise UsageError(f"cannot read the task {text!r}; expected TASK or TASK[INDEX], such as sign_off[3]")
    return task, rest.removesuffix("]")


def _need_folder() -> None:
    if not Path(FOLDER).is_dir():
        raise UsageError(
            f"there is no folder {FOLDER}/ here; name a TARGET: path.py, path.py:dag, or go where it is"
        )
