"""The repository itself: links, commands, the lock file, and the size of what a reader has to hold in the head."""

from __future__ import annotations

import ast
import os
import re
import shutil
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
FOLDERS = (".ci", "docs", "functions", "infra", "statemachines", "stepweave", "tests")
PROSE = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
SHIPPED = sorted(
    path
    for folder in ("stepweave", "statemachines", "functions", "infra")
    for path in ROOT.glob(f"{folder}/**/*.py")
    if "node_modules" not in path.parts
)

MODULE_LINES = 400
FUNCTION_LINES = 60


def repository_files() -> Iterator[Path]:
    yield from (path for path in ROOT.iterdir() if path.is_file() and path.name != ".git")
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and not {"__pycache__", "node_modules", ".stepweave"} & set(path.parts):
                yield path


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("page", PROSE, ids=name_of)
def test_every_relative_link_leads_to_a_file(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    relative = [target.split("#")[0] for target in targets if not re.match(r"[a-z]+:|#", target)]
    assert [target for target in relative if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PROSE, ids=name_of)
def test_every_link_into_a_page_leads_to_a_heading(page: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)\s#:]*)#([^)\s]+)\)", page.read_text(encoding="utf-8")):
        linked = (page.parent / target) if target else page
        headings = re.findall(r"^#+ (.*)$", linked.read_text(encoding="utf-8"), flags=re.MULTILINE)
        slugs = [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]
        assert anchor in slugs, f"{name_of(page)} links to #{anchor}; {name_of(linked)} has {slugs}"


def test_no_file_names_a_folder_of_somebodys_machine() -> None:
    # In two pieces, so that this file is not a find itself.
    somebodys = re.compile(r"(?<![\w.~}])/(?:" + "work|root|Users|home" + r")/[\w.]+/?")
    found = [
        f"{name_of(path)}: {match.group()}"
        for path in repository_files()
        if path.suffix in ("", ".py", ".md", ".toml", ".json", ".jinja")
        for match in somebodys.finditer(path.read_text(encoding="utf-8", errors="ignore"))
    ]
    assert found == []


def test_every_make_command_that_is_written_about_exists() -> None:
    targets = set(
        re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    )
    for page in PROSE:
        written = re.findall(
            r"(?:`|^ *|&& )make ([a-z]+)", page.read_text(encoding="utf-8"), flags=re.MULTILINE
        )
        assert set(written) <= targets, name_of(page)


def test_make_cdk_installs_the_cdk_with_the_node_of_the_python_packages_and_puts_it_beside_stepweave(
    tmp_path: Path,
) -> None:
    node = tmp_path / "packages" / "bin" / "node"
    for file, text in {
        "pyproject.toml": "",
        "uv.lock": "",
        "infra/package.json": "{}",
        "infra/package-lock.json": "{}",
        ".venv/.dev": "",
        ".venv/bin/python": f"echo '{node}'",
        "packages/bin/node": 'echo "$@" >> called; mkdir -p infra/node_modules; '
        "touch infra/node_modules/.package-lock.json",
    }.items():
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
    shutil.copy(ROOT / "Makefile", tmp_path)
    for _ in range(2):  # the second time there is nothing to do
        subprocess.run(["make", "cdk"], cwd=tmp_path, check=True, capture_output=True)
    subprocess.run([tmp_path / ".venv" / "bin" / "cdk", "deploy", "a b"], cwd=tmp_path, check=True)
    installed, called = (tmp_path / "called").read_text().splitlines()
    assert installed.startswith(f"{node.parent}/../lib/node_modules/npm/bin/npm-cli.js ci --prefix infra ")
    assert called == f"{tmp_path}/infra/node_modules/aws-cdk/bin/cdk deploy a b"


def test_every_stepweave_command_in_the_readme_exists() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = set(re.findall(r"(?:^ *|`)(?:\$ )?stepweave ([a-z][a-z-]+)", readme, flags=re.MULTILINE))
    help_text = subprocess.run(
        [Path(sys.executable).with_name("stepweave"), "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert commands, "the README shows no command at all"
    assert {command for command in commands if not re.search(rf"\b{command}\b", help_text)} == set()


def test_ci_runs_the_test_command_of_the_readme() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert script.read_text(encoding="utf-8").rstrip().endswith("\nmake test")
    assert "make test" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_lock_file_is_of_the_declared_dependencies() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    (locked,) = (package for package in lock["package"] if package["name"] == project["project"]["name"])

    assert lock["requires-python"] == project["project"]["requires-python"]
    declared = declared_requirements(project["project"]["dependencies"], None)
    for extra, lines in project["project"]["optional-dependencies"].items():
        declared |= declared_requirements(lines, extra)
    assert locked_requirements(locked["metadata"]["requires-dist"]) == declared
    assert locked_requirements(locked["metadata"]["requires-dev"]["dev"]) == declared_requirements(
        project["dependency-groups"]["dev"], None
    )


def declared_requirements(lines: Iterable[str], extra: str | None) -> set[tuple[object, ...]]:
    """Name, version, extras and the extra that asks for it, of each line; an own extra is what it stands for."""
    parsed = [Requirement(line) for line in lines]
    return {
        (each.name, frozenset(map(str, each.specifier)), frozenset(each.extras), extra) for each in parsed
    }


def locked_requirements(entries: Iterable[dict[str, Any]]) -> set[tuple[object, ...]]:
    def extra_of(marker: str) -> str | None:
        match = re.search(r"extra == '([^']+)'", marker)
        return match.group(1) if match else None

    return {
        (
            entry["name"],
            frozenset(entry.get("specifier", "").split(",")) - {""},
            frozenset(entry.get("extras", ())),
            extra_of(entry.get("marker", "")),
        )
        for entry in entries
    }


@pytest.mark.parametrize("path", SHIPPED, ids=name_of)
def test_a_module_is_short_enough_to_be_read(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MODULE_LINES
    functions = (
        node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    long = {node.name: length for node in functions if (length := body_lines(node)) > FUNCTION_LINES}
    assert long == {}


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def test_a_test_cannot_reach_another_machine() -> None:
    # 192.0.2.1 belongs to nobody: https://www.rfc-editor.org/rfc/rfc5737
    with socket.socket() as client, pytest.raises(RuntimeError, match="loopback only"):
        client.connect(("192.0.2.1", 80))
    with pytest.raises(RuntimeError, match="loopback only"):
        socket.getaddrinfo("example.org", 443)


def test_a_test_can_reach_a_server_on_loopback() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
    ):
        assert client.getpeername() == server.getsockname()
