"""`run_machine`: what may be called, what stands in for it, and what is refused before anything runs."""

from __future__ import annotations

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from stepweave.errors import DefinitionError, UsageError
from stepweave.testing import AwsServices, Error, run_machine
from tests.engine.building import block, call, machine, passing


def task(resource: str, arguments: Any = None, **fields: Any) -> dict[str, Any]:
    arn = resource if resource.startswith("arn:") else f"arn:aws:states:::{resource}"
    return {"Type": "Task", "Resource": arn, "Arguments": {} if arguments is None else arguments, **fields}


PUT = task("dynamodb:putItem", {"TableName": "orders", "Item": {"id": {"S": "{% $states.input.id %}"}}})
GREET = machine(("Greet", call("greet", "{% $states.input %}", Output="{% $states.result.Payload %}")))


def test_a_definition_is_an_object_or_a_file_that_names_the_machine(tmp_path: Path) -> None:
    file = tmp_path / "greeting.asl.json"
    file.write_text(json.dumps(GREET))

    from_file = run_machine(
        file, {"name": "Ann"}, functions={"greet": lambda event: f"Hello {event['name']}"}
    )
    from_object = run_machine(
        GREET, {"name": "Bob"}, functions={"greet": lambda event: f"Hi {event['name']}"}
    )

    assert (from_file.machine, from_file.output) == ("greeting", "Hello Ann")
    assert (from_object.machine, from_object.output) == ("machine", "Hi Bob")


def test_without_an_input_it_is_an_empty_object() -> None:
    assert run_machine(machine(("a", passing()))).output == {}
    assert run_machine(machine(("a", passing())), 0).output == 0


def test_a_function_may_take_the_context_and_may_be_async() -> None:
    async def greet(event: Any, context: Any) -> str:
        await asyncio.sleep(60)
        return f"{context.function_name} {context.get_remaining_time_in_millis() > 0}"

    run = run_machine(GREET, functions={"greet": greet})

    assert run.output == "greet True"
    assert run.elapsed == 60


def test_what_a_function_does_to_its_event_stays_its_own() -> None:
    def spoil(event: Any) -> Any:
        event["name"] = "spoiled"
        return None

    run = run_machine(GREET, {"name": "Ann"}, functions={"greet": spoil})

    assert run.calls[0].arguments["Payload"] == {"name": "Ann"}


def test_what_nothing_stands_in_for_is_refused_before_anything_runs() -> None:
    called: list[Any] = []
    http = {
        "ApiEndpoint": "https://api.example.com",
        "Method": "GET",
        "Authentication": {"ConnectionArn": "arn:aws:events:us-east-1:123456789012:connection/c/1"},
    }
    definition = machine(
        ("First", call("known")),
        ("Greet", call("greet")),
        ("Put", PUT),
        ("Get", task("aws-sdk:s3:getObject", {"Bucket": "b", "Key": "k"})),
        ("Fetch", task("http:invoke", http)),
        ("Job", task("batch:submitJob", {"JobName": "j", "JobQueue": "q", "JobDefinition": "train"})),
        ("Mail", task("ses:send")),
    )

    with pytest.raises(DefinitionError) as refused:
        run_machine(definition, functions={"known": called.append})

    problems = refused.value.problems
    assert [problem.state for problem in problems] == [
        f"machine/{name}" for name in ("Greet", "Put", "Get", "Fetch", "Job", "Mail")
    ]
    assert all("fakes={" in str(problem.fix) for problem in problems)
    assert [problem.got for problem in problems][1:4] == [
        "dynamodb:putItem",
        "aws-sdk:s3:getObject",
        "http:invoke",
    ]
    assert "services=AwsServices()" in str(problems[1].fix)
    assert "real_time=True" in str(problems[3].fix)
    assert called == []


@pytest.mark.parametrize(
    "key",
    [
        "Put", "dynamodb:putItem", "arn:aws:states:::dynamodb:putItem", "dynamodb:*", "*",
    ],
)  # fmt: skip
def test_a_service_is_faked_by_state_by_resource_or_by_pattern(key: str) -> None:
    run = run_machine(machine(("Put", PUT)), {"id": "o-1"}, fakes={key: {"Attributes": 7}})

    assert run.output == {"Attributes": 7}
    assert run.calls_to("dynamodb:putItem")[0].arguments["Item"] == {"id": {"S": "o-1"}}


