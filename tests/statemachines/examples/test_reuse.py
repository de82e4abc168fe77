"""Examples of reuse: DAGs inside DAGs, factories, templates, partitions."""

from __future__ import annotations

import json
import sys
from datetime import date

import pytest

from stepweave.authoring.schedule import Cron
from stepweave.cli.main import execute
from stepweave.errors import DagError, DataError, ParamsError
from stepweave.loading import all_dags
from stepweave.runtime.context import Context
from stepweave.stores.records import Records, database_path
from tests.statemachines.examples.example_runs import FOLDER, STORE, example, run_example, store

# e15: composition.


def test_a_dag_inside_and_one_as_an_execution_of_its_own_give_the_same_kind_of_value() -> None:
    run = run_example("e15", "composition")
    assert run.status == "success"
    assert run.value("city_features.summarise")["city"] == "Sydney"
    assert run.value("city_features__1")["city"] == run.value("most_even") == "Nairobi"


def test_the_execution_of_its_own_is_a_run_of_its_own() -> None:
    run = run_example("e15", "composition")
    nested = [row for row in Records(database_path(STORE)).runs(limit=9) if row.parent == run.id]
    assert [(row.dag_id, row.status) for row in nested] == [("city_features", "success")]
    assert json.loads(nested[0].params) == {"city": "Nairobi", "years": 10}


def test_the_component_is_a_dag_that_runs_by_itself() -> None:
    run = run_example("e15", "city_features", city="Nairobi", years=1)
    assert run.value("summarise")["mean"] == pytest.approx(18.8, abs=0.5)


def test_params_and_versions_are_the_contract_of_a_component() -> None:
    component = example("e15", "city_features")
    with pytest.raises(ParamsError, match="Atlantis"):
        component.validate_params({"city": "Atlantis"})
    with pytest.raises(DagError, match=r"1\.2\.0"):
        component.require(">=2")


# e16: a factory.


def test_the_factory_makes_one_dag_per_market_with_its_own_schedule() -> None:
    found = {dag.id: dag for dag in all_dags(str(FOLDER)) if dag.id.startswith("forecast_")}
    assert sorted(found) == ["forecast_de", "forecast_fr", "forecast_jp"]
    schedules = {name: dag.schedule for name, dag in found.items()}
    assert schedules["forecast_jp"] == Cron("0 6 * * *", timezone="Asia/Tokyo")


@pytest.mark.parametrize("market, tasks", [("de", 3), ("jp", 2)])
def test_what_a_market_needs_is_in_its_graph(market: str, tasks: int) -> None:
    run = run_example("e16", f"forecast_{market}", horizon=3)
    assert run.status == "success"
    assert len(run.tasks) == tasks
    assert len(run.value("forecast")) == 3


# e27: partitions and backfill.


def current(day: str) -> dict[str, object]:
    found: dict[str, object] = Context(dag_id="", run_id="", task_id="", store=store()).latest(
        "daily_load", day
    )
    return found


def test_a_range_is_filled_newest_first_and_a_missing_day_holds_up_no_other() -> None:
    run = run_example("e27", "load_range", missing="2026-01-03")
    assert run.status == "success"
    assert run.value("fill")[0] == "2026-01-07"
    assert [item["status"] for item in run.items("fill")].index("failed") == 4
    assert run.value("usual_peak") == {"days": 6, "hour": 14}


def test_a_later_run_replaces_the_partitions_of_the_earlier_one() -> None:
    run_example("e27", "load_range", version="v1")
    first = current("2026-01-02")
    run_example("e27", "load_range", version="v2", first="2026-01-02", last="2026-01-02")
    assert current("2026-01-02") == {**first, "version": "v2"}
    assert current("2026-01-05")["version"] == "v1"


def test_a_resumed_run_computes_only_the_days_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    module = sys.modules[example("e27", "load_range").function.__module__]
    publish = module.publish

    def down(day: date, version: str) -> None:
        if day.day < 7:
            raise DataError("the archive is down")
        publish(day, version)

    with monkeypatch.context() as patch:
        patch.setattr(module, "publish", down)
        failed = run_example("e27", "load_range", first="2026-01-05")
    kept = (failed.prefix("fill") / "0" / "result.json").stat().st_mtime_ns
    again = run_example("e27", "load_range", first="2026-01-05", resume=failed.id)
    assert [item["status"] for item in failed.items("fill")] == ["success", "failed", "failed"]
    assert (failed.status, again.status) == ("failed", "success")
    assert again.value("fill") == ["2026-01-07", "2026-01-06", "2026-01-05"]
    assert (again.prefix("fill") / "0" / "result.json").stat().st_mtime_ns == kept


def test_the_backfill_command_fills_a_day_per_run_and_passes_over_what_is_there(
    capsys: pytest.CaptureFixture[str],
) -> None:
    command = ["backfill", f"{FOLDER}/e27_partitions.py:daily_load", "--end", "2026-02-03", "--json"]
    assert execute([*command, "--start", "2026-02-02"]) == 0
    assert execute([*command, "--start", "2026-02-01", "--reverse"]) == 0
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert [run["status"] for run in first["runs"]] == ["success", "success"]
    assert len(second["runs"]) == 3
    assert current("2026-02-01")["version"] == "v1"


def test_a_run_that_stands_for_no_day_says_how_to_give_it_one() -> None:
    run = run_example("e27", "daily_load")
    assert run.status == "failed"
    assert "--logical-date" in run.tasks["fill_logical_date"]["error"]["message"]


# e29 and e30: templates.


def test_one_template_makes_two_pipelines_of_different_tasks() -> None:
    sensors, words = run_example("e29", "sensor_features"), run_example("e29", "word_features")
    assert sensors.value("load") == "features/mean-p99"
    assert list(sensors.tasks)[:3] == ["extract.hall", "extract.roof", "extract.cellar"]
    assert words.statuses["load"] == "skipped"
    assert words.value("reject") == "only 7 rows"


def test_a_good_model_is_released_in_stages() -> None:
    run = run_example("e30")
    assert run.status == "success"
    assert run.value("release.watch_100") == "fine with 100 %"


def test_a_model_that_fails_a_test_is_held_back_by_the_gate() -> None:
    run = run_example("e30", noise=10.0)
    assert run.status == "success"
    assert {status for task, status in run.statuses.items() if task.startswith("release.")} == {"skipped"}


def test_a_release_that_goes_wrong_is_taken_back() -> None:
    run = run_example("e30", breaks_at=50)
    assert run.status == "failed"
    assert {task for task, each in run.tasks.items() if each.get("undone")} == {
        "release.to_5",
        "release.to_50",
    }
    assert run.statuses["release.to_100"] == "upstream_failed"
