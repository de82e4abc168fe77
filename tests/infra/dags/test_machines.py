"""State machines of a DAG: what they are, and what their placeholders stand for."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from aws_cdk import Stage

from infra.app import arns_of, new_app
from infra.dags.stack import DagStack
from infra.settings import parse
from stepweave.errors import DagError
from tests.infra.dags.empty_code import EmptyCode
from tests.infra.dags.flows import HEAVY, LONG, compiled, written
from tests.infra.dags.stacks import Stacks, arn, synthesized, text

ACCOUNT = "eu-west-1:123456789012"


def test_a_machine_is_a_standard_one_that_logs_everything_but_the_data(watched: Stacks) -> None:
    stack = watched["city_features"]
    machine = stack.only("StepFunctions::StateMachine")
    assert machine["StateMachineName"] == "stepweave-prod-city_features"
    assert machine["StateMachineType"] == "STANDARD"
    assert machine["TracingConfiguration"] == {"Enabled": True}
    logging = machine["LoggingConfiguration"]
    assert (logging["Level"], logging["IncludeExecutionData"]) == ("ALL", False)
    (destination,) = logging["Destinations"]
    assert text(destination["CloudWatchLogsLogGroup"]["LogGroupArn"]) == "<MachineLog.Arn>"
    assert stack.of_type("Logs::LogGroup")["MachineLog"]["LogGroupName"].startswith("/aws/vendedlogs/states/")


def test_every_machine_has_a_role_of_its_own_that_only_it_can_take(watched: Stacks) -> None:
    stack = watched["compensation"]
    machines = stack.of_type("StepFunctions::StateMachine").values()
    roles = {text(machine["RoleArn"]) for machine in machines}
    assert len(roles) == len(machines) == 2
    for machine in machines:
        role = stack.resources[text(machine["RoleArn"])[1:].removesuffix(".Arn>")]["Properties"]
        (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "states.amazonaws.com"}
        own = f"arn:aws:states:{ACCOUNT}:stateMachine:{machine['StateMachineName']}"
        assert arn(trust["Condition"]["ArnLike"]["aws:SourceArn"][0]) == own


def test_runs_start_through_an_alias_of_a_version_that_is_kept(watched: Stacks) -> None:
    stack = watched["city_features"]
    alias = stack.only("StepFunctions::StateMachineAlias")
    assert alias["Name"] == "live"
    preference = alias["DeploymentPreference"]
    assert (preference["Type"], preference["Percentage"], preference["Interval"]) == ("CANARY", 20, 5)
    version = stack.resources[text(preference["StateMachineVersionArn"])[1:-1]]
    assert version["Type"] == "AWS::StepFunctions::StateMachineVersion"
    assert (version["DeletionPolicy"], version["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")
    (alarm,) = preference["Alarms"]
    assert text(alarm)[1:-1] in stack.of_type("CloudWatch::Alarm")


def test_without_a_shift_in_steps_no_alarm_watches_it(local: Stacks) -> None:
    preference = local["churn"].only("StepFunctions::StateMachineAlias")["DeploymentPreference"]
    assert preference["Type"] == "ALL_AT_ONCE"
    assert "Alarms" not in preference
    assert local["churn"].of_type("CloudWatch::Alarm") == {}


@pytest.mark.parametrize("dag", ["digits", "sign_off", "release", "composition", "churn", "heavy"])
def test_every_placeholder_of_a_definition_has_a_value(watched: Stacks, dag: str) -> None:
    uploads = json.loads(
        next((watched.folder / "cdk.out").glob(f"*/*{dag.replace('_', '')}*.assets.json")).read_text()
    )
    for machine in watched[dag].of_type("StepFunctions::StateMachine").values():
        key = machine["DefinitionS3Location"]["Key"]
        definition = Path(uploads["files"][key.partition(".")[0]]["source"]["path"]).read_text()
        wanted = set(re.findall(r"\$\{(\w+)\}", definition))
        assert wanted == set(machine.get("DefinitionSubstitutions", {}))


def test_the_definition_that_is_uploaded_is_the_committed_file(watched: Stacks) -> None:
    assets = json.loads(next((watched.folder / "cdk.out").glob("*/*digits*.assets.json")).read_text())
    paths = {Path(one["source"]["path"]) for one in assets["files"].values()}
    flow = compiled("digits")
    for name, content in flow.files.items():
        (path,) = [one for one in paths if one.name == name]
        assert path.parent.name == "asl"
        assert path.read_bytes() == content


def test_what_a_placeholder_stands_for(watched: Stacks) -> None:
    stack = watched["churn"]
    values = stack.only("StepFunctions::StateMachine")["DefinitionSubstitutions"]
    runner = stack.resources[text(values["TaskRunner"])[1:-1]]
    job = stack.resources[text(values["JobDefinition_train"])[1:].removesuffix(".JobDefinitionArn>")]
    assert runner["Type"] == "AWS::Lambda::Version"
    assert job["Type"] == "AWS::Batch::JobDefinition"
    assert arn(values["JobQueue_cpu_spot"]) == f"arn:aws:batch:{ACCOUNT}:job-queue/stepweave-prod-cpu_spot"
    assert arn(values["Rendezvous"]) == f"arn:aws:lambda:{ACCOUNT}:function:stepweave-prod-rendezvous:live"


def test_another_dag_is_run_through_its_alias_by_name(watched: Stacks) -> None:
    values = watched["composition"].only("StepFunctions::StateMachine")["DefinitionSubstitutions"]
    live = f"arn:aws:states:{ACCOUNT}:stateMachine:stepweave-prod-city_features:live"
    assert arn(values["Dag_city_features"]) == live


def test_a_definition_that_is_not_the_committed_one_is_refused(tmp_path: Path) -> None:
    flow = written(tmp_path, HEAVY, "heavy_stale")
    (tmp_path / "asl" / "heavy.asl.json").write_text("{}")
    settings = parse("dev", {}, "dev.toml")
    stage = Stage(new_app(outdir=str(tmp_path / "out")), "dev")
    with pytest.raises(DagError, match=r"stepweave compile heavy"):
        DagStack(
            stage, "heavy", compiled=flow, settings=settings, arns=arns_of(settings), code=EmptyCode(tmp_path)
        )


def test_a_part_of_a_dag_is_called_by_its_version_and_made_before(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    flow = written(tmp_path_factory.mktemp("long_wait"), LONG, "long_wait_dag")
    settings = {"account": "123456789012", "region": "eu-west-1"}
    stack = synthesized(tmp_path, "dev", settings, [flow])["long_wait"]
    machines = {one["StateMachineName"]: one for one in stack.of_type("StepFunctions::StateMachine").values()}
    part = next(name for name in machines if name != "stepweave-dev-long_wait")
    values = machines["stepweave-dev-long_wait"]["DefinitionSubstitutions"]
    (placeholder,) = [name for name in values if name.startswith("Machine_")]
    version = stack.resources[text(values[placeholder])[1:-1]]
    assert version["Type"] == "AWS::StepFunctions::StateMachineVersion"
    called = stack.resources[text(version["Properties"]["StateMachineArn"])[1:-1]]
    assert called["Properties"]["StateMachineName"] == part
    assert json.loads(arn(stack.only("SSM::Parameter")["Value"]))["machines"] == {
        part.partition("--")[2]: f"arn:aws:states:{ACCOUNT}:stateMachine:{part}"
    }
