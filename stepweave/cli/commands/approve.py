"""``stepweave approve``: decide what a run waits for."""

from __future__ import annotations

import getpass
import sys
from argparse import ArgumentParser
from typing import cast

from stepweave.cli.answer import Answer
from stepweave.cli.found import find_run, open_records, root_of, status_now, tasks_now
from stepweave.cli.lazy import environment_command
from stepweave.cli.options import add_env, add_json, add_run, add_store
from stepweave.cli.progress.words import approve_command, in_store, name_of_task, resume_command
from stepweave.cli.targets import task_and_index
from stepweave.embedded.approvals import approve
from stepweave.embedded.taskruns import APPROVAL, TaskRun
from stepweave.errors import UsageError
from stepweave.stores.records import RunRow


def declare(parser: ArgumentParser) -> None:
    """The command's arguments."""
    add_run(parser)
    what = "the approval's task, with the index of its item in brackets (sign_off[3]); none: the only one that waits"
    parser.add_argument("task", metavar="TASK", nargs="?", help=what)
    parser.add_argument("--reject", action="store_true", help="reject it")
    parser.add_argument("--by", metavar="NAME", help="who decides (default: the user of this process)")
    parser.add_argument("--comment", metavar="TEXT", default="", help="what to say with it")
    add_store(parser)
    add_env(parser)
    add_json(parser)


def command(
    *,
    run: str,
    task: str | None,
    reject: bool,
    by: str | None,
    comment: str,
    store: str,
    env: str | None,
    as_json: bool,
) -> Answer:
    """Decide what a run waits for; a decision is made once, and kept with who made it and when.

    A run that is not going on finds the decision when it is resumed.

    Examples:
      stepweave approve latest sign_off
      stepweave approve latest sign_off --reject --by ada --comment "AUC fell"
      stepweave approve latest sign_off --env prod
    """
    by = by or getpass.getuser()
    if env is not None:
        decided = environment_command("approve", store).approve(
            env, run, task, not reject, by, comment, as_json
        )
        return cast(Answer, decided)
    records = open_records(store)
    row = find_run(records, run, store)
    task_id, index = (
        task_and_index(task) if task is not None else _waiting(tasks_now(records, row), row, store)
    )
    root = root_of(records, row)
    decision, told = approve(
        store,
        root.run_id,
        dag=row.dag_id,
        run=row.run_id,
        task=task_id,
        index=index,
        approved=not reject,
        by=by,
        comment=comment,
    )
    if not as_json:
        said = "approved" if decision["approved"] else "rejected"
        sys.stdout.write(f"{task_id} of {row.run_id}: {said} by {decision['by']}\n")
        if not told and status_now(root) != "running":
            sys.stdout.write(
                f"the run is not going on; go on with: {resume_command(root.run_id, in_store(store))}\n"
            )
    return Answer({"run_id": row.run_id, "task": task_id, "index": index, **decision, "told": told})


def _waiting(runs: list[TaskRun], row: RunRow, store: str) -> tuple[str, str]:
    """The one task run that waits for a person."""
    waiting = [run for run in runs if run.status == "waiting" and run.message == APPROVAL]
    if len(waiting) == 1:
        return waiting[0].task, waiting[0].index
    if not waiting:
        raise UsageError(
            f"nothing in run {row.run_id} waits for an approval; see: stepweave show {row.run_id}"
        )
    choices = "\n".join(
        f"  {approve_command(row.run_id, name_of_task(run), in_store(store))}" for run in waiting
    )
    raise UsageError(f"{len(waiting)} tasks of run {row.run_id} wait for an approval; name one:\n{choices}")
