"""What a type of CloudFormation is to ministack: functions that create, update and delete a resource.

They run on the server's event loop, so they call services in process, never through the API. A type's Ref is the
physical id that its functions answer; what ``Fn::GetAtt`` finds are the attributes beside it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from ministack.services.cloudformation import provisioners

Properties = Mapping[str, Any]
Attributes = dict[str, Any]
Resource = tuple[str, Attributes]
Handler = dict[str, Callable[..., Any]]


def created_name(properties: Properties, key: str, stack: str, logical_id: str, longest: int) -> str:
    """The name that the template gives under ``key``, or one made of stack and logical id."""
    return str(properties.get(key) or provisioners._physical_name(stack, logical_id, max_len=longest))


def answer(response: tuple[int, Mapping[str, str], bytes]) -> dict[str, Any]:
    """The body of a service's response. Raises ``ValueError`` for a refusal: then the stack's operation fails."""
    status, _, body = response
    if status >= 400:
        raise ValueError(body.decode("utf-8", "replace"))
    found: dict[str, Any] = json.loads(body or b"{}")
    return found
