"""Each command on a small DAG: what it prints, its JSON, its exit status."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from stepweave.cli.main import execute

Capture = pytest.CaptureFixture[str]

CYCLE = """
from stepweave import dag, task

@task
def a(x: int = 0) -> int: return x

@dag
def turning():
    first, second = a.override(task_id="first")(), a.override(task_id="second")()
    first >> second >> first
"""


def json_of(capfd: Capture, *argv: str, status: int = 0) -> dict[str, Any]:
    assert execute([*argv, "--json"]) == status
    out = capfd.readouterr().out
    assert out.count("\n") == 1
    found = json.loads(out)
    assert isinstance(found, dict)
    return found


def text_of(capfd: Capture, *argv: str, status: int = 0) -> str:
    assert execute(argv) == status
    captured = capfd.readouterr()
    return captured.out if status == 0 else captured.out + captured.err


def test_run_answers_with_the_contracts_json(diamond: str, capfd: Capture) -> None:
    found = json_of(capfd, "run", diamond, "--inline", "--run-id", "r1")
    assert list(found) == ["run_id", "dag_id", "status", "tasks", "wall_seconds"]
    assert (found["run_id"], found["dag_id"], found["status"]) == ("r1", "diamond", "success")
    assert list(found["tasks"]) == ["load", "total", "broken", "report"]
    assert {task: run["value"] for task, run in found["tasks"].items()} == {
        "load": [1, 2, 3],
        "total": 6,
        "broken": 3,
        "report": "6/3",
    }
    assert all(run["status"] == "success" and run["attempts"] == 1 for run in found["tasks"].values())
    assert all(run["duration_seconds"] > 0 for run in found["tasks"].values())


def test_run_tells_people_how_it_went(diamond: str, capfd: Capture) -> None:
    out = text_of(capfd, "run", diamond, "--inline", "--run-id", "r1")
    assert out.startswith("r1\n")
    assert "✓ r1: success in " in out
    assert '  report  "6/3"' in out
    assert "\x1b[" not in out


def test_a_run_that_cannot_start_shows_its_error_alone(diamond: str, capfd: Capture) -> None:
    json_of(capfd, "run", diamond, "--inline", "--run-id", "r1")
    out = text_of(capfd, "run", diamond, "--inline", "--run-id", "r1", status=2)
    assert out == "error: a run 'r1' exists in '.stepweave'; choose another id, or: stepweave resume r1\n"


def test_run_says_what_starts_a_run_in_an_environment(diamond: str, capfd: Capture) -> None:
    out = text_of(capfd, "run", "diamond", "--env", "dev", "-p", "day=1 May", status=2)
    assert out.endswith(": stepweave trigger diamond --param 'day=1 May' --env dev --wait\n")
    assert text_of(capfd, "runs").startswith("no runs in")


LONG = f"no rows {'x' * 300}\\nin the file"
FAILING = f"""
from stepweave import dag, task
from stepweave.errors import DataError

@task
def load() -> int:
    raise DataError("{LONG}")

@task
def each(i: int) -> int:
    if i:
        raise DataError("bad")
    return i

@dag
def failing():
    load()
    each.expand(i=[0, 1])
