"""docs/engine.md does what it says: every command prints what is shown, every test in it runs, every file is used."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "engine.md"
EXAMPLES = ROOT / "docs" / "examples"

_BLOCK = re.compile(
    r"(?:<!-- (?P<kind>\w+): (?P<name>\S+?)(?P<fails> fails)? -->\n)?```(?P<language>\w+)\n(?P<text>.*?)```",
    re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    language: str
    text: str
    kind: str | None
    """``file`` to be written, ``test`` to be run by pytest."""
    name: str
    fails: bool


BLOCKS = [
    Block(each["language"], each["text"], each["kind"], each["name"] or "", each["fails"] is not None)
    for each in _BLOCK.finditer(PAGE.read_text(encoding="utf-8"))
]


def commands(block: Block) -> Iterator[tuple[str, list[str]]]:
    """Each command of a block, and the lines that it is said to print."""
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, *lines = part.splitlines()
        yield command, lines


def pattern_of(lines: list[str]) -> re.Pattern[str]:
    """What matches these lines; ``…`` alone stands for any lines, and the width of a rule is that of the terminal."""
    parts = [r"(?:.*\n)*?" if line == "…" else re.escape(_ruled(line)) + r"\n" for line in lines]
    return re.compile("".join(parts))


def _ruled(text: str) -> str:
    return re.sub(r"-{3,}", "---", text)


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """The ended command, what it wrote to both streams together."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        command,
        shell=True,
        cwd=folder,
        env={**os.environ, "PATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the examples."""
    return Path(
        shutil.copytree(EXAMPLES, tmp_path / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    )


def test_every_block_is_a_command_a_file_or_a_test() -> None:
    kinds = {(block.language, block.kind) for block in BLOCKS}

    assert kinds == {
        ("sh", None),
        ("console", None),
        ("json", "file"),
        ("python", "file"),
        ("python", "test"),
    }
    assert [block.text.count("pip install") for block in BLOCKS if block.language == "sh"] == [2]


def test_every_command_prints_what_the_page_shows(folder: Path) -> None:
    shown = 0
    for block in BLOCKS:
        if block.kind is not None:
            (folder / block.name).write_text(block.text)
        if block.language != "console":
            continue
        for command, lines in commands(block):
            printed = run(command, folder).stdout
            assert pattern_of(lines).fullmatch(_ruled(printed)), f"$ {command}\n{printed}"
            shown += 1
    assert shown >= 8


def test_every_test_of_the_page_and_of_the_example_passes(folder: Path) -> None:
    tests = {block.name for block in BLOCKS if block.kind == "test" and not block.fails}
    for block in BLOCKS:
        if block.kind is not None:
            (folder / block.name).write_text(block.text)

    ended = run(f"python -m pytest -q -p no:cacheprovider test_orders.py {' '.join(sorted(tests))}", folder)

    expected = sum(text.count("\ndef test_") for text in [(EXAMPLES / "test_orders.py").read_text()])
    expected += sum(f"\n{block.text}".count("\ndef test_") for block in BLOCKS if block.name in tests)
    assert ended.returncode == 0, ended.stdout
    assert f"{expected} passed" in ended.stdout


def test_the_snippet_of_the_readme_passes_beside_the_first_test_of_the_page(folder: Path) -> None:
    (first,) = (block for block in BLOCKS if block.name == "test_first.py")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (snippet,) = re.findall(r"```python\n(def test_.*?)```", readme, flags=re.DOTALL)
    (folder / "test_readme.py").write_text(
        f"{first.text}\n\n{snippet.replace('ships_nothing', 'of_the_readme')}"
    )

    ended = run("python -m pytest -q -p no:cacheprovider test_readme.py", folder)

    assert (ended.returncode, "3 passed" in ended.stdout) == (0, True), ended.stdout


def test_every_file_of_the_example_is_linked_or_used() -> None:
    text = PAGE.read_text(encoding="utf-8")

    assert [path.name for path in EXAMPLES.iterdir() if path.is_file() and path.name not in text] == []
