"""``batch:submitJob`` with and without ``.sync``: jobs as subprocesses, their limits really enforced."""

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from stepweave.engine import jobs
from stepweave.engine.engine import Engine
from stepweave.engine.execution import Execution
from stepweave.engine.integrations.background import Background
from stepweave.engine.integrations.batch_submit import batch_integrations
from stepweave.engine.jobs import JobDefinition
from stepweave.engine.parsing import parse
from stepweave.errors import DefinitionError
from tests.engine.building import block, machine

RESOURCE = "arn:aws:states:::batch:submitJob"


def job(definition: str = "job", *, pattern: str = ".sync", **arguments: Any) -> dict[str, Any]:
    given = {"JobName": "train", "JobDefinition": definition, "JobQueue": "gpu", **arguments}
    return {"Type": "Task", "Resource": RESOURCE + pattern, "Arguments": given}


def python(code: str, **fields: Any) -> JobDefinition:
    return JobDefinition(command=(sys.executable, "-c", code), **fields)


def engine(definition: dict[str, Any], job_definition: JobDefinition, **options: Any) -> Engine:
    return Engine({"main": parse(definition, "main")}, batch_integrations({"job": job_definition}, **options))


def ran(state: dict[str, Any], job_definition: JobDefinition, **options: Any) -> Execution:
    """The execution of a machine of one job."""
    built = engine(machine(("j", state)), job_definition, **options)
    return built.clock.run(built.run("main", name="run-1"))


def cause_of(execution: Execution) -> dict[str, Any]:
    assert execution.error == "States.TaskFailed", (execution.status, execution.error, execution.cause)
    cause: dict[str, Any] = json.loads(execution.cause or "")
    return cause


def is_running(pid: int) -> bool:
    """Whether a process goes on; one that was killed may take a moment to be gone."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return False
        except (FileNotFoundError, ProcessLookupError):
            return False
        time.sleep(0.01)
    return True


def wait_for_pids(file: Path) -> list[int]:
    """The process ids in ``file``, once it is written."""
    deadline = time.monotonic() + 10
    while not file.exists() or not file.read_text().endswith("\n"):
        assert time.monotonic() < deadline, "the job does not start"
        time.sleep(0.01)
    return [int(text) for text in file.read_text().split()]


def wait_until_gone(pids: list[int]) -> None:
    deadline = time.monotonic() + 10
    while any(map(is_running, pids)):
        assert time.monotonic() < deadline, "a process of the job survives"
        time.sleep(0.01)


STUBBORN = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
with open(sys.argv[1], "w") as file:
    file.write(f"{os.getpid()} {child.pid}\\n")
time.sleep(1000)
"""


def test_a_job_that_succeeds_is_described_as_batch_does() -> None:
    lines: list[tuple[str, str]] = []
    state = job(Tags={"dag": "digits"})
    definition = python("print('hello'); print('world')", vcpus=2, memory_mib=4096, gpus=1)
    execution = ran(
        state, definition, on_log=lambda arguments, line: lines.append((arguments["JobName"], line))
    )
    detail = execution.output
    assert (detail["Status"], detail["JobName"], detail["JobQueue"], detail["JobDefinition"]) == (
        "SUCCEEDED",
        "train",
        "gpu",
        "job",
    )
    assert detail["Container"]["ExitCode"] == 0
    assert detail["Container"]["ResourceRequirements"] == [
        {"Type": "VCPU", "Value": "2"},
        {"Type": "MEMORY", "Value": "4096"},
        {"Type": "GPU", "Value": "1"},
    ]
    assert [attempt["Container"]["ExitCode"] for attempt in detail["Attempts"]] == [0]
    assert detail["CreatedAt"] <= detail["StartedAt"] <= detail["StoppedAt"]
    assert detail["Tags"] == {"dag": "digits"}
    assert lines == [("train", "hello"), ("train", "world")]
    assert "TaskSubmitted" in execution.history.kinds()


def test_a_job_gets_its_environment() -> None:
    code = (
        "import os; names = ['OMP_NUM_THREADS', 'A', 'B', 'AWS_BATCH_JOB_ID', 'AWS_BATCH_JOB_ATTEMPT'];"
        "print([os.environ[name] for name in names])"
    )
    lines: list[str] = []
    overrides = {"Environment": [{"Name": "B", "Value": "override"}]}
    definition = python(code, vcpus=3, environment={"A": "definition", "B": "definition"})
    ran(job(ContainerOverrides=overrides), definition, on_log=lambda _, line: lines.append(line))
    assert lines == ["['3', 'definition', 'override', 'run-1-3', '1']"]


def test_overrides_and_parameters_change_command_and_resources() -> None:
    lines: list[str] = []
    resources = [{"Type": "VCPU", "Value": "4"}]
    overrides = {"Command": [sys.executable, "-c", "import sys; print(sys.argv[1])", "Ref::word"]}
    state = job(
        ContainerOverrides={**overrides, "ResourceRequirements": resources},
        Parameters={"word": "{% 'par' %}"},
    )
    execution = ran(state, python("raise SystemExit(1)"), on_log=lambda _, line: lines.append(line))
    assert lines == ["par"]
    assert execution.output["Container"]["ResourceRequirements"] == [{"Type": "VCPU", "Value": "4"}]


