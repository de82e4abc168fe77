"""What the stack of a DAG holds."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import Stage

from infra.app import arns_of, new_app
from infra.dags.stack import DagStack
from infra.settings import parse
from stepweave.errors import DagError
from tests.infra.dags.conftest import Stacks, synthesized
from tests.infra.dags.empty_code import EmptyCode
from tests.infra.dags.flows import HEAVY, compiled, written

ACCOUNT = "eu-west-1:123456789012"


def text(value: Any) -> str:
    """A value of a template with what is known of its functions filled in."""
    match value:
        case str():
            return value
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(map(text, parts))
        case {"Fn::Sub": pattern}:
            return str(pattern)
    raise AssertionError(f"no text: {value!r}")


def arn(value: Any) -> str:
    return text(value).replace("<AWS::Partition>", "aws")


# State machines.


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


# Functions.


def test_a_dag_has_one_function_for_each_profile_and_the_starter(watched: Stacks) -> None:
    names = {one["FunctionName"] for one in watched["heavy"].of_type("Lambda::Function").values()}
    assert names == {
        "stepweave-prod-heavy--tasks",
        "stepweave-prod-heavy--tasks-2048-t300",
        "stepweave-prod-heavy--starter",
    }


def test_a_function_is_what_its_profile_says(watched: Stacks) -> None:
    functions = {one["FunctionName"]: one for one in watched["heavy"].of_type("Lambda::Function").values()}
    larger = functions["stepweave-prod-heavy--tasks-2048-t300"]
    assert (larger["MemorySize"], larger["Timeout"], larger["EphemeralStorage"]) == (2048, 300, {"Size": 512})
    assert (larger["Runtime"], larger["Architectures"]) == ("python3.13", ["arm64"])
    assert larger["Handler"] == "functions.task_runner.handler.handler"
    assert larger["TracingConfig"] == {"Mode": "Active"}
    variables = larger["Environment"]["Variables"]
    assert variables["STEPWEAVE_STORE"] == "s3://stepweave-prod-123456789012-eu-west-1"
    assert variables["STEPWEAVE_TABLE"] == "stepweave-prod"
    assert variables["POWERTOOLS_TRACE_ENABLED"] == "true"
    assert variables["STEPWEAVE_TASK_METRICS"] == "1"


def test_versions_of_functions_outlive_their_stack(watched: Stacks) -> None:
    for stack in watched.by_dag.values():
        versions = [one for one in stack.resources.values() if one["Type"] == "AWS::Lambda::Version"]
        assert len(versions) == len(stack.of_type("Lambda::Function"))
        assert {one["DeletionPolicy"] for one in versions} == {"RetainExceptOnCreate"}


def functions_and_versions(stacks: Stacks) -> tuple[dict[str, Any], dict[str, str]]:
    """What the functions of ``churn`` are, tags apart, which belong to no version; and the id of each one's version."""
    stack = stacks["churn"]
    functions = {
        name: {key: value for key, value in one.items() if key != "Tags"}
        for name, one in stack.of_type("Lambda::Function").items()
    }
    versions = {
        text(one["FunctionName"])[1:-1]: name for name, one in stack.of_type("Lambda::Version").items()
    }
    return functions, versions


@pytest.mark.parametrize(
    "settings",
    [
        {"alarms": {"per_dag": True}, "tags": {"team": "x"}, "dashboards": {"per_dag": True}},
        {"log_level": "DEBUG"},
        {"tracing": True},
        {"architecture": "x86_64"},
        {"python": "3.12"},
        {"metrics": {"per_task": True}},
        {"retention": {"records_days": 30}},
        {"region": "us-east-1", "account": "123456789012"},
    ],
)
def test_a_version_is_published_when_its_function_changes_and_only_then(
    tmp_path: Path, settings: dict[str, Any], plain: Stacks
) -> None:
    # Lambda refuses to publish what has not changed, and CloudFormation then fails the deployment.
    functions, versions = functions_and_versions(plain)
    after, published = functions_and_versions(synthesized(tmp_path, "dev", settings, [compiled("churn")]))
    assert set(after) == set(functions) == set(versions)
    for name, function in functions.items():
        assert (after[name] == function) == (published[name] == versions[name]), name


def test_the_starter_knows_its_dag_and_starts_the_alias(watched: Stacks) -> None:
    (starter,) = [
        one
        for one in watched["churn"].of_type("Lambda::Function").values()
        if one["FunctionName"].endswith("--starter")
    ]
    variables = starter["Environment"]["Variables"]
    assert variables["STEPWEAVE_DAG"] == "churn"
    assert (
        arn(variables["STEPWEAVE_MACHINE"])
        == f"arn:aws:states:{ACCOUNT}:stateMachine:stepweave-prod-churn:live"
    )
    (live,) = watched["churn"].of_type("Lambda::Alias").values()
    assert live["Name"] == "live"


