"""`committed_definitions`: the definition files of a DAG in the repository, which are what is deployed.

What was reviewed is what runs: a DAG whose committed definition is not what its source compiles to is refused.
"""

from __future__ import annotations

from pathlib import Path

from stepweave.compiler import Compiled
from stepweave.errors import DagError, Problem

FOLDER = "asl"
"""Folder beside the module of a DAG, where ``stepweave compile`` writes."""


def committed_definitions(compiled: Compiled) -> dict[str, Path]:
    """The committed file of each machine. Raises ``DagError`` when one is missing or differs."""
    source = compiled.graph.dag.source
    folder = (Path(source.file).parent if source else Path()) / FOLDER
    found: dict[str, Path] = {}
    problems: list[Problem] = []
    for machine in compiled.machines.definitions:
        name = compiled.machines.file_name(machine)
        path = folder / name
        found[machine] = path
        if not path.is_file():
            problems.append(_problem(compiled, path, "there is no such file"))
        elif path.read_bytes() != compiled.files[name]:
            problems.append(_problem(compiled, path, "a definition of an earlier state of the source"))
    if problems:
        raise DagError(problems)
    return found


def _problem(compiled: Compiled, path: Path, got: str) -> Problem:
    source = compiled.graph.dag.source
    return Problem(
        what=f"the committed definition {path} is not what the DAG {compiled.graph.dag.id!r} compiles to",
        code="stale-definition",
        file=source.file if source else None,
        line=source.line if source else None,
        expected="the definition as the compiler writes it, committed",
        got=got,
        fix=f"run `stepweave compile {compiled.graph.dag.id}`, look at the difference and commit it",
    )
