"""Which DAG a target names, and that another process imports it by the same name."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stepweave.errors import DagError, UsageError
from stepweave.loading import all_dags, dags_in, import_file, load, module_root

ONE = """
from stepweave import dag, task

@task
def step() -> int:
    return 5

@dag
def {name}():
    step()
"""

TWO = ONE.format(name="first") + "\n@dag(dag_id='second-id')\ndef second():\n    step()\n"


@pytest.fixture(autouse=True)
def _imports_of_its_own() -> Iterator[None]:
    """Nothing of this repository's own DAGs is in sight, and nothing that a test imports stays."""
    modules, path = dict(sys.modules), list(sys.path)
    for name in [name for name in modules if name.split(".")[0] == "statemachines"]:
        del sys.modules[name]
    sys.path[:] = [folder for folder in path if not (Path(folder or ".") / "statemachines").is_dir()]
    yield
    sys.modules.update(modules)
    for name in set(sys.modules) - set(modules):
        del sys.modules[name]
    sys.path[:] = path


def write(path: str, text: str) -> str:
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return path


def test_a_file_with_one_dag_is_loaded_under_its_importable_name() -> None:
    path = write("statemachines/sales.py", ONE.format(name="sales"))

    dag = load(path)

    assert dag.graph()["step"].call == "statemachines.sales:step"
    assert module_root(dag) == ((str(Path.cwd()),), "statemachines.sales")
    assert load(path) is dag