# Jobs.


def jobs(stacks: Stacks, dag: str) -> list[Any]:
    return sorted(
        stacks[dag].of_type("Batch::JobDefinition").values(),
        key=lambda one: json.dumps(one["ContainerProperties"]["ResourceRequirements"]),
    )


def test_tasks_that_need_the_same_share_a_job_definition(watched: Stacks) -> None:
    substitutions = watched["heavy"].only("StepFunctions::StateMachine")["DefinitionSubstitutions"]
    assert substitutions["JobDefinition_train"] == substitutions["JobDefinition_train_too"]
    assert substitutions["JobDefinition_train"] != substitutions["JobDefinition_crunch"]
    assert len(jobs(watched, "heavy")) == 2


def test_a_job_with_a_gpu_has_it_and_shared_memory(watched: Stacks) -> None:
    gpu = next(one for one in jobs(watched, "heavy") if "GPU" in json.dumps(one))
    container = gpu["ContainerProperties"]
    asked = {one["Type"]: one["Value"] for one in container["ResourceRequirements"]}
    assert asked == {"VCPU": "4", "MEMORY": "16384", "GPU": "1"}
    assert container["LinuxParameters"] == {"InitProcessEnabled": True, "SharedMemorySize": 4096}
    assert gpu["Timeout"] == {"AttemptDurationSeconds": 7200}


def test_a_container_has_no_more_rights_than_it_needs(watched: Stacks) -> None:
    for job in [*jobs(watched, "heavy"), *jobs(watched, "churn")]:
        container = job["ContainerProperties"]
        assert container["User"] == "10001"
        assert container["Privileged"] is False
        assert container["ReadonlyRootFilesystem"] is True
        assert [mount["ContainerPath"] for mount in container["MountPoints"]] == ["/tmp"]
        assert container["Command"] == ["python", "-m", "functions.batch_worker.worker"]
        assert container["LogConfiguration"]["LogDriver"] == "awslogs"


def test_batch_tries_again_where_the_instance_was_taken_away_and_nowhere_else(watched: Stacks) -> None:
    for job in [*jobs(watched, "heavy"), *jobs(watched, "churn")]:
        assert job["RetryStrategy"]["EvaluateOnExit"] == [
            {"Action": "RETRY", "OnStatusReason": "Host EC2*"},
            {"Action": "RETRY", "OnExitCode": "143"},
            {"Action": "EXIT", "OnReason": "*"},
        ]


def test_revisions_stay_active_for_the_runs_that_began_with_them(watched: Stacks) -> None:
    found = [one for one in watched["heavy"].resources.values() if one["Type"] == "AWS::Batch::JobDefinition"]
    assert {one["DeletionPolicy"] for one in found} == {"RetainExceptOnCreate"}
    assert all(
        one["Properties"]["ResourceRetentionPolicy"] == {"SkipDeregisterOnUpdate": True} for one in found
    )


def test_in_the_local_aws_a_job_is_code_instead_of_an_image(local: Stacks) -> None:
    (job,) = jobs(local, "churn")
    variables = {one["Name"]: one["Value"] for one in job["ContainerProperties"]["Environment"]}
    assert text(variables["STEPWEAVE_BUNDLE"]).startswith("s3://cdk-hnb659fds-assets-")
    assert variables["STEPWEAVE_STORE"] == "s3://stepweave-local-000000000000-us-east-1"
    assets = json.loads(next((local.folder / "cdk.out").glob("*/*churn*.assets.json")).read_text())
    assert assets["dockerImages"] == {}


def test_a_dag_without_jobs_has_nothing_of_batch(watched: Stacks) -> None:
    stack = watched["city_features"]
    assert stack.of_type("Batch::JobDefinition") == {}
    assert "JobLog" not in stack.resources


# What starts it.


def test_a_schedule_calls_the_starter_with_the_time_that_it_stands_for(watched: Stacks) -> None:
    schedule = watched["churn"].only("Scheduler::Schedule")
    assert schedule["ScheduleExpression"] == "cron(0 6 ? * MON-FRI *)"
    assert schedule["ScheduleExpressionTimezone"] == "Europe/Berlin"
    assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert schedule["State"] == "ENABLED"
    target = schedule["Target"]
    assert arn(target["Arn"]) == f"arn:aws:lambda:{ACCOUNT}:function:stepweave-prod-churn--starter:live"
    assert json.loads(target["Input"]) == {
        "source": "schedule",
        "scheduled_time": "<aws.scheduler.scheduled-time>",
        "schedule": "cron(0 6 * * 1-5) Europe/Berlin",
    }
    assert target["RetryPolicy"] == {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 3600}
    assert arn(target["DeadLetterConfig"]["Arn"]) == f"arn:aws:sqs:{ACCOUNT}:stepweave-prod-dead-letters"


