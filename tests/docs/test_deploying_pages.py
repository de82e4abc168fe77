"""docs/deploying.md and docs/operating.md against what they describe."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from infra.arns import Arns
from infra.dags import alarms as dag_alarms
from infra.platform import alarms as fleet_alarms
from infra.settings import parse
from stepweave.deployed import names
from stepweave.graph.model import DagInfo

ROOT = Path(__file__).parent.parent.parent
DEPLOYING = ROOT / "docs" / "deploying.md"
OPERATING = ROOT / "docs" / "operating.md"
ARNS = Arns(env="prod", partition="aws", account="123456789012", region="eu-central-1")


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)


def anchors(page: Path) -> set[str]:
    """Of every heading, as GitHub makes them."""
    titles = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_table_of_settings_is_up_to_date() -> None:
    """When this fails: `make compile`."""
    command = [sys.executable, "-m", "tests.docs.settings_page", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_environment_that_is_shown_can_be_read() -> None:
    (shown,) = blocks(DEPLOYING, "toml")
    assert parse("prod", tomllib.loads(shown), "shown").account == "123456789012"


def test_the_records_are_in_the_table_that_is_deployed() -> None:
    page = (ROOT / "docs" / "records.md").read_text(encoding="utf-8")
    assert f"One DynamoDB table (`{names.table_name('<env>')}`)" in page
    assert f"DynamoDB `{names.table_name('prod')}`;" in OPERATING.read_text(encoding="utf-8")


def test_policies_that_are_shown_are_json() -> None:
    statements = [json.loads(text)["Statement"] for text in blocks(DEPLOYING, "json")]
    assert [one[0]["Action"] for one in statements] == ["sts:AssumeRoleWithWebIdentity", "sts:AssumeRole"]


def test_every_alarm_has_its_heading_in_the_runbook() -> None:
    fleet = {one.name for one in fleet_alarms.watched(ARNS)}
    scheduled = DagInfo(id="d", schedule="cron(0 6 * * *) UTC")
    single = {one.kind for one in dag_alarms.watched(scheduled)}
    assert len(fleet) >= 8
    assert "schedule-missed" in single
    assert fleet | single | {"rollback", "queue-blocked"} <= anchors(OPERATING)


def test_every_heading_that_is_named_as_an_alarm_is_one() -> None:
    text = OPERATING.read_text(encoding="utf-8")
    section = text.split("\n## Alarms\n")[1].split("\n## ")[0]
    headings = set(re.findall(r"^### (.*)$", section, re.M))
    fleet = {one.name for one in fleet_alarms.watched(ARNS)}
    single = {one.kind for one in dag_alarms.watched(DagInfo(id="d", schedule="cron(0 6 * * *) UTC"))}
    assert headings == fleet | single | {"rollback", "queue-blocked"}


@pytest.mark.parametrize(
    "page", [DEPLOYING, OPERATING, ROOT / "docs" / "cost.md"], ids=lambda page: page.name
)
def test_every_link_leads_to_a_page_and_a_heading(page: Path) -> None:
    for file, anchor in re.findall(r"\]\(([\w./-]*\.md)?(?:#([\w-]+))?\)", page.read_text(encoding="utf-8")):
        target = page.parent / file if file else page
        assert target.is_file(), file
        assert not anchor or anchor in anchors(target), (file, anchor)


@pytest.mark.parametrize(
    "name",
    [
        names.dashboard_name("prod"),
        names.machine_name("prod", "churn"),
        names.machine_name("prod", "churn", "cleanup"),
        names.task_log_group("prod", "churn"),
        names.job_log_group("prod", "churn"),
        names.machine_log_group("prod", "churn"),
        names.function_log_group("prod", "recorder"),
        names.function_log_group("prod", "churn/starter"),
        names.dead_letter_queue_name("prod"),
        names.queue_name("prod", "gpu"),
        names.function_name("prod", "recorder"),
        names.schedule_name("prod", "churn"),
        names.platform_parameter("prod"),
        names.dag_parameter("prod", "churn"),
        names.secret_name("prod", "links"),
        names.secret_name("prod", "notify"),
        names.bucket_name("prod", "ACCOUNT", "REGION"),
        names.table_name("prod"),
    ],
)
def test_things_are_called_in_the_runbook_what_they_are_called(name: str) -> None:
    text = OPERATING.read_text(encoding="utf-8")
    assert re.search(rf"(?<![\w-]){re.escape(name)}(?![\w])", text), name


def test_commands_of_the_cdk_name_stacks_that_there_are() -> None:
    """``--all``, or ``ENVIRONMENT/platform`` and ``ENVIRONMENT/DAG`` with the environment that the command is for."""
    for page in (DEPLOYING, OPERATING, ROOT / "docs" / "cost.md"):
        lines = re.findall(
            r"\bcdk (deploy|destroy|diff)((?: [^`\s][^`\n]*)?)", page.read_text(encoding="utf-8")
        )
        for command, rest in lines:
            words = [word for word in rest.split("  ")[0].split() if word not in ("-c", "never")]
            stacks = [word for word in words if not word.startswith("-") and "=" not in word]
            environment = re.search(r"env=(\w+)", rest)
            named = {f"{environment[1]}/{name}" for name in ("platform", "churn")} if environment else set()
            assert set(stacks) <= named | {"cdk.out"}, (page.name, command, rest)


def test_the_workflow_that_is_shown_compiles_without_credentials_and_deploys_what_was_compiled() -> None:
    (shown,) = blocks(DEPLOYING, "yaml")
    synth, deploy = shown.split("\n  synth:\n")[1].split("\n  deploy:\n")
    assert "permissions: {contents: read}" in synth
    assert "aws-actions" not in synth
    assert "id-token: write" in deploy
    assert "deploy --app cdk.out" in deploy
