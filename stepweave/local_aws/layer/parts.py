"""Every part of the layer, in the order in which they are installed and started."""

from __future__ import annotations

from stepweave.local_aws.layer.part import Part

PARTS: tuple[Part, ...] = ()
