"""Which of four models reads handwritten digits best?

    ingest ─▶ validate ─▶ split ─┬─▶ train_… ─▶ evaluate_…   (svm, forest, neighbours, network)
                                 │        └──────────┴─▶ choose ─▶ pick ─▶ confirm ─┬─▶ export_model, summarise
                                 └─▶ profile ──────────────────────────▶ model_card ◀┘

The data are scikit-learn's bundled 1,797 scans of 8 × 8 pixels: real, and nothing is downloaded. The models are
compared on the validation part; only the best one meets the test part, once, so that its accuracy is an honest one.

The model card needs the data profile and the confirmed model, the exported file only the latter. A graph with such an
"N" is not made of series and parallel parts, yet the profile holds up nothing but the card.

Run it: ``stepweave run statemachines/digits.py``.
"""

from __future__ import annotations

import base64
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from stepweave import Param, dag, get_current_context, task
from stepweave.errors import DataError

# scikit-learn, matplotlib, jinja2 and skops are imported by the tasks that use them: reading this module, as `plan`
# and every worker do, then costs no second. And where they are deployed only these tasks carry them: on Lambda all that
# a task needs must fit in 250 MB.
MODELLING = ["scikit-learn>=1.6", "skops>=0.13"]
DRAWING = ["matplotlib>=3.9"]
WRITING = ["jinja2>=3.1"]

PIXELS = 64
BRIGHTEST = 16.0  # a pixel counts the dark dots of a 4 × 4 block of the scan
DUPLICATES_ALLOWED = 0.01  # of all rows
BALANCE_NEEDED = 0.8  # rows of the rarest digit ÷ rows of the most frequent one

MODELS = ("svm", "forest", "neighbours", "network")


class Classifier(Protocol):
    """Any fitted scikit-learn classifier."""

    def predict(self, images: NDArray[np.float64]) -> NDArray[np.int64]:
        """The digit in each image."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """What ``validate`` found in sound data."""

    rows: int
    duplicates: int
    balance: float
    """Rows of the rarest digit ÷ rows of the most frequent one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """How well a model reads images that it was not trained on."""

    model: str
    accuracy: float
    macro_f1: float
    confusion: list[list[int]]
    """Images by true digit (row) and read digit (column)."""


@task(retries=2, requirements=MODELLING)
def ingest() -> dict[str, NDArray[Any]]:
    """Returns the data set: ``pixels``, one row of 64 for each scan, and ``target``, the digits that they show."""
    from sklearn.datasets import load_digits

    data = load_digits()
    return {"pixels": data.data, "target": data.target}


@task
def validate(scans: dict[str, NDArray[Any]]) -> Quality:
    """Returns the figures of sound data; refuses everything else, with all that is wrong with it at once."""
    pixels, target = scans["pixels"], scans["target"]
    if pixels.shape != (len(target), PIXELS):
        raise DataError(f"expected {PIXELS} pixels for each of {len(target)} digits; got {pixels.shape}")
    digits_seen, counts = np.unique(target, return_counts=True)
    quality = Quality(
        rows=len(target),
        duplicates=len(target) - len(np.unique(np.column_stack([pixels, target]), axis=0)),
        balance=float(counts.min() / counts.max()) if len(target) else 0.0,
    )
    rules = {
        f"every pixel is a number from 0 to {BRIGHTEST:g}": bool(
            ((pixels >= 0) & (pixels <= BRIGHTEST)).all()
        ),
        "all ten digits occur, and nothing else": digits_seen.tolist() == list(range(10)),
        f"at most {DUPLICATES_ALLOWED:.0%} of the rows are duplicates": quality.duplicates
        <= DUPLICATES_ALLOWED * quality.rows,
        f"classes are balanced to {BALANCE_NEEDED:.0%}": quality.balance >= BALANCE_NEEDED,
    }
    if broken := [rule for rule, holds in rules.items() if not holds]:
        raise DataError("the data break the rules: " + "; ".join(broken))
    return quality


