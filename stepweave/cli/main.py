"""The ``stepweave`` command: finds the command, imports only its module, prints its answer or its errors.

Exit status: 0 success, 1 the run failed (or a check did), 2 wrong usage or a DAG that does not compile. With
``--json`` standard output holds exactly one JSON object; whatever a DAG's module prints meanwhile goes to
standard error.
"""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from inspect import cleandoc
from typing import NoReturn, Protocol, cast

from stepweave.cli.answer import Answer, error_object, error_text, to_json
from stepweave.cli.lazy import module_named
from stepweave.errors import StepweaveError, UsageError

COMMANDS: dict[str, str] = {
    "run": "Run a DAG here, in the state machine that AWS would run.",
    "trigger": "Start a run and return: here in the background, or of a deployed DAG.",
    "backfill": "Run a DAG for each date of a range.",
    "compile": "Write the state machines (ASL), or check the committed ones.",
    "plan": "Show states, gates, limits and where tasks run.",
    "graph": "Draw a DAG as SVG, Mermaid or HTML.",
    "simulate": "Makespan, critical path and cost on a virtual clock.",
    "cost": "What AWS bills, before and after a run, and while nothing runs.",
    "execute": "Run a state machine of your own (ASL), as Step Functions runs it.",
    "check": "Find every mistake in all DAGs.",
    "runs": "List runs.",
    "show": "Show one run and its tasks.",
    "logs": "Print what the tasks of a run logged.",
    "resume": "Go on with a run; what succeeded is reused.",
    "approve": "Approve or reject what a run waits for.",
    "cancel": "Stop a run that is going on.",
    "local-aws": "AWS on this machine, to deploy to.",
}
"""Every command, in the order of the help, with its line there; it is in ``commands/NAME.py`` (- as _)."""

HELP = """Usage: stepweave COMMAND [OPTIONS]

Write an ML pipeline as a Python DAG, run it here in the very state machine that AWS will run.

First steps:
  stepweave run statemachines/digits.py                  run a DAG
  stepweave graph digits --format html -o digits.html    look at it
  stepweave runs                                         what ran
  stepweave COMMAND --help                               options and examples

Commands:
{commands}

Options:
  --version  Show the version.
  --help     Show this text.
"""


INTERRUPTED_STATUS = 130
"""Exit status after Ctrl-C outside a run, as shells have it."""
BROKEN_PIPE_STATUS = 141
"""Exit status when nobody reads standard output any more, as shells have it for SIGPIPE."""


class CommandModule(Protocol):
    """What a module in ``commands/`` holds."""

    def declare(self, parser: ArgumentParser) -> None:
        """Add the command's arguments to ``parser``."""

    def command(self, **arguments: object) -> Answer:
        """Run the command; its docstring is the help, from ``Example`` on below the options."""


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run the command line ``argv`` (default: of this process) and exit with its status."""
    try:
        status = execute(sys.argv[1:] if argv is None else list(argv))
    except BrokenPipeError:
        # Whoever read our output (`head`, a pager) has enough. Python would complain again when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        status = BROKEN_PIPE_STATUS
    sys.exit(status)


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
        return _dispatch(argv)
    except StepweaveError as error:
        return Answer(error_object(error), status=2, error=error_text(error))
    except KeyboardInterrupt:
        return Answer(None, status=INTERRUPTED_STATUS, error="interrupted")
    except SystemExit as done:  # argparse ends so after a help page
        return Answer(None, status=int(done.code or 0))


def _dispatch(argv: Sequence[str]) -> Answer:
    name, rest = (argv[0], argv[1:]) if argv else ("--help", ())
    if name in COMMANDS:
        module = cast(CommandModule, module_named(f"stepweave.cli.commands.{name.replace('-', '_')}"))
        parser = _Parser(name, module)
        return module.command(**vars(parser.parse_intermixed_args(list(rest))))
    if name in ("--help", "-h", "help"):
        sys.stdout.write(_help())
        return Answer(None)
    if name == "--version":
        sys.stdout.write(f"stepweave {_version()}\n")
        return Answer(None)
    raise _unknown(name)


class _Parser(ArgumentParser):
    """Parses one command's arguments; its errors are :class:`UsageError`."""

    def __init__(self, name: str, module: CommandModule) -> None:
        text, example, examples = cleandoc(module.command.__doc__ or "").partition("\nExample")
        super().__init__(
            prog=f"stepweave {name}",
            description=text.strip(),
            epilog=example.strip() + examples,
            formatter_class=RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        module.declare(self)

    def error(self, message: str) -> NoReturn:
        """Wrong usage: say what, and where the help is."""
        raise UsageError(f"{message}\n{self.format_usage().strip()}\nTry: {self.prog} --help")


def _help() -> str:
    width = max(map(len, COMMANDS))
    return HELP.format(commands="\n".join(f"  {name:<{width}}  {line}" for name, line in COMMANDS.items()))


def _version() -> str:
    # Reading the metadata of packages takes longer than everything else here, and only --version needs it.
    return str(module_named("importlib.metadata").version("stepweave"))


def _unknown(name: str) -> UsageError:
    near = get_close_matches(name, COMMANDS, n=1)
    meant = f"; did you mean {near[0]!r}?" if near else ""
    what = "option" if name.startswith("-") else "command"
    return UsageError(
        f"there is no {what} {name!r}{meant}\nCommands: {', '.join(COMMANDS)}. Try: stepweave --help"
    )


@contextmanager
def _standard_output_kept(kept: bool) -> Iterator[None]:
    """With ``kept``, what C code and child processes too write to standard output goes to standard error."""
    if not kept:
        yield
        return
    sys.stdout.flush()
    python_stdout, sys.stdout = sys.stdout, sys.stderr
    saved = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        os.dup2(saved, 1)
        os.close(saved)
        sys.stdout = python_stdout
