"""``ecs:runTask``: the containers of a task as subprocesses."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from stepweave.engine import jobs
from stepweave.engine.engine import Engine
from stepweave.engine.execution import Execution
from stepweave.engine.integrations.background import Background
from stepweave.engine.integrations.ecs_run import Container, TaskDefinition, ecs_integrations
from stepweave.engine.jobs import JobDefinition
from stepweave.engine.parsing import parse
from stepweave.errors import DefinitionError
from tests.engine.building import machine

FOREVER = "import time; time.sleep(1000)"


def task(definition: Any = "train", pattern: str = ".sync", **more: Any) -> dict[str, Any]:
    arguments = {"TaskDefinition": definition, "Cluster": "c1", "LaunchType": "FARGATE", **more}
    resource = f"arn:aws:states:::ecs:runTask{pattern}"
    return {"Type": "Task", "Resource": resource, "Arguments": arguments}


def container(code: str, name: str = "main", *, essential: bool = True, **fields: Any) -> Container:
    job = JobDefinition(command=(code,), **fields)
    return Container(name=name, job=job, entry_point=(sys.executable, "-c"), essential=essential)


def engine_of(state: dict[str, Any], *containers: Container, **options: Any) -> Engine:
    definitions = {"train": TaskDefinition(containers=containers)}
    return Engine({"main": parse(machine(("t", state)), "main")}, ecs_integrations(definitions, **options))


def ran(state: dict[str, Any], *containers: Container, **options: Any) -> Execution:
    engine = engine_of(state, *containers, **options)
    return engine.clock.run(engine.run("main", None, "run-1"))


def described(execution: Execution) -> dict[str, Any]:
    """The task in the cause of a failed execution."""
    assert execution.error == "States.TaskFailed", (execution.status, execution.error, execution.cause)
    cause: dict[str, Any] = json.loads(execution.cause or "")
    return cause


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def writing_its_id(file: Path) -> str:
    """A program that writes its process id and waits, deaf to SIGTERM."""
    return (
        "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        f"open({str(file)!r}, 'w').write(str(os.getpid()) + '\\n'); time.sleep(1000)"
    )


async def process_of(file: Path) -> int:
    deadline = time.monotonic() + 10
    while not file.exists() or not file.read_text().endswith("\n"):
        assert time.monotonic() < deadline, "the container does not start"
        await asyncio.sleep(0.01)
    return int(file.read_text())


def test_a_task_that_succeeds_is_described_as_ecs_does() -> None:
    lines: list[tuple[str, str]] = []
    execution = ran(
        task(), container("print('hello')"), on_log=lambda _, name, line: lines.append((name, line))
    )
    result = execution.output
    assert (result["LastStatus"], result["StopCode"]) == ("STOPPED", "EssentialContainerExited")
    assert result["StoppedReason"] == "Essential container in task exited"
    assert result["TaskArn"] == "arn:aws:ecs:local:000000000000:task/c1/run-1-3"
    assert result["ClusterArn"].endswith(":cluster/c1")
    assert result["TaskDefinitionArn"].endswith(":task-definition/train:1")
    assert (result["StartedBy"], result["Group"]) == ("AWS Step Functions", "family:train")
    (only,) = result["Containers"]
    assert (only["Name"], only["ExitCode"], only["LastStatus"]) == ("main", 0, "STOPPED")
    assert result["CreatedAt"] <= result["StartedAt"] <= result["StoppedAt"]
    assert lines == [("main", "hello")]
    assert "TaskSubmitted" in execution.history.kinds()


@pytest.mark.parametrize(
    "code, status", [("raise SystemExit(3)", 3), ("import os; os.kill(os.getpid(), 9)", 137)]
)
def test_a_container_that_fails_fails_the_task(code: str, status: int) -> None:
    result = described(ran(task(), container(code)))
    assert result["Containers"][0]["ExitCode"] == status
    assert result["StopCode"] == "EssentialContainerExited"


def test_a_container_that_cannot_start_fails_the_task() -> None:
    job = JobDefinition(command=("/does/not/exist",))
    result = described(ran(task(), Container(name="main", job=job)))
    assert result["StopCode"] == "TaskFailedToStart"
    assert result["StoppedReason"].startswith("CannotStartContainerError")
    assert "ExitCode" not in result["Containers"][0]


def test_overrides_change_command_and_environment() -> None:
    lines: list[str] = []
    override = {
        "Name": "main",
        "Command": ["import os; print(os.environ['A'], os.environ['B'])"],
        "Environment": [{"Name": "B", "Value": "{% 'over' %}"}],
    }
    ran(
        task(Overrides={"ContainerOverrides": [override]}),
        container("raise SystemExit(1)", environment={"A": "a", "B": "b"}),
        on_log=lambda _, __, line: lines.append(line),
    )
    assert lines == ["a over"]


def test_the_end_of_an_essential_container_is_the_end_of_the_others() -> None:
    result = ran(task(), container("pass"), container(FOREVER, "sidecar")).output
    exits = {item["Name"]: item.get("ExitCode") for item in result["Containers"]}
    assert exits == {"main": 0, "sidecar": None}


def test_a_container_that_is_not_essential_may_end_and_fail_before() -> None:
    code = "import time; time.sleep(0.3)"
    sidecar = container("raise SystemExit(1)", "sidecar", essential=False)
    result = ran(task(), container(code), sidecar).output
    assert {item["Name"]: item["ExitCode"] for item in result["Containers"]} == {"main": 0, "sidecar": 1}


@pytest.mark.parametrize("how", ["stop", "timeout"])
def test_a_task_that_is_left_is_killed(how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "GRACE_SECONDS", 0.1)
    file = tmp_path / "pid"
    state = {**task(), **({"TimeoutSeconds": 1} if how == "timeout" else {})}
    engine = engine_of(state, container(writing_its_id(file)))

    async def main() -> tuple[Execution, int]:
        execution = engine.start("main", None, "run-1")
        process = await process_of(file)
        if how == "stop":
            engine.stop("run-1")
        return await engine.wait(execution.name), process

    execution, process = asyncio.run(main())
    expected = {"stop": ("ABORTED", None), "timeout": ("FAILED", "States.Timeout")}
    assert (execution.status, execution.error) == expected[how]
    assert not is_running(process)


def test_without_a_pattern_the_task_goes_on_after_its_state(tmp_path: Path) -> None:
    file = tmp_path / "done"
    background = Background()
    code = f"import time; time.sleep(0.2); open({str(file)!r}, 'w').write('x')"
    engine = engine_of(task(pattern=""), container(code), background=background)

    async def main() -> tuple[Any, bool]:
        execution = await engine.run("main", None, "run-1")
        before = file.exists()
        await background.settle()
        return execution.output, before

    output, before = asyncio.run(main())
    assert output["Failures"] == []
    assert output["Tasks"][0]["LastStatus"] == "PROVISIONING"
    assert (before, file.exists(), background.running) == (False, True, 0)


@pytest.mark.parametrize("how", ["close", "end of the loop"])
def test_what_no_state_waits_for_is_killed_at_the_end(
    how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "GRACE_SECONDS", 0.1)
    file = tmp_path / "pid"
    background = Background()
    engine = engine_of(task(pattern=""), container(writing_its_id(file)), background=background)

    async def main() -> int:
        await engine.run("main", None, "run-1")
        process = await process_of(file)
        if how == "close":
            await background.close()
            assert not is_running(process)
        return process

    assert not is_running(asyncio.run(main()))


def test_a_task_with_a_token_is_ended_by_it() -> None:
    override = {
        "Name": "main",
        "Command": ["import os; print(os.environ['TOKEN'])"],
        "Environment": [{"Name": "TOKEN", "Value": "{% $states.context.Task.Token %}"}],
    }
    state = task(pattern=".waitForTaskToken", Overrides={"ContainerOverrides": [override]})

    def printed(_: str, __: str, line: str) -> None:
        engine.tokens.send_success(line, {"by": "the container"})

    engine = engine_of(state, container("pass"), on_log=printed)
    assert engine.clock.run(engine.run("main", None, "run-1")).output == {"by": "the container"}


def test_a_task_definition_is_named_by_family_revision_or_arn() -> None:
    for name in ("train", "train:7", "arn:aws:ecs:eu-west-1:123456789012:task-definition/train:7"):
        assert ran(task(name), container("pass")).status == "SUCCEEDED"


def test_a_task_definition_that_is_not_there_is_found_before_anything_runs() -> None:
    with pytest.raises(DefinitionError, match="TaskDefinition names no task definition of this engine"):
        engine_of(task("gone"), container("pass"))
    assert ran(task("{% 'gone' %}"), container("pass")).error == "ECS.ClientException"


@pytest.mark.parametrize(
    "overrides, error",
    [
        ({"ContainerOverrides": [{"Name": "gone"}]}, "ECS.InvalidParameterException"),
        ({"ContainerOverrides": [{"Name": "main", "Environment": [{"Name": "A"}]}]}, "States.Runtime"),
        ({"ContainerOverrides": ["main"]}, "States.Runtime"),
        ([], "States.TaskFailed"),
        (["x"], "States.Runtime"),
    ],
)
def test_overrides_of_a_wrong_form_fail_the_task(overrides: Any, error: str) -> None:
    execution = ran(task(Overrides=overrides), container("raise SystemExit(1)"))
    assert execution.error == error
