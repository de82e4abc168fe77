"""`JsonLines`: what a task logs, as lines of JSON with the keys of its attempt, as on Lambda."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

_OWN = frozenset(logging.LogRecord("", 0, "", 0, "", None, None).__dict__) | {
    "message",
    "asctime",
    "taskName",
}


class JsonLines(logging.Formatter):
    """Formats a record as one line of JSON."""

    def __init__(self, keys: Mapping[str, Any]) -> None:
        super().__init__()
        self._keys = dict(keys)

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        found: dict[str, Any] = {
            "level": record.levelname,
            "location": f"{record.funcName}:{record.lineno}",
            "message": record.getMessage(),
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "service": "batch_worker",
            "logger": record.name,
            **self._keys,
        }
        # What `extra=` gave.
        found |= {name: value for name, value in record.__dict__.items() if name not in _OWN}
        if record.exc_info:
            found["exception"] = self.formatException(record.exc_info)
        return json.dumps(found, ensure_ascii=False, default=str)


def log_as_json(keys: Mapping[str, Any], level: str = "INFO") -> None:
    """Send what is logged from now on, at ``level`` and above, to standard output, as lines with ``keys``."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines(keys))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
