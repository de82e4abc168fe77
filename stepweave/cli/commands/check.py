"""``stepweave check``: every mistake in all DAGs, before anything runs."""

from __future__ import annotations

import sys
from argparse import ArgumentParser

from stepweave.authoring.dags import Dag
from stepweave.cli.answer import Answer
from stepweave.cli.options import add_json, add_targets
from stepweave.cli.progress.words import count
from stepweave.cli.targets import load_all, load_targets, sources
from stepweave.compiler import compile_graph
from stepweave.errors import Problem, ProblemsError
from stepweave.validation.definition import validate


def declare(parser: ArgumentParser) -> None:
    """The command's arguments."""
    add_targets(parser)
    add_json(parser)


def command(*, targets: list[str], as_json: bool) -> Answer:
    """Find every mistake in all DAGs: trace them, check them, compile them, validate the state machines.

    Examples:
      stepweave check
      stepweave check statemachines/digits.py
    """
    checked = [(source, _problems(source)) for source in sources(targets)]
    problems = [problem for _, found in checked for problem in found]
    if not targets and not problems:
        load_targets(())  # raises where two DAGs have one id, which no file alone shows
    if not as_json:
        for source, found in checked:
            sys.stdout.write(f"{'✗' if found else '✓'} {source}\n")
    bad = count(sum(bool(found) for _, found in checked), "file")
    text = (
        "\n".join([*map(str, problems), "", f"{count(len(problems), 'problem')} in {bad}"])
        if problems
        else ""
    )
    answer = {
        "checked": [{"target": source, "ok": not found} for source, found in checked],
        "problems": [problem.to_json() for problem in problems],
    }
    return Answer(answer, status=2 if problems else 0, error=text)


def _problems(source: str) -> list[Problem]:
    """Everything wrong with the DAGs of ``source``."""
    try:
        dags = load_all(source)
    except ProblemsError as error:
        return list(error.problems)
    return [problem for dag in dags for problem in _problems_of(dag)]


def _problems_of(dag: Dag) -> list[Problem]:
    try:
        compiled = compile_graph(dag.graph())
    except ProblemsError as error:
        return list(error.problems)
    return [
        problem
        for name, definition in compiled.machines.definitions.items()
        for problem in validate(definition, name=name or compiled.graph.dag.id)
    ]
