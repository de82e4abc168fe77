"""Step Functions' part of the layer: our engine in the place of ministack's.

Machines, versions, aliases, activities and tags stay ministack's; executions are ours. A machine in JSONPath goes to
ministack's own interpreter, as before: our engine speaks JSONata only.
"""

from __future__ import annotations

import asyncio
import json
import resource
from collections.abc import Mapping, Sequence
from typing import Any

from ministack.core.responses import error_response_json, json_response
from ministack.services import cloudwatch, stepfunctions
from ministack.services.cloudformation import provisioners

from stepweave.engine.integrations.activity import Activities
from stepweave.engine.integrations.aws_services import AwsServices
from stepweave.engine.tokens import Tokens
from stepweave.errors import DefinitionError
from stepweave.local_aws.home import ACCOUNT, REGION
from stepweave.local_aws.layer.batch.part import jobs
from stepweave.local_aws.layer.part import Part, Setting
from stepweave.local_aws.layer.scope import local_account
from stepweave.local_aws.layer.seams import Seam
from stepweave.local_aws.states import neighbours
from stepweave.local_aws.states.api import Api
from stepweave.local_aws.states.engines import World
from stepweave.local_aws.states.failing import ApiError
from stepweave.local_aws.states.publishing import Publisher
from stepweave.local_aws.states.service import States
from stepweave.local_aws.states.shelf import Shelf
from stepweave.local_aws.states.shifting import Shifting
from stepweave.local_aws.states.wiring import Neighbours, integrations
from stepweave.local_aws.timing import timing
from stepweave.standalone.service_objects import ServiceObjects

Answer = tuple[int, Mapping[str, str], bytes]


class _Server:
    """The executions of this server, and the functions of ministack that they replace."""

    def __init__(self, setting: Setting) -> None:
        clock = timing().clock
        services = AwsServices(endpoint=setting.endpoint, region=REGION, account=ACCOUNT)
        self.activities = Activities()
        beside = Neighbours(
            functions=neighbours.ServerFunctions(),
            jobs=jobs(),
            services=services,
            activities=self.activities,
            allowed=neighbours.allowed,
        )
        world = World(
            clock=clock,
            account=ACCOUNT,
            region=REGION,
            integrations=integrations(beside, lambda: self.states, lambda: clock.speed),
            objects=ServiceObjects(services),
            tokens=Tokens(),
        )
        self.publisher = Publisher(neighbours.ServerServices(), clock.now)
        self.states = States(
            world, neighbours.ServerRegistry(), Shelf(setting.state / "executions"), self.publisher
        )
        self.api = Api(self.states)
        self.shifting = Shifting(_route, _is_alarming, timing().submit, setting.state / "shifts.json")
        self.others = stepfunctions.handle_request
        self.start_other = stepfunctions._start_execution
        self.definition = provisioners._sfn_definition

    async def handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, query_params: Any
    ) -> Answer:
        """Answer a request; ours in the loop of the executions, the rest as ministack does."""
        action = headers.get("x-amz-target", "").rpartition(".")[2]
        request = _request(body)
        if action in ("CreateStateMachine", "UpdateStateMachine"):
            refused = await asyncio.to_thread(self._refused, request)
            if refused is not None:
                return refused
        if action == "GetActivityTask" and request.get("activityArn") in stepfunctions._activities:
            polling = self.activities.get_task(request["activityArn"], request.get("workerName"))
            task = await asyncio.wrap_future(timing().submit(polling))
            return _answered({} if task is None else task)
        if not self._ours(action, request):
            other: Answer = await self.others(method, path, headers, body, query_params)
            return other
        try:
            return _answered(await asyncio.wrap_future(timing().submit(self.api.actions[action](request))))
        except ApiError as error:
            return _refusal(error)

    def start(self, data: Mapping[str, Any]) -> Answer:
        """StartExecution, asked for inside the server."""
        if not self._ours("StartExecution", data):
            other: Answer = self.start_other(data)
            return other
        try:
            return _answered(timing().submit(self.api.actions["StartExecution"](data)).result())
        except ApiError as error:
            return _refusal(error)

    def definition_of(self, props: Mapping[str, Any]) -> str:
        """The definition in a template; raises ``ValueError`` for one that our engine could not run."""
        definition = str(self.definition(props))
        if _is_jsonata(definition):
            try:
                self.states.check(str(props.get("StateMachineName") or "the definition"), definition)
            except DefinitionError as error:
                raise ValueError(f"Invalid State Machine Definition: {error}") from error
        return definition

    def _ours(self, action: str, request: Mapping[str, Any]) -> bool:
        """Whether a request is for our engine."""
        if action not in self.api.actions:
            return False
        if "taskToken" in request:
            return request["taskToken"] not in stepfunctions._task_tokens
        if "executionArn" in request:
            return request["executionArn"] not in stepfunctions._executions
        if "mapRunArn" in request:
            return request["mapRunArn"] not in stepfunctions._map_runs
        machine = stepfunctions._state_machines.get(
            stepfunctions._resolve_state_machine_arn(request.get("stateMachineArn", ""))
        )
        return machine is None or _is_jsonata(machine["definition"])

    def _refused(self, request: Mapping[str, Any]) -> Answer | None:
        """The refusal of a machine that our engine could not run."""
        definition = request.get("definition")
        if not isinstance(definition, str) or not _is_jsonata(definition):
            return None
        name = request.get("name") or str(request.get("stateMachineArn", "")).rpartition(":")[2]
        try:
            self.states.check(str(name), definition)
        except DefinitionError as error:
            return _refusal(ApiError("InvalidDefinition", str(error)))
        return None


