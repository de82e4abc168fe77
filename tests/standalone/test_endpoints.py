"""Functions and other services behind an endpoint: Lambda as a small server, SQS and Glue as moto's."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from moto.server import ThreadedMotoServer

from stepweave.engine.clock import RealClock
from stepweave.engine.execution import Execution
from stepweave.engine.integrations.aws_services import AwsServices
from stepweave.engine.parsing import parse
from stepweave.errors import DefinitionError
from stepweave.standalone.building import Setup, assemble
from stepweave.standalone.endpoints import endpoint_integrations
from tests.engine.building import call, echo, machine

pytestmark = pytest.mark.aws
ARN = "arn:aws:lambda:us-east-1:123456789012:function:far"


class FakeLambda(BaseHTTPRequestHandler):
    """Lambda's Invoke: https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = self.path.split("/")[3]
        status, headers, answer = 200, {"X-Amz-Executed-Version": "3"}, json.dumps({"got": body})
        if name == "gone":
            status, headers = 404, {"x-amzn-ErrorType": "ResourceNotFoundException"}
            answer = json.dumps({"Message": "Function not found", "Type": "User"})
        elif name in ("declines", "dies"):
            headers["X-Amz-Function-Error"] = "Unhandled"
            known = {"errorType": "CardDeclined"} if name == "declines" else {}
            answer = json.dumps({"errorMessage": "no funds", **known})
        elif "InvocationType" in body:
            raise AssertionError("the arguments are not the payload")
        self.send_response(status)
        for field, value in {**headers, "Content-Length": str(len(answer))}.items():
            self.send_header(field, value)
        self.end_headers()
        self.wfile.write(answer.encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def functions() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), FakeLambda) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def services() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def ran(endpoint: str, task: dict[str, Any]) -> Execution:
    """The ended execution of one task; the function ``here`` is given here."""
    aws = AwsServices(endpoint=endpoint)
    here = {"here": echo}
    setup = Setup(
        machines={"main": parse(machine(("t", task)), "main")},
        clock=RealClock(),
        functions=here,
        services=aws,
        integrations=endpoint_integrations(aws, here),
    )
    engine = assemble(setup, advice="do something").engine
    return engine.clock.run(engine.run("main", {"in": 1}))


def test_a_function_that_is_not_given_is_invoked_at_the_endpoint(functions: str) -> None:
    execution = ran(functions, call("far", {"x": 1}))
    assert execution.output == {"ExecutedVersion": "3", "Payload": {"got": {"x": 1}}, "StatusCode": 200}


def test_a_function_that_is_given_is_called_here(functions: str) -> None:
    assert ran(functions, call("here", {"x": 1})).output["Payload"] == {"x": 1}


def test_a_function_named_by_its_arn_gets_the_input(functions: str) -> None:
    assert ran(functions, {"Type": "Task", "Resource": ARN}).output == {"got": {"in": 1}}


@pytest.mark.parametrize(
    "name, error",
    [
        ("declines", "CardDeclined"),
        ("dies", "Lambda.Unknown"),
        ("gone", "Lambda.ResourceNotFoundException"),
    ],
)
def test_errors_have_the_names_of_step_functions(functions: str, name: str, error: str) -> None:
    assert ran(functions, call(name)).error == error


def test_an_endpoint_that_is_not_there_is_a_client_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    assert ran("http://127.0.0.1:9", call("far")).error == "Lambda.SdkClientException"


def test_any_other_call_that_is_not_waited_for_goes_to_the_endpoint(services: str) -> None:
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::glue:startJobRun",
        "Arguments": {"JobName": "gone"},
    }
    assert ran(services, task).error == "Glue.EntityNotFoundException"


def test_what_is_waited_for_is_refused_with_what_to_do(services: str) -> None:
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::glue:startJobRun.sync",
        "Arguments": {"JobName": "etl"},
    }
    with pytest.raises(DefinitionError, match="nothing here serves this Resource") as caught:
        ran(services, task)
    assert caught.value.problems[0].fix == "do something"
