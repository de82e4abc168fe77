"""``stepweave check`` on state machine definitions that somebody wrote by hand."""

import json
from pathlib import Path
from typing import Any

import pytest

from stepweave.cli.main import execute

Capture = pytest.CaptureFixture[str]


def write(folder: Path, output: Any, name: str = "orders.asl.json") -> str:
    """The path of a definition with one Pass state."""
    states = {"start": {"Type": "Pass", "Output": output, "End": True}}
    path = folder / name
    path.write_text(json.dumps({"QueryLanguage": "JSONata", "StartAt": "start", "States": states}))
    return str(path)


def json_of(capfd: Capture, *argv: str, status: int) -> dict[str, Any]:
    assert execute(["check", *argv, "--json"]) == status
    found = json.loads(capfd.readouterr().out)
    assert isinstance(found, dict)
    return found


def test_a_sound_definition_is_right(tmp_path: Path, capfd: Capture) -> None:
    file = write(tmp_path, "{% $states.input %}")
    assert json_of(capfd, file, status=0) == {
        "checked": [{"target": file, "ok": True}],
        "problems": [],
        "advice": [],
    }


def test_what_step_functions_rejects_is_a_problem(tmp_path: Path, capfd: Capture) -> None:
    sound, broken = write(tmp_path, 1, "a.asl.json"), write(tmp_path, "{% $ %}")
    found = json_of(capfd, sound, broken, status=2)
    assert [row["ok"] for row in found["checked"]] == [True, False]
    (problem,) = found["problems"]
    assert (problem["code"], problem["file"], problem["state"]) == ("expression-context", broken, "start")


def test_what_it_accepts_is_advice_and_no_failure(tmp_path: Path, capfd: Capture) -> None:
    file = write(tmp_path, "{% $never %}")
    found = json_of(capfd, file, status=0)
    assert [problem["code"] for problem in found["advice"]] == ["undefined-variable"]
    assert execute(["check", file]) == 0
    out = capfd.readouterr().out
    assert out.startswith(f"✓ {file}\n{file}: state 'start': Output reads $never")


def test_text_that_is_no_json_is_a_problem_with_its_line(tmp_path: Path, capfd: Capture) -> None:
    file = tmp_path / "broken.asl.json"
    file.write_text('{\n"StartAt": }')
    (problem,) = json_of(capfd, str(file), status=2)["problems"]
    assert (problem["code"], problem["file"], problem["line"]) == ("json", str(file), 2)


def test_keys_that_stand_twice_are_a_problem(tmp_path: Path, capfd: Capture) -> None:
    file = Path(write(tmp_path, 1))
    file.write_text(file.read_text().replace('"Output": 1', '"Output": 1, "Output": 2'))
    assert [p["code"] for p in json_of(capfd, str(file), status=2)["problems"]] == ["duplicate-key"]


def test_a_file_that_is_not_there_is_wrong_usage(tmp_path: Path, capfd: Capture) -> None:
    assert execute(["check", str(tmp_path / "gone.asl.json")]) == 2
    assert "cannot be read" in capfd.readouterr().err
