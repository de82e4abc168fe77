"""Batch, as a part of the layer."""

from __future__ import annotations

from ministack.services import batch

from stepweave.local_aws.layer import scope
from stepweave.local_aws.layer.batch.api import actions
from stepweave.local_aws.layer.batch.jobs import Jobs
from stepweave.local_aws.layer.part import Part, Setting
from stepweave.local_aws.layer.seams import Seam

_BATCH = "ministack.services.batch"
_installed: list[Jobs] = []


def jobs() -> Jobs:
    """The jobs of this server; ``IndexError`` before the part is installed."""
    return _installed[0]


def _install(setting: Setting) -> None:
    _installed[:] = [Jobs(setting)]
    batch._DISPATCH.update(actions(jobs()))


PART = Part(
    name="batch",
    seams=(
        *scope.SEAMS,
        *(
            Seam(_BATCH, name)
            for name in ("_DISPATCH", "_jobs", "_job_definitions", "_job_queues", "_compute_envs")
        ),
        Seam(_BATCH, "_register_job_definition", ("p",)),
        Seam(_BATCH, "_create_job_queue", ("p",)),
        Seam(_BATCH, "_job_queue_name_from_ref", ("ref",)),
        Seam(_BATCH, "_compute_environment_name_from_ref", ("ref",)),
        Seam(_BATCH, "_job_arn", ("job_id",)),
        Seam(_BATCH, "_jq_arn", ("name",)),
        Seam("ministack.services.eventbridge", "_put_events", ("data", "allow_aws_source")),
    ),
    install=_install,
    start=lambda: jobs().resume(),
    stop=lambda: jobs().close(),
)
