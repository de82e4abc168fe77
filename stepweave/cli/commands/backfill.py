"""``stepweave backfill``: one run per logical date."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from collections import Counter

from stepweave.authoring.dags import Dag
from stepweave.authoring.schedule import Every, Schedule, mistakes
from stepweave.cli.answer import Answer
from stepweave.cli.backfilling.dates import logical_dates
from stepweave.cli.backfilling.runs import Backfill, DatedRun, found_in, planned
from stepweave.cli.found import open_records
from stepweave.cli.lazy import environment_command
from stepweave.cli.options import add_env, add_json, add_params, add_store, add_target, positive
from stepweave.cli.params import read_params
from stepweave.cli.progress.words import duration, first_line
from stepweave.cli.screen import Table, print_table
from stepweave.errors import UsageError
from stepweave.loading import load
from stepweave.runtime.run_ids import check_run_id


def declare(parser: ArgumentParser) -> None:
    """The command's arguments."""
    add_target(parser)
    parser.add_argument(
        "--start", metavar="DATE", required=True, help="first date: 2026-01-31, with a time or not"
    )
    parser.add_argument("--end", metavar="DATE", required=True, help="last date; a day counts to its end")
    every = "distance of the dates (1d, 6h), for a DAG without a schedule or instead of it"
    parser.add_argument("--every", metavar="TIME", help=every)
    parser.add_argument("--reverse", action="store_true", help="newest date first")
    at_once = "runs at a time (default: 1)"
    parser.add_argument("--concurrency", type=positive, default=1, metavar="N", help=at_once)
    again = parser.add_mutually_exclusive_group()
    resume = "go on with runs that failed, with the params that they had (default)"
    again.add_argument("--resume", dest="rerun", action="store_false", default=False, help=resume)
    again.add_argument("--rerun", action="store_true", help="run every date again, also those that succeeded")
    add_params(parser)
    workers = "worker processes of each run; default: the CPUs shared among the runs"
    parser.add_argument("--workers", type=positive, metavar="N", help=workers)
    add_store(parser)
    add_env(parser)
    add_json(parser)


def command(
    *,
    target: str,
    start: str,
    end: str,
    every: str | None,
    reverse: bool,
    concurrency: int,
    rerun: bool,
    pairs: list[str],
    params_file: str | None,
    workers: int | None,
    store: str,
    env: str | None,
    as_json: bool,
) -> Answer:
    """Run a DAG once for each logical date of its schedule in a range; dates that have succeeded are skipped.

    Ctrl-C cancels the runs that go on and begins no more; the same command then goes on where it was. With --env the
    runs are those of the deployed DAG: Ctrl-C begins no more, those that go on do so, and it says how to stop them.

    Examples:
      stepweave backfill sales --start 2026-01-01 --end 2026-01-31
      stepweave backfill sales --start 2026-01-01 --end 2026-01-31 --every 1d --reverse --concurrency 4
    """
    dag = load(target)
    params = dag.validate_params(read_params(pairs, params_file, dag.params_from_text))
    moments = logical_dates(_schedule(dag, every), start, end)
    moments = moments[::-1] if reverse else moments

    def tell(run: DatedRun) -> None:
        if not as_json:
            sys.stdout.write(f"{run.date}  {run.status:<9}  {duration(run.wall_seconds or 0)}\n")
            sys.stdout.flush()

    if env is not None:
        command = environment_command("backfill", store)
        ended = command.backfill(env, dag.id, params, moments, concurrency, rerun, tell)
        return _answer(dag.id, ended, as_json)
    runs = planned(found_in(open_records(store)), dag.id, moments, rerun=rerun)
    check_run_id(runs[0].run_id)

    share = workers or max(1, (os.cpu_count() or 1) // concurrency)
    backfill = Backfill(
        target=target, params=params, store=store, concurrency=concurrency, workers=share, told=tell
    )
    return _answer(dag.id, backfill.run(runs), as_json)


def _answer(dag_id: str, ended: list[DatedRun], as_json: bool) -> Answer:
    if not as_json:
        _show(ended)
    bad = any(run.way != "skip" and run.status != "success" for run in ended)
    return Answer({"dag_id": dag_id, "runs": [run.to_json() for run in ended]}, status=1 if bad else 0)


def _schedule(dag: Dag, every: str | None) -> Schedule:
    if every is None and dag.schedule is not None:
        return dag.schedule
    if every is None:
        raise UsageError(f"DAG {dag.id!r} has no schedule; say how far apart the dates are: --every 1d")
    schedule = Every(every)
    for mistake in mistakes(schedule):
        raise UsageError(f"--every: {mistake}")
    return schedule


def _show(runs: list[DatedRun]) -> None:
    rows = [
        (
            run.date,
            run.run_id,
            run.status or "not begun",
            duration(run.wall_seconds) if run.wall_seconds is not None else "",
            "before" if run.way == "skip" else "resumed" if run.way == "resume" else "",
            first_line(run.error, 100),
        )
        for run in runs
    ]
    sys.stdout.write("\n")
    print_table(Table(head=("DATE", "RUN", "STATUS", "TOOK", "", ""), rows=rows, status_column=2))
    counts = Counter(run.status or "not begun" for run in runs)
    summary = ", ".join(f"{number:,} {status}" for status, number in counts.most_common())
    sys.stdout.write(f"\n{len(runs):,} dates: {summary}\n")
