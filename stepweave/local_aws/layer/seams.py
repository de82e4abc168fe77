"""The private names of ministack that the layer takes hold of, checked before anything is replaced."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Seam:
    """One name in one module."""

    module: str
    name: str
    parameters: tuple[str, ...] | None = None
    """Names of its parameters, in order, for a function; None: whatever it is."""

    def fault(self) -> str | None:
        """What is not as the layer expects it, or None."""
        try:
            found = getattr(importlib.import_module(self.module), self.name)
        except (ImportError, AttributeError) as error:
            return f"{self.module}.{self.name}: {error}"
        if self.parameters is None:
            return None
        there = tuple(inspect.signature(found).parameters)
        return (
            None
            if there == self.parameters
            else f"{self.module}.{self.name} takes {there}, not {self.parameters}"
        )


def faults(seams: Iterable[Seam]) -> tuple[str, ...]:
    """A sentence for every seam that is not there any more."""
    return tuple(fault for seam in seams if (fault := seam.fault()) is not None)
