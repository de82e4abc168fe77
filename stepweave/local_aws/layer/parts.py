"""Every part of the layer, in the order in which they are installed and started."""

from __future__ import annotations

from stepweave.local_aws import timing
from stepweave.local_aws.alarms import part as alarms
from stepweave.local_aws.layer import logs, permissions, saving
from stepweave.local_aws.layer.batch import part as batch
from stepweave.local_aws.layer.cloudformation import part as cloudformation
from stepweave.local_aws.layer.lambdas import part as lambdas
from stepweave.local_aws.layer.part import Part
from stepweave.local_aws.schedules import part as schedules
from stepweave.local_aws.states import part as states

PARTS: tuple[Part, ...] = (
    timing.PART,
    saving.PART,
    permissions.PART,
    logs.PART,
    lambdas.PART,
    batch.PART,
    states.PART,
    cloudformation.PART,
    schedules.PART,
    alarms.PART,
)
