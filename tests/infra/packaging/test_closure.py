"""The user's module and what it imports travel, nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.packaging.closure import closure
from infra.packaging.sources import Sources, sources_of
from stepweave.errors import UsageError
from tests.infra.packaging.projects import write

ROOT = Path(__file__).resolve().parents[3]


def reached(root: Path, *names: str) -> list[str]:
    return list(closure(names, Sources((root,))).modules)


def data(root: Path, *names: str) -> list[str]:
    return [path.relative_to(root).as_posix() for path in closure(names, Sources((root,))).data]


def test_a_module_brings_what_it_imports_and_the_packages_around(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "shop/__init__.py": "import shop.settings",
            "shop/settings.py": "",
            "shop/sales.py": "from shop import rates\nfrom shop.deep.stock import level\nimport numpy",
            "shop/rates.py": "",
            "shop/deep/stock.py": "def level():\n    from shop import later",
            "shop/later.py": "",
            "shop/other.py": "",
            "numpy/readme.txt": "a folder that is no package of ours",
        },
    )
    assert reached(tmp_path, "shop.sales") == [
        "shop", "shop.deep.stock", "shop.later", "shop.rates", "shop.sales", "shop.settings",
    ]  # fmt: skip


def test_modules_that_import_each_other_are_each_taken_once(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "import b", "b.py": "import a"})
    assert reached(tmp_path, "a") == ["a", "b"]


def test_a_name_that_is_a_part_of_a_module_is_no_module(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "from b import c", "b.py": "c = 1", "b/c.py": "never"})
    assert reached(tmp_path, "a") == ["a", "b"]


def test_every_module_of_a_package_comes_where_one_is_imported_by_a_name_of_run_time(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "formats/__init__.py": "",
            "formats/registry.py": """
                import importlib
                def load(name):
                    return importlib.import_module(f"{__package__}.{name}")
            """,
            "formats/one.py": "",
            "formats/more/two.py": "",
        },
    )
    assert reached(tmp_path, "formats.registry") == [
        "formats", "formats.more.two", "formats.one", "formats.registry",
    ]  # fmt: skip


def test_what_is_not_ours_is_noted_with_the_place_of_its_import(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "import b\n", "b.py": "x = 1\nimport sklearn.svm\n"})
    (one,) = closure(["a"], Sources((tmp_path,))).outside
    assert (one.package, one.module, one.what.line, one.file) == ("sklearn", "b", 2, tmp_path / "b.py")


def test_a_module_that_is_nowhere_is_an_error_that_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"'shop\.sails' is not found in .*; its name must be its path"):
        closure(["shop.sails"], Sources((tmp_path,)))


def test_files_that_a_module_names_travel_with_it(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "shop/card.py": """
                from pathlib import Path
                PAGE = Path(__file__).with_name("card.html")
                STYLE = Path(__file__).parent / "static/card.css"
                PARTS = Path(__file__).parent / "parts"
                WORDS = "rates.py", "no such file.txt", ".", "..", "/etc/passwd", "../secret.txt"
            """,
            "shop/card.html": "",
            "shop/rates.py": "",
            "shop/unnamed.html": "",
            "shop/static/card.css": "",
            "shop/static/other.css": "",
            "shop/parts/a/head.html": "",
            "shop/parts/code.py": "",
            "shop/parts/__pycache__/code.pyc": "",
            "secret.txt": "",
        },
    )
    assert data(tmp_path, "shop.card") == ["shop/card.html", "shop/parts/a/head.html", "shop/static/card.css"]


def test_a_folder_is_taken_only_where_the_module_asks_for_its_own_place(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "KIND = 'models'", "models/large.bin": ""})
    assert data(tmp_path, "a") == []


def test_files_are_declared_where_their_names_are_made_at_run_time(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"a.py": "DATA_FILES = ('models/*.onnx',)", "models/1.onnx": "", "models/2.onnx": "", "models/x": ""},
    )
    assert data(tmp_path, "a") == ["models/1.onnx", "models/2.onnx"]


def test_a_declared_file_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    write(tmp_path, {"a.py": "DATA_FILES = ('models/*.onnx',)"})
    with pytest.raises(UsageError, match=r"DATA_FILES names 'models/\*\.onnx', but no file in"):
        data(tmp_path, "a")


def test_sources_are_found_in_src_in_the_project_and_where_stepweave_is(tmp_path: Path) -> None:
    write(tmp_path, {"src/shop/sales.py": "import tools", "tools.py": "from stepweave import errors"})
    sources = sources_of(tmp_path)
    found = closure(["shop.sales"], sources).modules
    assert {"shop.sales", "tools", "stepweave", "stepweave.errors"} <= found.keys()
    assert [sources.inside(found[name]) for name in ("shop.sales", "tools", "stepweave.errors")] == [
        "shop/sales.py", "tools.py", "stepweave/errors.py",
    ]  # fmt: skip


def test_of_the_folder_in_which_stepweave_is_installed_only_stepweave_is_ours(tmp_path: Path) -> None:
    installed = write(
        tmp_path / "site-packages", {"stepweave/errors.py": "", "numpy.py": "", "functions/x.py": ""}
    )
    write(tmp_path / "project", {"sales.py": "import numpy\nimport functions.x\nimport stepweave.errors"})
    found = closure(["sales"], Sources((tmp_path / "project",), library=installed))
    assert list(found.modules) == ["sales", "stepweave.errors"]
    assert [one.package for one in found.outside] == ["numpy", "functions"]


@pytest.fixture(scope="module")
def shipped() -> dict[str, Path]:
    return closure(["functions.task_runner.handler", "statemachines.digits"], sources_of(ROOT)).modules


def test_a_task_runner_carries_all_that_it_may_import_later(shipped: dict[str, Path]) -> None:
    later = {
        "stepweave.runtime.codecs.frames",
        "stepweave.runtime.survey",
        "stepweave.authoring.tracing",
        "stepweave.authoring.validation",
        "stepweave.stores.remote",
        "statemachines",
    }
    assert later <= shipped.keys()


def test_a_task_runner_carries_no_compiler_no_engine_no_cdk_and_no_other_dag(
    shipped: dict[str, Path],
) -> None:
    heavy = (
        "asl",
        "cli",
        "compiler",
        "embedded",
        "engine",
        "planning",
        "simulation",
        "validation",
        "local_aws",
    )
    assert [name for name in shipped if name.split(".")[1:2] and name.split(".")[1] in heavy] == []
    assert [name for name in shipped if name.startswith(("infra", "tests"))] == []
    assert [name for name in shipped if name.startswith("statemachines.")] == ["statemachines.digits"]


def test_the_card_of_the_digits_pipeline_has_its_template() -> None:
    found = closure(["statemachines.digits"], sources_of(ROOT))
    assert [path.name for path in found.data] == ["digits_card.html.jinja"]
