"""Commands of the AWS command line that the documentation shows: their operations and options exist."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name
from botocore.model import ServiceModel

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
SHOWN = re.compile(r"(?<![\w-])aws ([a-z0-9-]+) ([a-z0-9-]+)((?:[^`\n\\]|\\\n)*)")
OF_THE_COMMAND_LINE = {
    "--query",
    "--output",
    "--cli-binary-format",
    "--profile",
    "--region",
    "--queue-url-only",
}
WITHOUT_OPERATIONS = {("s3", "cp"), ("s3", "mb"), ("s3", "ls"), ("sso", "login")}
"""Commands that are more than one call."""
CALLED_OTHERWISE = {"s3api": "s3"}


@cache
def service(name: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(CALLED_OTHERWISE.get(name, name))


def shown_in(page: Path) -> list[tuple[str, str, tuple[str, ...]]]:
    found = []
    for name, operation, rest in SHOWN.findall(page.read_text(encoding="utf-8")):
        own = re.split(r"\$\(|\)", rest)[0] if "$(" in rest else rest
        found.append((name, operation, tuple(re.findall(r"(?<=\s)--[a-z-]+", own))))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_of_aws_that_a_page_shows_exists(page: Path) -> None:
    for name, operation, options in shown_in(page):
        if (name, operation) in WITHOUT_OPERATIONS:
            continue
        model = service(name)
        operations = {xform_name(each, "-"): each for each in model.operation_names}
        assert operation in operations, (name, operation)
        shape = model.operation_model(operations[operation]).input_shape
        known = {f"--{xform_name(member, '-')}" for member in (shape.members if shape is not None else ())}
        strange = {each.replace("--no-", "--", 1) for each in options} - known - OF_THE_COMMAND_LINE
        assert strange == set(), (name, operation)


def test_the_runbook_shows_commands_of_aws() -> None:
    assert len(shown_in(ROOT / "docs" / "operating.md")) > 10