@task(requirements=MODELLING)
def split(scans: dict[str, NDArray[Any]], test_size: float, seed: int) -> dict[str, NDArray[Any]]:
    """Returns images ``x_…`` and digits ``y_…`` of the parts ``train``, ``valid`` and ``test``.

    Each part has the same mix of digits; ``valid`` and ``test`` have ``test_size`` of all rows each.
    """
    from sklearn.model_selection import train_test_split

    x, y = scans["pixels"] / BRIGHTEST, scans["target"]
    x_rest, x_test, y_rest, y_test = train_test_split(
        x, y, test_size=test_size, stratify=y, random_state=seed
    )
    x_train, x_valid, y_train, y_valid = train_test_split(
        x_rest, y_rest, test_size=len(x_test), stratify=y_rest, random_state=seed
    )
    return {
        "x_train": x_train, "y_train": y_train,
        "x_valid": x_valid, "y_valid": y_valid,
        "x_test": x_test, "y_test": y_test,
    }  # fmt: skip


@task
def profile(parts: dict[str, NDArray[Any]]) -> dict[str, list[float]]:
    """Returns for each digit, 0 to 9, its training images and their mean darkness (0 to 1)."""
    x, y = parts["x_train"], parts["y_train"]
    return {
        "images": [int((y == digit).sum()) for digit in range(10)],
        "darkness": [round(float(x[y == digit].mean()), 4) for digit in range(10)],
    }


@task(cpu=1, memory="2GiB", timeout="10m", retries=1, requirements=MODELLING)
def train(name: str, images: NDArray[np.float64], labels: NDArray[np.int64], seed: int) -> Classifier:
    """Returns a fitted model of the kind ``name``."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.neural_network import MLPClassifier
    from sklearn.svm import SVC

    match name:
        case "svm":
            model = SVC(C=10, gamma="scale")
        case "forest":
            model = RandomForestClassifier(n_estimators=200, random_state=seed)
        case "neighbours":
            model = KNeighborsClassifier(n_neighbors=3, weights="distance")
        case "network":
            model = MLPClassifier(hidden_layer_sizes=(64,), alpha=1e-3, max_iter=1000, random_state=seed)
        case _:
            raise ValueError(f"no such model: {name!r}; there are {', '.join(MODELS)}")
    return cast(Classifier, model.fit(images, labels))


@task(requirements=MODELLING)
def evaluate(
    name: str, model: Classifier, images: NDArray[np.float64], labels: NDArray[np.int64]
) -> Evaluation:
    """Returns how well ``model`` reads ``images`` that show ``labels``."""
    from sklearn.metrics import accuracy_score, confusion_matrix, f1_score

    read = model.predict(images)
    evaluation = Evaluation(
        model=name,
        accuracy=float(accuracy_score(labels, read)),
        macro_f1=float(f1_score(labels, read, average="macro")),
        confusion=confusion_matrix(labels, read, labels=range(10)).tolist(),
    )
    print(f"{name}: accuracy {evaluation.accuracy:.4f} on {len(labels)} images")
    return evaluation


@task
def choose(evaluations: list[Evaluation]) -> Evaluation:
    """Returns the best evaluation: by accuracy, then by macro F1, then the first."""
    return max(evaluations, key=lambda evaluation: (evaluation.accuracy, evaluation.macro_f1))


@task(requirements=MODELLING)
def pick(models: dict[str, Classifier], name: str) -> Classifier:
    """Returns the model of the name that won."""
    return models[name]


@task(requirements=MODELLING)
def confirm(
    name: str, model: Classifier, images: NDArray[np.float64], labels: NDArray[np.int64], min_accuracy: float
) -> Evaluation:
    """Returns the evaluation of the chosen model on the test part; refuses one below ``min_accuracy``."""
    evaluation: Evaluation = evaluate(name, model, images, labels)
    if evaluation.accuracy < min_accuracy:
        raise DataError(f"{name} reads {evaluation.accuracy:.4f} of the test images, below {min_accuracy:g}")
    return evaluation


@task
def summarise(confirmed: Evaluation) -> dict[str, str | float | int]:
    """Returns what to say of the run in one line."""
    images = sum(map(sum, confirmed.confusion))
    return {"model": confirmed.model, "accuracy": round(confirmed.accuracy, 4), "test_images": images}


@task(requirements=DRAWING)
def plot_confusion(evaluation: Evaluation) -> Path:
    """Returns a PNG of the confusion matrix."""
    from matplotlib.figure import Figure

    counts = np.array(evaluation.confusion)
    figure = Figure(figsize=(5, 4.6), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(counts, cmap="Blues", norm="symlog")
    for (row, column), count in np.ndenumerate(counts):
        if count:
            axes.text(
                column, row, count, ha="center", va="center", color="white" if row == column else "black"
            )
    axes.set(
        title=f"{evaluation.model}: accuracy {evaluation.accuracy:.3f}",
        xlabel="read as", ylabel="is", xticks=range(10), yticks=range(10),
    )  # fmt: skip
    path = _staging() / "confusion.png"
    figure.savefig(path, dpi=120, metadata={"Software": None})
    return path


@task(requirements=WRITING)
def model_card(
    quality: Quality,
    profile: dict[str, list[float]],
    evaluations: list[Evaluation],
    confirmed: Evaluation,
    confusion: Path,
) -> Path:
    """Returns the model card: one self-contained HTML page."""
    from jinja2 import Environment, StrictUndefined

    template = Path(__file__).with_name("digits_card.html.jinja").read_text(encoding="utf-8")
    page = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True).from_string(template)
    path = _staging() / "model_card.html"
    html = page.render(
        run_id=get_current_context().run_id,
        quality=quality,
        profile=profile,
        evaluations=sorted(evaluations, key=lambda evaluation: -evaluation.accuracy),
        confirmed=confirmed,
        confusion=base64.b64encode(confusion.read_bytes()).decode("ascii"),
    )
    path.write_text(html, encoding="utf-8")
    get_current_context().log_metadata(model=confirmed.model, accuracy=confirmed.accuracy)
    return path


@task(requirements=MODELLING)
def export_model(model: Classifier, confirmed: Evaluation) -> Path:
    """Returns the model as a skops file, which is opened without running code from inside it."""
    from skops.io import dump

    path = _staging() / f"digits_{confirmed.model}.skops"
    dump(model, path)
    return path


@task(teardown=True)
def clean_up() -> None:
    """Removes the run's staging folder, however the run went; the artifacts are in the store by now."""
    shutil.rmtree(_staging(), ignore_errors=True)


