"""`call_guarded(...)`: a call under a heartbeat, behind a circuit breaker, as the poke of a sensor."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from stepweave.runtime.calling import call
from stepweave.runtime.events import Event
from stepweave.runtime.lazily import part
from stepweave.stores.objects import ObjectStore


def call_guarded(
    event: Event, store: ObjectStore, function: Callable[..., Any], arguments: dict[str, Any]
) -> Any:
    """What ``function`` returns, guarded as ``event`` says."""
    run: Callable[[], Any] = functools.partial(call, function, arguments)
    if "heartbeat" in event:
        run = functools.partial(part("heartbeat").beating, event["heartbeat"], run)
    answer = part("breaker").guarded(event["breaker"], store, run) if "breaker" in event else run()
    # A poke that says "not yet" is a good sign of the dependency, so the breaker is inside.
    return part("sensors").poked(answer, event["sensor"]) if "sensor" in event else answer
