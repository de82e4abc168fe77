"""Where a task may be forced to run: ``@task(compute=Lambda)``, ``Batch`` or ``Fargate``."""

from __future__ import annotations

from typing import Any, Final, cast

from stepweave.authoring.suggest import did_you_mean
from stepweave.graph.model import Compute


class Lambda:
    """AWS Lambda: starts in milliseconds, up to 15 minutes, 10 GiB, no GPU."""

    name: Final = "lambda"


class Batch:
    """AWS Batch: any duration, any size of machine, GPUs, capacity that can be reclaimed (``spot=True``)."""

    name: Final = "batch"


class Fargate:
    """AWS Fargate, through Batch: a job that waits for no instance, up to 16 vCPUs and 120 GiB; no GPU, no spot."""

    name: Final = "fargate"


_AVAILABLE = (Lambda.name, Batch.name, Fargate.name)
_LATER = ("ecs", "activity", "emr", "glue", "sagemaker", "eks")


def compute_name(value: Any) -> Compute:
    """``"lambda"``, ``"batch"`` or ``"fargate"`` for the class, an instance of it, or its name.

    Raises ``ValueError`` otherwise.
    """
    name = str(getattr(value, "name", value)).lower()
    if name in _AVAILABLE:
        return cast("Compute", name)
    if name in _LATER:
        raise ValueError(f"compute {name!r} is not available yet; use Lambda, Batch or Fargate")
    raise ValueError(f"unknown compute {value!r}; {did_you_mean(name, _AVAILABLE)}")
