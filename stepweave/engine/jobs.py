"""A Batch job as a subprocess: its command, its limits, its end.

AWS: https://docs.aws.amazon.com/batch/latest/userguide/job_definition_parameters.html
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

if sys.platform == "linux":
    import resource

MIB = 1024 * 1024

GRACE_SECONDS = 5.0
"""Time between SIGTERM and SIGKILL (30 s on Batch)."""

OnLine = Callable[[str], None]
"""Told each line that a job prints."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDefinition:
    """What a job runs, and with what."""

    command: tuple[str, ...]
    """Program and arguments, as ``exec`` takes them; ``Ref::name`` is a parameter."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Added to the environment of this process."""
    directory: str | None = None
    """Where it runs; None: where this process does."""
    vcpus: float = 1
    memory_mib: int | None = None
    """Most data memory; None: no limit. Enforced on Linux (RLIMIT_DATA)."""
    gpus: int = 0
    timeout_seconds: float | None = None
    """Longest duration of an attempt."""
    attempts: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt of a job, ended. Times are seconds since the epoch."""

    exit_code: int | None
    """The exit status, 128 + number for a signal; None when it was stopped for its time or could not start."""
    reason: str
    started_at: float
    stopped_at: float

    @property
    def succeeded(self) -> bool:
        """Whether the command ended with status 0."""
        return self.exit_code == 0


async def run_attempt(
    definition: JobDefinition, environment: Mapping[str, str], on_line: OnLine, now: Callable[[], float]
) -> Attempt:
    """One attempt of a job, ended; cancelled, the job and all it started are killed first."""
    started_at = now()
    async with _output(on_line) as output:
        variables = _environment(definition, environment)
        try:
            process = await asyncio.create_subprocess_exec(
                *_tied(definition, variables),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=variables,
                cwd=definition.directory,
                start_new_session=True,
            )
        except OSError as error:
            reason = f"CannotStartContainerError: {error}"
            return Attempt(exit_code=None, reason=reason, started_at=started_at, stopped_at=now())
        _limit_memory(process.pid, definition.memory_mib)
        reason = "Essential container in task exited"
        exit_code: int | None = None
        try:
            async with asyncio.timeout(definition.timeout_seconds):
                status = await process.wait()
            exit_code = status if status >= 0 else 128 - status
        except TimeoutError:
            reason = "Job attempt duration exceeded timeout"
        finally:
            await _end(process)
    return Attempt(exit_code=exit_code, reason=reason, started_at=started_at, stopped_at=now())


@asynccontextmanager
async def _output(on_line: OnLine) -> AsyncIterator[int]:
    """A file descriptor to print to; at the end all lines have been told.

    A pipe of our own: with asyncio's, the end of a process is noticed only after all its children have closed theirs.
    """
    reading, writing = os.pipe()
    stream = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(reading, "rb", buffering=0)
    )
    lines = asyncio.create_task(_forward(stream, on_line))
    try:
        yield writing
    finally:
        os.close(writing)
        try:
            # A process that left the job's group may keep the pipe open for ever.
            await asyncio.wait([lines], timeout=GRACE_SECONDS)
        finally:
            lines.cancel()
            transport.close()


_LAUNCH = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() == int(sys.argv[1]):
    os.execvp(sys.argv[2], sys.argv[2:])
"""
"""Asks for the death of this process with its parent (PR_SET_PDEATHSIG, which outlives exec), then becomes the job."""


def _tied(definition: JobDefinition, variables: Mapping[str, str]) -> tuple[str, ...]:
    """The command, as one that dies with this process (on Linux): a job that went on alone would be run twice.

    Raises ``OSError`` when there is no such command.
    """
    command = definition.command
    if sys.platform != "linux":
        return command
    directory = os.fspath(definition.directory or ".")
    found = os.path.join(directory, command[0]) if os.sep in command[0] else command[0]
    if shutil.which(found, path=variables.get("PATH")) is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), command[0])
    return (sys.executable, "-I", "-S", "-c", _LAUNCH, str(os.getpid()), *command)


def _environment(definition: JobDefinition, more: Mapping[str, str]) -> dict[str, str]:
    """This process's environment, the definition's, the job's; numeric libraries use the declared vCPUs."""
    threads = str(max(1, int(definition.vcpus)))
    return {**os.environ, "OMP_NUM_THREADS": threads, **definition.environment, **more}


def _limit_memory(pid: int, memory_mib: int | None) -> None:
    # Set from here, right after the start: a function between fork and exec is not safe beside threads.
    if memory_mib is not None and sys.platform == "linux":
        limit = memory_mib * MIB
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_DATA, (limit, limit))


async def _forward(stream: asyncio.StreamReader, on_line: OnLine) -> None:
    """Tell every line until the end; a line longer than the stream's buffer comes in parts."""
    while True:
        try:
            line = await stream.readuntil()
        except asyncio.IncompleteReadError as error:
            if error.partial:
                on_line(error.partial.decode(errors="replace"))
            return
        except asyncio.LimitOverrunError as error:
            line = await stream.readexactly(error.consumed)
        on_line(line.decode(errors="replace").rstrip("\n"))


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kill what is left of the process's group: gently while the process lives, then surely.

    The process is gone afterwards whatever happens; a cancellation meanwhile only makes it quicker.
    """
    cancelled = False
    try:
        if process.returncode is None:
            _signal(process.pid, signal.SIGTERM)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GRACE_SECONDS):
                    await process.wait()
    except asyncio.CancelledError:
        cancelled = True
    _signal(process.pid, signal.SIGKILL)
    while process.returncode is None:
        try:
            await process.wait()
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        raise asyncio.CancelledError


def _signal(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)
