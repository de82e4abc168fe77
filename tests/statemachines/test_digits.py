"""The tasks of the digits pipeline as plain functions, and the shape of its DAG."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest
from skops.io import get_untrusted_types, load

from statemachines import digits
from stepweave.compiler import compile_graph
from stepweave.errors import DataError, ParamsError
from stepweave.planning.model import Await, walk
from stepweave.runtime.context import Context, swap_context

Scans: TypeAlias = dict[str, np.ndarray]


@pytest.fixture(scope="module")
def scans() -> Scans:
    return digits.ingest()


def rows(scans: Scans, chosen: np.ndarray) -> Scans:
    return {name: values[chosen] for name, values in scans.items()}


def painted(scans: Scans, value: float) -> Scans:
    pixels = scans["pixels"].copy()
    pixels[:, 27] = value
    return {**scans, "pixels": pixels}


def repeated(scans: Scans, count: int) -> Scans:
    return {name: np.concatenate([values, values[:count]]) for name, values in scans.items()}


@pytest.fixture(scope="module")
def parts(scans: Scans) -> Scans:
    return digits.split(scans, test_size=0.2, seed=7)


@pytest.fixture
def staging(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The staging folder of a run that is going on."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = swap_context(Context(dag_id="digits", run_id="run-1", task_id="some_task"))
    yield tmp_path / "stepweave-run-1"
    swap_context(before)


def evaluation(model: str, accuracy: float, macro_f1: float = 0.9) -> digits.Evaluation:
    return digits.Evaluation(
        model=model, accuracy=accuracy, macro_f1=macro_f1, confusion=np.eye(10, dtype=int).tolist()
    )


def test_the_bundled_data_are_sound(scans: Scans) -> None:
    quality = digits.validate(scans)
    assert quality.rows == 1797
    assert quality.duplicates == 0
    assert 0.9 < quality.balance <= 1


@pytest.mark.parametrize(
    "damage, complaint",
    [
        (lambda scans: {**scans, "pixels": scans["pixels"][:, 1:]}, "expected 64 pixels"),
        (lambda scans: {**scans, "pixels": scans["pixels"][1:]}, "for each of 1797 digits"),
        (lambda scans: painted(scans, 17.0), "from 0 to 16"),
        (lambda scans: painted(scans, -1.0), "from 0 to 16"),
        (lambda scans: painted(scans, float("nan")), "from 0 to 16"),
        (
            lambda scans: {**scans, "target": np.where(scans["target"] == 9, 10, scans["target"])},
            "all ten digits",
        ),
        (lambda scans: rows(scans, scans["target"] != 4), "all ten digits"),
        (lambda scans: rows(scans, np.zeros(1797, dtype=bool)), "all ten digits"),
        (lambda scans: repeated(scans, 100), "duplicates"),
        (lambda scans: rows(scans, (scans["target"] != 3) | (np.arange(1797) > 1000)), "balanced"),
    ],
    ids=[
        "column",
        "row",
        "too-dark",
        "negative",
        "missing",
        "no-digit",
        "rare",
        "empty",
        "duplicates",
        "balance",
    ],
)
def test_damaged_data_are_refused_with_the_rule_that_they_break(
    scans: Scans, damage: object, complaint: str
) -> None:
    with pytest.raises(DataError, match=complaint):
        digits.validate(damage(scans))  # type: ignore[operator]


def test_all_broken_rules_are_told_at_once(scans: Scans) -> None:
    doubled = painted(repeated(scans, 1797), 99.0)
    with pytest.raises(DataError, match=r"from 0 to 16.*duplicates"):
        digits.validate(doubled)


def test_the_parts_share_no_row_and_hold_all_of_them(parts: dict[str, np.ndarray]) -> None:
    sizes = {part: len(parts[f"x_{part}"]) for part in ("train", "valid", "test")}
    assert sizes == {"train": 1077, "valid": 360, "test": 360}
    rows = np.concatenate([parts["x_train"], parts["x_valid"], parts["x_test"]])
    assert len(np.unique(rows, axis=0)) == 1797


def test_each_part_has_the_same_mix_of_digits(parts: dict[str, np.ndarray]) -> None:
    mixes = [np.bincount(parts[f"y_{part}"]) / len(parts[f"y_{part}"]) for part in ("train", "valid", "test")]
    assert np.ptp(mixes, axis=0).max() < 0.005


def test_a_split_follows_from_its_seed(scans: Scans, parts: Scans) -> None:
    again, other = digits.split(scans, 0.2, 7), digits.split(scans, 0.2, 8)
    assert all(np.array_equal(parts[name], again[name]) for name in parts)
    assert not np.array_equal(parts["x_train"], other["x_train"])


def test_the_profile_counts_every_training_image(parts: dict[str, np.ndarray]) -> None:
    profile = digits.profile(parts)
    assert sum(profile["images"]) == len(parts["y_train"])
    assert all(0 < share < 1 for share in profile["darkness"])


@pytest.mark.parametrize("name", digits.MODELS)
def test_every_candidate_learns_to_read(parts: dict[str, np.ndarray], name: str) -> None:
    model = digits.train(name, parts["x_train"], parts["y_train"], 7)
    result = digits.evaluate(name, model, parts["x_valid"], parts["y_valid"])
    assert result.accuracy > 0.93
    assert np.sum(result.confusion) == len(parts["y_valid"])
    assert np.trace(result.confusion) == round(result.accuracy * len(parts["y_valid"]))


def test_an_unknown_model_is_refused_by_name(parts: dict[str, np.ndarray]) -> None:
    with pytest.raises(ValueError, match="no such model: 'oracle'; there are svm"):
        digits.train("oracle", parts["x_train"], parts["y_train"], 7)


def test_the_best_model_is_chosen_by_accuracy_then_by_f1() -> None:
    candidates = [evaluation("a", 0.9, 0.99), evaluation("b", 0.95, 0.8), evaluation("c", 0.95, 0.9)]
    assert digits.choose(candidates).model == "c"


def test_the_model_of_the_winner_is_picked() -> None:
    models = {"a": object(), "b": object()}
    assert digits.pick(models, "b") is models["b"]


def test_a_model_below_the_least_accuracy_is_refused(parts: dict[str, np.ndarray]) -> None:
    model = digits.train("neighbours", parts["x_train"], parts["y_train"], 7)
    with pytest.raises(DataError, match="below 1"):
        digits.confirm("neighbours", model, parts["x_test"], parts["y_test"], min_accuracy=1.0)


def test_the_summary_counts_the_test_images() -> None:
    assert digits.summarise(evaluation("a", 0.98765)) == {"model": "a", "accuracy": 0.9877, "test_images": 10}


def test_the_confusion_matrix_is_a_png(staging: Path) -> None:
    path = digits.plot_confusion(evaluation("a", 0.9))
    assert path.parent == staging
    assert path.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")


def test_the_model_card_is_one_page_that_loads_nothing_and_escapes_what_it_is_given(staging: Path) -> None:
    figure = digits.plot_confusion(evaluation("a", 0.97))
    card = digits.model_card(
        digits.Quality(rows=1797, duplicates=3, balance=0.95),
        {"images": list(range(100, 110)), "darkness": [0.3] * 10},
        [evaluation("<b>worse</b>", 0.9), evaluation("a", 0.97)],
        evaluation("a", 0.96),
        figure,
    )
    page = card.read_text(encoding="utf-8")
    assert "96.00 %" in page
    assert "run-1" in page
    assert "&lt;b&gt;worse&lt;/b&gt;" in page
    assert page.index(">a<") < page.index("worse")
    assert re.findall(r"(?:src|href)=.(?!data:)", page) == []


def test_the_exported_model_reads_digits_when_it_is_loaded_again(
    parts: dict[str, np.ndarray], staging: Path
) -> None:
    model = digits.train("svm", parts["x_train"], parts["y_train"], 7)
    path = digits.export_model(model, evaluation("svm", 0.99))
    assert path == staging / "digits_svm.skops"
    assert get_untrusted_types(file=path) == []
    assert np.array_equal(load(path).predict(parts["x_test"]), model.predict(parts["x_test"]))


def test_the_clean_up_removes_the_staging_folder_even_when_there_is_none(staging: Path) -> None:
    digits.plot_confusion(evaluation("a", 0.9))
    digits.clean_up()
    digits.clean_up()
    assert not staging.exists()


def test_the_models_are_trained_side_by_side_and_none_waits_for_another() -> None:
    graph = digits.digits.graph()
    for name in digits.MODELS:
        assert graph[f"train_{name}"].upstream == ("split",)
        assert set(graph[f"evaluate_{name}"].upstream) == {f"train_{name}", "split"}


def test_the_data_profile_needs_only_the_split() -> None:
    assert digits.digits.graph()["profile"].upstream == ("split",)


def test_the_dag_is_planned_with_one_gate_because_the_card_needs_profile_and_model() -> None:
    compiled = compile_graph(digits.digits.graph())
    assert compiled.report.tasks == 20
    gates = [node for node in walk(compiled.plan) if isinstance(node, Await)]
    assert [(gate.gate, [task for group in gate.parents for task in group]) for gate in gates] == [
        ("model_card", ["profile"])
    ]


def test_params_outside_their_ranges_are_refused_together() -> None:
    with pytest.raises(ParamsError) as caught:
        digits.digits.validate_params({"test_size": 0.9, "min_accuracy": -1, "seed": 1})
    assert len(caught.value.problems) == 2
