"""A job definition is what its tasks need."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.dags.job_specs import job_specs
from infra.dags.targets import every_task, targets
from stepweave.compiler import Compiled
from stepweave.errors import DagError
from tests.infra.dags.flows import HEAVY, written

TWINS = '''
from stepweave import dag, task

@task(gpu=1)
def one() -> int:
    return 1

@task(cpu=16, compute="batch")
def other() -> int:
    return 1

@dag
def twins():
    """Ids that differ in punctuation alone."""
    one.override(task_id="a-b")()
    other.override(task_id="a.b")()
'''
LADDER = '''
from stepweave import dag, task

@task(memory="4GiB", cpu=8, on_out_of_memory=["32GiB"], retries=1)
def fit() -> int:
    return 1

@dag
def ladder():
    """Climbs to more memory."""
    fit()
'''


def specs(flow: Compiled) -> dict[str, object]:
    return dict(job_specs(flow.placements, list(every_task(flow))))


def test_fractions_of_processors_and_short_timeouts_are_rounded_up(tmp_path: Path) -> None:
    source = HEAVY.replace("cpu=8,", "cpu=1.5, timeout=30,")
    flow = written(tmp_path, source, "heavy_rounded")
    crunch = job_specs(flow.placements, list(every_task(flow)))["JobDefinition_crunch"]
    assert (crunch.cpu, crunch.timeout_seconds, crunch.shared_memory_mib) == (2, 60, 0)


def test_what_needs_the_same_has_the_same_name(tmp_path: Path) -> None:
    found = targets(written(tmp_path, HEAVY, "heavy_shared"))
    assert found["JobDefinition_train"].name == found["JobDefinition_train_too"].name
    assert found["JobDefinition_train"].name != found["JobDefinition_crunch"].name


def test_a_job_definition_keeps_its_name_when_its_task_needs_more(tmp_path: Path) -> None:
    """It has another revision then, and yet another when that is reverted, but is never made anew."""
    before = targets(written(tmp_path, HEAVY, "heavy_before"))["JobDefinition_crunch"]
    after = targets(written(tmp_path, HEAVY.replace("cpu=8", "cpu=4"), "heavy_after"))["JobDefinition_crunch"]
    assert before.job != after.job
    assert before.name == after.name == "job-crunch"


def test_ids_that_are_one_name_are_refused_where_they_need_different_things(tmp_path: Path) -> None:
    flow = written(tmp_path, TWINS, "twins")
    with pytest.raises(DagError, match=r"'a-b' and 'a\.b'"):
        specs(flow)


def test_each_rung_of_a_ladder_has_a_definition(tmp_path: Path) -> None:
    flow = written(tmp_path, LADDER, "ladder")
    found = job_specs(flow.placements, list(every_task(flow)))
    memory = {name: spec.memory_mib for name, spec in found.items()}
    assert memory["JobDefinition_fit_level_1"] == 32 * 1024
    assert {target.name for target in targets(flow).values() if target.kind == "job"} == {
        "job-fit",
        "job-fit_level_1",
    }