def test_a_file_outside_of_the_working_directory_is_a_module_of_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(str(tmp_path / "else where" / "my-flow.py"), ONE.format(name="flow"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    dag = load(path)

    assert module_root(dag) == ((str(tmp_path / "else where"),), "my-flow")
    assert dag.graph()["step"].call == "my-flow:step"


def test_a_file_in_a_package_has_its_name_in_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("src/flows/__init__.py", "")
    write("src/flows/sub/__init__.py", "")
    path = write("src/flows/sub/flow.py", "from flows.sub import *\n" + ONE.format(name="flow"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    dag = load(f"../{path}")

    assert module_root(dag) == ((str(tmp_path / "src"),), "flows.sub.flow")


def test_another_process_imports_what_module_root_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(str(tmp_path / "else where" / "my-flow.py"), ONE.format(name="flow"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    folders, module = module_root(load(path))

    code = (
        f"import sys, importlib; sys.path[:0] = {list(folders)!r}; "
        f"print(importlib.import_module({module!r}).flow.task_function('step')())"
    )

    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "5\n"
    )


def test_a_dag_run_as_a_script_has_the_name_by_which_others_import_it() -> None:
    path = write(
        "statemachines/script.py", ONE.format(name="flow") + "\nprint(flow.graph()['step'].call, flow.module)"
    )

    done = subprocess.run([sys.executable, path], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["statemachines.script:step", "statemachines.script"]


def test_one_of_several_dags_is_named_by_variable_or_id() -> None:
    path = write("flows.py", TWO)

    assert load(f"{path}:first").id == "first"
    assert load(f"{path}:second") is load(f"{path}:second-id")
    with pytest.raises(UsageError, match=r"has 2 DAGs; name one of them: flows\.py:first, flows\.py:second"):
        load(path)
    with pytest.raises(UsageError, match="no DAG 'frist'; did you mean 'first'"):
        load(f"{path}:frist")


def test_a_dag_is_found_by_its_id_in_the_folder_of_state_machines() -> None:
    write("statemachines/other.py", TWO.replace("first", "other"))
    write("statemachines/sales.py", ONE.format(name="sales"))

    assert load("sales").id == "sales"
    assert load("second-id").id == "second-id"
    assert [dag.id for dag in all_dags()] == ["other", "second-id", "sales"]
    with pytest.raises(UsageError, match="there is no DAG 'sale' in statemachines/; did you mean 'sales'"):
        load("sale")


def test_a_module_named_like_the_dag_is_enough_even_where_others_are_broken() -> None:
    write("statemachines/a_broken.py", "1 / 0\n")
    write("statemachines/sales.py", ONE.format(name="sales"))

    assert load("sales").id == "sales"
    with pytest.raises(DagError, match=r"a_broken\.py:1: importing it raised ZeroDivisionError"):
        load("nothing")


def test_two_dags_of_one_id_are_refused() -> None:
    write("statemachines/one.py", ONE.format(name="same"))
    write("statemachines/two.py", ONE.format(name="same"))

    with pytest.raises(UsageError, match="two DAGs have the id 'same'"):
        all_dags()


def test_a_folder_that_a_package_hides_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write("installed/statemachines/__init__.py", "")
    monkeypatch.syspath_prepend(tmp_path / "installed")

    with pytest.raises(
        UsageError, match=r"installed/statemachines/__init__\.py has the same name; rename the folder"
    ):
        load(write("statemachines/sales.py", ONE.format(name="sales")))


def test_a_module_lists_its_own_dags_and_imported_ones_only_where_it_has_none() -> None:
    write("own.py", ONE.format(name="own") + "\nalias = own\n")
    mixed = import_file(write("mixed.py", "from own import own\n" + ONE.format(name="mixed")))
    passing_on = import_file(write("passing_on.py", "from own import own\n"))

    assert list(dags_in(mixed)) == ["mixed"]
    assert list(dags_in(passing_on)) == ["own"]


@pytest.mark.parametrize(
    "target, says",
    [
        ("nothing.py", "there is no file 'nothing.py'; give a file"),
        ("nothing", "there is no folder statemachines/ here; give a file"),
        ("empty.py", "empty.py has no DAG; decorate a function with @dag"),
        ("empty.py:x", "empty.py has no DAG 'x'; it has none"),
        ("json.py", "the module name 'json' means"),
        ("folder/missing", "there is no file"),
    ],
)
def test_a_target_that_names_nothing_is_answered_with_what_to_give(target: str, says: str) -> None:
    write("empty.py", "")
    write("json.py", ONE.format(name="flow"))

    with pytest.raises(UsageError, match=says):
        load(target)


@pytest.mark.parametrize(
    "text, line, says",
    [
        ("x = 1\ny = 1 / 0\n", 2, "ZeroDivisionError: division by zero"),
        ("x = (1,\n", 1, "SyntaxError: '\\(' was never closed"),
        ("import nothing_of_that_name\n", 1, "ModuleNotFoundError: No module named 'nothing_of_that_name'"),
        ("import sys\nsys.exit(3)\n", 2, "SystemExit: 3"),
    ],
)
def test_a_module_that_cannot_be_imported_says_where(text: str, line: int, says: str) -> None:
    path = write("broken.py", text)

    with pytest.raises(DagError, match=says) as raised:
        load(path)

    (problem,) = raised.value.problems
    assert (problem.code, problem.file, problem.line) == ("import", "broken.py", line)
    assert raised.value.__cause__ is not None


FACTORY = """
from stepweave import dag, task

@task
def step(n: int = 0) -> int:
    return n

def build(market):
    def local() -> int:
        return 5

    @dag(dag_id=f"market_{market}")
    def pipeline():
        task(local)()
        step()

    return pipeline
"""

MADE = """
from makers import build

for market in ("de", "fr"):
    build(market)
bound = build("it")
"""


def test_dags_of_a_factory_are_found_by_id_in_the_module_that_made_them() -> None:
    write("statemachines/makers.py", FACTORY)
    path = write("statemachines/markets.py", MADE.replace("makers", "statemachines.makers"))

    module = import_file(path)

    assert list(dags_in(module)) == ["market_de", "market_fr", "bound"]
    assert [dag.id for dag in all_dags()] == ["market_de", "market_fr", "market_it"]
    assert load("market_fr") is load(f"{path}:market_fr")
    assert load(f"{path}:bound").id == "market_it"


def test_a_dag_of_a_factory_is_named_by_the_module_that_made_it() -> None:
    write("statemachines/makers.py", FACTORY)
    path = write("statemachines/markets.py", MADE.replace("makers", "statemachines.makers"))

    graph = load(f"{path}:market_fr").graph()

    assert (graph.dag.module, graph["local"].call) == (
        "statemachines.markets",
        "statemachines.markets:market_fr#local",
    )
    assert graph["step"].call == "statemachines.makers:step"
    assert load(f"{path}:bound").graph()["local"].call == "statemachines.markets:bound#local"
    assert module_root(load(f"{path}:market_fr")) == ((str(Path.cwd()),), "statemachines.markets")


def test_a_dag_made_after_the_import_is_kept_by_nobody() -> None:
    path = write("statemachines/makers.py", FACTORY)
    module = import_file(path)

    made = module.build("nl")

    assert dags_in(module) == {}
    assert made.module == "statemachines.makers"