"""


def test_an_error_that_is_cut_is_shown_whole_where_show_and_the_summary_say(
    write: Callable[[str], str], capfd: Capture
) -> None:
    whole = LONG.replace("\\n", "\n")
    summary = text_of(capfd, "run", write(FAILING), "--inline", "--run-id", "r1", status=1)
    assert "    all of it: stepweave show r1 --task load\n" in summary
    shown = text_of(capfd, "show", "r1")
    assert shown.endswith("\n\nErrors are cut; all of one: stepweave show r1 --task load\n")
    assert whole not in shown
    told = text_of(capfd, "show", "r1", "--task", "load")
    assert told.endswith(f"\n\nload: DataError: {whole}\nlog: stepweave logs r1 load\n")
    assert "each" not in told.partition("\n\n")[2]
    assert json_of(capfd, "show", "r1")["tasks"]["load"]["error"]["message"] == whole


def test_a_task_that_is_asked_for_is_shown_with_its_items_and_their_errors(
    write: Callable[[str], str], capfd: Capture
) -> None:
    text_of(capfd, "run", write(FAILING), "--inline", "--run-id", "r1", status=1)
    table = text_of(capfd, "show", "r1", "--task", "each").split("\n\n")[1]
    assert {line.split()[0] for line in table.splitlines()[1:]} == {"each", "each[0]", "each[1]"}
    one = text_of(capfd, "show", "r1", "--task", "each[1]")
    assert one.endswith("\n\neach[1]: DataError: bad\nlog: stepweave logs r1 'each[1]'\n")
    assert list(json_of(capfd, "show", "r1", "--task", "each[1]")["tasks"]) == ["each"]


def test_a_task_that_a_run_does_not_have_is_wrong_usage(diamond: str, capfd: Capture) -> None:
    text_of(capfd, "run", diamond, "--inline", "--run-id", "r1")
    out = text_of(capfd, "show", "r1", "--task", "laod", status=2)
    assert out == "error: run r1 has no task 'laod'; did you mean 'load'?\n"


def test_run_finds_a_dag_by_its_id(diamond: str, capfd: Capture) -> None:
    assert json_of(capfd, "run", "diamond", "--inline")["status"] == "success"


def test_a_failed_run_exits_with_one_and_resume_goes_on(diamond: str, project: Path, capfd: Capture) -> None:
    (project / "broken").touch()
    out = text_of(capfd, "run", diamond, "--inline", "--run-id", "r1", status=1)
    assert "broken: TransientError: ValueError: no rows" in out
    assert "stepweave resume r1" in out
    (project / "broken").unlink()
    found = json_of(capfd, "resume", "latest", "--inline")
    assert (found["run_id"], found["status"], found["tasks"]["report"]["value"]) == ("r1", "success", "6/3")
    assert "reused" not in found["tasks"]["load"]


def test_a_failed_run_has_its_errors_in_the_json(diamond: str, project: Path, capfd: Capture) -> None:
    (project / "broken").touch()
    tasks = json_of(capfd, "run", diamond, "--inline", status=1)["tasks"]
    assert tasks["broken"]["error"] == {"type": "TransientError", "message": "ValueError: no rows"}
    assert tasks["report"] == {"status": "upstream_failed", "attempts": 0, "duration_seconds": 0.0}


def test_resuming_a_success_is_a_usage_error(diamond: str, capfd: Capture) -> None:
    json_of(capfd, "run", diamond, "--inline", "--run-id", "r1")
    assert "nothing to resume" in text_of(capfd, "resume", "r1", status=2)


def test_params_reach_the_tasks_and_their_log(diamond: str, capfd: Capture) -> None:
    json_of(capfd, "run", diamond, "--inline", "--param", "day=2026", "--run-id", "r1")
    assert text_of(capfd, "logs", "r1", "load") == "==> load, attempt 1 <==\nloading 2026\n"
    assert json_of(capfd, "show", "r1")["params"] == {"day": "2026"}


def test_wrong_params_exit_with_two_before_anything_runs(diamond: str, project: Path, capfd: Capture) -> None:
    problems = json_of(capfd, "run", diamond, "--param", "dya=1", "--param", "x", status=2)["error"][
        "problems"
    ]
    assert [problem["code"] for problem in problems] == ["param-form"]
    problems = json_of(capfd, "run", diamond, "--param", "dya=1", status=2)["error"]["problems"]
    assert [problem["code"] for problem in problems] == ["unknown-param"]
    assert not (project / ".stepweave").exists()


def test_plan_answers_with_the_contracts_json(diamond: str, capfd: Capture) -> None:
    found = json_of(capfd, "plan", diamond)
    assert list(found) == [
        "dag_id", "tasks", "states", "transitions", "gates", "signals", "history_events", "definition_bytes",
        "machines",
    ]  # fmt: skip
    assert (found["dag_id"], found["tasks"], found["gates"], found["machines"]) == ("diamond", 4, 0, 1)


def test_plan_tells_where_tasks_run_and_why(diamond: str, capfd: Capture) -> None:
    out = text_of(capfd, "plan", diamond)
    assert "diamond: 4 tasks" in out
    assert "  load    lambda  fits Lambda" in out


def test_plan_tells_what_functions_are_made_of_where_it_is_not_the_default(
    project: Path, capfd: Capture
) -> None:
    (project / "sized.py").write_text(
        "from stepweave import dag, task\n"
        "@task(memory='3GiB', timeout='1m', ephemeral='1GiB', requirements=['polars'])\n"
        "def large(): ...\n"
        "@task(gpu=1, requirements=['torch'])\n"
        "def job(): ...\n"
        "@task(compute='fargate', cpu=2, ephemeral='20GiB')\n"
        "def aside(): ...\n"
        "@task\n"
        "def plain(): ...\n"
        "@dag(requirements=['numpy'])\n"
        "def sized():\n    large() >> job() >> aside() >> plain()\n"
    )
    lines = text_of(capfd, "plan", str(project / "sized.py")).splitlines()
    assert lines[-5:] == [
        "where tasks run, each with numpy",
        "  large  lambda  fits Lambda (4,096 MiB, 60 s, /tmp 2,048 MiB, polars)",
        "  job    batch   needs 1 GPU (torch)",
        "  aside  fargate compute=Fargate() asks for it (2 vCPUs, 4,096 MiB, disk 30 GiB)",
        "  plain  lambda  fits Lambda",
    ]


def test_plan_says_how_many_items_and_rounds_it_counts(project: Path, capfd: Capture) -> None:
    example = Path(__file__).parents[2] / "statemachines" / "examples" / "e14_loop.py"
    out = text_of(capfd, "plan", str(example))
    assert "on the success path, with one item of each list of the run and one round of each loop" in out
    assert "  loop.train  lambda" in out
    assert "  loop  " not in out


def test_simulate_answers_with_the_contracts_json(diamond: str, project: Path, capfd: Capture) -> None:
    (project / "d.json").write_text('{"load": 2, "total": 30, "broken": 4, "report": 1}')
    found = json_of(capfd, "simulate", diamond, "--durations", "d.json")
    plan = json_of(capfd, "plan", diamond)
    cost = found.pop("cost_usd")
    assert found == {
        "makespan_seconds": 33.0,
        "critical_path_seconds": 33.0,
        "critical_path": ["load", "total", "report"],
        "transitions": plan["transitions"],
    }
    assert cost == json_of(capfd, "cost", diamond, "--durations", "d.json")["usd"]


def test_simulate_says_what_it_assumes(diamond: str, capfd: Capture) -> None:
    out = text_of(capfd, "simulate", diamond)
    assert "critical path  3.00 s: load → total → report" in out
    assert "4 tasks of unknown duration taken as 1 s" in out


@pytest.mark.parametrize(
    "content, words",
    [
        ('{"laod": 1}', "did you mean 'load'?"),
        ('{"load": -1}', "must be seconds"),
        ("[]", "must hold a JSON object"),
        ("{", "is not JSON"),
    ],
)
def test_wrong_durations_are_refused(
    diamond: str, project: Path, capfd: Capture, content: str, words: str
) -> None:
    (project / "d.json").write_text(content)
    assert words in text_of(capfd, "simulate", diamond, "--durations", "d.json", status=2)


def test_compile_writes_beside_the_module_and_check_compares(
    diamond: str, project: Path, capfd: Capture
) -> None:
    path = project / "statemachines" / "asl" / "diamond.asl.json"
    assert "missing" in json.dumps(json_of(capfd, "compile", "--check", status=1))
    assert text_of(capfd, "compile").endswith("written\n")
    assert json.loads(path.read_text())["QueryLanguage"] == "JSONata"
    assert text_of(capfd, "compile", "--check") == "1 file up to date\n"
    assert text_of(capfd, "compile").endswith("unchanged\n")
    path.write_text(path.read_text().replace("JSONata", "JSONPath", 1))
    out = text_of(capfd, "compile", diamond, "--check", status=1)
    assert '-   "QueryLanguage": "JSONPath",' in out.replace('- "', '-   "')
    assert "stepweave compile" in out


def test_compile_prints_or_writes_where_it_is_told(diamond: str, project: Path, capfd: Capture) -> None:
    printed = json.loads(text_of(capfd, "compile", diamond, "-o", "-"))
    text_of(capfd, "compile", diamond, "-o", "out.json")
    assert json.loads((project / "out.json").read_text()) == printed
    assert json_of(capfd, "compile", diamond, "-o", "-")["machines"] == {"diamond.asl.json": printed}


def test_graph_draws_svg_mermaid_and_html(diamond: str, project: Path, capfd: Capture) -> None:
    ElementTree.fromstring(text_of(capfd, "graph", diamond))
    assert text_of(capfd, "graph", diamond, "--format", "mermaid").startswith("flowchart LR\n")
    text_of(capfd, "graph", diamond, "--format", "html", "-o", "d.html")
    page = (project / "d.html").read_text()
    assert "Loads &lt;b&gt;rows&lt;/b&gt;." in page
    assert "<b>rows" not in page


def test_check_finds_every_mistake_in_every_file(
    diamond: str, write: Callable[[str], str], capfd: Capture
) -> None:
    cyclic, unimportable = write(CYCLE), write("import nothing_of_this_name")
    found = json_of(capfd, "check", status=2)
    assert {problem["code"] for problem in found["problems"]} == {"cycle", "import"}
    assert {row["target"]: row["ok"] for row in found["checked"]} == {
        diamond: True, cyclic: False, unimportable: False,
    }  # fmt: skip
    out = text_of(capfd, "check", status=2)
    assert f"✓ {diamond}" in out
    assert f"✗ {cyclic}" in out
    assert "2 problems in 2 files" in out


def test_check_of_sound_dags_is_silent_success(diamond: str, capfd: Capture) -> None:
    assert text_of(capfd, "check") == f"✓ {diamond}\n"


def test_check_finds_two_dags_of_one_id(diamond: str, write: Callable[[str], str], capfd: Capture) -> None:
    write("from stepweave import dag, task\n@task\ndef t(): ...\n@dag\ndef diamond():\n    t()\n")
    assert "two DAGs have the id 'diamond'" in text_of(capfd, "check", status=2)


def test_without_a_folder_of_dags_the_error_says_what_to_do(tmp_path: Path, capfd: Capture) -> None:
    assert "name a TARGET" in text_of(capfd, "compile", status=2)


MAPPED = """
from stepweave import dag, task, task_group

