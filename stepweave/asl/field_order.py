"""`in_order`: the fields of states in the order in which a reader meets them as they take effect."""

from __future__ import annotations

from collections.abc import Mapping

from stepweave.asl.states import State

_ORDER = (
    *("Type", "Comment", "Resource", "Arguments", "Items", "ItemSelector", "MaxConcurrency", "ItemProcessor"),
    *("Branches", "Seconds", "TimeoutSeconds", "Retry", "Choices", "Assign"),
    *("Output", "Error", "Cause", "Catch", "Default", "Next", "End"),
)


def in_order(found: Mapping[str, State]) -> dict[str, State]:
    """``found`` with the fields of each state in the order in which they are written."""
    return {name: {key: state[key] for key in _ORDER if key in state} for name, state in found.items()}
