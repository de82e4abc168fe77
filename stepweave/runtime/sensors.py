"""`poked(answer, poke)`: the value of a sensor whose poke answered, or the reason why it has none yet."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

from stepweave.errors import Skip
from stepweave.runtime.events import Poke
from stepweave.runtime.outcome import MachineError
from stepweave.runtime.pokes import PokeReturn


class NotYet(MachineError):
    """What the sensor waits for is not there; the state machine pokes again."""

    logged = False


class SensorTimeout(MachineError):
    """What the sensor waits for was not there in time."""


def poked(answer: Any, poke: Poke) -> Any:
    """The value; raises :class:`NotYet`, and after the time-out :class:`SensorTimeout` or ``Skip``."""
    if isinstance(answer, PokeReturn):
        done, value = answer.is_done, answer.value
    else:
        done, value = bool(answer), answer
    if done:
        return value
    waited = time.time() - datetime.fromisoformat(poke["entered"]).timestamp()
    if waited < poke["timeout"]:
        raise NotYet(f"not there after {waited:.0f} s of {poke['timeout']:g} s")
    message = f"it was not there after {waited:.0f} s; the time-out is {poke['timeout']:g} s"
    raise Skip(message) if poke.get("soft") else SensorTimeout(message)
