"""Mapped groups: a whole graph per item, with conditions and further maps inside.

``per_species.expand(species=…)`` runs the group once per species. In it, ``describe`` is mapped again, over the
features: a map in a map. What the group returns is one value per item, so ``report`` gets a list; the value of a
task that was skipped in an item is ``None`` there.

Run it: ``stepweave run statemachines/examples/e09_mapped_groups.py``.
"""

from __future__ import annotations

from typing import Any, TypedDict

from stepweave import If, dag, task, task_group


class Range(TypedDict):
    """The spread of one feature."""

    feature: str
    low: float
    high: float


@task(requirements=["scikit-learn>=1.6"])
def species_names() -> list[str]:
    """Returns the three species of Fisher's irises."""
    from sklearn.datasets import load_iris

    return [str(name) for name in load_iris().target_names]


@task(requirements=["scikit-learn>=1.6"])
def select(species: str) -> dict[str, list[float]]:
    """Returns the flowers of one species, a list per feature."""
    from sklearn.datasets import load_iris

    data = load_iris()
    chosen = data.data[data.target == list(data.target_names).index(species)]
    columns = zip(data.feature_names, chosen.T.tolist(), strict=True)
    return {name.removesuffix(" (cm)"): column for name, column in columns}


@task
def describe(flowers: dict[str, list[float]], feature: str) -> Range:
    """Returns the range of one feature."""
    return {"feature": feature, "low": min(flowers[feature]), "high": max(flowers[feature])}


@task
def widest(ranges: list[Range]) -> Range:
    """Returns the feature that varies most."""
    return max(ranges, key=lambda each: each["high"] - each["low"])


@task
def warn(species: str, spread: Range) -> str:
    """Returns a line about a species that varies much."""
    return f"{species}: {spread['feature']} goes from {spread['low']} to {spread['high']}"


@task
def report(lines: list[dict[str, Any]]) -> list[str]:
    """Returns the warnings, species by species."""
    return [line["warning"] for line in lines if line["warning"]]


@task_group
def per_species(species: str, limit: float) -> dict[str, Any]:
    """What is done for one species."""
    flowers = select(species)
    spread = widest(
        describe.partial(flowers=flowers).expand(feature=["sepal length", "petal length", "petal width"])
    )
    with If(spread["high"] - spread["low"] > limit):
        warning = warn(species, spread)
    return {"spread": spread, "warning": warning}


@dag
def mapped_groups(limit: float = 2.05) -> None:
    """Finds the species whose features vary by more than ``limit`` centimetres."""
    report(per_species.partial(limit=limit).expand(species=species_names()))
