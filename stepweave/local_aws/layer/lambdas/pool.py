"""The processes of all functions: kept warm, bounded in number, with the unpacked code that they share."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from stepweave.local_aws.layer.lambdas.process import FunctionProcess, environment

MOST_PROCESSES = max(8, 4 * (os.cpu_count() or 2))
"""Processes at work. Lambda has no such bound, and this machine has; whoever comes later waits for a while."""
IDLE_FOR_EACH = 2
"""Idle processes that are kept for each that may be at work: a run calls functions of several kinds in turn."""
PATIENCE_SECONDS = 20.0
"""How long an invocation waits for another to end. Then it may go beyond the bound: it may be that the others wait for
*it*, as a function does that calls a function."""
BEYOND = 4
"""How many times the bound there are then at most."""
IDLE_SECONDS = 300.0
"""How long a process is kept that nobody calls."""


class Pool:
    """Processes by version of a function; each takes one invocation at a time, as on Lambda."""

    def __init__(
        self,
        folder: Path,
        connection: Callable[[Mapping[str, Any]], Mapping[str, str]],
        layer: Callable[[Any], bytes | None],
        most: int = MOST_PROCESSES,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._folder = folder
        self._connection = connection
        self._layer = layer
        self._most = most
        self._patience = patience_seconds
        self._changed = threading.Condition()
        self._idle: dict[str, list[FunctionProcess]] = {}
        self._busy = 0
        self._closed = False

    @contextmanager
    def process(self, config: Mapping[str, Any], code: bytes) -> Iterator[FunctionProcess]:
        """A process of the function, for one invocation."""
        key = _key(config)
        process = self._leased(key) or self._started(config, code)
        try:
            yield process
        except BaseException:
            process.end()
            raise
        finally:
            self._returned(key, process)

    def close(self) -> None:
        """End every process that is idle; those at work end when they are given back."""
        with self._changed:
            self._closed = True
            processes = [process for each in self._idle.values() for process in each]
            self._idle.clear()
        for process in processes:
            process.end()

    def _leased(self, key: str) -> FunctionProcess | None:
        """An idle process; or None, with room for a new one."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._busy < self._most, self._patience):
                self._changed.wait_for(lambda: self._busy < BEYOND * self._most)
            self._busy += 1
            ready = self._idle.get(key)
            process = ready.pop() if ready else None
            ended = self._superfluous()
        for each in ended:
            each.end()
        return process

    def _superfluous(self) -> list[FunctionProcess]:
        """Idle processes that are too old or too many, taken out."""
        waiting = sorted(
            ((process.used, key, process) for key, each in self._idle.items() for process in each),
            key=lambda one: one[0],
        )
        too_many = len(waiting) - IDLE_FOR_EACH * self._most
        old = time.monotonic() - IDLE_SECONDS
        ended = [one for number, one in enumerate(waiting) if number < too_many or one[0] < old]
        for _, key, process in ended:
            self._idle[key].remove(process)
        return [process for _, _, process in ended]

    def _started(self, config: Mapping[str, Any], code: bytes) -> FunctionProcess:
        try:
            unpacked = self._unpacked(code)
            layers = [
                self._unpacked(data) for one in config.get("Layers") or () if (data := self._layer(one))
            ]
            temporary = Path(tempfile.mkdtemp(prefix="function-", dir=self._folder))
            paths = [unpacked, *(layer / "python" for layer in layers)]
            variables = environment(config, paths, temporary, self._connection(config))
            return FunctionProcess(unpacked, variables, int(config.get("MemorySize", 128)))
        except BaseException:
            with self._changed:
                self._busy -= 1
                self._changed.notify()
            raise

    def _returned(self, key: str, process: FunctionProcess) -> None:
        with self._changed:
            self._busy -= 1
            kept = process.alive and not self._closed
            if kept:
                self._idle.setdefault(key, []).append(process)
            self._changed.notify()
        if not kept:
            process.end()

    def _unpacked(self, code: bytes) -> Path:
        """Folder of a zip's content, unpacked once; a folder is complete when it has its name."""
        folder = self._folder / f"code-{hashlib.sha256(code).hexdigest()[:32]}"
        if not folder.exists():
            part = Path(tempfile.mkdtemp(prefix="part-", dir=self._folder))
            with zipfile.ZipFile(io.BytesIO(code)) as archive:
                archive.extractall(part)
            try:
                part.rename(folder)
            except OSError:  # another thread was faster
                shutil.rmtree(part, ignore_errors=True)
        return folder


def _key(config: Mapping[str, Any]) -> str:
    """What processes of one version share; other code or another setting is another key."""
    telling = (
        "FunctionName",
        "Version",
        "CodeSha256",
        "Environment",
        "Handler",
        "MemorySize",
        "Layers",
        "LoggingConfig",
    )
    return json.dumps([config.get(name) for name in telling], sort_keys=True)
