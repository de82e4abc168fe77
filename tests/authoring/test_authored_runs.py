"""What authoring writes down is what runs: every construct, from Python source to values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from stepweave.authoring.dags import Dag
from stepweave.embedded.request import RunRequest
from stepweave.embedded.result import RunResult
from stepweave.embedded.run import run_dag
from stepweave.embedded.values import json_value
from stepweave.loading import dags_in
from stepweave.stores.objects import open_store
from tests.authoring import authored_flows
from tests.authoring.authored_flows import UNDONE, refitted, straight


def run(dag: Dag, folder: Path, **params: Any) -> RunResult:
    return run_dag(RunRequest(dag=dag, params=params, inline=True, store=str(folder)))


def crooked() -> Dag:
    """The DAG that a factory made and nobody bound to a name."""
    return dags_in(authored_flows)["crooked"]


def statuses(result: RunResult) -> dict[str, str | None]:
    return {task: one.status for task, one in result.tasks.items()}


def value(result: RunResult, task: str) -> Any:
    text = json_value(
        open_store(result.store), result.dag_id, result.run_id, task, result.tasks[task].value, 10_000
    )
    return None if text is None else json.loads(text)


def test_what_goes_straight_has_the_values_of_plain_python(tmp_path: Path) -> None:
    result = run(straight, tmp_path)

    assert result.status == "success", result.error
    assert value(result, "good") == "forest"
    assert value(result, "joined") == "forest"
    assert value(result, "groups") == [
        {"name": "svm", "scores": [1, 2]},
        {"name": "forest", "scores": [1, 2]},
    ]
    assert [one["name"] for one in value(result, "swept")] == ["a", "bcd"]
    assert value(result, "looped") == [0, 1, 2]
    assert value(result, "inlined") == 4
    assert value(result, "nested") == [1, 2, 3, 4]
    assert value(result, "sensed") == "there"
    assert {task for task, status in statuses(result).items() if status != "success"} == {
        "bad",
        "right",
        "each.same",
    } - {task for task, status in statuses(result).items() if status == "success"}
    assert [one.status for one in result.maps["each.same"]] == ["skipped", "success"]


def test_params_choose_the_other_ways(tmp_path: Path) -> None:
    result = run(straight, tmp_path, limit=0.9, way="right", go=False)

    found = statuses(result)

    assert result.status == "success", result.error
    assert (found["good"], found["bad"], found["joined"]) == ("skipped", "success", "skipped")
    assert (found["left"], found["right"]) == ("skipped", "success")
    assert (found["gated"], found["after"]) == ("skipped", "skipped")


def test_a_run_with_failures_degrades_cleans_up_and_undoes(tmp_path: Path) -> None:
    UNDONE.clear()

    result = run(crooked(), tmp_path)

    found = statuses(result)
    assert result.status == "failed"
    assert "give_up" in result.error
    assert (value(result, "costly"), value(result, "same")) == ("cheap", "cheap")
    assert (found["luxury"], found["spoilt"]) == ("skipped", "skipped")
    assert value(result, "agreed") == 4
    assert value(result, "validated") == {"auc": 2.1}
    assert value(result, "dispatched_values")[0] == 5
    assert found["clean"] == "success"
    assert sorted(UNDONE) == ["a=A", "b=B", "c=C"]


def test_nothing_is_undone_when_the_run_succeeds(tmp_path: Path) -> None:
    UNDONE.clear()

    result = run(crooked(), tmp_path, fail=False)

    assert result.status == "success", result.error
    assert statuses(result)["give_up"] == "skipped"
    assert UNDONE == []


def test_a_ladder_may_end_on_the_last_value_that_was_good(tmp_path: Path) -> None:
    assert run(refitted, tmp_path, works=False).status == "failed"
    run(refitted, tmp_path)

    result = run(refitted, tmp_path, works=False)

    assert result.status == "success", result.error
    assert value(result, "same") == "model of before"
