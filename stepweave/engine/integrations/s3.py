"""``aws-sdk:s3`` over the objects of the engine, which readers and writers of distributed maps use as well.

Names, forms and errors are those of the SDK integration; what an action answers was recorded on AWS in part
(https://github.com/localstack/localstack, tests/aws/services/stepfunctions/v2/services/test_aws_sdk_task_service):
a text as the ``Body`` of putObject is written as JSON, in quotes.
https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html
"""

from __future__ import annotations

import difflib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stepweave.engine.integrations import s3_listing, s3_objects
from stepweave.engine.integrations.aws_names import sdk_member
from stepweave.engine.integrations.aws_shapes import Arguments, Mistake, constants
from stepweave.engine.integrations.base import TOKEN_SUFFIX, Call, Integration, unusable
from stepweave.engine.machine import Task
from stepweave.engine.objects import Objects
from stepweave.errors import Problem

PATTERN = "aws-sdk:s3:*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What an argument is, in the members that :class:`~stepweave.engine.integrations.aws_shapes.Arguments` reads."""

    type_name: str
    name: str = ""
    members: Mapping[str, Shape] | None = None
    required_members: tuple[str, ...] = ()
    value: Shape | None = None
    """Of the entries of a map."""
    is_document_type: bool = False
    """Whether it is any data."""


_TEXT = Shape(type_name="string")
_FLAG = Shape(type_name="boolean")
_NUMBER = Shape(type_name="integer")
_TEXTS = Shape(type_name="map", value=_TEXT)
_DATA = Shape(type_name="structure", is_document_type=True)

# Who may read an object, who pays and how it is encrypted changes nothing that a task sees here.
_WITHOUT_EFFECT: dict[str, Shape] = {
    **dict.fromkeys(("ACL", "GrantFullControl", "GrantRead", "GrantReadACP", "GrantWriteACP"), _TEXT),
    **dict.fromkeys(("ExpectedBucketOwner", "ExpectedSourceBucketOwner", "RequestPayer"), _TEXT),
    **dict.fromkeys(("SSEKMSKeyId", "SSEKMSEncryptionContext", "ServerSideEncryption"), _TEXT),
    **dict.fromkeys(("ChecksumAlgorithm", "ChecksumMode"), _TEXT),
    "BucketKeyEnabled": _FLAG,
}

Run = Callable[[Objects, Mapping[str, Any], float], Awaitable[dict[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Action:
    """One action of S3."""

    run: Run
    """From the objects, the arguments by S3's own names and the time to the result."""
    shape: Shape
    """Of the arguments."""

    def read(self, arguments: Any) -> tuple[Sequence[Mistake], dict[str, Any]]:
        """What is wrong with arguments, and what they are by S3's own names."""
        unknown: list[Mistake] = []
        known = arguments
        if isinstance(arguments, Mapping):
            names = [sdk_member("", name) for name in self.shape.members or ()]
            unknown = [_unknown(field, names) for field in arguments if field not in names]
            # What is null is not sent.
            known = {
                field: value for field, value in arguments.items() if field in names and value is not None
            }
        reader = Arguments(sdk_member)
        request = reader.read(self.shape, known)
        return [*unknown, *reader.mistakes], request


def _unknown(field: str, names: Iterable[str]) -> Mistake:
    served = sorted(names)
    close = difflib.get_close_matches(field, served, n=1)
    return Mistake(
        path=field,
        text=f"The field '{field}' is not supported",
        expected=", ".join(served),
        fix=f"write {close[0]}" if close else "leave it out, or mock the state",
    )


def _action(run: Run, *texts: str, **others: Shape) -> S3Action:
    """An action with arguments that are texts, and others; ``Bucket``, ``Key`` and ``CopySource`` are required."""
    members = {**dict.fromkeys(texts, _TEXT), **others, **_WITHOUT_EFFECT}
    required = tuple(name for name in ("Bucket", "Key", "CopySource") if name in texts)
    return S3Action(run=run, shape=Shape(type_name="structure", members=members, required_members=required))


_OBJECT = ("Bucket", "Key")
ACTIONS: Mapping[str, S3Action] = {
    "getObject": _action(
        s3_objects.get_object, *_OBJECT, "VersionId", "Range", "IfMatch", "IfNoneMatch"
    ),
    "headObject": _action(s3_objects.head_object, *_OBJECT, "VersionId", "IfMatch", "IfNoneMatch"),
    "putObject": _action(
        s3_objects.put_object, *_OBJECT, "ContentType", "IfMatch", "IfNoneMatch", Body=_DATA, Metadata=_TEXTS
    ),
    "copyObject": _action(
        s3_objects.copy_object,
        *_OBJECT, "CopySource", "ContentType", "MetadataDirective",
        Metadata=_TEXTS,
    ),
    "deleteObject": _action(s3_objects.delete_object, *_OBJECT, "VersionId"),
    "listObjectsV2": _action(
        s3_listing.list_objects,
        "Bucket", "Prefix", "Delimiter", "StartAfter", "ContinuationToken",
        MaxKeys=_NUMBER,
    ),
}  # fmt: skip


class S3Call(Integration):
    """``aws-sdk:s3:ACTION``; the actions that are not here are refused before anything runs."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def check(self, task: Task, machines: Iterable[str]) -> Iterable[Problem]:
        name = _name(task.resource)
        action = ACTIONS.get(name)
        if action is None:
            close = difflib.get_close_matches(name, ACTIONS, n=3)
            yield Problem(
                code="unknown-action",
                what="the Resource names no action of S3 that this engine has for its own objects",
                expected=" or ".join(close) or ", ".join(ACTIONS),
                got=name,
                fix="mock the state, or use an endpoint instead of objects",
            )
            return
        for mistake in action.read(constants(task.arguments))[0]:
            yield Problem(
                code="unknown-argument",
                what=f"Arguments do not fit s3:{name}: {mistake.text}",
                expected=mistake.expected,
                got=mistake.path,
                fix=mistake.fix,
            )

    async def run(self, call: Call) -> Any:
        action = ACTIONS[_name(call.resource)]
        mistakes, request = action.read(call.arguments)
        if mistakes:
            raise unusable(call.arguments, *(mistake.text for mistake in mistakes))
        answer = await action.run(self._objects, request, call.now())
        return dict(sorted(answer.items()))


def s3_integrations(objects: Objects) -> dict[str, Integration]:
    """``aws-sdk:s3`` over ``objects``, for :class:`~stepweave.engine.engine.Engine`."""
    return {PATTERN: S3Call(objects)}


def _name(resource: str) -> str:
    return resource.removesuffix(TOKEN_SUFFIX).rpartition(":")[2]
