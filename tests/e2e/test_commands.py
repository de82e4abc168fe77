"""Every command on the digits pipeline and on files anywhere: shapes of the JSON, exit status, what people read."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.e2e.command import Project, values
from tests.stores.aws_on_loopback import BUCKET, aws_on_loopback, point_to

ROOT = Path(__file__).parents[2]
DIGITS = str(ROOT / "statemachines" / "digits.py")
RUN_KEYS = ["run_id", "dag_id", "status", "tasks", "wall_seconds"]
PLAN_KEYS = [
    "dag_id", "tasks", "states", "transitions", "gates", "signals", "history_events", "definition_bytes", "machines",
]  # fmt: skip

TALKING = """
    import logging
    from helpers import shout

    @task
    def talk(name: str, times: int) -> str:
        print("printed", shout(name))
        logging.getLogger("user").warning("logged %d", times)
        get_current_context().logger.info("from the context")
        os.system("echo from a child")
        return shout(name) * times

    @dag
    def talking(name: str, times: int = 2):
        talk(name, times)
"""


@pytest.fixture
def talking(project: Project) -> str:
    """A DAG in a folder that is no package, with a module beside it; the command is run from elsewhere."""
    folder = project.folder / "some where"
    folder.mkdir()
    Project(folder).write("talking.py", TALKING)
    (folder / "helpers.py").write_text("def shout(text):\n    return text.upper()\n")
    return "some where/talking.py"


@pytest.mark.slow
def test_every_command_on_digits_answers_in_the_shape_of_the_contract(project: Project) -> None:
    plan = project.json("plan", DIGITS)
    assert list(plan) == PLAN_KEYS
    assert plan["tasks"] >= 10
    simulated = project.json("simulate", DIGITS)
    assert list(simulated) == [
        "makespan_seconds", "critical_path_seconds", "critical_path", "transitions", "cost_usd",
    ]  # fmt: skip
    assert simulated["makespan_seconds"] == simulated["critical_path_seconds"]
    assert simulated["transitions"] == plan["transitions"]
    run = project.json("run", DIGITS, "--run-id", "r1")
    assert list(run) == RUN_KEYS
    assert values(run)["summarise"]["accuracy"] >= 0.95
    for task in run["tasks"].values():
        assert {"status", "attempts", "duration_seconds"} <= set(task) <= {
            "status", "attempts", "duration_seconds", "value",
        }  # fmt: skip
    shown = project.json("show", "latest")
    assert {key: shown[key] for key in ("run_id", "dag_id", "status")} == {
        key: run[key] for key in ("run_id", "dag_id", "status")
    }
    assert values(shown) == values(run)
    more = {"params", "started_at", "ended_at", "resumes", "error", "parent", "logical_date", "runs"}
    assert set(shown) == {*RUN_KEYS, *more}
    (listed,) = project.json("runs")["runs"]
    assert listed == {key: shown[key] for key in shown if key not in ("tasks", "runs")}
    assert "svm: accuracy" in project.json("logs", "r1", "confirm")["logs"][0]["text"]
    assert "nothing to resume" in project.run("resume", "r1", status=2).err
    assert project.json("cancel", "r1") == {"run_id": "r1", "dag_id": "digits", "status": "success"}
    assert project.json("compile", DIGITS, "--check") == {"stale": []}
    assert project.json("check", DIGITS)["problems"] == []
    page = project.json("graph", DIGITS, "--format", "html", "-o", "d.html")
    assert page == {"dag_id": "digits", "format": "html", "path": "d.html"}
    ElementTree.fromstring(project.json("graph", DIGITS)["text"])


def test_a_file_outside_of_any_package_runs_from_another_folder(project: Project, talking: str) -> None:
    answer = project.json("run", talking, "--param", "name=ada")
    assert values(answer) == {"talk": "ADAADA"}


def test_a_failed_run_of_a_file_elsewhere_resumes_from_the_same_folder(
    project: Project, talking: str
) -> None:
    helpers = project.folder / "some where" / "helpers.py"
    good = helpers.read_text()
    helpers.write_text("def shout(text):\n    raise KeyError(text)\n")
    assert "KeyError" in project.run("run", talking, "--param", "name=ada", status=1).out
    helpers.write_text(good)
    os.utime(helpers, (1, 1))  # the bytecode of the broken one has the same size and second otherwise
    assert values(project.json("resume", "latest")) == {"talk": "ADAADA"}


@pytest.mark.parametrize("inline", [True, False], ids=["inline", "workers"])
def test_what_a_task_prints_logs_and_starts_is_in_its_log(
    project: Project, talking: str, inline: bool
) -> None:
    options = ["--inline"] if inline else []
    out = project.run("run", talking, "--param", "name=ada", "--run-id", "r1", *options).out
    log = project.run("logs", "r1", "talk").out
    assert "printed ADA" in log
    assert "logged 2" in log
    assert "from the context" in log
    assert "from a child" in (out if inline else log)
    assert ("printed ADA" in out) == inline


@pytest.mark.parametrize(
    "options, words",
    [
        ([], ["param 'name'", "[missing-param]"]),
        (["--param", "nam=x"], ["unknown param 'nam'", "did you mean 'name'?"]),
        (["--param", "name=x", "--param", "times=many"], ["param 'times'", "a valid integer", "'many'"]),
        (["--param", "name"], ["name=VALUE"]),
        (["--param", "name=x", "--run-id", "a/b"], ["run id 'a/b'"]),
        (["--params", "none.json"], ["none.json"]),
    ],
)
def test_wrong_params_are_told_in_words_and_nothing_runs(
    project: Project, talking: str, options: list[str], words: list[str]
) -> None:
    ended = project.run("run", talking, *options, status=2)
    assert ended.out == ""
    assert "Traceback" not in ended.err
    assert [word for word in words if word not in ended.err] == []
    assert not (project.folder / ".stepweave").exists()


def test_python_m_stepweave_is_the_command(project: Project) -> None:
    out = project.run("--version", program=(sys.executable, "-m", "stepweave")).out
    assert out == project.run("--version").out


@pytest.mark.aws
@pytest.mark.parametrize("inline", [True, False], ids=["inline", "workers"])
def test_artifacts_may_be_on_s3(
    project: Project, talking: str, inline: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = f"s3://{BUCKET}/inline-{inline}"
    options = ["--inline"] if inline else []
    with aws_on_loopback() as url:
        point_to(url, monkeypatch)
        answer = project.json("run", talking, "--param", "name=ada", "--store", store, *options)
        assert values(answer) == {"talk": "ADAADA"}
        assert values(project.json("show", "latest", "--store", store)) == {"talk": "ADAADA"}
        assert "printed ADA" in project.run("logs", "latest", "talk", "--store", store).out
    assert {path.name for path in project.folder.iterdir()} == {"some where", ".stepweave"}


def test_a_store_that_does_not_answer_is_told_before_anything_runs(
    project: Project, talking: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
        ("AWS_ACCESS_KEY_ID", "x"),
        ("AWS_SECRET_ACCESS_KEY", "x"),
        ("AWS_REGION", "eu-central-1"),
    ):
        monkeypatch.setenv(name, value)
    ended = project.run("run", talking, "--param", "name=ada", "--store", "s3://nowhere/x", status=2)
    assert "s3://nowhere/x" in ended.err
    assert "Traceback" not in ended.err


def test_a_reader_that_has_enough_is_no_error(project: Project, talking: str) -> None:
    with project.start("plan", talking) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 141


def test_resume_elsewhere_says_where_to_resume(project: Project, talking: str) -> None:
    helpers = project.folder / "some where" / "helpers.py"
    helpers.write_text("def shout(text):\n    raise KeyError(text)\n")
    project.run("run", talking, "--param", "name=ada", "--run-id", "r1", status=1)
    elsewhere = Project(project.folder / "some where")
    err = elsewhere.run("resume", "r1", "--store", "../.stepweave", status=2).err
    assert "there is no file 'some where/talking.py'" in err
    assert "resume it in the folder where it was started" in err
