"""Keys of everything that a run stores. No other module spells a key.

A task run's prefix is ``runs/<dag>/<run>/<task>``, and inside mapped nodes and loops the numbers of its items and
rounds after it (``/3/0``: its index path). Below it:

result.json               the envelope; its creation is the commit
staged.json               the envelope of a speculation, until it is known whether it counts
output.<ext>              the value, when it is too large for the envelope
parts/<digest>            members of a container that are files of their own
logs/<n>.log              what attempt ``n`` logged and printed
input.json, failure.json  the event of a Batch job; how its last attempt failed
items.json, items/<c>     what a mapped node runs for: how many, and chunks of the items themselves
torn.json                 of a setup: what tore it down was begun
replicas/<k>/, undo/      scopes of their own: one replica of a task, and what undid it (begun.json: it was begun)
approval.json             what a person is asked; decision.json: what the person said, once

And besides the task runs:

runs/<dag>/<run>/_failed/<execution>/<task>…  failed task runs, one object each
runs/<dag>/<run>/_notices/<task>/             what was told of the run
checkpoints/<dag>/<run>/<task>…/              what a task keeps between attempts
cache/<dag>/<task>…/last.json                 pointer to the envelope of the latest success
breakers/<name>.json                          state of a circuit breaker
assets/<name>/<partition>/current.json        pointer to the published version of a partition
assets/<name>/<partition>/<dag>/<run>/        what a run published
"""

from __future__ import annotations

import functools
import re

from stepweave.errors import StoreError

RESULT = "result.json"
INPUT = "input.json"
FAILURE = "failure.json"
STAGED = "staged.json"

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
    """Prefix of everything that a task run stores; ``index`` is its index path, such as ``3/0``."""
    prefix = f"runs/{segment(dag)}/{segment(run)}/{segment(task)}"
    return f"{prefix}/{index}" if index else prefix


def result_key(prefix: str) -> str:
    """Key of the envelope under a task's prefix."""
    return f"{prefix}/{RESULT}"


def staged_key(prefix: str) -> str:
    """Key of the envelope of a speculation under a task's prefix."""
    return f"{prefix}/{STAGED}"


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


def manifest_key(prefix: str) -> str:
    """Key of what is known of all items of a mapped node, under its prefix."""
    return f"{prefix}/items.json"


def chunk_key(prefix: str, chunk: int) -> str:
    """Key of a chunk of the items of a mapped node, under its prefix."""
    return f"{prefix}/items/{chunk:d}.json"


def replica_prefix(prefix: str, replica: int) -> str:
    """Prefix of what one replica of a task stores; they count from 1."""
    return f"{prefix}/replicas/{replica:d}"


def undo_prefix(prefix: str) -> str:
    """Prefix of what the compensation of a task run stores."""
    return f"{prefix}/undo"


def begun_key(prefix: str) -> str:
    """Key of the event of a compensation that was begun, under the prefix of the task that it undoes."""
    return f"{undo_prefix(prefix)}/begun.json"


def torn_key(prefix: str) -> str:
    """Key of the mark of a setup that was torn down, under its prefix."""
    return f"{prefix}/torn.json"


def approval_key(prefix: str) -> str:
    """Key of the request for a person's approval, under the task's prefix."""
    return f"{prefix}/approval.json"


def decision_key(prefix: str) -> str:
    """Key of what a person decided, under the task's prefix."""
    return f"{prefix}/decision.json"


def failed_prefix(dag: str, run: str, execution: str) -> str:
    """Prefix of the marks of the task runs that failed in one execution of a run."""
    return f"{run_prefix(dag, run)}/_failed/{segment(execution)}"


def failed_key(dag: str, run: str, execution: str, task: str, index: str = "") -> str:
    """Key of the mark of a task run that failed."""
    name = f"{segment(task)}/{index}" if index else segment(task)
    return f"{failed_prefix(dag, run, execution)}/{name}/failed.json"


def notice_prefix(dag: str, run: str, task: str) -> str:
    """Prefix of what a task stores that is told of the run's end."""
    return f"{run_prefix(dag, run)}/_notices/{segment(task)}"


def checkpoint_prefix(dag: str, run: str, task: str, index: str = "") -> str:
    """Prefix of what a task keeps between its attempts."""
    return task_prefix(dag, run, task, index).replace("runs/", "checkpoints/", 1)


def last_key(dag: str, task: str, index: str = "") -> str:
    """Key of the pointer to the latest success of a task run in any run."""
    name = f"{segment(task)}/{index}" if index else segment(task)
    return f"cache/{segment(dag)}/{name}/last.json"


def breaker_key(name: str) -> str:
    """Key of the state of a circuit breaker, which tasks of all DAGs share."""
    return f"breakers/{segment(name)}.json"


def status_key(dag: str, moment: str) -> str:
    """Key of how the latest run of a DAG for a logical date (or, without one, of that id) ended."""
    return f"status/{segment(dag)}/{segment(moment)}.json"


def partition_prefix(name: str, partition: str) -> str:
    """Prefix of all versions of one partition of an asset."""
    return f"assets/{segment(name)}/{segment(partition)}"


def current_key(name: str, partition: str) -> str:
    """Key of the pointer to the version of a partition that readers see."""
    return f"{partition_prefix(name, partition)}/current.json"


def version_prefix(name: str, partition: str, dag: str, run: str) -> str:
    """Prefix of what a run published as a partition."""
    return f"{partition_prefix(name, partition)}/{segment(dag)}/{segment(run)}"
