"""The role of a state machine allows what its states do, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from infra.dags.policies import Machine, machine_needs
from infra.dags.targets import targets
from infra.needs import document, statements
from stepweave.asl.measure import every_state
from stepweave.compiler import Compiled
from stepweave.deployed import names
from tests.infra.dags.flows import ARNS, HEAVY, LONG, compiled_repository, written
from tests.infra.dags.iam import Request, allows, without_each

ACCOUNT = "eu-west-1:123456789012"
FLOWS = {flow.graph.dag.id: flow for flow in compiled_repository()}
DELIVERY = (
    "CreateLogDelivery", "GetLogDelivery", "UpdateLogDelivery", "DeleteLogDelivery", "ListLogDeliveries",
    "PutResourcePolicy", "DescribeResourcePolicies", "DescribeLogGroups",
)  # fmt: skip


def requests(flow: Compiled, machine: str) -> Iterator[Request]:
    """What Step Functions does on behalf of a machine, as AWS's pages on each integration list it."""
    yield from (Request(f"logs:{action}", "*") for action in DELIVERY)
    for _, state in every_state(flow.machines.definitions[machine]):
        if state["Type"] == "Map" and state["ItemProcessor"]["ProcessorConfig"]["Mode"] == "DISTRIBUTED":
            yield from map_requests(name_of(flow, machine))
        if state["Type"] == "Task":
            yield from task_requests(flow, state)


def task_requests(flow: Compiled, state: dict[str, Any]) -> Iterator[Request]:
    arguments = state["Arguments"]
    match state["Resource"].removeprefix("arn:aws:states:::"):
        case "lambda:invoke" | "lambda:invoke.waitForTaskToken":
            yield Request(
                "lambda:InvokeFunction", f"arn:aws:lambda:{ACCOUNT}:function:{called(flow, arguments)}"
            )
        case "batch:submitJob.sync":
            queue = arguments["JobQueue"][len("${JobQueue_") : -1]
            part = targets(flow)[arguments["JobDefinition"][2:-1]].name
            definition = f"stepweave-dev-{flow.graph.dag.id}--{part}:4"
            yield Request("batch:SubmitJob", f"arn:aws:batch:{ACCOUNT}:job-definition/{definition}")
            yield Request("batch:SubmitJob", f"arn:aws:batch:{ACCOUNT}:job-queue/stepweave-dev-{queue}")
            yield Request("batch:DescribeJobs", "*")
            yield Request("batch:TerminateJob", f"arn:aws:batch:{ACCOUNT}:job/0f7a")
            yield from rule_requests("StepFunctionsGetEventsForBatchJobsRule")
        case "states:startExecution.sync:2":
            yield from started_requests(flow, arguments["StateMachineArn"])
        case other:
            raise AssertionError(f"the test does not know what {other} asks for")


def called(flow: Compiled, arguments: dict[str, Any]) -> str:
    name = arguments["FunctionName"][2:-1]
    if name in ("Rendezvous", "Approvals"):
        return f"stepweave-dev-{name.lower()}:live"
    part = name.removeprefix("TaskRunner").replace("_", "-").removeprefix("-")
    return f"stepweave-dev-{flow.graph.dag.id}--tasks{'-' if part else ''}{part}:12"


def started_requests(flow: Compiled, placeholder: str) -> Iterator[Request]:
    kind, _, name = placeholder[2:-1].partition("_")
    machine = f"stepweave-dev-{name}" if kind == "Dag" else name_of(flow, name)
    yield Request("states:StartExecution", f"arn:aws:states:{ACCOUNT}:stateMachine:{machine}")
    for action in ("DescribeExecution", "StopExecution"):
        yield Request(f"states:{action}", f"arn:aws:states:{ACCOUNT}:execution:{machine}:run-1")
    yield from rule_requests("StepFunctionsGetEventsForStepFunctionsExecutionRule")


def rule_requests(rule: str) -> Iterator[Request]:
    for action in ("PutTargets", "PutRule", "DescribeRule"):
        yield Request(f"events:{action}", f"arn:aws:events:{ACCOUNT}:rule/{rule}")


def map_requests(machine: str) -> Iterator[Request]:
    yield Request("states:StartExecution", f"arn:aws:states:{ACCOUNT}:stateMachine:{machine}")
    for action in ("DescribeExecution", "StopExecution"):
        for execution in (f"{machine}:1", f"{machine}/items:2"):
            yield Request(f"states:{action}", f"arn:aws:states:{ACCOUNT}:execution:{execution}")
    yield Request("states:RedriveExecution", f"arn:aws:states:{ACCOUNT}:execution:{machine}/items:2")


def name_of(flow: Compiled, machine: str) -> str:
    return f"stepweave-dev-{flow.graph.dag.id}" + (f"--{machine}" if machine else "")


def policy(flow: Compiled, machine: str, *, tracing: bool = False) -> dict[str, Any]:
    definition = flow.machines.definitions[machine]
    needs = machine_needs(
        Machine(dag=flow.graph.dag.id, name=machine, definition=definition),
        targets(flow),
        ARNS,
        tracing=tracing,
    )
    return document(statements(needs))


