"""One process of a function: its environment on Lambda, on this machine."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stepweave.local_aws.layer.lambdas.bootstrap import END_OF_LOG

_BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
_MEMORY_LOOK_SECONDS = 0.2
_LOG_SECONDS = 2.0
"""How long the last lines of a process that has ended may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """One call of a function."""

    request_id: str
    arn: str
    """As it was called, with the version or the alias."""
    event: Any
    timeout_seconds: float
    trace: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of it."""

    value: Any = None
    error: Mapping[str, Any] | None = None
    """``errorType``, ``errorMessage`` and more, when it failed."""
    log: tuple[str, ...] = ()
    peak_mib: int = 0


class FunctionProcess:
    """Runs one invocation at a time."""

    def __init__(self, code: Path, environment: Mapping[str, str], memory_mib: int) -> None:
        requests, self._requests = os.pipe()
        self._answers, answers = os.pipe()
        self._memory_mib = memory_mib
        self._log = _Log()
        self.used = time.monotonic()
        given = {"STEPWEAVE_REQUESTS": str(requests), "STEPWEAVE_ANSWERS": str(answers)}
        self._process = (
            subprocess.Popen(  # -P: what lies beside the bootstrap shadows nothing of the function
                [sys.executable, "-P", str(_BOOTSTRAP)],
                cwd=code,
                env={**environment, **given},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=(requests, answers),
                start_new_session=True,  # what the function starts ends with it
            )
        )
        os.close(requests)
        os.close(answers)
        threading.Thread(target=self._log.read, args=(self._process.stdout,), daemon=True).start()
        self._buffer = b""
        self._peak_mib = 0
        self._spent = False

    @property
    def alive(self) -> bool:
        """Whether it can take another invocation: one that could not load its handler ends by itself."""
        return self._process.poll() is None and not self._spent

    def invoke(self, call: Invocation) -> Result:
        """The result of one invocation; a process that failed in a way of its own is gone afterwards."""
        deadline = time.time() + call.timeout_seconds
        message = {
            "id": call.request_id,
            "arn": call.arn,
            "event": call.event,
            "deadline": deadline,
            "trace": call.trace,
        }
        try:
            _write_all(self._requests, json.dumps(message).encode() + b"\n")
            answer = self._answer(call, deadline)
        except BrokenPipeError:
            answer = self._ended(call)
        self.used = time.monotonic()
        self._spent = bool(answer.get("spent"))
        return Result(
            value=answer.get("value"),
            error=answer.get("error"),
            log=self._log.lines_of(call.request_id if self.alive else None),
            peak_mib=self._seen_mib(),
        )

    def end(self) -> None:
        """Kill it, and everything that it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for descriptor in (self._requests, self._answers):
            if descriptor >= 0:
                os.close(descriptor)
        self._requests = self._answers = -1

    def _answer(self, call: Invocation, deadline: float) -> dict[str, Any]:
        while b"\n" not in self._buffer:
            left = deadline - time.time()
            if left <= 0:
                self._kill()
                text = f"{_now()} {call.request_id} Task timed out after {call.timeout_seconds:.2f} seconds"
                self._log.add(text)
                return _fault(
                    "Sandbox.Timedout", f"RequestId: {call.request_id} Error: {text.split(' ', 2)[2]}"
                )
            self._seen_mib()
            ready, _, _ = select.select([self._answers], [], [], min(left, _MEMORY_LOOK_SECONDS))
            if not ready:
                if _status_mib(self._process.pid, "VmRSS:") > self._memory_mib:
                    self._kill()
                    return _fault("Runtime.OutOfMemory", _exited(call, "signal: killed"))
                continue
            piece = os.read(self._answers, 1 << 20)
            if not piece:
                return self._ended(call)
            self._buffer += piece
        line, _, self._buffer = self._buffer.partition(b"\n")
        found: dict[str, Any] = json.loads(line)
        return found

    def _ended(self, call: Invocation) -> dict[str, Any]:
        status = self._process.wait()
        self._log.wait_for_end()
        how = f"exit status {status}" if status >= 0 else f"signal: {signal.strsignal(-status)}".lower()
        return _fault("Runtime.ExitError", _exited(call, how))

    def _seen_mib(self) -> int:
        """The most memory that it was ever seen with; nothing is seen of a process that has ended."""
        self._peak_mib = max(self._peak_mib, _status_mib(self._process.pid, "VmHWM:"))
        return self._peak_mib

    def _kill(self) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._log.wait_for_end()


class _Log:
    """The lines that a process prints, cut where an invocation ends."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._ended: set[str] = set()
        self._changed = threading.Condition()
        self._closed = False

    def read(self, stream: Any) -> None:
        for line in iter(stream.readline, b""):
            text = line.decode("utf-8", "replace").rstrip("\n")
            with self._changed:
                head, found, identifier = text.partition(END_OF_LOG)
                if head or not found:
                    self._lines.append(head)
                if found:
                    self._ended.add(identifier)
                    self._changed.notify_all()
        stream.close()
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def add(self, text: str) -> None:
        with self._changed:
            self._lines.append(text)

    def wait_for_end(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._closed, _LOG_SECONDS)

    def lines_of(self, request_id: str | None) -> tuple[str, ...]:
        """What was printed since the last call, up to the end of ``request_id`` (None: the process has ended)."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or request_id in self._ended, _LOG_SECONDS)
            lines, self._lines = tuple(self._lines), []
            self._ended.clear()
        return lines


def environment(
    config: Mapping[str, Any], code: Sequence[Path], temporary: Path, connection: Mapping[str, str]
) -> dict[str, str]:
    """The environment variables of a function (https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html).

    Nothing of this machine's environment but where programs are, and how to reach the emulator (``connection``).
    ``code``: folders of the code and of its layers.
    """
    log_group = (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{config['FunctionName']}"
    own = {name: os.environ[name] for name in ("PATH", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
    given = (config.get("Environment") or {}).get("Variables") or {}
    return {
        **own,
        "HOME": str(temporary),
        "TMPDIR": str(temporary),
        "TZ": ":UTC",
        "PYTHONPATH": os.pathsep.join(map(str, code)),
        "PYTHONUNBUFFERED": "1",
        "AWS_XRAY_CONTEXT_MISSING": "IGNORE_ERROR",  # there is no daemon to take traces
        **connection,
        **{name: str(value) for name, value in given.items()},
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{config.get('Runtime', 'python')}",
        "AWS_LAMBDA_FUNCTION_NAME": str(config["FunctionName"]),
        "AWS_LAMBDA_FUNCTION_VERSION": str(config.get("Version", "$LATEST")),
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(config.get("MemorySize", 128)),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": uuid.uuid4().hex,
        "LAMBDA_TASK_ROOT": str(code[0]),
        "_HANDLER": str(config.get("Handler", "index.handler")),
    }


def _fault(kind: str, text: str) -> dict[str, Any]:
    return {"error": {"errorType": kind, "errorMessage": text}}


def _exited(call: Invocation, how: str) -> str:
    return f"RequestId: {call.request_id} Error: Runtime exited with error: {how}"


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _status_mib(pid: int, key: str) -> int:
    """Memory of a process; 0 where the kernel has no ``/proc``, so that nothing is killed there."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as lines:
            return next((int(line.split()[1]) >> 10 for line in lines if line.startswith(key)), 0)
    except OSError:
        return 0
