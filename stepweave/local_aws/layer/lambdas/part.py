"""Lambda, as a part of the layer."""

from __future__ import annotations

from stepweave.local_aws.layer import scope
from stepweave.local_aws.layer.lambdas import asynchronous, executing
from stepweave.local_aws.layer.lambdas.executing import Executor
from stepweave.local_aws.layer.part import Part, Setting
from stepweave.local_aws.layer.seams import Seam

_executors: list[Executor] = []
"""The one that is installed; empty before."""


def _install(setting: Setting) -> None:
    executor = Executor(setting)
    executor.install()
    asynchronous.install()
    _executors.append(executor)


def _stop() -> None:
    for executor in _executors:
        executor.pool.close()


PART = Part(
    name="lambda",
    seams=(
        *scope.SEAMS,
        *executing.SEAMS,
        *asynchronous.SEAMS,
        Seam("ministack.services.lambda_svc", "_func_arn", ("name",)),
    ),
    install=_install,
    stop=_stop,
)