@task
def grow(day: int) -> int:
    print("growing", day)
    return day + 1

@task_group
def per_day(day: int):
    return grow(day)

@dag
def growing():
    per_day.expand(day=[1, 2])
"""


def test_logs_and_states_of_tasks_inside_a_map_are_told_by_item(project: Path, capfd: Capture) -> None:
    source = project / "growing.py"
    source.write_text(MAPPED)
    json_of(capfd, "run", str(source), "--run-id", "r1", "--inline")
    assert (
        text_of(capfd, "logs", "r1", "per_day.grow[1]") == "==> per_day.grow[1], attempt 1 <==\ngrowing 2\n"
    )
    assert [log["task"] for log in json_of(capfd, "logs", "r1", "per_day.grow")["logs"]] == [
        "per_day.grow[0]", "per_day.grow[1]",
    ]  # fmt: skip
    grow = json_of(capfd, "show", "r1")["tasks"]["per_day.grow"]
    assert (grow["status"], [item["index"] for item in grow["map"]]) == ("success", ["0", "1"])
    assert "not reached" not in text_of(capfd, "show", "r1")


TOLD = """
from stepweave import dag, task

def tell(status: str) -> None:
    print("the run", status)

def give_back(result: int) -> None:
    print("giving back", result)

@task(compensate=give_back)
def take() -> int:
    print("taking")
    return 7

