import pytest
from botocore.exceptions import ClientError

from functions.starter.dag_file import DagFile
from functions.starter.machine import Machine, StartRefusedError
from functions.starter.requests import to_request
from tests.functions.environment_fakes import ALIAS, BEGAN


def answer(status):
    return ClientError(
        {"Error": {"Code": "InternalFailure"}, "ResponseMetadata": {"HTTPStatusCode": status}},
        "StartExecution",
    )


def begin(states):
    dag = DagFile(dag="sales")
    return Machine(ALIAS, states).begin("sales", to_request({"source": "manual", "run_id": "r1"}, dag, BEGAN))


def test_an_error_of_the_server_is_no_refusal_since_the_execution_may_have_begun(states):
    states.losses = [answer(500)]
    with pytest.raises(ClientError, match="InternalFailure"):
        begin(states)
    assert begin(states)[0].status == "running"
    assert len(states.started) == 1


def test_an_error_of_the_request_is_a_refusal(states):
    states.refusals = [answer(400)]
    with pytest.raises(StartRefusedError, match="InternalFailure"):
        begin(states)
