"""Everything that `stepweave execute` refuses before anything runs: one clear error each."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stepweave.cli.main import execute
from tests.cli.execution.orders import Capture, error_of, write_json, write_machine, write_orders
from tests.engine.building import call, machine, passing

ECHO = ("echo", {"Type": "Succeed"})
TOKEN = {**call("ask"), "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken"}
ACTIVITY = {"Type": "Task", "Resource": "arn:aws:states:us-east-1:123456789012:activity:review"}


@pytest.mark.parametrize(
    "options, words",
    [
        (["--resume", "a"], ["--resume needs --journal FOLDER"]),
        (["--redrive", "a"], ["--redrive needs --journal FOLDER"]),
        (["--journal", "j", "--resume", "a", "--redrive", "a"], ["give one of them"]),
        (["--journal", "j", "--resume", "a", "--input", "1"], ["leave --name and --input out"]),
        (["--journal", "j", "--redrive", "a", "--name", "b"], ["leave --name and --input out"]),
        (["--case", "Paid"], ["give --mock FILE too"]),
        (["--virtual-time", "--job", "a=b"], ["--job does not go with --virtual-time"]),
        (["--virtual-time", "--endpoint", "http://x"], ["--endpoint does not go with --virtual-time"]),
        (["--seed", "x"], ["--seed", "invalid int value", "Try: stepweave execute --help"]),
        (["--machine", "child"], ["--machine is not of the form NAME=FILE: 'child'"]),
        (["--machine", "main=x.json"], ["this is the name of main.asl.json itself"]),
        (["--machine", "a=none.json"], ["cannot read the definition 'none.json': No such file"]),
        (["--function", "=a:b"], ["--function is not of the form NAME=MODULE:HANDLER"]),
        (["--function", "f=a:b", "--function", "f=c:d"], ["gives 'f' twice: 'a:b' and 'c:d'"]),
        (["--function", "f=handler"], ["names no handler; write f=module:handler"]),
        (["--function", "f=app.py"], ["names no handler"]),
        (["--function", "f=none.py:handler"], ["there is no file 'none.py'"]),
        (["--job", "train="], ["--job is not of the form NAME=COMMAND"]),
        (["--job", "train=echo 'x"], ["--job train=echo 'x: No closing quotation"]),
        (["--set", "Charge"], ["--set is not of the form NAME=VALUE"]),
        (["--set", "Chrge=x"], ["no placeholder ${Chrge}", "did you mean 'Charge'?", "There are: Charge"]),
        (["--name", "a b"], ["'a b' cannot be the name of an execution"]),
        (["--name", "../x"], ["cannot be the name"]),
        (["--name", "x" * 81], ["at most 80"]),
        (["--buckets", "s3"], ["--buckets s3: there is no such folder"]),
        (["--input", "{"], ["--input is not JSON", "line 1, column 2"]),
        (["--input", "text"], ["no such file, and it is not JSON", "--input '\"text\"'"]),
        (["--input", "bad.txt"], ["bad.txt:2: the input is not JSON"]),
        (["--mock", "none.json"], ["cannot read the mock file 'none.json'"]),
        (["--mock", "bad.txt"], ["bad.txt:2: the mock file is not JSON"]),
    ],
)
def test_wrong_options_are_one_error_that_says_how_to_write_it(
    capfd: Capture, options: list[str], words: list[str]
) -> None:
    file = write_machine(("charge", call("${Charge}")))
    Path("bad.txt").write_text('{"a": 1,\nb}')
    error = error_of(capfd, [file, *options])
    assert [word for word in words if word not in error] == []


def test_standard_input_that_is_no_json_is_named(capfd: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO('{"a": \n'))
    assert "standard input is not JSON" in error_of(capfd, [write_machine(ECHO), "-i", "-"])


@pytest.mark.parametrize(
    "text, words",
    [
        (None, "cannot read the definition 'main.asl.json': No such file"),
        ("{", "main.asl.json:1: the definition is not JSON"),
        ("[]", "main.asl.json: a definition is a JSON object with StartAt and States"),
        ("{}", "StartAt"),
        ('{"StartAt": "a", "States": {"a": {"Type": "Succeed", "InputPath": "$.a"}}}', "JSONata"),
    ],
)
def test_a_file_that_holds_no_definition_is_an_error_at_its_place(
    capfd: Capture, text: str | None, words: str
) -> None:
    if text is not None:
        Path("main.asl.json").write_text(text)
    assert words in error_of(capfd, ["main.asl.json"])


def test_all_that_step_functions_would_refuse_is_told_with_the_states(capfd: Capture) -> None:
    file = write_json(
        "main.asl.json",
        {
            "QueryLanguage": "JSONata",
            "StartAt": "a",
            "States": {"a": {"Type": "Pass", "Next": "c"}, "b": {"Type": "Wait", "End": True}},
        },
    )
    error = error_of(capfd, [file])
    assert "main.asl.json: state 'a'" in error
    assert "main.asl.json: state 'b'" in error
    assert "problems" in error


def test_with_json_the_problems_are_one_object(capfd: Capture) -> None:
    file = write_machine(("charge", call("charge")))
    assert execute(["execute", file, "--json"]) == 2
    [problem] = json.loads(capfd.readouterr().out)["error"]["problems"]
    assert (problem["code"], problem["state"]) == ("unknown-resource", "main/charge")


@pytest.mark.parametrize(
    "resource, arguments",
    [
        ("lambda:invoke", {"FunctionName": "charge"}),
        ("batch:submitJob.sync", {"JobName": "j", "JobQueue": "q", "JobDefinition": "train"}),
        ("ecs:runTask.sync", {"TaskDefinition": "train"}),
        ("states:startExecution.sync:2", {"StateMachineArn": "child"}),
        ("glue:startJobRun.sync", {"JobName": "etl"}),
        ("sagemaker:createTrainingJob", {}),
    ],
)
def test_a_task_that_nothing_serves_is_named_with_what_to_do(
    capfd: Capture, resource: str, arguments: dict[str, Any]
) -> None:
    task = {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", "Arguments": arguments}
    error = error_of(capfd, [write_machine(("work", task))])
    assert "state 'main/work'" in error
    assert "fix: mock it (--mock FILE), or give what it calls: --function NAME=module:handler" in error


@pytest.mark.parametrize("task", [TOKEN, ACTIVITY], ids=["token", "activity"])
def test_a_task_that_nothing_here_can_end_is_refused_unless_it_has_a_limit(
    capfd: Capture, task: dict[str, Any]
) -> None:
    error = error_of(capfd, [write_machine(("review", task))])
    assert "state 'main/review': the task waits for" in error
    assert "nothing here can end it" in error
    assert "fix: mock the state" in error
    limited = write_machine(("review", {**ACTIVITY, "TimeoutSeconds": 60}))
    assert execute(["execute", limited, "--virtual-time"]) == 1
    assert "States.Timeout" in capfd.readouterr().out


def test_a_mocked_task_with_a_token_ends_with_what_the_mock_returns(capfd: Capture) -> None:
    mocks = write_json("mocks.json", {"review": {"Return": "approved"}})
    assert execute(["execute", write_machine(("review", TOKEN)), "--mock", mocks]) == 0
    assert '"approved"' in capfd.readouterr().out


def test_in_virtual_time_nothing_waits_for_a_server(capfd: Capture) -> None:
    arguments = {
        "ApiEndpoint": "http://127.0.0.1:9/",
        "Method": "GET",
        "Authentication": {"ConnectionArn": "arn:aws:events:us-east-1:123456789012:connection/c/1"},
    }
    task = {"Type": "Task", "Resource": "arn:aws:states:::http:invoke", "Arguments": arguments}
    error = error_of(capfd, [write_machine(("get", task)), "--virtual-time"])
    assert "state 'main/get': in virtual time no server can answer" in error


def test_in_virtual_time_an_execution_that_is_stuck_says_where(capfd: Capture) -> None:
    # Another task could send the token, so this is found only when nothing else happens any more.
    send = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:sfn:sendTaskSuccess",
        "Arguments": {"TaskToken": "x", "Output": "1"},
    }
    file = write_machine(("review", ACTIVITY), ("send", send))
    assert execute(["execute", file, "--virtual-time"]) == 2
    error = capfd.readouterr().err
    assert "'main-1' does not get out of the state 'review'" in error
    assert "nothing can happen any more" in error


def test_two_modules_of_one_name_cannot_both_be_imported_inline(capfd: Capture) -> None:
    for folder in ("a", "b"):
        Path(folder).mkdir()
        Path(folder, "app.py").write_text("def handler(event, context): ...")
    error = error_of(
        capfd,
        [
            write_machine(ECHO),
            "--inline",
            "--function",
            "x=a/app.py:handler",
            "--function",
            "y=b/app.py:handler",
        ],
    )
    assert "both have a module 'app'" in error
    assert "leave --inline" in error


@pytest.mark.parametrize(
    "mocks, words",
    [
        ([], "mocks.json: a mock file is an object"),
        ({"Charge card": {"Retrun": 1}}, "mocks.json: the mock 'Charge card' is no response"),
        ({"Chrge card": {"Return": 1}}, "fix: write 'Charge card'"),
        ({"Validate": {"Return": 1}}, "the state 'Validate' is a Pass and calls nothing"),
        ({"aws": {"Return": 1}}, "lists the calls that set up what the machine needs"),
        ({"StateMachines": {"orders": {"TestCases": {"Paid": {}}}}, "MockedResponses": {}}, "--case: 'Paid'"),
    ],
)
def test_a_mistake_in_the_mock_file_is_told(capfd: Capture, mocks: Any, words: str) -> None:
    assert words in error_of(capfd, write_orders(mocks))


def test_a_case_that_is_not_there_is_told_with_those_that_are(capfd: Capture) -> None:
    content = {
        "StateMachines": {"orders": {"TestCases": {"Paid": {"Charge card": "paid"}}}},
        "MockedResponses": {"paid": {"0": {"Return": 1}}},
    }
    error = error_of(capfd, [*write_orders(content), "--case", "Declined"])
    assert "no test case 'Declined', but 'Paid'" in error
    error = error_of(capfd, [*write_orders({"Charge": {"Return": 1}}), "--case", "Paid"])
    assert "leave --case out" in error


def test_a_set_up_call_that_fails_is_told_before_anything_runs(capfd: Capture) -> None:
    mocks = write_json("mocks.json", {"aws": [{"call": "sqs:createQue", "arguments": {}}]})
    error = error_of(capfd, [write_machine(("p", passing())), "--mock", mocks])
    assert "call 1 of the set-up, 'sqs:createQue', failed" in error


def test_help_imports_no_engine() -> None:
    code = (
        "import sys\nfrom stepweave.cli.main import execute\nexecute(['execute', '--help'])\n"
        "print(sorted(name for name in sys.modules if name.startswith('stepweave.engine')))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.splitlines()[-1] == "[]"


def test_a_machine_without_services_loads_nothing_heavy() -> None:
    heavy = {"rich", "pydantic", "boto3", "botocore", "moto", "obstore", "numpy", "pyarrow"}
    argv = ["execute", write_machine(("p", passing(Output="{% $states.input.a & 'b' %}"))), "-i", '{"a": 1}']
    code = (
        f"import sys\nfrom stepweave.cli.main import execute\nexecute({argv!r})\n"
        f"print({{name.partition('.')[0] for name in sys.modules}} & {heavy!r})"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert '"1b"' in found.stdout
    assert found.stdout.splitlines()[-1] == "set()"


def test_a_machine_that_starts_another_which_is_wrong_names_that_file(capfd: Capture) -> None:
    write_json("child.asl.json", {**machine(ECHO), "StartAt": "nowhere"})
    error = error_of(capfd, [write_machine(ECHO), "--machine", "child=child.asl.json"])
    assert "child.asl.json: " in error
    assert "nowhere" in error