def test_an_activity_is_faked_by_what_its_worker_would_answer() -> None:
    definition = machine(
        ("Approve", task("arn:aws:states:us-east-1:123456789012:activity:approve", {"x": 1}))
    )

    for key in ("Approve", "activity:approve", "arn:aws:states:us-east-1:123456789012:activity:approve"):
        assert run_machine(definition, fakes={key: lambda arguments: [arguments]}).output == [{"x": 1}]


def test_a_task_that_waits_for_its_token_is_faked_by_what_is_sent_back() -> None:
    ask = task(
        "sqs:sendMessage.waitForTaskToken",
        {"QueueUrl": "q", "MessageBody": {"token": "{% $states.context.Task.Token %}"}},
    )

    async def answer_next_day(arguments: Any) -> Any:
        await asyncio.sleep(86_400)
        return {"token": bool(arguments["MessageBody"]["token"])}

    run = run_machine(machine(("Ask", ask)), fakes={"Ask": answer_next_day})
    late = run_machine(machine(("Ask", {**ask, "TimeoutSeconds": 3600})), fakes={"Ask": answer_next_day})

    assert (run.output, run.elapsed) == ({"token": True}, 86_400)
    assert (late.error, late.elapsed) == ("States.Timeout", 3600)


def test_a_fake_that_no_task_calls_is_refused_with_the_name_that_was_meant() -> None:
    with pytest.raises(DefinitionError, match="write 'Greet'"):
        run_machine(GREET, fakes={"Great": 1})


def test_waits_and_retries_take_no_time() -> None:
    definition = machine(
        ("Year", {"Type": "Wait", "Seconds": 31_536_000}),
        ("Call", call("f", Retry=[{"ErrorEquals": ["Busy"], "IntervalSeconds": 100, "BackoffRate": 2}])),
    )

    run = run_machine(definition, fakes={"f": [Error("Busy"), Error("Busy"), "done"]})

    assert run.elapsed == 31_536_000 + 100 + 200


def test_in_real_time_the_epoch_is_now() -> None:
    definition = machine(("a", passing(Output="{% $millis() %}")))

    real, virtual = run_machine(definition, real_time=True), run_machine(definition)

    assert virtual.output == 1_767_225_600_000
    assert real.output != virtual.output


def test_the_same_seed_gives_the_same_random_numbers() -> None:
    definition = machine(("a", passing(Output="{% [$random(), $uuid()] %}")))

    assert run_machine(definition, seed=1).output == run_machine(definition, seed=1).output
    assert run_machine(definition, seed=1).output != run_machine(definition, seed=2).output


def test_placeholders_are_substituted_or_stand_for_their_names() -> None:
    definition = machine(("Call", call("${Greeter}", "${Text}", Output="{% $states.result.Payload %}")))
    functions = {"Greeter": lambda event: f"by name: {event}", "other": lambda event: f"given: {event}"}

    assert run_machine(definition, functions=functions).output == "by name: Text"
    substitutions = {"Greeter": "other", "Text": "hello"}
    assert run_machine(definition, functions=functions, substitutions=substitutions).output == "given: hello"


def start(name: str, suffix: str = ".sync:2", **fields: Any) -> dict[str, Any]:
    arn = f"arn:aws:states:us-east-1:123456789012:stateMachine:{name}"
    return task(f"states:startExecution{suffix}", {"StateMachineArn": arn, "Input": {"n": 2}}, **fields)


def test_other_machines_are_started_and_their_calls_are_seen() -> None:
    run = run_machine(
        machine(("Nested", start("twice", Output="{% $states.result.Output %}"))),
        machines={"twice": machine(("Call", call("f", "{% $states.input %}")))},
        fakes={"Call": lambda arguments: {"Payload": arguments["Payload"]["n"] * 2}},
    )

    assert run.output == {"Payload": 4}
    assert [(each.state, each.execution == run.name) for each in run.calls] == [
        ("Nested", True),
        ("Call", False),
    ]