def _staging() -> Path:
    """This run's folder for files on their way to the artifact store.

    One task alone would take ``get_current_context().scratch``, which goes with the attempt. This folder is the
    run's, so the DAG has a teardown for it.
    """
    folder = Path(tempfile.gettempdir()) / f"stepweave-{get_current_context().run_id}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@dag(tags=["example"], requirements=["numpy>=2"])
def digits(
    seed: int = Param(7, ge=0, description="Seed of the split and of every model"),
    test_size: float = Param(0.2, ge=0.05, le=0.4, description="Share of the rows in each held-out part"),
    min_accuracy: float = Param(
        0.95, ge=0, le=1, description="Least accuracy of the chosen model on the test part"
    ),
) -> None:
    """Trains four models on handwritten digits and keeps the best one."""
    images = ingest()
    quality = validate(images)
    parts = split(images, test_size, seed)
    quality >> parts
    profiled = profile(parts)

    models, evaluations = {}, []
    for name in MODELS:
        model = train.override(task_id=f"train_{name}")(name, parts["x_train"], parts["y_train"], seed)
        evaluations.append(
            evaluate.override(task_id=f"evaluate_{name}")(name, model, parts["x_valid"], parts["y_valid"])
        )
        models[name] = model

    best = choose(evaluations)
    model = pick(models, best.model)
    confirmed = confirm(best.model, model, parts["x_test"], parts["y_test"], min_accuracy)
    exported = export_model(model, confirmed)
    card = model_card(quality, profiled, evaluations, confirmed, plot_confusion(confirmed))
    [summarise(confirmed), exported, card] >> clean_up()
