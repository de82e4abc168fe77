"""What a job runs: a job definition with what SubmitJob says otherwise."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any


def container_of(definition: Mapping[str, Any], request: Mapping[str, Any]) -> dict[str, Any]:
    """The container of a job: command, environment and resources overridden, placeholders of the command filled in
    (https://docs.aws.amazon.com/batch/latest/userguide/job_definition_parameters.html#parameters).
    """
    container = copy.deepcopy(dict(definition.get("containerProperties") or {}))
    overrides = request.get("containerOverrides") or {}
    command = overrides.get("command") or container.get("command") or []
    container["command"] = _filled(command, parameters_of(definition, request))
    container["environment"] = _merged(container, overrides, "environment", "name")
    container["resourceRequirements"] = _merged(container, overrides, "resourceRequirements", "type")
    return container


def parameters_of(definition: Mapping[str, Any], request: Mapping[str, Any]) -> dict[str, str]:
    """The values of the placeholders ``Ref::name``: the definition's, then the request's."""
    return {**(definition.get("parameters") or {}), **(request.get("parameters") or {})}


def resource(container: Mapping[str, Any], kind: str) -> int | None:
    """What a container is given of a resource (``MEMORY`` in MiB, ``VCPU``, ``GPU``), as a whole number."""
    given = {one["type"]: one["value"] for one in container.get("resourceRequirements") or ()}
    return int(float(given[kind])) if kind in given else None


def variables_of(container: Mapping[str, Any]) -> dict[str, str]:
    """The container's environment variables."""
    return {one["name"]: str(one.get("value", "")) for one in container.get("environment") or ()}


def camel(value: Any) -> Any:
    """A CloudFormation property as Batch's API has it: keys begin small, but not those that users choose.

    >>> camel({"Timeout": {"AttemptDurationSeconds": 60}, "Tags": {"Team": "ml"}})
    {'timeout': {'attemptDurationSeconds': 60}, 'tags': {'Team': 'ml'}}
    """
    if isinstance(value, Mapping):
        return {
            name[:1].lower() + name[1:]: one if name in ("Tags", "Parameters", "Options") else camel(one)
            for name, one in value.items()
        }
    return [camel(one) for one in value] if isinstance(value, list) else value


def _filled(command: Sequence[str], parameters: Mapping[str, str]) -> list[str]:
    return [
        str(parameters.get(word[5:], word)) if word.startswith("Ref::") else word
        for word in map(str, command)
    ]


def _merged(
    container: Mapping[str, Any], overrides: Mapping[str, Any], field: str, key: str
) -> list[dict[str, Any]]:
    both = [*(container.get(field) or ()), *(overrides.get(field) or ())]
    return list({one[key]: dict(one) for one in both}.values())
