"""Functions that worker processes call in tests."""

import os
import signal
import subprocess
import sys
import time
from typing import Any

from stepweave.engine.failures import FunctionError


def echo(event: Any) -> Any:
    return event


def pid(event: Any) -> int:
    return os.getpid()


def slow_pid(event: Any) -> int:
    time.sleep(event)
    return os.getpid()


def environment(event: Any) -> Any:
    return [os.environ.get(event), os.getcwd(), sys.path]


def is_loaded(event: Any) -> bool:
    return event in sys.modules


def boom(event: Any) -> None:
    raise ValueError(event)


def named(event: Any) -> None:
    raise FunctionError("Own.Name", "own cause")


def leave(event: Any) -> None:
    sys.exit(event)


def interrupted(event: Any) -> None:
    raise KeyboardInterrupt


def not_json(event: Any) -> Any:
    return {1}


def die(event: Any) -> None:
    print("last words")
    os.kill(os.getpid(), getattr(signal, event))


def talk(event: Any) -> str:
    print(f"out {event}")
    print(f"err {event}", file=sys.stderr)
    subprocess.run(["echo", f"child {event}"], check=True)
    return "quiet"


def sleep_for_ever(event: Any) -> None:
    child = subprocess.Popen(["sleep", "1000"])
    with open(event, "w") as file:
        file.write(f"{os.getpid()} {child.pid}")
    time.sleep(1000)
