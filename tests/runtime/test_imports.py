"""What the task runner imports is paid at every cold start."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAX_MODULES = 170
"""Modules that the runtime with a local store may import besides those of a bare interpreter, authoring included."""

FORBIDDEN = (
    "pydantic",
    "boto3",
    "asyncio",
    "rich",
    "typer",
    "numpy",
    "pandas",
    "sqlite3",
    "obstore",
    "tempfile",
)
COMPILER = ("stepweave.planning", "stepweave.asl", "stepweave.engine", "stepweave.cli", "stepweave.compiler")


@pytest.fixture(scope="module")
def imported():
    code = (
        "import json, sys\n"
        "before = set(sys.modules)\n"
        "import stepweave.runtime.invoke, stepweave.stores.objects\n"
        "print(json.dumps(sorted(set(sys.modules) - before)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_the_runtime_imports_few_modules(imported):
    assert len(imported) <= MAX_MODULES, imported


def test_the_runtime_imports_the_standard_library_only(imported):
    roots = {name.partition(".")[0] for name in imported}
    assert roots - sys.stdlib_module_names == {"stepweave"}


@pytest.mark.parametrize("name", FORBIDDEN + COMPILER)
def test_the_runtime_does_not_import(imported, name):
    assert name not in imported
