"""One process of a function: what a caller of Lambda gets when code answers, fails, dies or does not end."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stepweave.local_aws.layer.lambdas.process import FunctionProcess, Invocation, Result, environment

Starter = Callable[..., FunctionProcess]

CONFIG = {"FunctionName": "score", "Version": "3", "MemorySize": 512, "Handler": "index.handler"}


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Starter]:
    processes: list[FunctionProcess] = []

    def started(source: str, memory_mib: int = 512, **config: Any) -> FunctionProcess:
        code = tmp_path / "code"
        code.mkdir(exist_ok=True)
        (code / "index.py").write_text(source, encoding="utf-8")
        variables = environment({**CONFIG, **config}, [code], tmp_path, {"AWS_REGION": "us-east-1"})
        processes.append(FunctionProcess(code, variables, memory_mib))
        return processes[-1]

    yield started
    for process in processes:
        process.end()


def call(process: FunctionProcess, event: Any = None, timeout: float = 30, name: str = "r1") -> Result:
    arn = "arn:aws:lambda:us-east-1:000000000000:function:score:live"
    return process.invoke(Invocation(request_id=name, arn=arn, event=event, timeout_seconds=timeout))


def kind(result: Result) -> str:
    assert result.error is not None
    return str(result.error["errorType"])


def test_the_handler_answers_and_stays_loaded(start: Starter) -> None:
    process = start("print('loaded')\ndef handler(event, context):\n    return {'n': event['n'] + 1}\n")
    assert call(process, {"n": 1}).value == {"n": 2}
    again = call(process, {"n": 5}, name="r2")
    assert (again.value, again.log) == ({"n": 6}, ())


def test_the_context_and_the_environment_say_what_was_called(start: Starter) -> None:
    process = start(
        "import os\n"
        "def handler(event, context):\n"
        "    left = context.get_remaining_time_in_millis()\n"
        "    return [context.aws_request_id, context.invoked_function_arn.split(':')[-1], context.function_version,\n"
        "            context.memory_limit_in_mb, 0 < left <= 30000, os.environ['AWS_LAMBDA_LOG_GROUP_NAME'],\n"
        "            os.environ['GREETING'], 'STEPWEAVE_REQUESTS' in os.environ]\n",
        Environment={"Variables": {"GREETING": "hi"}},
        LoggingConfig={"LogGroup": "/stepweave/dev/tasks"},
    )
    assert call(process).value == ["r1", "live", "3", "512", True, "/stepweave/dev/tasks", "hi", False]


def test_an_exception_is_reported_by_its_class_and_the_process_goes_on(start: Starter) -> None:
    process = start(
        "class DataError(Exception): pass\ndef handler(event, context):\n"
        "    if event: raise DataError('no rows')\n    return 'fine'\n"
    )
    failed = call(process, {"x": 1})
    assert failed.error is not None
    assert (failed.error["errorType"], failed.error["errorMessage"]) == ("DataError", "no rows")
    assert "raise DataError" in "".join(failed.error["stackTrace"])
    assert any("[ERROR] DataError: no rows" in line for line in failed.log)
    assert call(process, {}, name="r2").value == "fine"


def test_what_it_prints_and_logs_belongs_to_its_invocation(start: Starter) -> None:
    process = start(
        "import logging, os\n"
        "def handler(event, context):\n"
        "    print('printed', event); logging.warning('logged'); os.write(2, b'raw\\n')\n"
    )
    first, second = call(process, 1), call(process, 2, name="r2")
    assert [line for line in first.log if line.startswith("printed")] == ["printed 1"]
    assert "printed 2" in second.log
    assert "raw" in second.log
    assert any("[WARNING]" in line and "logged" in line for line in first.log)


@pytest.mark.parametrize(
    "source, expected",
    [
        ("import no_such_module", "Runtime.ImportModuleError"),
        ("def other(): pass", "Runtime.HandlerNotFound"),
        ("def handler(:", "Runtime.UserCodeSyntaxError"),
        ("raise KeyError('config')", "KeyError"),
    ],
)
def test_code_that_cannot_be_loaded_says_why_and_the_process_is_not_used_again(
    start: Starter, source: str, expected: str
) -> None:
    process = start(source + "\n")
    assert kind(call(process)) == expected
    assert not process.alive


def test_a_process_that_ends_is_an_exit_error(start: Starter) -> None:
    process = start("import os\ndef handler(event, context):\n    print('bye', flush=True); os._exit(3)\n")
    result = call(process)
    assert result.error is not None
    assert result.error == {
        "errorType": "Runtime.ExitError",
        "errorMessage": "RequestId: r1 Error: Runtime exited with error: exit status 3",
    }
    assert "bye" in result.log
    assert not process.alive


def test_an_invocation_that_does_not_end_is_ended(start: Starter) -> None:
    process = start("import time\ndef handler(event, context):\n    time.sleep(60)\n")
    result = call(process, timeout=0.3)
    assert result.error is not None
    assert result.error["errorType"] == "Sandbox.Timedout"
    assert result.error["errorMessage"] == "RequestId: r1 Error: Task timed out after 0.30 seconds"
    assert not process.alive


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_more_memory_than_the_function_has_ends_it(start: Starter) -> None:
    process = start(
        "import time\ndef handler(event, context):\n"
        "    held = b'x' * (200 << 20)\n    time.sleep(30)\n    return len(held)\n",
        memory_mib=100,
    )
    assert kind(call(process)) == "Runtime.OutOfMemory"


def test_an_answer_that_is_not_json_is_a_marshal_error(start: Starter) -> None:
    process = start("def handler(event, context):\n    return object()\n")
    assert kind(call(process)) == "Runtime.MarshalError"


def test_an_answer_longer_than_lambda_takes_is_refused(start: Starter) -> None:
    process = start("def handler(event, context):\n    return 'x' * 6_300_000\n")
    assert kind(call(process)) == "Function.ResponseSizeTooLarge"


def test_what_lies_beside_the_bootstrap_shadows_nothing_of_the_function(
    start: Starter, tmp_path: Path
) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "pool.py").write_text("NAME = 'mine'\n", encoding="utf-8")
    process = start("import pool\ndef handler(event, context):\n    return pool.NAME\n")
    assert call(process).value == "mine"
