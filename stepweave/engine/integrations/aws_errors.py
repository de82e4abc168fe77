"""The error names and causes that Step Functions gives the errors of AWS calls.

As recorded on AWS (docs/parity.md): modelled errors keep their name, all others are the service's own exception.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stepweave.engine.failures import StateError
from stepweave.engine.integrations.aws_names import sdk_error, sdk_service


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimizedErrors:
    """How the errors of an optimized integration are named."""

    prefix: str
    own: str
    """The name of an error that the service's model does not list."""
    service: str
    """What a cause calls the service."""


OPTIMIZED = {
    "dynamodb": OptimizedErrors(prefix="DynamoDB", own="AmazonDynamoDBException", service="AmazonDynamoDBv2"),
    "events": OptimizedErrors(
        prefix="EventBridge", own="AmazonEventBridgeException", service="AmazonEventBridge"
    ),
    "sns": OptimizedErrors(prefix="SNS", own="AmazonSNSException", service="AmazonSNS"),
    "sqs": OptimizedErrors(prefix="SQS", own="AmazonSQSException", service="AmazonSQS"),
}


def of_sdk(model: Any, response: Mapping[str, Any]) -> StateError:
    """The error of an aws-sdk integration, from the response in botocore's ``ClientError``."""
    service = sdk_service(model.service_id)
    details = [
        f"Service: {service}",
        f"Status Code: {_status(response)}",
        f"Request ID: {_request_id(response)}",
    ]
    if "HostId" in response["ResponseMetadata"]:
        details.append(f"Extended Request ID: {response['ResponseMetadata']['HostId']}")
    cause = f"{_message(response)} ({', '.join(details)})"
    return StateError(sdk_error(_shape(model, response), service), cause)


def of_optimized(name: str, model: Any, response: Mapping[str, Any]) -> StateError:
    """The same for an optimized integration of the service ``name``."""
    naming = OPTIMIZED[name]
    shape = _shape(model, response)
    own = naming.own if shape is None else f"{shape.removesuffix('Exception')}Exception"
    cause = (
        f"{_message(response)} (Service: {naming.service}; Status Code: {_status(response)};"
        f" Error Code: {response['Error'].get('Code')}; Request ID: {_request_id(response)}; Proxy: null)"
    )
    return StateError(f"{naming.prefix}.{own}", cause)


def of_client(prefix: str, own: str, error: Exception, *, connecting: bool) -> StateError:
    """The error of a request that was not answered (``connecting``) or that the client itself refused."""
    if connecting:
        return StateError(f"{prefix}.SdkClientException", f"Unable to execute HTTP request: {error}")
    return StateError(f"{prefix}.{own}", str(error))


def _shape(model: Any, response: Mapping[str, Any]) -> str | None:
    error = response["Error"]
    # SQS speaks JSON and still gives the codes of its former protocol.
    for code in (error.get("Code"), error.get("QueryErrorCode")):
        if code and (shape := model.shape_for_error_code(code)) is not None:
            return str(shape.name)
    return None


def _message(response: Mapping[str, Any]) -> str:
    error = response["Error"]
    return str(error.get("Message") or error.get("message") or error.get("Code"))


def _status(response: Mapping[str, Any]) -> Any:
    return response["ResponseMetadata"].get("HTTPStatusCode")


def _request_id(response: Mapping[str, Any]) -> Any:
    return response["ResponseMetadata"].get("RequestId")