@task(retries=0)
def use(n: int) -> int:
    raise ValueError(n)

@dag(on_failure=tell)
def telling():
    use(take())
"""


def test_logs_have_what_callbacks_and_compensations_printed(
    write: Callable[[str], str], capfd: Capture
) -> None:
    text_of(capfd, "run", write(TOLD), "--inline", "--run-id", "r1", status=1)
    logs = json_of(capfd, "logs", "r1")["logs"]
    assert [(log["task"], log["attempt"], log["text"]) for log in logs if log["task"] != "use"] == [
        ("take", 1, "taking\n"),
        ("take", 1, "giving back 7\n"),
        ("on_failure", 1, "the run failed\n"),
    ]
    assert text_of(capfd, "logs", "r1", "on_failure") == "==> on_failure, attempt 1 <==\nthe run failed\n"
    assert "tasks: take, use" in text_of(capfd, "logs", "r1", "on_success", status=2)


def test_machines_are_written_into_a_folder_that_is_there(
    diamond: str, project: Path, capfd: Capture
) -> None:
    (project / "out").mkdir()
    text_of(capfd, "compile", diamond, "-o", "out")
    assert (project / "out" / "diamond.asl.json").exists()


@pytest.mark.parametrize("command", ["compile", "graph"])
def test_a_file_that_cannot_be_written_is_named(
    command: str, diamond: str, project: Path, capfd: Capture
) -> None:
    (project / "taken").write_text("a file")
    error = json_of(capfd, command, diamond, "-o", "taken/file", status=2)["error"]
    assert "taken/file cannot be written" in error["message"]
