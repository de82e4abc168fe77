"""Arguments that several commands share, declared once."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime

DEFAULT_STORE = ".stepweave"


def add_target(parser: ArgumentParser) -> None:
    """``TARGET``, one DAG."""
    parser.add_argument("target", metavar="TARGET", help="path.py, path.py:dag, or a DAG's id")


def add_targets(parser: ArgumentParser, *, files: str = "") -> None:
    """``TARGET…``, any number of DAGs; ``files`` are other files that the command takes."""
    what = f"path.py, path.py:dag, {files}or DAG ids; none: all in ./statemachines"
    parser.add_argument("targets", metavar="TARGET", nargs="*", help=what)


def add_params(parser: ArgumentParser) -> None:
    """``--param K=V`` and ``--params FILE``."""
    again = "a param of the run; may be repeated"
    parser.add_argument("--param", "-p", dest="pairs", action="append", default=[], metavar="K=V", help=again)
    over = "JSON file with params; --param goes over it"
    parser.add_argument("--params", dest="params_file", metavar="FILE", help=over)


def add_new_run(parser: ArgumentParser) -> None:
    """``--run-id ID`` and ``--logical-date DATE``, of a run that is to be started."""
    named = "name of the run; default: DAG, time and four characters"
    parser.add_argument("--run-id", metavar="ID", help=named)
    date = "the moment that the run stands for: 2026-01-31, or with a time"
    parser.add_argument("--logical-date", metavar="DATE", type=moment, help=date)


def add_run(parser: ArgumentParser) -> None:
    """``RUN``, one recorded run."""
    parser.add_argument("run", metavar="RUN", help="a run's id, the beginning of it, or latest")


def add_store(parser: ArgumentParser) -> None:
    """``--store STORE``."""
    what = f"where artifacts are: a folder or s3://bucket/prefix (default: {DEFAULT_STORE})"
    parser.add_argument("--store", metavar="STORE", default=DEFAULT_STORE, help=what)


def add_env(parser: ArgumentParser) -> None:
    """``--env NAME``."""
    what = "a deployed environment (dev, prod; local: the local AWS) instead of this machine"
    parser.add_argument("--env", metavar="NAME", help=what)


def add_json(parser: ArgumentParser) -> None:
    """``--json``."""
    parser.add_argument(
        "--json", dest="as_json", action="store_true", help="print one JSON object and nothing else"
    )


def add_workers(parser: ArgumentParser) -> None:
    """``--inline`` and ``--workers N``."""
    where = parser.add_mutually_exclusive_group()
    inline = "run tasks in this process, one at a time: for a debugger"
    where.add_argument("--inline", action="store_true", help=inline)
    workers = "worker processes; default: as many as CPUs, at least 2"
    where.add_argument("--workers", type=positive, metavar="N", help=workers)


def add_needed(parser: ArgumentParser) -> None:
    """``--until TASK…``, also called ``--only``."""
    what = "run only these tasks (or task groups) and what they need"
    parser.add_argument(
        "--until", "--only", dest="needed", nargs="+", action="extend", default=[], metavar="TASK", help=what
    )


def add_no_input(parser: ArgumentParser) -> None:
    """``--no-input``."""
    what = "do not ask for approvals here; decide them with: stepweave approve"
    parser.add_argument("--no-input", action="store_true", help=what)


def moment(text: str) -> str:
    """``text``, a date or a date with a time, as ISO 8601 text with a time zone, UTC where it names none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"expected a date such as 2026-01-31, got {text!r}") from None
    return (found if found.tzinfo is not None else found.replace(tzinfo=UTC)).isoformat()


def positive(text: str) -> int:
    """``text`` as a whole number of at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"expected a whole number of at least 1, got {text!r}")
    return int(text)