def check(flow: Compiled) -> None:
    for machine in flow.machines.definitions:
        allowed, asked = policy(flow, machine), list(requests(flow, machine))
        refused = [str(request) for request in asked if not allows(allowed, request)]
        assert not refused, f"the role of {machine!r} does not allow what a state does"
        idle = [what for what, less in without_each(allowed) if all(allows(less, one) for one in asked)]
        assert not idle, f"no state of {machine!r} needs this"


@pytest.mark.parametrize("dag_id", sorted(FLOWS))
def test_a_role_allows_what_the_states_of_its_machine_do_and_nothing_else(dag_id: str) -> None:
    check(FLOWS[dag_id])


def test_a_role_for_jobs_names_the_definitions_and_the_queues_of_its_states(tmp_path: Path) -> None:
    check(written(tmp_path, HEAVY, "heavy_policies"))


def test_a_role_names_the_parts_that_its_machine_runs(tmp_path: Path) -> None:
    check(written(tmp_path, LONG, "long_wait_policies"))


def test_no_role_can_call_the_functions_of_another_dag() -> None:
    allowed = policy(FLOWS["chain"], "")
    other = Request(
        "lambda:InvokeFunction", f"arn:aws:lambda:{ACCOUNT}:function:stepweave-dev-chain2--tasks:1"
    )
    assert not allows(allowed, other)


def test_a_run_that_began_before_a_deployment_may_call_the_versions_that_it_began_with() -> None:
    allowed = policy(FLOWS["chain"], "")
    for version in ("1", "2"):
        arn = f"arn:aws:lambda:{ACCOUNT}:function:stepweave-dev-chain--tasks:{version}"
        assert allows(allowed, Request("lambda:InvokeFunction", arn))


def test_a_run_that_began_before_a_task_got_another_size_may_call_what_it_began_with(tmp_path: Path) -> None:
    heavy = written(tmp_path, HEAVY, "heavy_sizes")
    (machine,) = heavy.machines.definitions
    allowed = policy(heavy, machine)
    function = f"arn:aws:lambda:{ACCOUNT}:function:stepweave-dev-heavy--tasks-8192-t60:3"
    definition = f"arn:aws:batch:{ACCOUNT}:job-definition/stepweave-dev-heavy--job-0123abcd:1"
    assert allows(allowed, Request("lambda:InvokeFunction", function))
    assert allows(allowed, Request("batch:SubmitJob", definition))
    assert not allows(allowed, Request("batch:SubmitJob", definition.replace("heavy", "heavier")))
    starter = f"arn:aws:lambda:{ACCOUNT}:function:stepweave-dev-heavy--starter:live"
    assert not allows(allowed, Request("lambda:InvokeFunction", starter))


@pytest.mark.parametrize("dag", ["churn", "a.dotted.name", "d" * 40, "d" * 60, "d" * 200])
def test_every_function_and_job_definition_of_a_dag_is_among_those_that_its_roles_name(dag: str) -> None:
    for part in ("tasks", "tasks-2048-t60-e2048-r0a1b2c"):
        assert fnmatchcase(names.function_name("prod", part, dag), names.runner_names("prod", dag))
    job = names.job_definition_name("prod", dag, "job-0123abcd")
    assert fnmatchcase(job, names.job_definition_names("prod", dag))


def test_traces_are_allowed_where_tracing_is_on_alone() -> None:
    trace = Request("xray:PutTraceSegments", "*")
    assert not allows(policy(FLOWS["chain"], ""), trace)
    assert allows(policy(FLOWS["chain"], "", tracing=True), trace)


@pytest.mark.parametrize(
    "state",
    [
        {"Type": "Task", "Resource": "arn:aws:states:::sns:publish", "Arguments": {}},
        {
            "Type": "Task",
            "Resource": "arn:aws:states:::lambda:invoke",
            "Arguments": {"FunctionName": "arn:x"},
        },
        {
            "Type": "Map",
            "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED"}, "States": {}},
            "ItemReader": {},
        },
    ],
)
def test_an_integration_without_known_permissions_is_refused(state: dict[str, Any]) -> None:
    machine = Machine(dag="d", name="", definition={"States": {"odd": state}})
    with pytest.raises(ValueError, match="state 'odd'"):
        machine_needs(machine, {}, ARNS, tracing=False)


def test_every_need_says_which_state_it_is_for() -> None:
    flow = FLOWS["sign_off"]
    machine = Machine(dag="sign_off", name="", definition=flow.machines.definitions[""])
    needs = machine_needs(machine, targets(flow), ARNS, tracing=False)
    asking = [need.by for need in needs if ":function:stepweave-dev-approvals:live" in need.resource]
    assert "state 'sign_off'" in asking or asking
    assert all(need.by == "logging" or need.by.startswith("state '") for need in needs)
