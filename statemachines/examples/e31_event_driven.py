"""An event-driven pipeline: a file arrives, a model is trained on spot capacity, and the better one goes live.

    load ─┬─▶ train (Batch, spot) ─▶ evaluate ─┬─▶ model_card
          │                                    └─▶ if accurate: release, else: keep
          └─▶ profile ─┬─▶ drift               (model_card needs the profile too: an "N")
                       └─▶ model_card

Two things start it: a CSV file that somebody uploads below ``raw/customers/``, whose address arrives as ``uri``, and
the clock, on every working day at six in Berlin; then the file that came last is taken again. Light tasks run on
Lambda, the training on Batch, on spot capacity: where that is reclaimed, the job is started again, and the training
goes on at its last checkpoint. ``release`` publishes the model as the current one of the asset ``churn-model``; a
failed run tells somebody.

Run it: ``stepweave run statemachines/examples/e31_event_driven.py``, or with ``--param uri=customers.csv``. Deployed,
it runs when you upload: ``aws s3 cp customers.csv s3://BUCKET/raw/customers/``.
"""

from __future__ import annotations

import csv
import io
import math
import statistics
from pathlib import Path
from typing import TypedDict

from stepweave import Cron, Else, If, dag, get_current_context, task
from stepweave.errors import DataError
from stepweave.stores.uris import read_uri
from stepweave.triggers import S3ObjectCreated

SAMPLE = Path(__file__).with_name("e31_customers.csv")
COLUMNS = ("months", "calls", "bill", "yearly")
LEAST_ROWS = 100
ROUNDS_KEPT = 50
"""Rounds after which the training keeps how far it is."""


class Customer(TypedDict):
    """One row: what is known of a customer, and whether they left."""

    features: list[float]
    left: bool


class Model(TypedDict):
    """A logistic regression on features of mean 0 and deviation 1."""

    means: list[float]
    deviations: list[float]
    weights: list[float]
    """The last one is the intercept."""


class Score(TypedDict):
    """How good a model is on rows that it has not seen."""

    accuracy: float
    baseline: float
    """Accuracy of saying for each customer what is true of most."""


@task(retries=2)
def load(uri: str) -> list[Customer]:
    """Returns the customers in a file; without an address, of the last file that came, or else of a sample."""
    context = get_current_context()
    if uri:
        rows = parse(read_uri(uri).decode("utf-8"))
        context.publish("customers", "latest", rows)
        return rows
    try:
        latest: list[Customer] = context.latest("customers", "latest")
        return latest
    except DataError:
        return parse(SAMPLE.read_text(encoding="utf-8"))


def parse(text: str) -> list[Customer]:
    """The customers in a CSV text; ``DataError`` where it cannot be used."""
    rows: list[Customer] = []
    for number, row in enumerate(csv.DictReader(io.StringIO(text)), start=2):
        try:
            numbers = [float(row["months"]), float(row["calls"]), float(row["bill"])]
            rows.append(
                {"features": [*numbers, float(row["contract"] == "yearly")], "left": row["left"] == "1"}
            )
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"line {number} is no customer: {error!r}") from None
    if len(rows) < LEAST_ROWS:
        raise DataError(f"{len(rows)} customers are too few to learn from; expected {LEAST_ROWS} or more")
    return rows


@task
def profile(rows: list[Customer]) -> dict[str, float]:
    """Returns the mean of each column."""
    columns = zip(*(row["features"] for row in rows), strict=True)
    return {name: round(sum(column) / len(rows), 3) for name, column in zip(COLUMNS, columns, strict=True)}


@task
def drift(means: dict[str, float]) -> dict[str, float]:
    """Returns how far each mean has moved, as a share, since the last run; publishes today's."""
    context = get_current_context()
    try:
        before = context.latest("customer-means", "latest")
    except DataError:
        before = means
    context.publish("customer-means", "latest", means)
    return {name: round(means[name] / before[name] - 1, 3) if before[name] else 0.0 for name in COLUMNS}