def _is_jsonata(definition: str) -> bool:
    try:
        parsed = json.loads(definition)
    except ValueError:
        return False
    return isinstance(parsed, dict) and parsed.get("QueryLanguage") == "JSONata"


def _request(body: bytes) -> dict[str, Any]:
    try:
        request = json.loads(body or b"{}")
    except ValueError:
        return {}
    return request if isinstance(request, dict) else {}


def _answered(answer: Mapping[str, Any]) -> Answer:
    response: Answer = json_response(answer)
    return response


def _refusal(error: ApiError) -> Answer:
    response: Answer = error_response_json(error.code, str(error), 400)
    return response


_server: list[_Server] = []


def states() -> States:
    """The executions of this server."""
    return _server[-1].states


def shifting() -> Shifting:
    """The aliases of this server that go over to a new version step by step."""
    return _server[-1].shifting


def _route(alias: str, routes: Sequence[tuple[str, int]]) -> None:
    configuration = [{"stateMachineVersionArn": version, "weight": weight} for version, weight in routes]
    with local_account():
        stepfunctions._update_state_machine_alias(
            {"stateMachineAliasArn": alias, "routingConfiguration": configuration}
        )


def _is_alarming(alarm: str) -> bool:
    with local_account():
        found = cloudwatch._alarms.get(alarm) or cloudwatch._composite_alarms.get(alarm)
    return found is not None and found["StateValue"] == "ALARM"


def _allow_open_files() -> None:
    """Let this process hold as many files as it may: every running execution has a journal."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _install(setting: Setting) -> None:
    _allow_open_files()
    server = _Server(setting)
    _server.append(server)
    timing().call(server.states.load)
    stepfunctions.handle_request = server.handle
    stepfunctions._start_execution = server.start
    provisioners._sfn_definition = server.definition_of


def _start() -> None:
    timing().call(states().resume)
    shifting().resume()


def _stop() -> None:
    timing().submit(states().leave()).result()
    _server[-1].publisher.close()


def _functions(module: str, *given: tuple[str, tuple[str, ...]]) -> tuple[Seam, ...]:
    return tuple(Seam(f"ministack.services.{module}", name, parameters) for name, parameters in given)


_REQUEST = ("method", "path", "headers", "body", "query_params")

PART = Part(
    name="states",
    seams=(
        *neighbours.SEAMS,
        *_functions(
            "stepfunctions",
            ("handle_request", _REQUEST),
            ("_start_execution", ("data",)),
            ("_resolve_state_machine_arn", ("arn",)),
            ("_update_state_machine_alias", ("data",)),
        ),
        *(
            Seam("ministack.services.stepfunctions", name)
            for name in (
                "_state_machines",
                "_state_machine_versions",
                "_state_machine_aliases",
                "_executions",
                "_task_tokens",
                "_map_runs",
                "_activities",
            )
        ),
        *_functions(
            "eventbridge",
            ("_put_events", ("data", "allow_aws_source")),
        ),
        *_functions(
            "cloudwatch",
            ("record_metric", ("namespace", "metric_name", "value", "unit", "dimensions")),
        ),
        Seam("ministack.services.cloudformation.provisioners", "_sfn_definition", ("props",)),
        Seam("ministack.services.cloudwatch", "_alarms"),
        Seam("ministack.services.cloudwatch", "_composite_alarms"),
    ),
    install=_install,
    start=_start,
    stop=_stop,
)