@pytest.mark.parametrize(
    "code,exit_code", [("raise SystemExit(3)", 3), ("import os; os.kill(os.getpid(), 9)", 137), ("1/0", 1)]
)
def test_a_job_that_fails_is_a_failed_task_whose_cause_describes_it(code: str, exit_code: int) -> None:
    cause = cause_of(ran(job(), python(code)))
    assert (cause["Status"], cause["Container"]["ExitCode"]) == ("FAILED", exit_code)
    assert cause["StatusReason"] == "Essential container in task exited"


def test_a_command_that_does_not_exist_fails_the_job() -> None:
    cause = cause_of(ran(job(), JobDefinition(command=("/does/not/exist",))))
    assert cause["StatusReason"].startswith("CannotStartContainerError")
    assert "ExitCode" not in cause["Container"]


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_DATA of another process can be set on Linux only")
def test_a_job_cannot_take_more_memory_than_it_declares() -> None:
    # The limit is set right after the start, so the job waits for it before it allocates.
    code = """
import resource, time
while resource.getrlimit(resource.RLIMIT_DATA)[0] == resource.RLIM_INFINITY:
    time.sleep(0.001)
try:
    block = bytearray(300 * 1024 * 1024)
except MemoryError:
    raise SystemExit(42)
"""
    assert cause_of(ran(job(), python(code, memory_mib=200)))["Container"]["ExitCode"] == 42
    assert ran(job(), python(code, memory_mib=1000)).status == "SUCCEEDED"


def test_a_job_that_takes_too_long_is_killed_with_all_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "GRACE_SECONDS", 0.1)
    file = tmp_path / "pids"
    definition = JobDefinition(command=(sys.executable, "-c", STUBBORN, str(file)), timeout_seconds=1)
    cause = cause_of(ran(job(), definition))
    assert cause["StatusReason"] == "Job attempt duration exceeded timeout"
    wait_until_gone(wait_for_pids(file))


def test_a_job_is_asked_to_stop_before_it_is_killed() -> None:
    code = """
import signal, sys, time
def stop(number, frame):
    print("saving")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
print("ready", flush=True)
time.sleep(1000)
"""
    lines: list[str] = []
    ran(job(), python(code, timeout_seconds=1), on_log=lambda _, line: lines.append(line))
    assert lines == ["ready", "saving"]


@pytest.mark.parametrize("how", ["cancel", "stop", "state"])
def test_a_cancelled_execution_kills_its_job(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "GRACE_SECONDS", 0.1)
    file = tmp_path / "pids"
    state = {**job(), **({"TimeoutSeconds": 1} if how == "state" else {})}
    built = engine(machine(("j", state)), JobDefinition(command=(sys.executable, "-c", STUBBORN, str(file))))

    async def main() -> None:
        task = asyncio.create_task(built.run("main", name="run-1"))
        while not file.exists():
            await asyncio.sleep(0.01)
        if how == "cancel":
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        elif how == "stop":
            built.stop("run-1", "Operator", "enough")
            await task
        else:
            await task

    built.clock.run(main())
    execution = built.executions["run-1"]
    expected = {
        "cancel": ("ABORTED", None),
        "stop": ("ABORTED", "Operator"),
        "state": ("FAILED", "States.Timeout"),
    }
    assert (execution.status, execution.error) == expected[how]
    wait_until_gone(wait_for_pids(file))


def test_what_a_job_leaves_behind_is_killed_when_it_ends(tmp_path: Path) -> None:
    file = tmp_path / "pids"
    code = f"""
import subprocess
child = subprocess.Popen(["sleep", "1000"])
open({str(file)!r}, "w").write(f"{{child.pid}}\\n")
"""
    assert ran(job(), python(code)).status == "SUCCEEDED"
    wait_until_gone(wait_for_pids(file))


def test_attempts_are_counted_and_told(tmp_path: Path) -> None:
    code = "import os; raise SystemExit(int(os.environ['AWS_BATCH_JOB_ATTEMPT']) < 3)"
    detail = ran(job(RetryStrategy={"Attempts": 5}), python(code)).output
    assert [attempt["Container"]["ExitCode"] for attempt in detail["Attempts"]] == [1, 1, 0]


def test_jobs_wait_until_enough_vcpus_are_free(tmp_path: Path) -> None:
    code = f"""
import os, time
os.mkdir({str(tmp_path / "lock")!r})
time.sleep(0.05)
os.rmdir({str(tmp_path / "lock")!r})
"""
    branches = [block((f"j{number}", job())) for number in range(4)]
    definition = machine(("p", {"Type": "Parallel", "Branches": branches, "Output": "done"}))
    one_at_a_time = engine(definition, python(code, vcpus=2), max_vcpus=3)
    assert one_at_a_time.clock.run(one_at_a_time.run("main")).status == "SUCCEEDED"