def test_an_environment_without_schedules_has_them_disabled_and_misses_none(tmp_path: Path) -> None:
    settings = {"schedules": False, "alarms": {"per_dag": True}, "account": "1" * 12, "region": "eu-west-1"}
    stack = synthesized(tmp_path, "dev", settings, [compiled("churn")])["churn"]
    assert stack.only("Scheduler::Schedule")["State"] == "DISABLED"
    assert json.loads(arn(stack.only("SSM::Parameter")["Value"]))["schedule"] == ""
    kinds = {one["AlarmName"].rpartition("churn-")[2] for one in stack.of_type("CloudWatch::Alarm").values()}
    assert kinds == {"runs-failed", "runs-timed-out", "throttled"}


def test_a_rule_hands_the_whole_event_to_the_starter(watched: Stacks) -> None:
    rule = watched["churn"].only("Events::Rule")
    assert rule["Name"] == "stepweave-prod-churn--trigger-0"
    assert rule["EventPattern"]["detail"] == {
        "bucket": {"name": ["stepweave-prod-123456789012-eu-west-1"]},
        "object": {"key": [{"wildcard": "raw/customers/*.csv"}]},
    }
    (target,) = rule["Targets"]
    template = target["InputTransformer"]["InputTemplate"].replace("<aws.events.event.json>", '{"id": 1}')
    assert json.loads(template) == {"source": "s3", "trigger": 0, "event": {"id": 1}}
    assert arn(target["DeadLetterConfig"]["Arn"]).endswith(":stepweave-prod-dead-letters")
    permission = watched["churn"].only("Lambda::Permission")
    assert permission["Principal"] == "events.amazonaws.com"
    assert arn(permission["SourceArn"]) == f"arn:aws:events:{ACCOUNT}:rule/stepweave-prod-churn--trigger-0"


def test_a_dag_that_only_people_start_has_no_schedule_and_no_rule(watched: Stacks) -> None:
    for kind in ("Scheduler::Schedule", "Events::Rule", "Lambda::Permission"):
        assert watched["sign_off"].of_type(kind) == {}


# Watching.


def test_the_description_says_where_everything_is(watched: Stacks) -> None:
    parameter = watched["compensation"].only("SSM::Parameter")
    assert parameter["Name"] == "/stepweave/prod/dags/compensation"
    found = json.loads(arn(parameter["Value"]))
    machine = f"arn:aws:states:{ACCOUNT}:stateMachine:stepweave-prod-compensation"
    assert found["machine"] == f"{machine}:live"
    assert found["machines"] == {"cleanup": f"{machine}--cleanup"}
    assert found["starter"] == f"arn:aws:lambda:{ACCOUNT}:function:stepweave-prod-compensation--starter:live"
    assert found["task_log_group"] == "/stepweave/prod/compensation/tasks"
    assert len(found["code_version"]) == 16


def test_log_groups_keep_what_the_settings_say(watched: Stacks) -> None:
    groups = watched["churn"].of_type("Logs::LogGroup").values()
    assert {one["RetentionInDays"] for one in groups} == {30}
    assert {one["LogGroupName"] for one in groups} == {
        "/stepweave/prod/churn/tasks",
        "/stepweave/prod/churn/jobs",
        "/stepweave/prod/churn/starter",
        "/aws/vendedlogs/states/stepweave-prod-churn",
    }


def test_no_role_allows_a_bare_wildcard_but_for_actions_that_know_no_resources(watched: Stacks) -> None:
    unbound = {
        "batch:DescribeJobs",
        "ecr:GetAuthorizationToken",
        "xray:PutTraceSegments",
        "xray:PutTelemetryRecords",
        "xray:GetSamplingRules",
        "xray:GetSamplingTargets",
    }
    for stack in watched.by_dag.values():
        for role in stack.of_type("IAM::Role").values():
            for statement in (
                one for policy in role["Policies"] for one in policy["PolicyDocument"]["Statement"]
            ):
                assert "*" not in "".join(statement["Action"])
                if "*" in statement["Resource"]:
                    assert {one for one in statement["Action"] if not one.startswith("logs:")} <= unbound


def test_a_stack_stays_far_from_the_limits_of_cloudformation(watched: Stacks) -> None:
    for stack in watched.by_dag.values():
        assert len(stack.resources) < 60
        assert len(json.dumps(stack.template)) < 100_000
