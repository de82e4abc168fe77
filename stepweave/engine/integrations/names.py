"""Which thing of this engine a name or an ARN in a definition means."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator

_TYPE = re.compile(
    r"^(?:\d{12}:)?(?:function:|stateMachine:|stateMachine/|activity:|job-definition/|task-definition/)"
)


def known_name(text: object, known: Container[str]) -> str | None:
    """The name of ``known`` that ``text`` means: a name, an ARN or the end of one, with or without a qualifier.

    >>> known_name("arn:aws:lambda:eu-west-1:123456789012:function:resize:live", {"resize"})
    'resize'
    >>> known_name("train:3", {"train"}), known_name("arn:aws:states:local:0:stateMachine:child", {"parent"})
    ('train', None)
    """
    if not isinstance(text, str):
        return None
    return next((name for name in _candidates(text) if name in known), None)


def qualifier_of(text: str) -> str | None:
    """The version or alias at the end of ``text``; None when there is none.

    >>> qualifier_of("123456789012:function:resize:7"), qualifier_of("resize")
    ('7', None)
    """
    return _resource(text).partition(":")[2] or None


def last_part(arn: str) -> str:
    """What follows the last colon: the name of an execution.

    >>> last_part("arn:aws:states:local:000000000000:execution:child:run-1")
    'run-1'
    """
    return arn.rpartition(":")[2]


def _candidates(text: str) -> Iterator[str]:
    yield text
    resource = _resource(text)
    yield resource
    yield resource.partition(":")[0]


def _resource(text: str) -> str:
    """The name and its qualifier, without the head of the ARN and the type of the resource."""
    return _TYPE.sub("", text.split(":", 5)[-1] if text.startswith("arn:") else text)