@task(cpu=2, memory="4GiB", spot=True, timeout="30m", retries=2)
def train(rows: list[Customer], rounds: int) -> Model:
    """Returns a logistic regression, fitted by gradient descent on four of five rows."""
    known = [row for number, row in enumerate(rows) if number % 5 != 4]
    truth = [float(row["left"]) for row in known]
    columns = list(zip(*(row["features"] for row in known), strict=True))
    model: Model = {
        "means": [statistics.fmean(column) for column in columns],
        "deviations": [statistics.pstdev(column) or 1.0 for column in columns],
        "weights": [0.0] * (len(columns) + 1),
    }
    inputs = [scaled(model, row["features"]) for row in known]
    context = get_current_context()
    begun = context.checkpoint.load({"rounds": 0, "weights": model["weights"]})
    weights = begun["weights"]
    for number in range(begun["rounds"] + 1, rounds + 1):
        weights = descended(weights, inputs, truth)
        if number % ROUNDS_KEPT == 0 or context.stopping:
            context.checkpoint.save({"rounds": number, "weights": weights})
    context.log_metadata(rows=len(inputs), rounds=rounds, begun_at=begun["rounds"])
    return {**model, "weights": weights}


def descended(weights: list[float], inputs: list[list[float]], truth: list[float]) -> list[float]:
    """The weights after one step down the gradient of the log loss."""
    slopes = [0.0] * len(weights)
    for row, wanted in zip(inputs, truth, strict=True):
        error = sigmoid(weights, row) - wanted
        slopes = [slope + error * value for slope, value in zip(slopes, row, strict=True)]
    return [weight - slope / len(inputs) for weight, slope in zip(weights, slopes, strict=True)]


def scaled(model: Model, row: list[float]) -> list[float]:
    """The features of a customer as the model wants them, and a 1 for its intercept."""
    ends = zip(row, model["means"], model["deviations"], strict=True)
    return [*((value - mean) / deviation for value, mean, deviation in ends), 1.0]


def sigmoid(weights: list[float], row: list[float]) -> float:
    """The probability that a customer leaves."""
    return 1 / (1 + math.exp(-sum(weight * value for weight, value in zip(weights, row, strict=True))))


@task
def evaluate(model: Model, rows: list[Customer]) -> Score:
    """Returns how good the model is on the fifth of the rows that it has not seen."""
    held_out = rows[4::5]
    right = [
        (sigmoid(model["weights"], scaled(model, row["features"])) > 0.5) == row["left"] for row in held_out
    ]
    leavers = sum(row["left"] for row in held_out) / len(held_out)
    return {
        "accuracy": round(sum(right) / len(right), 3),
        "baseline": round(max(leavers, 1 - leavers), 3),
    }


@task
def model_card(model: Model, score: Score, means: dict[str, float]) -> Path:
    """Returns a page about the model."""
    names = (*COLUMNS, "intercept")
    lines = ["# Churn model", "", f"accuracy {score['accuracy']:.1%}, baseline {score['baseline']:.1%}", ""]
    lines += [f"- {name}: weight {weight:.2f}" for name, weight in zip(names, model["weights"], strict=True)]
    lines += [f"- mean of {name}: {mean}" for name, mean in means.items()]
    page = get_current_context().scratch / "model_card.md"
    page.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return page


@task
def release(model: Model, score: Score) -> str:
    """Returns what is live now: the model becomes the current one."""
    get_current_context().publish("churn-model", "production", model)
    return f"live, with an accuracy of {score['accuracy']:.1%}"


@task
def keep(score: Score) -> str:
    """Returns why the model that is live stays."""
    return f"an accuracy of {score['accuracy']:.1%} is not enough; kept the old model"


def tell(run_id: str, failed: list[str]) -> None:
    """Tells of a failed run; here in the log."""
    get_current_context().logger.error("run %s failed: %s", run_id, ", ".join(failed))


@dag(
    schedule=Cron("0 6 * * 1-5", timezone="Europe/Berlin"),
    triggers=[S3ObjectCreated("raw/customers/", suffix=".csv")],
    on_failure=tell,
    tags=["churn"],
    owner="growth",
)
def churn(uri: str = "", threshold: float = 0.7, rounds: int = 300) -> None:
    """Trains a model of who leaves on the customers at ``uri``, and releases it when it is right often enough."""
    rows = load(uri)
    means = profile(rows)
    drift(means)
    model = train(rows, rounds)
    score = evaluate(model, rows)
    model_card(model, score, means)
    with If(score["accuracy"] >= threshold):
        release(model, score)
    with Else():
        keep(score)
