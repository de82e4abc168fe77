"""`base_requirements(closure, kind)`: what our own code needs, besides what tasks declare.

A function gets only what its modules import: the recorder, for one, loads no pydantic if it imports none.
"""

from __future__ import annotations

from infra.packaging.closure import Closure, Outside
from infra.packaging.profile import Profile

_DISTRIBUTIONS = {
    "aws_lambda_powertools": "aws-lambda-powertools",
    "aws_xray_sdk": "aws-xray-sdk",
    "cronsim": "cronsim",
    "fastjsonschema": "fastjsonschema",
    "obstore": "obstore",
    "pydantic": "pydantic",
    "pydantic_core": "pydantic",
}
_AWS = {"boto3": "boto3", "botocore": "boto3"}
"""Lambda has it; an image has not. On this machine the functions run like on Lambda, in an environment that has it."""

LIBRARY, HANDLERS = "stepweave", "functions"
OWN = (LIBRARY, HANDLERS)
"""Packages whose imports need no requirement written by the user.

What the library imports inside of functions is optional: a task that returns a DataFrame brings pandas itself.
"""


def base_requirements(found: Closure, profile: Profile) -> tuple[str, ...]:
    """The requirements of the modules in ``found`` that are our own, sorted."""
    table = _DISTRIBUTIONS if profile.kind == "lambda" else {**_DISTRIBUTIONS, **_AWS}
    needed = {one.package for one in found.outside if _is_needed(one)}
    return tuple(sorted({table[package] for package in needed & table.keys()}))


def _is_needed(one: Outside) -> bool:
    home = one.module.partition(".")[0]
    return home == HANDLERS or (home == LIBRARY and one.what.scope == "module")
