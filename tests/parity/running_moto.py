"""A case in moto's Step Functions, with what it ships without: an evaluator of JSONata.

moto interprets ASL with the code that LocalStack opened, whose JSONata runs in a Java machine that moto leaves out.
The place for an evaluator stayed: ``jsonata._eval_jsonata``. jsonata-python goes there, a port of the same library.
Tasks are answered through its mock mode; waits and pauses between attempts take no time.
"""

from __future__ import annotations

import io
import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import jsonata
import pytest
from jsonata.utils import Utils
from moto.stepfunctions.parser.api import HistoryEventType, StateMachineType, TaskFailedEventDetails
from moto.stepfunctions.parser.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from moto.stepfunctions.parser.asl.component.common.error_name.states_error_name import StatesErrorName
from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.exec.state_map.item_reader.eval import (
    resource_eval_s3 as item_reader,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_map.result_writer.resource_eval import (
    resource_eval_s3 as result_writer,
)
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service import state_task_service
from moto.stepfunctions.parser.asl.component.state.wait.wait_function.wait_function import WaitFunction
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.evaluation_details import (
    AWSExecutionDetails,
    EvaluationDetails,
    ExecutionDetails,
    StateMachineDetails,
)
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.eval.program_state import ProgramEnded, ProgramError, ProgramState
from moto.stepfunctions.parser.asl.jsonata import jsonata as seam
from moto.stepfunctions.parser.asl.parse.asl_parser import AmazonStateLanguageParser
from moto.stepfunctions.parser.backend.execution_worker import SyncExecutionWorker
from moto.stepfunctions.parser.mocking.mock_config import MockedResponseReturn, MockedResponseThrow

from tests.parity.cases import Case, Ending, World, states_of
from tests.parity.running_ours import assignment
from tests.parity.scenarios import Failure

MACHINE = "arn:aws:states:us-east-1:123456789012:stateMachine:machine"
EXECUTION = "arn:aws:states:us-east-1:123456789012:execution:machine:execution"
ROLE = "arn:aws:iam::123456789012:role/machine"
PATIENCE_SECONDS = 5
"""After this long an execution that does not end counts as a crash."""


def evaluate(expression: str) -> Any:
    """The value of an expression that holds all its variables, as moto writes it; undefined is None, as null is."""
    try:
        compiled = jsonata.Jsonata(expression)
        compiled.set_output_convert_nulls(False)
        return json.loads(json.dumps(Utils.convert_nulls(compiled.evaluate(None))))
    except Exception as error:
        raise seam.JSONataException("UNKNOWN", str(error)) from error


def refuses(one: Case) -> bool:
    """Whether moto's parser refuses the definition; it does so with exceptions of many kinds."""
    with _quiet():
        try:
            AmazonStateLanguageParser.parse(_text(one))
        except Exception:
            return True
    return False


def in_moto(one: Case) -> list[Ending]:
    """How moto ends ``one``, by input."""
    if refuses(one):
        return [Ending("refused")] * len(one.inputs)
    with _quiet():
        return [_run(one, value) for value in one.inputs]


def _text(one: Case) -> str:
    return json.dumps(one.definition, ensure_ascii=False)


@contextmanager
def _quiet() -> Iterator[None]:
    """No log, and no traceback of a branch that moto stops before it has begun."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logging.root.manager, "disable", logging.CRITICAL)
        patch.setattr(threading, "excepthook", lambda _: None)
        yield


def _run(one: Case, value: Any) -> Ending:
    world = World(one.answers)
    apart = any("ProcessorConfig" in state.get("ItemProcessor", {}) for state in states_of(one.definition))
    worker = SyncExecutionWorker(
        EvaluationDetails(
            AWSExecutionDetails("123456789012", "us-east-1", ROLE),
            ExecutionDetails(EXECUTION, "execution", ROLE, value, "2026-01-01T00:00:00.000Z"),
            StateMachineDetails(MACHINE, "machine", StateMachineType.STANDARD, _text(one)),
        ),
        SimpleNamespace(terminated=lambda: None),
        None,
        {},
    )
    with _prepared(world, one.items):
        thread = threading.Thread(target=worker.start, daemon=True)
        thread.start()
        thread.join(PATIENCE_SECONDS)
        if thread.is_alive() or worker.env is None:
            return Ending("crash", cause="does not end")
    return _ending(worker.env, world, apart)


@contextmanager
def _prepared(world: World, items: Any) -> Iterator[None]:
    """moto with an evaluator, tasks answered by ``world``, an S3 that holds ``items``, and no time that passes."""
    arguments = threading.local()
    before = state_task_service.StateTaskService._before_eval_execution

    def scheduled(self: Any, env: Environment, **fields: Any) -> None:
        arguments.call = (self.name, self.resource.resource_arn, fields["raw_parameters"])
        before(self, env, **fields)

    def answer(env: Environment) -> Any:
        try:
            return MockedResponseReturn(0, 0, world.answer(*arguments.call))
        except Failure as failure:
            if not failure.error.startswith("States."):
                return MockedResponseThrow(0, 0, failure.error, failure.cause)
            raise FailureEventException(
                _failure(env, failure)
            ) from failure  # its mock mode has no such errors

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seam, "_eval_jsonata", evaluate)
        patch.setattr(state_task_service.StateTaskService, "_before_eval_execution", scheduled)
        patch.setattr(Environment, "is_mocked_mode", lambda env: True)
        patch.setattr(Environment, "get_current_mocked_response", answer)
        for module in (item_reader, result_writer):
            patch.setattr(module, "boto_client_for", lambda **_: _Objects(items))
        patch.setattr(WaitFunction, "_wait_interval", lambda self, env, wait_seconds: None)
        patch.setattr(retrier_decl, "time", SimpleNamespace(sleep=lambda seconds: None))
        yield


class _Objects:
    """The S3 client that moto's item readers and result writers get."""

    def __init__(self, items: Any) -> None:
        self._items = items

    def get_object(self, **_: Any) -> dict[str, Any]:
        return {"Body": io.BytesIO(json.dumps(self._items).encode())}

    def put_object(self, **_: Any) -> None:
        """What is written is not looked at."""


def _failure(env: Environment, failure: Failure) -> FailureEvent:
    details = TaskFailedEventDetails(error=failure.error, cause=failure.cause)
    return FailureEvent(
        env=env,
        error_name=StatesErrorName.from_name(failure.error),
        event_type=HistoryEventType.TaskFailed,
        event_details=EventDetails(taskFailedEventDetails=details),
    )


def _ending(env: Environment, world: World, apart: bool) -> Ending:
    """How it ended; the history of an execution does not tell what child executions did (``apart``)."""
    state: ProgramState = env.program_state()
    entered, assigned = [], []
    for event in env.event_manager.get_event_history():
        if str(event["type"]).endswith("StateEntered"):
            entered.append(event["stateEnteredEventDetails"]["name"])
        details = event.get("stateExitedEventDetails") or {}
        for name, text in (details.get("assignedVariables") or {}).items():
            assigned.append(_assignment(details["name"], name, text))
        lists = None if apart else tuple(entered), tuple(world.calls), None if apart else tuple(assigned)
    if isinstance(state, ProgramEnded):
        return Ending("SUCCEEDED", None, "", env.states.get_input(), *lists)
    if isinstance(state, ProgramError):
        return Ending("FAILED", state.error.get("error"), state.error.get("cause") or "", None, *lists)
    return Ending("crash", cause=type(state).__name__)


def _assignment(state: str, name: str, text: str) -> str:
    """One assignment; moto writes text without escaping it."""
    try:
        return assignment(state, name, text)
    except ValueError:
        return f"{state}: {name} = unreadable"
