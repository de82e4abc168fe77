"""The ``stepweave`` command: finds the command, imports only its module, prints its answer or its errors.

Exit status: 0 success, 1 the run failed (or a check did), 2 wrong usage or a DAG that does not compile. With ``--json`` standard output
holds exactly one JSON object; whatever a DAG's module prints meanwhile goes to standard error.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from importlib.metadata import version
from typing import Any

import typer
import typer.main

from stepweave.cli.answer import Answer, error_object, error_text, to_json
from stepweave.errors import StepweaveError, UsageError

COMMANDS: dict[str, str] = {
    "run": "Run a DAG here, in the state machine that AWS would run.",
    "compile": "Write the state machines (ASL), or check the committed ones.",
    "plan": "Show states, gates, limits and where tasks run.",
    "graph": "Draw a DAG as SVG, Mermaid or HTML.",
    "simulate": "Makespan, critical path and cost on a virtual clock.",
    "check": "Find every mistake in all DAGs.",
    "runs": "List runs.",
    "show": "Show one run and its tasks.",
    "logs": "Print what the tasks of a run logged.",
    "resume": "Go on with a run; what succeeded is reused.",
    "cancel": "Stop a run that is going on.",
}
"""Every command, in the order of the help, with its line there; ``commands/NAME.py`` holds its function ``command``."""

HELP = """Write an ML pipeline as a Python DAG, run it here in the very state machine that AWS will run.

\b
First steps:
  stepweave run statemachines/digits.py        run a DAG
  stepweave graph digits --format html -o digits.html
  stepweave runs                               what ran
  stepweave COMMAND --help                     options and an example
"""

Command = Callable[..., Answer]


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line ``argv`` (default: of this process) and exit with its status."""
    sys.exit(execute(sys.argv[1:] if argv is None else list(argv)))


def execute(argv: Sequence[str]) -> int:
    """The exit status of the command line ``argv``, after printing its answer."""
    as_json = "--json" in argv
    with _standard_output_kept(as_json):
        answer = _answer(argv)
    if as_json and answer.value is not None:
        sys.stdout.write(to_json(answer.value) + "\n")
    elif answer.error:
        sys.stderr.write(answer.error.rstrip() + "\n")
    sys.stdout.flush()
    return answer.status


def _answer(argv: Sequence[str]) -> Answer:
    try:
        answer = _dispatch(argv)
    except StepweaveError as error:
        return Answer(error_object(error), status=2, error=error_text(error))
    except typer.TyperException as error:
        hint = f"Try: stepweave {argv[0] if argv and argv[0] in COMMANDS else ''} --help".replace("  ", " ")
        usage = UsageError(f"{error.format_message()}\n{hint}")
        return Answer(error_object(usage), status=2, error=error_text(usage))
    except typer.Abort:
        return Answer(None, status=1, error="Aborted.")
    # A help page ends in an exit status, not in an answer.
    return answer if isinstance(answer, Answer) else Answer(None, status=int(answer or 0))


def _dispatch(argv: Sequence[str]) -> object:
    if argv and argv[0] in COMMANDS:
        command = importlib.import_module(f"stepweave.cli.commands.{argv[0]}").command
        app = _application()
        app.command(name=argv[0])(command)
        return typer.main.get_command(app).main(list(argv[1:]), prog_name=f"stepweave {argv[0]}", standalone_mode=False)
    if argv and not argv[0].startswith("-"):
        raise _unknown(argv[0])
    return typer.main.get_command(_overview()).main(list(argv) or ["--help"], prog_name="stepweave", standalone_mode=False)


def _application(**settings: Any) -> typer.Typer:
    # Boxes and colours cost 0.1 s and help nobody in a pipe.
    mode = "rich" if sys.stdout.isatty() else None
    return typer.Typer(add_completion=False, rich_markup_mode=mode, pretty_exceptions_enable=False, **settings)


def _overview() -> typer.Typer:
    """An application that only knows the commands' names and lines, for ``--help`` and ``--version``."""
    app = _application(help=HELP)
    app.callback()(_version_option)
    for name, line in COMMANDS.items():
        app.command(name=name, help=line)(_nothing)
    return app


def _nothing() -> None:
    """Stands for a command in the overview, which never runs one."""


def _show_version(asked: bool) -> None:
    if asked:
        sys.stdout.write(f"stepweave {version('stepweave')}\n")
        raise typer.Exit


def _version_option(
    _version: bool = typer.Option(False, "--version", callback=_show_version, is_eager=True, help="Show the version."),
) -> None:
    pass


def _unknown(name: str) -> UsageError:
    near = get_close_matches(name, COMMANDS, n=1)
    meant = f"; did you mean {near[0]!r}?" if near else ""
    return UsageError(f"there is no command {name!r}{meant}\nCommands: {', '.join(COMMANDS)}. Try: stepweave --help")


@contextmanager
def _standard_output_kept(kept: bool) -> Iterator[None]:
    """With ``kept``, everything written to standard output meanwhile goes to standard error, also from C code and child processes."""
    if not kept:
        yield
        return
    sys.stdout.flush()
    python_stdout, sys.stdout = sys.stdout, sys.stderr
    try:
        saved = os.dup(1)
        os.dup2(2, 1)
        try:
            yield
        finally:
            os.dup2(saved, 1)
            os.close(saved)
    finally:
        sys.stdout = python_stdout