def test_a_job_larger_than_the_machine_runs_alone() -> None:
    assert ran(job(), python("pass", vcpus=64), max_vcpus=2).status == "SUCCEEDED"


def test_a_job_definition_that_is_not_there_is_found_before_anything_runs() -> None:
    with pytest.raises(DefinitionError, match="JobDefinition names no job definition"):
        engine(machine(("j", job("gone"))), python("pass"))
    execution = ran(job("{% 'gone' %}"), python("pass"))
    assert execution.error == "Batch.ClientException"


def test_a_line_longer_than_the_buffer_comes_in_parts() -> None:
    lines: list[str] = []
    ran(job(), python("print('x' * 200_000)"), on_log=lambda _, line: lines.append(line))
    assert "".join(lines) == "x" * 200_000


def test_without_sync_the_job_goes_on_after_its_state(tmp_path: Path) -> None:
    file = tmp_path / "done"
    background = Background()
    code = f"import time; time.sleep(0.2); open({str(file)!r}, 'w').write('x')"
    built = engine(machine(("j", job(pattern=""))), python(code), background=background)

    async def main() -> tuple[Any, bool]:
        execution = await built.run("main", name="run-1")
        before = file.exists()
        await background.settle()
        return execution.output, before

    output, before = asyncio.run(main())
    arn = "arn:aws:batch:local:000000000000:job/run-1-3"
    assert output == {"JobArn": arn, "JobId": "run-1-3", "JobName": "train"}
    assert (before, file.exists()) == (False, True)


def test_a_job_that_nothing_waits_for_is_killed_when_the_engine_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "GRACE_SECONDS", 0.1)
    file = tmp_path / "pids"
    definition = JobDefinition(command=(sys.executable, "-c", STUBBORN, str(file)))
    built = engine(machine(("j", job(pattern=""))), definition)

    async def main() -> list[int]:
        await built.run("main", name="run-1")
        return await asyncio.to_thread(wait_for_pids, file)

    assert not any(map(is_running, asyncio.run(main())))


def test_a_job_definition_is_named_by_name_revision_or_arn() -> None:
    for name in ("job", "job:3", "arn:aws:batch:eu-west-1:123456789012:job-definition/job:3"):
        assert ran(job(name), python("pass")).status == "SUCCEEDED"


def test_a_job_knows_that_step_functions_submitted_it() -> None:
    lines: list[str] = []
    code = "import os; print(os.environ['MANAGED_BY_AWS'])"
    ran(job(), python(code), on_log=lambda _, line: lines.append(line))
    assert lines == ["STARTED_BY_STEP_FUNCTIONS"]


@pytest.mark.parametrize(
    "arguments",
    [
        {"ContainerOverrides": {"Environment": [{"Name": "A"}]}},
        {"ContainerOverrides": {"ResourceRequirements": [{"Type": "VCPU", "Value": "many"}]}},
        {"ContainerOverrides": "x"},
        {"RetryStrategy": {"Attempts": []}},
    ],
)
def test_arguments_of_a_wrong_form_fail_the_task(arguments: dict[str, Any]) -> None:
    execution = ran(job(**arguments), python("pass"))
    assert execution.error == "States.Runtime"
    assert "could not be used to start the Task" in (execution.cause or "")


def test_what_is_null_is_not_given() -> None:
    given = {"ContainerOverrides": None, "Parameters": None, "Timeout": None, "RetryStrategy": None}
    assert ran(job(**given), python("pass")).status == "SUCCEEDED"


def test_a_job_that_is_cancelled_again_while_it_ends_is_killed_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "GRACE_SECONDS", 1_000)  # longer than the test may take
    file = tmp_path / "pids"
    definition = JobDefinition(command=(sys.executable, "-c", STUBBORN, str(file)))

    async def main() -> list[int]:
        attempt = asyncio.create_task(jobs.run_attempt(definition, {}, print, time.time))
        pids = await asyncio.to_thread(wait_for_pids, file)
        attempt.cancel()
        await asyncio.sleep(0.05)  # it has been asked to stop, and is deaf
        attempt.cancel()
        with pytest.raises(asyncio.CancelledError):
            await attempt
        return pids

    assert not any(map(is_running, asyncio.run(main())))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a process to its parent")
def test_a_job_dies_with_the_engine_that_is_killed(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    job_code = f"import os, time; open({str(file)!r}, 'w').write(f'{{os.getpid()}}\\n'); time.sleep(1000)"
    code = f"""
import asyncio, sys, time
from stepweave.engine import jobs
definition = jobs.JobDefinition(command=(sys.executable, "-c", {job_code!r}))
asyncio.run(jobs.run_attempt(definition, {{}}, print, time.time))
"""
    with subprocess.Popen([sys.executable, "-c", code]) as engine_process:
        (pid,) = wait_for_pids(file)
        engine_process.kill()
    assert not is_running(pid)
