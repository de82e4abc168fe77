"""The one clock of the server, and the event loop in its time that runs executions, schedules and alarms.

``GET`` and ``POST /_stepweave/clock`` show it and set it: ``{"now": "2026-03-01T06:00:00Z"}``, ``{"advance": 3600}``
(seconds), ``{"speed": 60}``. After a restart it goes on from where it was, so that nothing has happened in the future.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import threading
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from stepweave.engine.clock import timestamp
from stepweave.errors import UsageError
from stepweave.local_aws.clock import ClockLoop, LayerClock
from stepweave.local_aws.layer.part import Part, Setting
from stepweave.local_aws.layer.seams import Seam

T = TypeVar("T")

KEEP_SECONDS = 2.0
"""How often it is written down how far the clock is ahead, by this machine's."""
_SLIP_SECONDS = 0.001
"""A clock that is nearer to this machine's than this goes with it."""

CLOCK_PATH = "/_stepweave/clock"

CALLS_AT_ONCE = 1000
"""Calls of functions and services that may wait for their answer at the same time; as many functions run at once in
an account: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html."""


class Timing:
    """A clock, and a thread with an event loop in its time."""

    def __init__(self, clock: LayerClock) -> None:
        self.clock = clock
        self.loop = ClockLoop(clock)
        self._calls = ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="stepweave-call")
        self.loop.set_default_executor(self._calls)
        self._thread = threading.Thread(target=self._run, name="stepweave-loop", daemon=True)
        self._thread.start()

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Run ``work`` in the loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def call(self, function: Callable[..., T], *arguments: Any) -> T:
        """The result of ``function``, called in the loop; call this from any other thread."""

        async def called() -> T:
            return function(*arguments)

        return self.submit(called()).result()

    def close(self) -> None:
        """End the loop; what runs in it is cancelled."""

        async def cancel() -> None:
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.wait(others, timeout=1) if others else None

        self.submit(cancel()).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self._calls.shutdown(wait=False, cancel_futures=True)
        self.loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()


_current: list[Timing] = []


def timing() -> Timing:
    """That of this server."""
    return _current[-1]


def clock() -> LayerClock:
    """The clock of this server."""
    return timing().clock


def shown(of: LayerClock) -> dict[str, Any]:
    """What ``GET /_stepweave/clock`` answers."""
    return {"now": timestamp(of.now()), "speed": of.speed}


def moved(of: LayerClock, wish: Mapping[str, Any]) -> dict[str, Any]:
    """What ``POST /_stepweave/clock`` answers: the clock is as ``wish`` says. Raises ``UsageError``."""
    unknown = sorted(set(wish) - {"now", "advance", "speed"})
    if unknown or ("now" in wish and "advance" in wish):
        raise UsageError(f"give now or advance, and speed; not {', '.join(unknown) or 'now and advance'}")
    try:
        speed = None if "speed" not in wish else float(wish["speed"])
        now = None if "now" not in wish else _moment(wish["now"])
        if "advance" in wish:
            now = of.now() + float(wish["advance"])
    except (TypeError, ValueError) as error:
        raise UsageError(f"cannot set the clock: {error}") from error
    of.set(now=now, speed=speed)
    return shown(of)


def _moment(text: str) -> float:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()


def _served(app: Any) -> Any:
    """``app``, with the clock."""

    async def wrapped(scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"] != CLOCK_PATH:
            await app(scope, receive, send)
            return
        status, answer = _answer(scope["method"], await _body(receive))
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [(b"content-type", b"application/json")],
            }
        )
        await send({"type": "http.response.body", "body": json.dumps(answer).encode()})

    return wrapped


def _answer(method: str, body: bytes) -> tuple[int, dict[str, Any]]:
    if method == "GET":
        return 200, shown(clock())
    try:
        wish = json.loads(body or b"{}")
        return 200, moved(clock(), wish if isinstance(wish, dict) else {"": wish})
    except (UsageError, ValueError) as error:
        return 400, {"error": str(error)}


async def _body(receive: Any) -> bytes:
    parts: list[bytes] = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


class KeptClock:
    """How far the clock is ahead, in a file: what happened in its time must not lie in the future after a restart."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def read(self) -> float:
        try:
            return float(json.loads(self._path.read_text())["ahead"])
        except (OSError, ValueError, KeyError, TypeError):
            return 0.0

    def write(self, of: LayerClock) -> None:
        with self._lock:
            self._write(of.ahead)

    def _write(self, ahead: float) -> None:
        if ahead > _SLIP_SECONDS:
            beside = self._path.with_name(f"{self._path.name}~")
            beside.write_text(json.dumps({"ahead": ahead}))
            os.replace(beside, self._path)

    async def keep(self, of: LayerClock) -> None:
        """Write it again and again."""
        of.on_change(lambda: self.write(of))
        while True:
            await asyncio.sleep(KEEP_SECONDS * of.speed)
            self.write(of)


_kept: list[KeptClock] = []


def _install(setting: Setting) -> None:
    kept = KeptClock(setting.state / "clock.json")
    _kept.append(kept)
    _current.append(Timing(LayerClock(speed=setting.clock_speed, ahead=kept.read())))
    timing().submit(kept.keep(clock()))
    ministack = importlib.import_module("ministack.app")
    ministack.app = _served(ministack.app)  # type: ignore[attr-defined]


PART = Part(
    name="clock",
    seams=(Seam("ministack.app", "app", parameters=("scope", "receive", "send")),),
    install=_install,
    stop=lambda: _kept[-1].write(clock()),
)
