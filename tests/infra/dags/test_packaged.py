"""The code of a DAG is its own modules, and those of the functions that it calls."""

from __future__ import annotations

from infra.dags.packaged import PackagedCode, modules
from infra.settings import parse
from tests.infra.dags.flows import ROOT, compiled

SETTINGS = parse("local", {"target": "local", "python": "host", "architecture": "host"}, "local.toml")


def test_the_modules_of_a_dag_are_those_of_its_functions() -> None:
    assert modules(compiled("churn")) == ("statemachines.examples.e31_event_driven",)
    assert modules(compiled("daily_report")) == (
        "statemachines.examples.e24_sensor",
        "stepweave.recipes.waiting",
    )


def test_the_code_of_users_is_told_from_that_of_stepweave() -> None:
    files = PackagedCode(ROOT, SETTINGS).user_files(compiled("churn"))
    assert {path.relative_to(ROOT).as_posix() for path in files} == {
        "statemachines/__init__.py",
        "statemachines/examples/__init__.py",
        "statemachines/examples/e31_event_driven.py",
    }
