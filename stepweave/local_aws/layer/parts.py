"""Every part of the layer, in the order in which they are installed and started."""

from __future__ import annotations

from stepweave.local_aws.layer import logs
from stepweave.local_aws.layer.lambdas import part as lambdas
from stepweave.local_aws.layer.part import Part

PARTS: tuple[Part, ...] = (logs.PART, lambdas.PART)
