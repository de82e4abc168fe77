"""The pytest plugin: the fixture ``stepweave_engine``, and the report of its runs where a test fails.

pytest loads this module in every suite of an environment where stepweave is installed. It imports nothing of
stepweave, so that suites without state machines do not pay for those with them.
"""

from __future__ import annotations

import importlib
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from stepweave.testing.fixture import StepweaveEngine

_ENGINE = pytest.StashKey["StepweaveEngine"]()


@pytest.fixture
def stepweave_engine(request: pytest.FixtureRequest) -> StepweaveEngine:
    """Runs state machines: ``run = stepweave_engine("orders.asl.json", input={…}, fakes={"Charge card": {…}})``."""
    module = importlib.import_module("stepweave.testing.fixture")
    engine: StepweaveEngine = module.StepweaveEngine(request.path.parent)
    request.node.stash[_ENGINE] = engine
    return engine


@pytest.hookimpl(hookwrapper=True)  # the form that every pytest from 7.0 on knows
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, None]:
    """The report of a test gets those of its runs if it failed."""
    outcome = yield
    report: pytest.TestReport = outcome.get_result()
    engine = item.stash.get(_ENGINE, None)
    if engine is not None and call.when == "call" and report.failed:
        report.sections += engine.sections(str(call.excinfo.value) if call.excinfo else "")
