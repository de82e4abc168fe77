"""Keys of everything that a run stores. No other module spells a key.

runs/<dag>/<run>/<task>[/<i>/<j>…]/result.json      the envelope; its creation is the commit
runs/<dag>/<run>/<task>[/<i>/<j>…]/output.<ext>     the value, when it is too large for the envelope
runs/<dag>/<run>/<task>[/<i>/<j>…]/parts/<digest>   members of a container that are files of their own
runs/<dag>/<run>/<task>[/<i>/<j>…]/logs/<n>.log     what attempt ``n`` logged and printed
runs/<dag>/<run>/<task>[/<i>/<j>…]/input.json       the event of a Batch job
runs/<dag>/<run>/<task>[/<i>/<j>…]/failure.json     how the last attempt of a Batch job failed
checkpoints/<dag>/<run>/<task>[/<i>/<j>…]/          what a task keeps between attempts
cache/<dag>/<task>/<key>.json                          pointer to an envelope
"""

from __future__ import annotations

import functools
import re

from stepweave.errors import StoreError

RESULT = "result.json"
INPUT = "input.json"
FAILURE = "failure.json"

_PLAIN = re.compile(r"[A-Za-z0-9_=+@:,-][A-Za-z0-9_=+@:,.-]*\Z")
_UNSAFE = re.compile(r"[^A-Za-z0-9_=+@:,.-]|\A\.")


@functools.lru_cache(maxsize=65536)
def segment(name: str) -> str:
    """``name`` as one part of a key: unsafe characters become ``!`` and their UTF-8 bytes in hexadecimal.

    Different names give different segments, and none of them is ``..`` or holds a ``/``. ``!`` and not ``%`` because
    object stores and consoles disagree about whether a ``%`` in a key is already an encoding
    (https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html).
    """
    if _PLAIN.match(name):
        return name
    if not name:
        raise StoreError("an id that is part of a key is empty; expected at least one character")
    return _UNSAFE.sub(
        lambda match: "".join(f"!{byte:02x}" for byte in match[0].encode("utf-8", "surrogatepass")), name
    )


def checked_key(key: str) -> str:
    """``key`` itself, if it is relative and canonical; ``StoreError`` otherwise."""
    if not key or "\\" in key or "\0" in key or any(part in ("", ".", "..") for part in key.split("/")):
        raise StoreError(
            f"key {key!r} is not canonical: expected parts joined by single '/', none of them empty, '.' or '..'"
        )
    return key


def run_prefix(dag: str, run: str) -> str:
    """Prefix of everything that a run stores."""
    return f"runs/{segment(dag)}/{segment(run)}"


def task_prefix(dag: str, run: str, task: str, index: str = "") -> str:
    """Prefix of everything that a task run stores; ``index`` is its index path (``3/0``), empty at the root."""
    prefix = f"runs/{segment(dag)}/{segment(run)}/{segment(task)}"
    return f"{prefix}/{index}" if index else prefix


def result_key(prefix: str) -> str:
    """Key of the envelope under a task's prefix."""
    return f"{prefix}/{RESULT}"


def input_key(prefix: str) -> str:
    """Key of the event of a Batch job under a task's prefix."""
    return f"{prefix}/{INPUT}"


def failure_key(prefix: str) -> str:
    """Key of the mark that a failed Batch attempt leaves under a task's prefix."""
    return f"{prefix}/{FAILURE}"


def output_key(prefix: str, extension: str, digest: str | None = None) -> str:
    """Key of a value under a task's prefix: ``output.<ext>``, or ``output-<digest>.<ext>`` when that name is taken."""
    return f"{prefix}/output.{extension}" if digest is None else f"{prefix}/output-{digest[:16]}.{extension}"


def part_key(prefix: str, digest: str, extension: str) -> str:
    """Key of a member of a container under a task's prefix; named by its content, so that writing twice is harmless."""
    return f"{prefix}/parts/{digest[:32]}.{extension}"


def log_key(prefix: str, attempt: int) -> str:
    """Key of the log of an attempt, from 0, under a task's prefix."""
    return f"{prefix}/logs/{attempt:d}.log"


def checkpoint_prefix(dag: str, run: str, task: str, index: str = "") -> str:
    """Prefix of what a task keeps between its attempts."""
    return task_prefix(dag, run, task, index).replace("runs/", "checkpoints/", 1)


def cache_key(dag: str, task: str, key: str) -> str:
    """Key of a pointer to the envelope of an earlier task run with the same inputs."""
    return f"cache/{segment(dag)}/{segment(task)}/{segment(key)}.json"
