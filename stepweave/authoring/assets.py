"""Assets: data sets with a name, by which DAGs can follow one another."""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Asset:
    """A named data set, e.g. ``Asset("customers", uri="s3://lake/customers")``."""

    name: str
    uri: str | None = None
    """Where it lies; None when only the name matters."""

    def as_trigger(self) -> str:
        """The asset as the JSON text that ``DagInfo.triggers`` carries."""
        return json.dumps(
            {"type": "asset", "name": self.name, "uri": self.uri}, sort_keys=True, separators=(",", ":")
        )
