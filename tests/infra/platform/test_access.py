"""What the functions of the platform call, their roles allow, and nothing more."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from functions.shared import secrets as function_secrets
from infra.needs import Need, document, statements
from infra.platform.permissions import approvals_needs, recorder_needs, rendezvous_needs
from stepweave.deployed.environment import DeployedDag
from stepweave.stores.run_queue import RunQueue
from stepweave.stores.run_table import RunFacts
from tests.functions.environment_fakes import (
    ALIAS,
    CLEANUP,
    MACHINE,
    STARTER,
    TABLE,
    Bus,
    Functions,
    LambdaContext,
    StepFunctions,
    Topic,
    detail,
    records_table,
    take_slot,
)
from tests.infra.dags.iam import Request, allows, without_each
from tests.infra.noting import ARNS, Noted, Noting, table_requests

SECRET = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:stepweave/dev/links-a1b2c3"
RUNNER = "stepweave-dev-sales--tasks"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
DAG = DeployedDag(dag="sales", machine=ALIAS, machines={"cleanup": CLEANUP}, starter=STARTER)


class Tokens:
    """A client of Step Functions for those who answer tasks."""

    class exceptions:  # noqa: N801 (boto3's name)
        ClientError = RuntimeError

    def send_task_success(self, **answer: Any) -> None:
        return None

    def send_task_failure(self, **answer: Any) -> None:
        return None


class Parameters:
    """A client of SSM that knows one DAG."""

    def get_paginator(self, operation: str) -> Parameters:
        assert operation == "get_parameters_by_path"
        return self

    def paginate(self, **asked: Any) -> list[dict[str, Any]]:
        return [{"Parameters": [{"Value": DAG.to_json(), "LastModifiedDate": StepFunctions().clock}]}]


class Secrets:
    """A client of Secrets Manager with one text."""

    class exceptions:  # noqa: N801 (boto3's name)
        class ResourceNotFoundException(Exception):
            """There is no such version."""

    def get_secret_value(self, **asked: Any) -> dict[str, str]:
        return {"SecretString": "a secret"}


def one(action: str, resource: Callable[[Any], str]) -> Callable[[str, Any], Iterator[Request]]:
    """Of a client that has one call."""

    def requests(name: str, arguments: Any) -> Iterator[Request]:
        assert name.replace("_", "") in action.lower(), name
        yield Request(action, resource(arguments))

    return requests


def token_requests(name: str, arguments: Any) -> Iterator[Request]:
    called = {"send_task_success": "SendTaskSuccess", "send_task_failure": "SendTaskFailure"}[name]
    yield Request(f"states:{called}", MACHINE)


def state_requests(name: str, arguments: Any) -> Iterator[Request]:
    match name:
        case "start_execution" | "list_executions":
            action = "StartExecution" if name == "start_execution" else "ListExecutions"
            yield Request(f"states:{action}", ":".join(arguments["stateMachineArn"].split(":")[:7]))
        case "describe_execution":
            yield Request("states:DescribeExecution", arguments["executionArn"])
        case (
            "list_state_machine_versions"
            | "describe_state_machine_alias"
            | "describe_state_machine"
            | "delete_state_machine_version"
        ):
            (arn,) = arguments.values()
            action = "".join(part.capitalize() for part in name.split("_"))
            yield Request(f"states:{action}", ":".join(arn.split(":")[:7]))
        case other:
            raise AssertionError(f"the recorder calls {other}")


def function_requests(name: str, arguments: Any) -> Iterator[Request]:
    function = "arn:aws:lambda:eu-central-1:123456789012:function:"
    match name:
        case "invoke":
            yield Request("lambda:InvokeFunction", arguments["FunctionName"])
        case "list_functions":
            yield Request("lambda:ListFunctions", "*")
        case "list_versions_by_function":
            yield Request("lambda:ListVersionsByFunction", function + arguments["FunctionName"])
        case "list_aliases":
            yield Request("lambda:ListAliases", function + arguments["FunctionName"])
        case "delete_function":
            qualified = f"{arguments['FunctionName']}:{arguments['Qualifier']}"
            yield Request("lambda:DeleteFunction", function + qualified)
        case other:
            raise AssertionError(f"the recorder calls {other}")


def stored(folder: Path, before: Iterable[Path] = ()) -> list[Request]:
    """What IAM is asked for the objects that were written to the store in ``folder``."""
    files = {file for file in folder.rglob("*") if file.is_file()} - {*before}
    keys = {file.relative_to(folder).as_posix() for file in files}
    return [Request("s3:PutObject", f"{ARNS.bucket()}/{key}") for key in sorted(keys)]


def policy(needs: Iterable[Need]) -> dict[str, Any]:
    return document(statements(needs))


def check(needs: list[Need], noted: list[Request]) -> None:
    """All that was noted is allowed, and of what is allowed by these services all was asked for."""
    allowed = policy(needs)
    assert len(noted) > 3
    assert [str(request) for request in noted if not allows(allowed, request)] == []
    services = {request.action.partition(":")[0] for request in noted}
    unneeded = [
        what
        for what, less in without_each(allowed)
        if what.partition(":")[0] in services - {"s3"} and all(allows(less, each) for each in noted)
    ]
    assert unneeded == []


def settle(
    patch: pytest.MonkeyPatch, name: str, variables: Mapping[str, str], clients: Mapping[str, Any]
) -> Any:
    """The module of a function's handler, with these clients."""
    for key, value in {"STEPWEAVE_ENV": "dev", "STEPWEAVE_TABLE": TABLE, **variables}.items():
        patch.setenv(key, value)
    module = importlib.import_module(f"functions.{name}.handler")
    patch.setattr(module, "client", clients.__getitem__)
    return module


