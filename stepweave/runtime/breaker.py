"""A circuit breaker in front of a dependency, shared by the tasks of all DAGs that name it.

The pattern is that of Nygard, *Release It!*, 2007:

    closed      attempts pass; failures in a row are counted
    open        attempts are refused, until ``reset`` seconds after the last failure
    half open   one attempt probes; its success closes the breaker, its failure opens it again

The state is one object, changed by compare-and-swap. A probe that dies frees its place after ``reset`` seconds.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from stepweave.errors import TransientError
from stepweave.runtime.events import BreakerInfo
from stepweave.runtime.outcome import error_class
from stepweave.stores.layout import breaker_key
from stepweave.stores.objects import ObjectStore

_ATTEMPTS = 50


class CircuitOpen(TransientError):
    """The breaker is open: the dependency has failed again and again, and is left alone for a while."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerState:
    """What the object holds."""

    failures: int = 0
    """Failures in a row."""
    open_until: float = 0.0
    """Seconds since the epoch; from then on one attempt may probe."""


def guarded(
    info: BreakerInfo, store: ObjectStore, run: Callable[[], Any], now: Callable[[], float] = time.time
) -> Any:
    """What ``run`` answers; :class:`CircuitOpen` without a call when the breaker is open.

    Only failures that may pass by themselves count: wrong data or a mistake in the code say nothing of the dependency.
    """
    _enter(info, store, now)
    try:
        answer = run()
    except Exception as error:
        if error_class(error) is TransientError:
            _change(info, store, lambda state: _failed(state, info, now()))
        raise
    _change(info, store, _succeeded)
    return answer


def _enter(info: BreakerInfo, store: ObjectStore, now: Callable[[], float]) -> None:
    def entered(state: BreakerState) -> BreakerState:
        if state.failures < info["failures"]:
            return state
        left = state.open_until - now()
        if left > 0:
            raise CircuitOpen(
                f"circuit breaker {info['name']!r} is open after {state.failures} failures in a row; "
                f"the next probe is in {left:.0f} s"
            )
        # This attempt is the probe: others are refused until it has ended, or has taken too long.
        return BreakerState(failures=state.failures, open_until=now() + info["reset"])

    _change(info, store, entered)


def _failed(state: BreakerState, info: BreakerInfo, now: float) -> BreakerState:
    failures = state.failures + 1
    return BreakerState(
        failures=failures, open_until=now + info["reset"] if failures >= info["failures"] else 0.0
    )


def _succeeded(state: BreakerState) -> BreakerState:
    return BreakerState()


def _change(info: BreakerInfo, store: ObjectStore, change: Callable[[BreakerState], BreakerState]) -> None:
    """Swap the state for the changed one; nothing is written when it stays the same."""
    key = breaker_key(info["name"])
    for _ in range(_ATTEMPTS):
        found = store.read(key)
        data, tag = found or (b"{}", None)
        state = BreakerState(**json.loads(data))
        changed = change(state)
        if changed == state or store.swap(key, json.dumps(asdict(changed)).encode(), tag):
            return
    raise TransientError(f"circuit breaker {info['name']!r} is changed by too many tasks at once")