def test_what_nobody_waits_for_has_ended_too() -> None:
    run = run_machine(
        machine(("Nested", start("slow", suffix=""))),
        machines={"slow": machine(("Later", {"Type": "Wait", "Seconds": 600}))},
    )

    assert run.elapsed == 0
    assert [each.status for each in run.executions.values()] == ["SUCCEEDED", "SUCCEEDED"]


def test_two_machines_of_one_name_are_refused() -> None:
    with pytest.raises(UsageError, match="names 'machine', which is the machine that is run"):
        run_machine(GREET, machines={"machine": GREET}, fakes={"greet": 1})


@pytest.mark.parametrize(
    "resource, arguments",
    [
        ("lambda:invoke.waitForTaskToken", {"FunctionName": "notify"}),
        ("arn:aws:states:us-east-1:123456789012:activity:approve", {}),
    ],
)
def test_a_task_that_would_wait_for_ever_is_refused_unless_it_has_a_time_limit(
    resource: str, arguments: dict[str, Any]
) -> None:
    functions = {"notify": lambda event: None}

    with pytest.raises(
        DefinitionError, match=r"state 'machine/Ask': the task waits for .* nothing here can end it"
    ):
        run_machine(machine(("Ask", task(resource, arguments))), functions=functions)

    limited = machine(("Ask", task(resource, arguments, TimeoutSeconds=86_400)))
    run = run_machine(limited, functions=functions)
    assert (run.error, run.elapsed) == ("States.Timeout", 86_400)


def test_services_are_called_in_this_process() -> None:
    services = AwsServices()
    key = [{"AttributeName": "id", "KeyType": "HASH"}]
    attributes = [{"AttributeName": "id", "AttributeType": "S"}]
    table = {
        "TableName": "orders",
        "KeySchema": key,
        "AttributeDefinitions": attributes,
        "BillingMode": "PAY_PER_REQUEST",
    }
    services.prepare([{"call": "dynamodb:createTable", "arguments": table}])
    once = {**PUT, "Arguments": {**PUT["Arguments"], "ConditionExpression": "attribute_not_exists(id)"}}

    first = run_machine(machine(("Put", once)), {"id": "o-1"}, services=services)
    second = run_machine(machine(("Put", once)), {"id": "o-1"}, services=services)

    first.succeeded()
    second.failed_with("DynamoDB.ConditionalCheckFailedException")
    assert services.client("dynamodb").scan(TableName="orders")["Items"] == [{"id": {"S": "o-1"}}]


def test_services_behind_an_endpoint_need_real_time() -> None:
    with pytest.raises(UsageError, match="add real_time=True"):
        run_machine(machine(("Put", PUT)), services=AwsServices(endpoint="http://127.0.0.1:9"))


class Answering(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({"path": self.path}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


def test_http_requests_are_sent_in_real_time_to_where_the_test_says() -> None:
    arguments = {
        "ApiEndpoint": "https://api.example.com/orders",
        "Method": "GET",
        "Authentication": {"ConnectionArn": "arn:aws:events:us-east-1:123456789012:connection/c/1"},
    }
    with HTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            run = run_machine(
                machine(("Fetch", task("http:invoke", arguments))),
                real_time=True,
                http_endpoints={"https://api.example.com": f"http://127.0.0.1:{server.server_port}"},
            )
        finally:
            server.shutdown()
            thread.join()

    assert run.succeeded()["ResponseBody"] == {"path": "/orders"}


def distributed(**fields: Any) -> dict[str, Any]:
    processor = {
        "ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"},
        **block(("Price", call("price", "{% $states.input %}", Output="{% $states.result.Payload %}"))),
    }
    return {"Type": "Map", "Label": "Orders", "ItemProcessor": processor, **fields}


READ = {
    "Resource": "arn:aws:states:::s3:getObject",
    "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"},
    "Arguments": {"Bucket": "data", "Key": "orders.csv"},
}
WRITE = {
    "Resource": "arn:aws:states:::s3:putObject",
    "Arguments": {"Bucket": "results", "Prefix": "today"},
}
PRICE = {"price": lambda event: {"id": event["id"], "price": 2 * int(event["count"])}}


