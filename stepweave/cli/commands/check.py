"""``stepweave check``: every mistake in all DAGs and definitions, before anything runs."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path

from stepweave.authoring.dags import Dag
from stepweave.cli.answer import Answer
from stepweave.cli.options import add_json, add_targets
from stepweave.cli.progress.words import count
from stepweave.cli.targets import load_all, load_targets, sources
from stepweave.compiler import compile_graph
from stepweave.errors import Problem, ProblemsError, UsageError
from stepweave.validation.definition import validate
from stepweave.validation.severity import ADVICE, rejections
from stepweave.validation.text import parsed


@dataclass(frozen=True, slots=True, kw_only=True)
class _Checked:
    """What was found in one file."""

    source: str
    problems: tuple[Problem, ...]
    advice: tuple[Problem, ...] = ()
    """What Step Functions accepts, in a definition that somebody wrote by hand."""


def declare(parser: ArgumentParser) -> None:
    """The command's arguments."""
    add_targets(parser, files="machine.asl.json, ")
    add_json(parser)


def command(*, targets: list[str], as_json: bool) -> Answer:
    """Find every mistake in all DAGs, or in state machine definitions: trace, check, compile, validate.

    Examples:
      stepweave check
      stepweave check statemachines/digits.py
      stepweave check orders.asl.json
    """
    checked = [_check(source) for source in sources(targets)]
    problems = [problem for file in checked for problem in file.problems]
    if not targets and not problems:
        load_targets(())  # raises where two DAGs have one id, which no file alone shows
    if not as_json:
        for file in checked:
            sys.stdout.write(f"{'✗' if file.problems else '✓'} {file.source}\n")
            sys.stdout.writelines(f"{problem}\n" for problem in file.advice)
    bad = count(sum(bool(file.problems) for file in checked), "file")
    text = (
        "\n".join([*map(str, problems), "", f"{count(len(problems), 'problem')} in {bad}"])
        if problems
        else ""
    )
    answer = {
        "checked": [{"target": file.source, "ok": not file.problems} for file in checked],
        "problems": [problem.to_json() for problem in problems],
        "advice": [problem.to_json() for file in checked for problem in file.advice],
    }
    return Answer(answer, status=2 if problems else 0, error=text)


def _check(source: str) -> _Checked:
    """Everything wrong with the DAGs or the definition of ``source``."""
    try:
        if source.endswith(".json"):
            return _check_definition(source)
        dags = load_all(source)
    except ProblemsError as error:
        return _Checked(source=source, problems=error.problems)
    return _Checked(source=source, problems=tuple(problem for dag in dags for problem in _problems_of(dag)))


def _check_definition(source: str) -> _Checked:
    try:
        text = Path(source).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{source} cannot be read: {error}") from error
    found = validate(parsed(text, name=source), name=source, text=text)
    advice = tuple(problem for problem in found if problem.code in ADVICE)
    return _Checked(source=source, problems=rejections(found), advice=advice)


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