def test_the_role_of_the_rendezvous_allows_what_it_calls_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = Noted()
    wait = {"run": "r1", "gate": "g", "await": ["a"], "strict": True, "token": "t"}
    with records_table(monkeypatch) as dynamodb:
        clients = {
            "dynamodb": Noting(dynamodb, table_requests, found),
            "stepfunctions": Noting(Tokens(), token_requests, found),
        }
        module = settle(monkeypatch, "rendezvous", {}, clients)
        module._ports.cache_clear()
        module.handler(wait, LambdaContext())
        gates = {"a": ["g"]}
        module.handler(
            {"run": "r1", "arrived": {"a": {"status": "success"}}, "gates": gates}, LambdaContext()
        )
        module.handler({**wait, "run": "r2"}, LambdaContext())
        because = {"status": "failed", "by": ["a"]}
        stopped = {"run": "r2", "stopped": ["a"], "because": because, "gates": gates}
        module.handler(stopped, LambdaContext())
        module._ports.cache_clear()
    noted = [*found.values()]
    assert {request.action for request in noted} == {
        "dynamodb:UpdateItem",
        "states:SendTaskSuccess",
        "states:SendTaskFailure",
    }
    check([*rendezvous_needs(ARNS)], noted)


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Request]:
    """What IAM sees of a recorder that does everything."""
    found = Noted()
    versions = dict.fromkeys(range(1, 6), (LONG_AGO, "{}"))
    states = StepFunctions(versions={MACHINE: versions}, aliases={ALIAS: [5]})
    with records_table(monkeypatch) as dynamodb:
        parameters = "arn:aws:ssm:eu-central-1:123456789012:parameter/stepweave/dev/dags"
        found["ssm"] = Request("ssm:GetParametersByPath", parameters)  # type: ignore[index]
        found["ssm/"] = Request("ssm:GetParametersByPath", f"{parameters}/")  # type: ignore[index]
        clients = {
            "dynamodb": Noting(dynamodb, table_requests, found),
            "stepfunctions": Noting(states, state_requests, found),
            "sns": Noting(Topic(), one("sns:Publish", lambda said: said["TopicArn"]), found),
            "lambda": Noting(
                Functions(versions={RUNNER: dict.fromkeys(range(1, 6), LONG_AGO)}), function_requests, found
            ),
            "events": Noting(Bus(), one("events:PutEvents", lambda said: ARNS.bus()), found),
            "ssm": Parameters(),
        }
        variables = {
            "STEPWEAVE_STORE": str(tmp_path),
            "STEPWEAVE_TOPICS": json.dumps({"warn": ARNS.topic("warn"), "page": ARNS.topic("page")}),
            "STEPWEAVE_BUS": "stepweave-dev",
        }
        module = settle(monkeypatch, "recorder", variables, clients)
        module._parts.cache_clear()
        everything(lambda event: module.handler(event, LambdaContext(milliseconds=300_000)), dynamodb, states)
        module._parts.cache_clear()
    return [*found.values(), *stored(tmp_path)]


