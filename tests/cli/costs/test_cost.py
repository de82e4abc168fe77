"""``stepweave cost``: of a DAG, of a run, of all DAGs, and of the templates of an environment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stepweave.cli.main import execute
from tests.deployed.deployed_world import World, deployed_world
from tests.deployed.engine_histories import EngineAsStepFunctions, engines_kept

Capture = pytest.CaptureFixture[str]

CLOCK = """
from stepweave import Cron, dag, task
from stepweave.errors import TransientError
from pathlib import Path

@task(retries=2, retry_delay="1s")
def flaky() -> int:
    if not Path("tried").exists():
        Path("tried").touch()
        raise TransientError("once")
    return 1

@task(gpu=1, timeout="2h")
def train(n: int) -> int:
    return n

@dag(schedule=Cron("0 6 * * *"))
def nightly():
    train(flaky())
"""


def json_of(capfd: Capture, *argv: str, status: int = 0) -> dict[str, Any]:
    assert execute([*argv, "--json"]) == status
    found = json.loads(capfd.readouterr().out)
    assert isinstance(found, dict)
    return found


def text_of(capfd: Capture, *argv: str, status: int = 0) -> str:
    assert execute(argv) == status
    captured = capfd.readouterr()
    return captured.out + captured.err


@pytest.fixture
def nightly(project: Path) -> str:
    (project / "statemachines" / "nightly.py").write_text(CLOCK)
    return "nightly"


@pytest.fixture
def ran(project: Path, capfd: Capture) -> str:
    """A DAG that has run once, as ``nightly-r1``; its tasks need no process of their own."""
    light = CLOCK.replace('gpu=1, timeout="2h"', "")
    (project / "statemachines" / "nightly.py").write_text(light)
    json_of(capfd, "run", "nightly", "--inline", "--run-id", "nightly-r1")
    return "nightly"


def test_a_dag_is_priced_by_its_durations_and_its_schedule(
    nightly: str, project: Path, capfd: Capture
) -> None:
    (project / "d.json").write_text('{"flaky": 2, "train": 3600}')
    found = json_of(capfd, "cost", nightly, "--durations", "d.json")
    assert found["dag_id"] == "nightly"
    assert found["tasks"]["train"] == pytest.approx(1.006, rel=0.02)
    assert found["usd"] == pytest.approx(sum(found["tasks"].values()) + found["around"], abs=1e-8)
    assert found["usd"] == pytest.approx(sum(line["usd"] for line in found["lines"]), abs=1e-8)
    assert found["runs_per_month"] == pytest.approx(730 / 24)
    assert found["usd_per_month"] == pytest.approx(found["usd"] * 730 / 24, rel=1e-6)
    assert found["transitions"] == json_of(capfd, "plan", nightly)["transitions"]


def test_people_read_the_dearest_first_and_what_is_assumed(nightly: str, capfd: Capture) -> None:
    out = text_of(capfd, "cost", nightly)
    assert out.startswith("nightly: $0.0")
    assert "EC2: jobs with a GPU, g5.xlarge" in out
    assert "30.4 runs a month: $" in out
    assert "2 of 2 tasks have no known duration: 1 s each" in out


def test_runs_and_region_may_be_said(nightly: str, capfd: Capture) -> None:
    home = json_of(capfd, "cost", nightly, "--runs", "100")
    away = json_of(capfd, "cost", nightly, "--runs", "100", "--region", "sa-east-1")
    assert home["runs_per_month"] == away["runs_per_month"] == 100
    assert away["usd"] > home["usd"]
    assert "no prices for the region 'mars'" in text_of(capfd, "cost", nightly, "--region", "mars", status=2)


@pytest.mark.parametrize("text", ["0", "-3", "nan", "inf", "many"])
def test_runs_are_a_number_above_0(nightly: str, capfd: Capture, text: str) -> None:
    out = text_of(capfd, "cost", nightly, f"--runs={text}", status=2)
    assert f"expected a number above 0, got '{text}'" in out


def test_others_are_compared_with_when_asked(nightly: str, capfd: Capture) -> None:
    found = json_of(capfd, "cost", nightly, "--compare")
    assert found["compared"]["metaflow"]["usd"] > found["usd"]
    assert found["compared"]["mwaa"]["usd_per_month"] == pytest.approx(357.7)
    assert "the same on" in text_of(capfd, "cost", nightly, "--compare")
    assert "compared" not in json_of(capfd, "cost", nightly)


def test_a_run_is_priced_by_what_it_took_with_its_retries(ran: str, capfd: Capture) -> None:
    found, plan = json_of(capfd, "cost", "nightly-r1"), json_of(capfd, "plan", ran)
    assert (found["run_id"], found["status"]) == ("nightly-r1", "success")
    assert found["transitions"] == plan["transitions"] + 1
    assert calls_in(found) == calls_in(json_of(capfd, "cost", ran)) + 1
    assert json_of(capfd, "cost", "latest") == found


def calls_in(found: dict[str, Any]) -> float:
    return next(float(line["amount"]) for line in found["lines"] if line["what"] == "function calls")


def test_a_run_that_failed_says_that_its_transitions_are_the_most(
    diamond: str, project: Path, capfd: Capture
) -> None:
    (project / "broken").touch()
    text_of(capfd, "run", diamond, "--inline", "--run-id", "r2", status=1)
    out = text_of(capfd, "cost", "r2")
    assert "r2 (failed): $" in out
    assert "it made fewer" in out


def test_what_a_run_took_is_not_to_be_assumed(ran: str, capfd: Capture) -> None:
    out = text_of(capfd, "cost", "nightly-r1", "--items", "a=2", status=2)
    assert "'nightly-r1' is a run: what it took is known" in out


def test_an_id_of_a_dag_is_not_taken_for_the_beginning_of_a_run(ran: str, capfd: Capture) -> None:
    assert "run_id" not in json_of(capfd, "cost", ran)
    assert json_of(capfd, "cost", "nightly-r")["run_id"] == "nightly-r1"


@pytest.fixture
def world(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with deployed_world(str(project / "store"), monkeypatch) as found:
        yield found


def run_deployed(world: World, monkeypatch: pytest.MonkeyPatch, capfd: Capture, *, resumed: bool) -> None:
    """Run the DAG here, as if it had run in the environment; ``resumed``: it failed at first."""
    light = CLOCK.replace('gpu=1, timeout="2h"', "")
    Path("statemachines/nightly.py").write_text(light)
    with engines_kept(monkeypatch) as engines:
        json_of(capfd, "run", "nightly", "--inline", "--run-id", "n1", "--store", world.store)
    world.step_functions = EngineAsStepFunctions(engines[0])
    world.deploy("nightly")
    world.record("nightly", "n1", execution=world.step_functions.root.arn)
    if resumed:
        world.record("nightly", "n1", execution=world.step_functions.root.arn + "-r1")
        world.step_functions = Twice(world.step_functions)


class Twice:
    """Step Functions that shows a resumed execution as one like the first."""

    def __init__(self, shown: EngineAsStepFunctions) -> None:
        self._shown = shown

    def describe_execution(self, executionArn: str) -> dict[str, Any]:  # noqa: N803
        return self._shown.describe_execution(executionArn.removesuffix("-r1"))

    def get_execution_history(self, executionArn: str, **asked: Any) -> dict[str, Any]:  # noqa: N803
        return self._shown.get_execution_history(executionArn.removesuffix("-r1"), **asked)


def test_a_run_of_an_environment_is_priced_by_its_history_in_the_region_of_the_environment(
    world: World, monkeypatch: pytest.MonkeyPatch, capfd: Capture
) -> None:
    run_deployed(world, monkeypatch, capfd, resumed=False)
    found = json_of(capfd, "cost", "latest", "--env", "dev")
    here = json_of(capfd, "cost", "n1", "--store", world.store, "--region", world.region)
    assert (found["run_id"], found["status"], found["region"]) == ("n1", "success", "eu-central-1")
    assert found["transitions"] == here["transitions"]
    assert calls_in(found) == calls_in(here)
    assert json_of(capfd, "cost", "n1", "--env", "dev", "--region", "us-east-1")["region"] == "us-east-1"


def test_all_executions_of_a_resumed_run_are_paid_for(
    world: World, monkeypatch: pytest.MonkeyPatch, capfd: Capture
) -> None:
    run_deployed(world, monkeypatch, capfd, resumed=True)
    found = json_of(capfd, "cost", "n1", "--env", "dev")
    plan = json_of(capfd, "plan", "nightly")
    assert found["transitions"] == 2 * (plan["transitions"] + 1)
    assert "it made fewer" not in text_of(capfd, "cost", "n1", "--env", "dev")


def test_an_environment_is_asked_for_a_run(world: World, capfd: Capture) -> None:
    assert "--env needs a RUN" in text_of(capfd, "cost", "--env", "dev", status=2)


def test_without_a_target_all_dags_are_listed_with_their_month(
    nightly: str, diamond: str, capfd: Capture
) -> None:
    found = json_of(capfd, "cost")
    assert [row["dag_id"] for row in found["dags"]] == ["nightly", "diamond"]
    assert found["dags"][1]["runs_per_month"] is None
    assert found["usd_per_month"] == pytest.approx(found["dags"][0]["usd_per_month"])
    assert "a month by their schedules" in text_of(capfd, "cost")


def test_templates_are_priced_while_nothing_runs(project: Path, capfd: Capture) -> None:
    resources = {
        "A": {"Type": "AWS::CloudWatch::Alarm", "Properties": {"MetricName": "Errors"}},
        "N": {"Type": "AWS::EC2::NatGateway", "Properties": {}},
        "X": {"Type": "AWS::Neptune::DBCluster", "Properties": {}},
    }
    (project / "cdk.out").mkdir()
    (project / "cdk.out" / "a.template.json").write_text(json.dumps({"Resources": resources}))
    found = json_of(capfd, "cost", "--template", "cdk.out")
    assert (found["usd_per_month"], found["usd_per_month_less_free"]) == (0.1, 0.0)
    assert found["network_usd_per_month"] == pytest.approx(36.5)
    assert found["unknown"] == {"AWS::Neptune::DBCluster": 1}
    out = text_of(capfd, "cost", "--template", "cdk.out")
    assert "1 stack, 3 resources: $0.10 a month while nothing runs; $0 less the free tiers" in out
    assert "not priced, since nothing is known of them here: AWS::Neptune::DBCluster (1)" in out
    assert "exclude one another" in text_of(capfd, "cost", "x", "--template", "cdk.out", status=2)
