"""``stepweave logs --env``: what the tasks of a deployed run logged and printed."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby

from stepweave.cli.answer import Answer
from stepweave.cli.targets import task_and_index
from stepweave.deployed.deployment import Deployment, open_deployment
from stepweave.deployed.executions import describe
from stepweave.deployed.finding import find_run
from stepweave.deployed.log_groups import LogGroups
from stepweave.deployed.names import job_log_group, task_log_group
from stepweave.deployed.task_logs import MARGIN_MS, Attempt, Line, TaskLogs
from stepweave.errors import UsageError
from stepweave.stores.run_table import DeployedRun

POLL_SECONDS = 3.0
"""Between two looks while a run is followed. FilterLogEvents is throttled to some calls a second
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html)."""
LATE_MS = 10_000
"""Lines that are this old are asked for again: they may arrive late."""


def logs(env: str, name: str, task: str | None, attempt: int | None, follow: bool, as_json: bool) -> Answer:
    """Print what the tasks of a run logged, an attempt after the other; with ``follow`` as it comes."""
    if follow and as_json:
        raise UsageError("--follow prints lines as they come, --json one object at the end; use one of them")
    deployment = open_deployment(env)
    run = find_run(deployment, name)
    task_id, index = (None, None) if task is None else task_and_index(task)
    dag = deployment.dag(run.dag)
    groups = LogGroups(
        deployment.aws,
        [
            dag.task_log_group or task_log_group(env, run.dag),
            dag.job_log_group or job_log_group(env, run.dag),
        ],
    )
    wanted = TaskLogs(groups, run.run_id, task_id, index or None, None if attempt is None else attempt - 1)
    begin, end = _window(deployment, run)
    if follow:
        return _follow(deployment, run, wanted, begin, time.sleep)
    found = wanted.lines(begin, end)
    by_attempt = [(each, list(lines)) for each, lines in _grouped(found)]
    if not as_json:
        for each, lines in by_attempt:
            sys.stdout.write(f"==> {_named(each)}, attempt {each.number + 1} <==\n")
            sys.stdout.writelines(f"{line.text}\n" for line in lines)
        if not found:
            sys.stdout.write(_nothing(groups, wanted) + "\n")
    return Answer({"logs": [_object(each, lines) for each, lines in by_attempt]})


def _window(deployment: Deployment, run: DeployedRun) -> tuple[int, int | None]:
    """When the run went on, in milliseconds since the epoch; of a run that goes on without an end."""
    states = [describe(deployment.aws, execution) for execution in sorted(run.executions)]
    if not states:
        raise UsageError(f"run {run.run_id} has not begun, so nothing was logged")
    begin = min(state.started_at for state in states)
    ends = [state.ended_at for state in states]
    known = [end for end in ends if end is not None]
    end = int(max(known) * 1000) + MARGIN_MS if len(known) == len(ends) else None
    return max(0, int(begin * 1000) - MARGIN_MS), end


def _follow(
    deployment: Deployment, run: DeployedRun, wanted: TaskLogs, begin: int, sleep: Callable[[float], None]
) -> Answer:
    """Write lines as they come, until the run has ended and nothing new has come since."""
    seen: set[str] = set()
    while True:
        going_on = run.execution is not None and describe(deployment.aws, run.execution).status == "running"
        fresh = [line for line in wanted.lines(begin) if line.id not in seen]
        for line in fresh:
            sys.stdout.write(f"{_named(line.attempt)}: {line.text}\n")
        sys.stdout.flush()
        seen |= {line.id for line in fresh}
        if fresh:
            begin = max(begin, max(line.at_ms for line in fresh) - LATE_MS)
        if not going_on and not fresh:
            return Answer(None)
        sleep(POLL_SECONDS)


def _grouped(lines: Sequence[Line]) -> Iterator[tuple[Attempt, Iterator[Line]]]:
    """The lines of each attempt, the attempt that logged first before the others."""
    first: dict[Attempt, int] = {}
    for line in lines:
        first.setdefault(line.attempt, line.at_ms)
    ordered = sorted(lines, key=lambda line: (first[line.attempt], line.attempt, line.at_ms))
    return groupby(ordered, key=lambda line: line.attempt)


def _named(attempt: Attempt) -> str:
    return f"{attempt.task}[{attempt.index}]" if attempt.index else attempt.task


def _object(attempt: Attempt, lines: Sequence[Line]) -> Mapping[str, object]:
    text = "".join(f"{line.text}\n" for line in lines)
    return {"task": _named(attempt), "attempt": attempt.number + 1, "text": text}


def _nothing(groups: LogGroups, wanted: TaskLogs) -> str:
    looked = ", ".join(
        f"{name} (which is not there)" if name in groups.missing else name for name in groups.names
    )
    return f"nothing was logged; looked for {wanted.pattern()} in {looked}"
