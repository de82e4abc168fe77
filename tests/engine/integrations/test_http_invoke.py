"""``http:invoke`` against a server on loopback."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from stepweave.engine.engine import Engine
from stepweave.engine.execution import Execution
from stepweave.engine.integrations.http_invoke import HttpInvoke
from stepweave.engine.parsing import parse
from stepweave.errors import DefinitionError
from tests.engine.building import machine

CONNECTION = {"ConnectionArn": "arn:aws:events:eu-west-1:123456789012:connection/a/b"}


class Api(BaseHTTPRequestHandler):
    """Answers what the path says, and remembers the requests."""

    requests: ClassVar[list[dict[str, Any]]] = []
    hold = threading.Event()

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length).decode()
        self.requests.append(
            {"method": self.command, "path": self.path, "headers": dict(self.headers), "body": body}
        )
        status, kind, data = {
            "/json": (200, "application/json", b'{"a": [1, 2]}'),
            "/text": (201, "text/plain", "größer".encode()),
            "/image": (200, "image/png", b"\x89PNG"),
            "/binary": (200, "text/plain", b"\xff\xfe\x00"),
            "/missing": (404, "application/json", b'{"message": "no"}'),
            "/busy": (503, "text/plain", b"later"),
            "/moved": (302, "text/plain", b""),
        }.get(self.path.partition("?")[0], (200, "application/json", b"{}"))
        if self.path == "/slow":
            self.hold.wait(30)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("X-Twice", "1")
        self.send_header("X-Twice", "2")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _answer  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Nothing is printed."""


@pytest.fixture
def url() -> Iterator[str]:
    Api.requests.clear()
    Api.hold.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    Api.hold.set()
    server.shutdown()
    thread.join()
    server.server_close()


def http(endpoint: Any, method: str = "GET", **arguments: Any) -> dict[str, Any]:
    given = {"ApiEndpoint": endpoint, "Method": method, "Authentication": CONNECTION, **arguments}
    return {"Type": "Task", "Resource": "arn:aws:states:::http:invoke", "Arguments": given}


def ran(task: dict[str, Any], value: Any = None, **options: Any) -> Execution:
    definition = parse(machine(("t", task)), "main")
    engine = Engine({"main": definition}, {"http:invoke": HttpInvoke(**options)})
    return engine.clock.run(engine.run("main", value, "run-1"))


def result_of(task: dict[str, Any], **options: Any) -> Any:
    execution = ran(task, **options)
    assert execution.status == "SUCCEEDED", (execution.error, execution.cause)
    return execution.output


def test_the_result_is_status_headers_and_body(url: str) -> None:
    result = result_of(http(f"{url}/json"))
    assert (result["StatusCode"], result["StatusText"]) == (200, "OK")
    assert result["ResponseBody"] == {"a": [1, 2]}
    assert result["Headers"]["Content-Type"] == ["application/json"]
    assert result["Headers"]["X-Twice"] == ["1", "2"]


def test_a_body_that_is_no_json_is_text(url: str) -> None:
    result = result_of(http(f"{url}/text"))
    assert (result["StatusCode"], result["ResponseBody"]) == (201, "größer")


def test_a_request_carries_method_headers_query_and_json(url: str) -> None:
    result_of(
        http(
            f"{url}/echo?first=1",
            "POST",
            Headers={"X-Mine": "a", "X-List": ["b", "c"]},
            QueryParameters={"q": "ä &", "n": [1, True]},
            RequestBody={"x": {"y": None}},
        )
    )
    (request,) = Api.requests
    assert (request["method"], request["path"]) == ("POST", "/echo?first=1&q=%C3%A4%20%26&n=1&n=true")
    assert json.loads(request["body"]) == {"x": {"y": None}}
    headers = request["headers"]
    assert (headers["X-Mine"], headers["X-List"]) == ("a", "b, c")
    assert headers["Content-Type"] == "application/json; charset=UTF-8"
    assert headers["User-Agent"].startswith("Amazon|StepFunctions|HttpInvoke|")
    assert headers["Range"] == "bytes=0-262144"


@pytest.mark.parametrize("parameters, query", [("a=1&b=2", "a=1&b=2"), (["a=1", "b=2"], "a=1&b=2"), ({}, "")])
def test_query_parameters_may_be_text_or_a_list(url: str, parameters: Any, query: str) -> None:
    result_of(http(f"{url}/p", QueryParameters=parameters))
    assert Api.requests[0]["path"] == "/p" + (f"?{query}" if query else "")