def test_a_distributed_map_reads_and_writes_the_buckets_given() -> None:
    buckets = {"data": {"orders.csv": "id,count\na,1\nb,2\n"}, "results": {}}

    run = run_machine(
        machine(("Each", distributed(ItemReader=READ, ResultWriter=WRITE))), functions=PRICE, buckets=buckets
    )

    manifest_key = run.succeeded()["ResultWriterDetails"]["Key"]
    manifest = json.loads(run.read_object("results", manifest_key))
    written = json.loads(run.read_object("results", manifest["ResultFiles"]["SUCCEEDED"][0]["Key"]))
    assert [json.loads(each["Output"])["price"] for each in written] == [2, 4]
    assert manifest_key in run.list_objects("results", "today/")
    assert buckets["results"] == {}
    assert run.paths_of("Each") == [["Price"], ["Price"]]
    assert run.path_of("Each", 1) == ["Price"]
    assert len(run.calls_to("Price")) == 2


def test_buckets_may_be_a_folder(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "orders.csv").write_text("id,count\na,3\n")

    run = run_machine(machine(("Each", distributed(ItemReader=READ))), functions=PRICE, buckets=tmp_path)

    assert run.succeeded() == [{"id": "a", "price": 6}]
    assert run.read_object("data", "orders.csv") == b"id,count\na,3\n"


def test_the_buckets_of_one_run_may_be_those_of_the_next() -> None:
    definition = machine(("Each", distributed(ItemReader=READ, ResultWriter=WRITE)))
    first = run_machine(
        definition, functions=PRICE, buckets={"data": {"orders.csv": "id,count\na,1\n"}, "results": {}}
    )
    second = run_machine(definition, functions=PRICE, buckets=first.objects, name="second")

    assert second.succeeded()["ResultWriterDetails"]["Bucket"] == "results"
    assert set(first.list_objects("results")) == set(second.list_objects("results"))


def test_s3_tasks_use_the_buckets_given() -> None:
    place = {"Bucket": "data", "Key": "greeting.json"}
    definition = machine(
        ("Put", task("aws-sdk:s3:putObject", {**place, "Body": {"hello": "world"}})),
        ("Get", task("aws-sdk:s3:getObject", place, Output="{% $parse($states.result.Body) %}")),
    )

    run = run_machine(definition, buckets={"data": {}})

    assert run.succeeded() == {"hello": "world"}
    assert run.read_object("data", "greeting.json") == b'{"hello":"world"}'


def test_without_buckets_maps_read_the_s3_of_the_services() -> None:
    services = AwsServices()
    services.client("s3").create_bucket(Bucket="data")
    services.client("s3").put_object(Bucket="data", Key="orders.csv", Body=b"id,count\na,4\n")

    run = run_machine(machine(("Each", distributed(ItemReader=READ))), functions=PRICE, services=services)

    assert run.succeeded() == [{"id": "a", "price": 8}]
    assert run.read_object("data", "orders.csv") == b"id,count\na,4\n"


def test_a_name_that_no_bucket_can_have_is_refused() -> None:
    with pytest.raises(UsageError, match="The specified bucket is not valid: 'B'"):
        run_machine(GREET, fakes={"greet": 1}, buckets={"B": {}})


def test_a_folder_of_buckets_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no folder; in it, each bucket is a folder"):
        run_machine(GREET, fakes={"greet": 1}, buckets=tmp_path / "nowhere")


def test_a_run_without_buckets_has_no_objects() -> None:
    run = run_machine(machine(("a", passing())))

    with pytest.raises(UsageError, match="give it buckets"):
        run.read_object("b", "k")


def test_a_machine_runs_inside_an_async_test() -> None:
    async def in_an_event_loop() -> Any:
        return run_machine(GREET, fakes={"Greet": {"Payload": "hello"}}).output

    assert asyncio.run(in_an_event_loop()) == "hello"


def test_what_goes_wrong_inside_an_async_test_is_raised_there() -> None:
    async def in_an_event_loop() -> None:
        def refuse(arguments: Any) -> None:
            raise AssertionError("never with these arguments")

        run_machine(GREET, fakes={"Greet": refuse})

    with pytest.raises(AssertionError, match="never with these arguments"):
        asyncio.run(in_an_event_loop())
