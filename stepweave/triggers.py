"""Events that start a DAG: ``@dag(triggers=[S3ObjectCreated("raw/", suffix=".parquet")])``."""

from __future__ import annotations

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class S3ObjectCreated:
    """An object appears in a bucket."""

    prefix: str = ""
    """Start of the object's key."""
    suffix: str = ""
    """End of the object's key."""
    bucket: str | None = None
    """Name of the bucket; None for the environment's data bucket."""
    param: str | None = "uri"
    """Param of the DAG that gets the object's address, ``s3://bucket/key``; None when the DAG needs none."""

    def as_trigger(self) -> str:
        """The trigger as the JSON text that ``DagInfo.triggers`` carries."""
        parts = {
            "type": "s3-object-created",
            "bucket": self.bucket,
            "prefix": self.prefix,
            "suffix": self.suffix,
            "param": self.param,
        }
        return json.dumps(parts, sort_keys=True, separators=(",", ":"))
