"""The envelope of a task run, ``result.json``: its creation is the commit, and it says all that is known of the result.

It is at once the record for resume, cache, lineage, cost and right-sizing, so each field is here once and for all.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from stepweave.errors import CodecError
from stepweave.runtime.codecs.values import StoredValue
from stepweave.runtime.events import Json

VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """How one task run succeeded."""

    dag: str
    run: str
    task: str
    index: str = ""
    """Index path of the task run, such as ``3/0``; empty outside of mapped nodes and loops."""
    value: StoredValue
    type: str
    """Type of the value, ``module.Class``."""
    attempt: int
    """Attempts before the one that succeeded."""
    started_at: float
    """Seconds since the epoch."""
    duration_seconds: float
    """Time in the task's function."""
    peak_memory_mib: float
    """Largest resident memory of the process so far; in a process that ran other tasks it is an upper bound."""
    compute: str
    """``lambda``, ``batch`` or ``local``."""
    code: dict[str, str]
    """``digest`` of the module's source, ``git`` commit."""
    inputs: dict[str, str] = field(default_factory=dict)
    """Digest of the value of each upstream task that was read."""
    input_digest: str
    """Digest of everything that the result follows from, besides the code."""
    values: list[Json] = field(default_factory=list)
    """Of a task that may be undone: the results of expressions that its arguments read."""
    metadata: dict[str, Json] = field(default_factory=dict)
    """What the task noted by ``log_metadata``."""

    def to_bytes(self) -> bytes:
        """The envelope as JSON, the value first among what people look for."""
        value = self.value
        parts: dict[str, Any] = {
            "version": VERSION,
            "status": "success",
            "dag": self.dag,
            "run": self.run,
            "task": self.task,
            "index": self.index,
            "type": self.type,
            "codec": value.codec,
            "size": value.size,
            "digest": value.digest,
            "value": value.text,
            "key": value.key,
            "part": value.part,
            "code": self.code,
            "inputs": self.inputs,
            "input_digest": self.input_digest,
            "attempt": self.attempt,
            "started_at": round(self.started_at, 6),
            "duration_seconds": round(self.duration_seconds, 6),
            "peak_memory_mib": round(self.peak_memory_mib, 1),
            "compute": self.compute,
            "values": self.values,
            "metadata": self.metadata,
        }
        return json.dumps({name: part for name, part in parts.items() if part or part == 0}).encode()


def parse_envelope(data: bytes, key: str) -> Envelope:
    """The envelope behind the bytes of ``key``; ``CodecError`` when they are none of this version."""
    try:
        parts: dict[str, Any] = json.loads(data)
        version = parts["version"]
        if version != VERSION:
            raise CodecError(f"envelope {key!r} has version {version}, expected {VERSION}; upgrade stepweave")
        value = StoredValue(
            codec=parts["codec"],
            digest=parts["digest"],
            size=parts["size"],
            text=parts.get("value"),
            key=parts.get("key"),
            part=parts.get("part", {}),
        )
        named = (
            "dag",
            "run",
            "task",
            "type",
            "attempt",
            "started_at",
            "duration_seconds",
            "peak_memory_mib",
            "compute",
        )
        return Envelope(
            **{name: parts[name] for name in named},
            value=value,
            index=parts.get("index", ""),
            code=parts.get("code", {}),
            inputs=parts.get("inputs", {}),
            input_digest=parts["input_digest"],
            values=parts.get("values", []),
            metadata=parts.get("metadata", {}),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise CodecError(f"object {key!r} is no envelope of a task run ({error!r})") from error