def everything(call: Callable[[dict[str, Any]], Any], dynamodb: Any, states: StepFunctions) -> None:
    """All that executions do, and all that can be missed of it."""
    queue = RunQueue(dynamodb, TABLE)

    def started(name: str) -> str:
        take_slot(dynamodb, name)
        states.start_execution(stateMachineArn=ALIAS, name=name, input=json.dumps({"run_id": name}))
        return states.started[-1]

    def told(found: Mapping[str, Any]) -> None:
        call({"source": "aws.states", "detail": dict(found)})

    queue.enqueue("sales", "r0", "{}", RunFacts(), 0)
    fails = started("r1")
    told(detail(states.executions[fails]))
    told(states.end(fails, "FAILED", error="DagRunFailed", cause="failed: load"))
    told(states.end(started("r2"), "ABORTED"))
    missed = started("r3")
    told(detail(states.executions[missed]))
    states.end(missed)
    call({"reconcile": True})


def test_the_role_of_the_recorder_allows_what_it_calls_and_nothing_else(recorded: list[Request]) -> None:
    assert {request.action.partition(":")[0] for request in recorded} == {
        "dynamodb",
        "states",
        "sns",
        "lambda",
        "events",
        "ssm",
        "s3",
    }
    check([*recorder_needs(ARNS)], recorded)


def test_the_recorder_may_delete_versions_of_its_environment_and_no_function() -> None:
    allowed = policy(recorder_needs(ARNS))
    function = "arn:aws:lambda:eu-central-1:123456789012:function:"

    def may_delete(name: str) -> bool:
        return allows(allowed, Request("lambda:DeleteFunction", function + name))

    assert may_delete(f"{RUNNER}:3")
    assert not may_delete(RUNNER)
    assert not may_delete("stepweave-prod-sales--tasks:3")
    assert not allows(allowed, Request("states:DeleteStateMachine", MACHINE))


def test_the_role_of_approvals_allows_what_it_calls_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    found, topic = Noted(), Topic()
    with records_table(monkeypatch) as dynamodb:
        clients = {
            "dynamodb": Noting(dynamodb, table_requests, found),
            "stepfunctions": Noting(Tokens(), token_requests, found),
            "sns": Noting(topic, one("sns:Publish", lambda said: said["TopicArn"]), found),
        }
        secrets = Noting(
            Secrets(), one("secretsmanager:GetSecretValue", lambda said: said["SecretId"]), found
        )
        monkeypatch.setattr(function_secrets, "client", {"secretsmanager": secrets}.__getitem__)
        function_secrets.forget_secrets()
        variables = {
            "STEPWEAVE_STORE": str(tmp_path),
            "STEPWEAVE_ASK_TOPIC": ARNS.topic("ask"),
            "STEPWEAVE_APPROVALS_URL": "https://api.example.com",
            "STEPWEAVE_LINK_SECRET": SECRET,
        }
        module = settle(monkeypatch, "approvals", variables, clients)
        module._parts.cache_clear()
        run = {"dag": "sales", "id": "r1", "execution": "r1"}
        asked = {"run": run, "task": "ok", "args": '{"message": {"v": "Deploy?"}}', "token": "t"}
        module.handler(asked, LambdaContext())
        message = json.loads(json.loads(topic.published[-1]["Message"])["default"])
        path = message["link"].removeprefix("https://api.example.com")
        http = {
            "rawPath": path,
            "headers": {"host": "api.example.com"},
            "requestContext": {"domainName": "api.example.com", "http": {"method": "GET", "path": path}},
            "isBase64Encoded": False,
            "body": "",
        }
        assert module.handler(http, LambdaContext())["statusCode"] == 200
        http["requestContext"] = {**http["requestContext"], "http": {"method": "POST", "path": path}}
        http["body"] = "decision=approve&by=ada&comment="
        module.handler(http, LambdaContext())
        module._parts.cache_clear()
        function_secrets.forget_secrets()
    noted = [*found.values(), *stored(tmp_path)]
    assert {"dynamodb:UpdateItem", "dynamodb:PutItem", "sns:Publish"} <= {request.action for request in noted}
    check([*approvals_needs(ARNS, link_secret=SECRET)], noted)
