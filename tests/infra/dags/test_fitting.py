"""A job that no instance of its queue can hold is an error before anything is deployed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from infra.app import ROOT, add_environment, new_app
from infra.dags.fitting import fitting_problems
from infra.dags.job_specs import job_specs
from infra.dags.targets import every_task
from infra.instance_types import Size, sizes
from infra.settings import load, parse
from stepweave.compiler import Compiled
from stepweave.errors import DagError, Problem
from tests.infra.dags.empty_code import EmptyCode
from tests.infra.dags.flows import compiled_repository, written

ONE = '''
from stepweave import dag, task

@task({options})
def fit() -> int:
    return 1

@dag
def one_job():
    """One job."""
    fit()
'''


def job(folder: Path, options: str) -> Compiled:
    return written(folder, ONE.format(options=options), f"{folder.name}_{len(options)}")


def problems(flow: Compiled, **settings: Any) -> list[Problem]:
    return list(fitting_problems(flow, parse("dev", settings, "dev.toml")))


@pytest.mark.parametrize(
    "options, queue, types",
    [
        ('cpu=4, memory="14GiB", gpu=1', "gpu", ("g5.xlarge",)),
        ('gpu=8, memory="700GiB"', "gpu", ("g5",)),
        ('gpu=4, memory="100GiB", cpu=32', "gpu", ("g5.xlarge", "g6.12xlarge")),
        ('cpu=64, memory="480GiB"', "cpu", ("c7g", "r7g")),
        ('cpu=8, memory="16GiB"', "cpu", ("c7i.2xlarge", "m7i.2xlarge")),
    ],
)
def test_a_job_that_some_instance_can_hold_is_accepted(
    tmp_path: Path, options: str, queue: str, types: tuple[str, ...]
) -> None:
    flow = job(tmp_path, options)
    assert problems(flow, queues={queue: {"instance_types": types, "max_vcpus": 256}}) == []


def test_all_memory_of_an_instance_is_too_much_since_a_part_is_not_for_jobs(tmp_path: Path) -> None:
    (found,) = problems(
        job(tmp_path, 'gpu=1, memory="16GiB"'), queues={"gpu": {"instance_types": ("g5.xlarge",)}}
    )
    assert (found.code, found.task, found.got) == ("job-too-large", "fit", "4 vCPUs, 16384 MiB, 1 GPU")
    assert found.expected is not None
    assert "g5.xlarge (at most 4 vCPUs, 16 GiB, 1 GPU)" in found.expected
    assert found.fix is not None
    assert found.fix.startswith('memory="15564MiB" or less, or larger instance_types')
    assert "[queues.gpu] of infra/environments/dev.toml" in found.fix
    assert found.line is not None
    fixed = job(tmp_path, 'gpu=1, memory="15564MiB"')
    assert problems(fixed, queues={"gpu": {"instance_types": ("g5.xlarge",)}}) == []


def test_more_gpus_than_an_instance_has_are_refused(tmp_path: Path) -> None:
    (found,) = problems(
        job(tmp_path, "gpu=2, cpu=4"), queues={"gpu": {"instance_types": ("g5.xlarge", "g6.8xlarge")}}
    )
    assert found.fix is not None
    assert found.fix.startswith("fewer GPUs or vCPUs")


def test_needs_that_only_two_different_instances_have_are_refused(tmp_path: Path) -> None:
    flow = job(tmp_path, 'cpu=32, memory="100GiB"')
    types = ("c7g.8xlarge", "r7g.4xlarge")
    assert [one.code for one in problems(flow, queues={"cpu": {"instance_types": types}})] == [
        "job-too-large"
    ]


def test_what_an_environment_does_not_name_is_checked_with_the_families_of_its_architecture(
    tmp_path: Path,
) -> None:
    flow = job(tmp_path, 'cpu=100, memory="64GiB"')
    queues = {"cpu": {"max_vcpus": 256}}
    assert problems(flow, architecture="x86_64", queues=queues) == []
    (found,) = problems(flow, architecture="arm64", queues=queues)
    assert found.expected is not None
    assert "r7g (at most 64 vCPUs, 512 GiB)" in found.expected


def test_a_job_with_more_vcpus_than_its_queue_may_have_is_refused(tmp_path: Path) -> None:
    flow = job(tmp_path, "cpu=16, spot=True")
    assert problems(flow, queues={"cpu_spot": {"max_vcpus": 16}}) == []
    (found,) = problems(flow, queues={"cpu_spot": {"max_vcpus": 20, "spot_percent": 50}})
    assert (found.expected, found.got) == ("at most 10 vCPUs", "16")


def test_a_job_on_fargate_is_held_to_its_queue_but_to_no_instance(tmp_path: Path) -> None:
    flow = job(tmp_path, 'compute="fargate", cpu=16, memory="100GiB"')
    types = {"instance_types": ("c7g.large",)}
    assert problems(flow, queues={"cpu": types, "fargate": types}) == []
    (found,) = problems(flow, queues={"fargate": {"max_vcpus": 8}})
    assert (found.expected, found.got) == ("at most 8 vCPUs", "16")
    assert found.fix is not None
    assert "[queues.fargate]" in found.fix


def test_a_job_on_fargate_without_a_network_is_refused(tmp_path: Path) -> None:
    (found,) = problems(job(tmp_path, 'compute="fargate"'), network={"mode": "none"})
    assert (found.code, found.task, found.got) == ("fargate-network", "fit", '"none"')
    assert problems(job(tmp_path, 'compute="fargate"'), target="local", network={"mode": "none"}) == []


def test_each_rung_of_a_ladder_is_checked(tmp_path: Path) -> None:
    flow = job(tmp_path, 'memory="4GiB", cpu=8, on_out_of_memory=["32GiB"], retries=1')
    types = {"cpu": {"instance_types": ("c7g.2xlarge",)}}
    assert [one.got for one in problems(flow, queues=types)] == ["8 vCPUs, 32768 MiB"]


def test_a_type_whose_size_is_not_known_is_not_refused(tmp_path: Path) -> None:
    assert sizes("x9z.large") == ()
    flow = job(tmp_path, 'cpu=100, memory="900GiB"')
    assert problems(flow, queues={"cpu": {"instance_types": ("x9z.large",), "max_vcpus": 128}}) == []


@pytest.mark.parametrize("settings", [{"target": "local"}, {"network": {"mode": "none"}}])
def test_nothing_is_checked_where_batch_has_no_compute_of_its_own(
    tmp_path: Path, settings: dict[str, Any]
) -> None:
    assert problems(job(tmp_path, 'cpu=1000, memory="9000GiB"'), **settings) == []


@pytest.mark.parametrize("env", ["dev", "staging", "prod"])
def test_every_job_of_the_repository_fits_every_environment(env: str) -> None:
    flows = compiled_repository()
    assert any(job_specs(flow.placements, list(every_task(flow))) for flow in flows)
    assert [one for flow in flows for one in fitting_problems(flow, load(env, ROOT))] == []


def test_the_synthesis_stops_with_the_jobs_of_all_dags_that_do_not_fit(tmp_path: Path) -> None:
    settings = parse("dev", {}, "dev.toml")
    flow = job(tmp_path, 'cpu=4, memory="9000GiB"')
    with pytest.raises(DagError, match="no instance of queue cpu in dev can hold its job") as stopped:
        add_environment(new_app(), settings, [flow, flow], code=EmptyCode(tmp_path))
    assert len(stopped.value.problems) == 2


def test_sizes_are_those_that_ec2_publishes() -> None:
    assert sizes("g5.48xlarge") == (Size(192, 768, 8),)
    assert sizes("g6e.12xlarge") == (Size(48, 384, 4),)
    assert sizes("g4dn.xlarge") == (Size(4, 16, 1),)
    assert sizes("p4d") == (Size(96, 1152, 8),)
    assert sizes("c6i.32xlarge") == (Size(128, 256),)
    assert sizes("m7g.medium") == (Size(1, 4),)
    assert sizes("r7i")[-1] == Size(192, 1536)
    assert sizes("c7g.32xlarge") == ()
