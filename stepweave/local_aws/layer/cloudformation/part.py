"""CloudFormation, as a part of the layer."""

from __future__ import annotations

from ministack.services.cloudformation import provisioners

from stepweave.local_aws.layer.cloudformation import batch_types, secret_types, states_types
from stepweave.local_aws.layer.part import Part, Setting
from stepweave.local_aws.layer.seams import Seam

_STATES = "ministack.services.stepfunctions"
_CLOUDFORMATION = "ministack.services.cloudformation.provisioners"


def _install(setting: Setting) -> None:
    provisioners._RESOURCE_HANDLERS.update(batch_types.handlers())
    provisioners._RESOURCE_HANDLERS.update(states_types.handlers())
    provisioners._RESOURCE_HANDLERS.update(secret_types.handlers())


PART = Part(
    name="cloudformation",
    seams=(
        Seam(_CLOUDFORMATION, "_RESOURCE_HANDLERS"),
        Seam(
            _CLOUDFORMATION,
            "_physical_name",
            ("stack_name", "logical_id", "lowercase", "max_len", "seeded"),
        ),
        Seam(_STATES, "_publish_state_machine_version", ("data",)),
        Seam(_STATES, "_delete_state_machine_version", ("data",)),
        Seam(_STATES, "_create_state_machine_alias", ("data",)),
        Seam(_STATES, "_update_state_machine_alias", ("data",)),
        Seam(_STATES, "_delete_state_machine_alias", ("data",)),
        Seam(_STATES, "_create_activity", ("data",)),
        Seam(_STATES, "_delete_activity", ("data",)),
    ),
    install=_install,
)
