"""DAGs of any size as their users write them: one file with no-op tasks, a chain, a fan-out or a random DAG."""

from __future__ import annotations

import itertools
import textwrap
from pathlib import Path

from stepweave.authoring.dags import Dag, dag
from stepweave.loading import load

_HEAD = """\
from __future__ import annotations

import random

from stepweave import dag, task

COUNT = {count}


@task
def first() -> int:
    return 0


@task
def step(value: int) -> int:
    return value


@task
def mix(a: int, b: int = 0, c: int = 0) -> int:
    return a


@task
def gather(values: list[int]) -> int:
    return len(values)


@dag
"""

_BODIES = {
    "one": """\
        def {name}() -> None:
            first()
        """,
    "chain": """\
        def {name}() -> None:
            value = first()
            for _ in range(COUNT - 1):
                value = step(value)
        """,
    "fan_out": """\
        def {name}() -> None:
            value = first()
            gather([step(value) for _ in range(COUNT - 2)])
        """,
    "random": """\
        def {name}() -> None:
            draw = random.Random(COUNT)
            values = [first()]
            for index in range(1, COUNT):
                values.append(mix(*draw.sample(values, min(index, draw.randint(1, 3)))))
        """,
}

SHAPES = ("chain", "fan_out", "random")

_serial = itertools.count()


def write_dag(folder: Path, shape: str, count: int = 1) -> Path:
    """The file of a new DAG of ``count`` tasks; module and DAG have a name of their own."""
    name = f"{shape}_{count}_{next(_serial)}"
    file = folder / f"{name}.py"
    body = textwrap.dedent(_BODIES[shape]).format(name=name)
    file.write_text(f'"""A {shape} of {count} tasks."""\n\n{_HEAD.format(count=count)}{body}')
    return file


def dag_in(folder: Path, shape: str, count: int = 1) -> Dag:
    """The DAG of :func:`write_dag`, loaded and not yet traced."""
    return load(str(write_dag(folder, shape, count)))


def untraced(traced: Dag) -> Dag:
    """A copy of a DAG that has not been traced."""
    copy: Dag = dag(traced.function)
    return copy
