"""The command line's frame: help, errors, JSON, exit statuses."""

import json
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Callable

import pytest

from stepweave.cli import main as cli
from stepweave.cli.answer import Answer
from stepweave.cli.options import add_json
from stepweave.errors import DagError, Problem, UsageError


class FakeModule:
    """Stands for the module of a command."""

    def __init__(self, command: Callable[..., Answer]) -> None:
        self.command = command

    @staticmethod
    def declare(parser: ArgumentParser) -> None:
        add_json(parser)


def with_command(monkeypatch: pytest.MonkeyPatch, command: Callable[..., Answer]) -> None:
    monkeypatch.setattr(cli, "module_named", lambda name: FakeModule(command))


def mistaken(as_json: bool) -> Answer:
    raise DagError(
        [
            Problem(
                what="the edges form a cycle: a → b → a", code="cycle", file="d.py", line=3, fix="drop one"
            ),
            Problem(what="no such task", code="unknown-task", task="x"),
        ]
    )


def test_help_lists_every_command_with_its_line(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.execute(["--help"]) == 0
    out = capfd.readouterr().out
    assert all(f"\n  {name} " in out for name in cli.COMMANDS)
    assert "First steps" in out


def test_without_a_command_the_help_is_shown(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.execute([]) == 0
    assert "First steps" in capfd.readouterr().out


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_has_help_with_an_example(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.execute([name, "--help"]) == 0
    out = capfd.readouterr().out
    assert "Example" in out
    assert f"  stepweave {name}" in out


def test_the_version_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.execute(["--version"]) == 0
    assert capfd.readouterr().out.startswith("stepweave 0.")


def test_an_unknown_command_names_the_nearest(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.execute(["simulat"]) == 2
    assert "did you mean 'simulate'?" in capfd.readouterr().err


def test_a_wrong_option_is_a_usage_error(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.execute(["runs", "--nope"]) == 2
    captured = capfd.readouterr()
    assert "--nope" in captured.err
    assert "stepweave runs --help" in captured.err
    assert captured.out == ""


def test_all_problems_of_a_dag_are_told_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with_command(monkeypatch, mistaken)
    assert cli.execute(["plan"]) == 2
    err = capfd.readouterr().err
    assert "d.py:3: the edges form a cycle" in err
    assert "task 'x': no such task" in err
    assert "2 problems" in err
    assert "Traceback" not in err


def test_with_json_an_error_is_one_object_on_standard_output(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with_command(monkeypatch, mistaken)
    assert cli.execute(["plan", "--json"]) == 2
    captured = capfd.readouterr()
    problems = json.loads(captured.out)["error"]["problems"]
    assert [(problem["code"], problem["file"], problem["line"]) for problem in problems] == [
        ("cycle", "d.py", 3),
        ("unknown-task", None, None),
    ]
    assert captured.err == ""


def test_with_json_nothing_else_reaches_standard_output(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def command(as_json: bool) -> Answer:
        sys.stdout.write("from python\n")
        subprocess.run(["/bin/echo", "from a child"], check=True)
        return Answer({"a": "ü"}, status=1)

    with_command(monkeypatch, command)
    assert cli.execute(["plan", "--json"]) == 1
    captured = capfd.readouterr()
    assert captured.out == '{"a": "ü"}\n'
    assert captured.err == "from python\nfrom a child\n"


def test_a_usage_error_of_the_library_exits_with_two(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def command(as_json: bool) -> Answer:
        raise UsageError("say it otherwise")

    with_command(monkeypatch, command)
    with pytest.raises(SystemExit) as caught:
        cli.main(["plan"])
    assert caught.value.code == 2
    assert capfd.readouterr().err == "error: say it otherwise\n"


def test_help_imports_no_command() -> None:
    heavy = ("stepweave.cli.commands", "stepweave.engine", "rich", "typer", "pydantic", "asyncio")
    code = (
        "import sys; from stepweave.cli.main import execute; execute(['--help']); "
        f"sys.exit(any(name.startswith({heavy!r}) for name in sys.modules))"
    )
    assert (
        subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL, check=False).returncode == 0
    )
