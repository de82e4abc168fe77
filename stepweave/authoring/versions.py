"""Versions of components: dotted numbers, and what somebody who uses a component asks of them."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any

from stepweave.authoring.source import here
from stepweave.errors import DagError, Problem

_VERSION = re.compile(r"\d+(\.\d+)*")
_DEMAND = re.compile(r"\s*(>=|<=|==|!=|>|<)?\s*(\d+(?:\.\d+)*)\s*")
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge, "<=": operator.le, "==": operator.eq, "!=": operator.ne, ">": operator.gt, "<": operator.lt,
}  # fmt: skip


def satisfies(version: str, demands: str) -> bool:
    """Whether ``version`` is as asked: ``satisfies("1.2.0", ">=1.1,<2")``; missing numbers count as 0.

    Raises ``ValueError`` saying which of the two cannot be understood.
    """
    if not _VERSION.fullmatch(version):
        raise ValueError(f"the version {version!r} is not made of numbers and dots")
    for demand in demands.split(","):
        match = _DEMAND.fullmatch(demand)
        if match is None:
            raise ValueError(f"the demand {demand!r} cannot be understood")
        sign, wanted = match.groups()
        if not _COMPARE[sign or "=="](_numbers(version), _numbers(wanted)):
            return False
    return True


def _numbers(version: str) -> tuple[int, ...]:
    numbers = [int(part) for part in version.split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def check_version(component: str, version: Any, demands: str) -> None:
    """Nothing when the version of a component is as asked. Raises ``DagError`` at the user's line otherwise."""
    source = here()
    try:
        if isinstance(version, str) and version and satisfies(version, demands):
            return
        expected, got = f"version {demands}", f"version {version}" if version else "no version"
        what = f"{component} is not of the version that is asked for"
        fix = "use the version that fits, or ask for this one"
    except ValueError as error:
        expected, got = (
            "a version such as 1.2.0, and a demand such as '>=1.1,<2'",
            f"{version!r} and {demands!r}",
        )
        what, fix = str(error), "write numbers and dots; demands with one of >= <= == != > < before them"
    problem = Problem(
        what=what,
        code="version",
        file=source.file,
        line=source.line,
        expected=expected,
        got=got,
        fix=fix,
    )
    raise DagError([problem])
