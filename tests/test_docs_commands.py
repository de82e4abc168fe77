"""Commands and options that the documentation shows are those that there are."""

from __future__ import annotations

import re
from argparse import ArgumentParser
from functools import cache
from pathlib import Path

import pytest

from stepweave.cli.lazy import module_named
from stepweave.cli.main import COMMANDS

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
SHOWN = re.compile(r"(?:^ {4}|`)stepweave ([a-z][a-z-]*)((?: [^`\n]*)?)", re.MULTILINE)


@cache
def options_of(command: str) -> frozenset[str]:
    parser = ArgumentParser()
    module_named(f"stepweave.cli.commands.{command.replace('-', '_')}").declare(parser)
    return frozenset(option for action in parser._actions for option in action.option_strings)


def shown_in(page: Path) -> list[tuple[str, tuple[str, ...]]]:
    """Each command that the page shows, with its options."""
    found = []
    for command, rest in SHOWN.findall(page.read_text(encoding="utf-8")):
        typed = re.split(r"  +", rest)[0]  # what follows in a column of its own explains it
        found.append((command, tuple(re.findall(r"(?<=\s)--?[a-zA-Z][a-z-]*", typed))))
    return found


PLANNED = {"ui"}
"""Commands that the roadmap promises."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_and_option_that_a_page_shows_exists(page: Path) -> None:
    planned = PLANNED if page.name == "roadmap.md" else set()
    wrong = [
        (command, option)
        for command, options in shown_in(page)
        for option in ("", *options)
        if command not in planned
        and (command not in COMMANDS or (option and option not in options_of(command)))
    ]
    assert wrong == []


def test_the_page_of_the_command_line_names_every_command() -> None:
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert [
        command for command in COMMANDS if f"`{command} " not in page and f"`{command}`" not in page
    ] == []
    assert len(shown_in(ROOT / "docs" / "cli.md")) > 10