@pytest.mark.parametrize(
    "form, text",
    [
        (None, "a%5B0%5D=x%20y&a%5B1%5D=z&b%5Bc%5D%5B0%5D=1&d=&e=true"),
        ("INDICES", "a%5B0%5D=x%20y&a%5B1%5D=z&b%5Bc%5D%5B0%5D=1&d=&e=true"),
        ("REPEAT", "a=x%20y&a=z&b%5Bc%5D=1&d=&e=true"),
        ("BRACKETS", "a%5B%5D=x%20y&a%5B%5D=z&b%5Bc%5D%5B%5D=1&d=&e=true"),
        ("COMMAS", "a=x%20y,z&b%5Bc%5D=1&d=&e=true"),
    ],
)
def test_a_body_is_sent_as_a_form(url: str, form: str | None, text: str) -> None:
    transform: dict[str, Any] = {"RequestBodyEncoding": "URL_ENCODED"}
    if form:
        transform["RequestEncodingOptions"] = {"ArrayFormat": form}
    body = {"a": ["x y", "z"], "b": {"c": [1]}, "d": None, "e": True}
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    result_of(http(f"{url}/form", "POST", RequestBody=body, Transform=transform, Headers=headers))
    assert Api.requests[0]["body"] == text
    assert Api.requests[0]["headers"]["Content-Type"] == "application/x-www-form-urlencoded"


def test_a_text_is_sent_as_it_is(url: str) -> None:
    result_of(http(f"{url}/form", "POST", RequestBody="plain", Headers={"content-type": "text/plain"}))
    assert Api.requests[0]["body"] == "plain"


@pytest.mark.parametrize(
    "path, error, cause",
    [
        ("/missing", "States.Http.StatusCode.404", '{"message": "no"}'),
        ("/busy", "States.Http.StatusCode.503", "later"),
        ("/moved", "States.Http.StatusCode.302", ""),
        ("/image", "States.Runtime", "The response has the unsupported content type image/png"),
        ("/binary", "States.Runtime", "The response cannot be read as text"),
    ],
)
def test_what_is_no_success_is_an_error(url: str, path: str, error: str, cause: str) -> None:
    execution = ran(http(url + path))
    assert (execution.error, execution.cause) == (error, cause)


def test_a_server_that_is_not_there_is_a_socket_error(url: str) -> None:
    unused = "http://127.0.0.1:9"  # the discard port, on which nothing listens
    assert ran(http(unused)).error == "States.Http.Socket"


def test_an_answer_that_does_not_come_in_time_is_a_socket_error(url: str) -> None:
    execution = ran(http(f"{url}/slow"), timeout_seconds=0.2)
    assert (execution.error, execution.cause) == ("States.Http.Socket", "no answer within 0.2 seconds")


def test_a_task_that_is_stopped_does_not_wait_for_the_answer(url: str) -> None:
    definition = parse(machine(("t", http(f"{url}/slow"))), "main")
    engine = Engine({"main": definition}, {"http:invoke": HttpInvoke()})

    async def stop() -> Execution:
        execution = engine.start("main", None, "run-1")
        while not Api.requests:
            await asyncio.sleep(0.01)
        engine.stop("run-1")
        return await engine.wait(execution.name)

    assert asyncio.run(stop()).status == "ABORTED"
    assert not Api.hold.is_set()


def test_an_api_is_sent_to_its_fake(url: str) -> None:
    endpoints = {"https://api.example.com": url, "https://api.example.com/v2": f"{url}/second"}
    result_of(http("https://api.example.com/v1/x"), endpoints=endpoints)
    result_of(http("https://api.example.com/v2/x"), endpoints=endpoints)
    assert [request["path"] for request in Api.requests] == ["/v1/x", "/second/x"]


@pytest.mark.parametrize(
    "endpoint, reason",
    [
        ("https://api.example.com/v1", "api.example.com is not this machine"),
        ("ftp://127.0.0.1/x", "it is no http or https URL"),
        ("nonsense", "it is no http or https URL"),
        ("http://[::1", "Invalid IPv6 URL"),
        ("http://localhost:99999/", "Port out of range"),
    ],
)
def test_only_this_machine_is_called(endpoint: str, reason: str) -> None:
    with pytest.raises(DefinitionError, match=reason) as caught:
        ran(http(endpoint))
    assert caught.value.problems[0].code == "http-endpoint"
    execution = ran(http("{% $states.input %}"), endpoint)
    assert execution.error == "States.Runtime"
    assert reason in (execution.cause or "")


def test_a_host_may_be_allowed() -> None:
    (task,) = parse(machine(("t", http("https://api.example.com/v1"))), "main").tasks()
    assert [problem.code for problem in HttpInvoke().check(task, ())] == ["http-endpoint"]
    assert list(HttpInvoke(allowed_hosts=["api.example.com"]).check(task, ())) == []


def test_what_an_http_task_may_not_ask_is_found_before_anything_runs() -> None:
    with pytest.raises(DefinitionError) as caught:
        ran(http("http://localhost:1", "TRACE", Headers={"Host": "x", "X-Amz-Date": "y", "X-Ok": "z"}))
    problems = {problem.code: problem.got for problem in caught.value.problems}
    assert problems == {"http-method": "TRACE", "http-header": "Host, X-Amz-Date"}


@pytest.mark.parametrize(
    "more",
    [
        {"method": "{% 'TRACE' %}"},
        {"Headers": {"Via": "{% 'x' %}"}},
        {"Headers": {"X": "{% 'a\\nb' %}"}},
        {"Headers": "{% 'x' %}"},
    ],
)
def test_what_is_computed_and_may_not_be_asked_fails_the_task(more: dict[str, Any]) -> None:
    assert ran(http("http://localhost:1", **more)).error == "States.Runtime"
