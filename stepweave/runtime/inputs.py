"""`Inputs`: the arguments of a task as its event describes them, and the digest that tells whether they changed."""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Callable, Iterator
from typing import Any

from stepweave.errors import DataError, PermanentError
from stepweave.runtime.codecs.parts import PartReader
from stepweave.runtime.codecs.text import decode
from stepweave.runtime.codecs.values import load_value
from stepweave.runtime.coercion import coerced
from stepweave.runtime.envelope import Envelope, parse_envelope
from stepweave.runtime.events import Event
from stepweave.runtime.graph_arguments import specs_from_graph
from stepweave.runtime.paths import follow
from stepweave.runtime.resolve import graph_of
from stepweave.runtime.scratch import Scratch
from stepweave.stores.layout import result_key, task_prefix
from stepweave.stores.objects import ObjectStore

_sorted_text = json.JSONEncoder(sort_keys=True).encode

_MANY = 4
_READERS = 16

FROM_GRAPH = "graph"
"""``args`` of an event whose specs are found by tracing the DAG."""


class Inputs:
    """What one attempt is given. Nothing is read from the store before it is needed, and nothing twice."""

    __slots__ = ("_envelopes", "_event", "_params", "_scratch", "_specs", "_store", "_values")

    def __init__(self, event: Event, store: ObjectStore, scratch: Scratch) -> None:
        self._event = event
        self._store = store
        self._scratch = scratch
        self._specs = _specs(event)
        self._params = event["run"].get("params", {})
        self._envelopes: dict[str, Envelope | None] = {}
        self._values: dict[str, Any] = {}

    def arguments(self, function: Callable[..., Any]) -> dict[str, Any]:
        """The keyword arguments for ``function``."""
        self._prefetch()
        return coerced({name: self._value(spec) for name, spec in self._specs.items()}, function)

    def upstream_digests(self) -> dict[str, str]:
        """Digest of the value of each upstream task that an argument reads; absent where there is no value."""
        tasks = dict.fromkeys(name for kind, name in _references(self._specs.values()) if kind == "t")
        digests = ((task, self._digest(task)) for task in tasks)
        return {task: digest for task, digest in digests if digest is not None}

    def digest(self, upstream_digests: dict[str, str]) -> str:
        """Digest of the arguments' specs, what they read, and the upstream statuses."""
        params = sorted({name for kind, name in _references(self._specs.values()) if kind == "r"})
        basis = (
            self._specs,
            upstream_digests,
            {name: self._params.get(name) for name in params},
            self._event.get("values", []),
            self._event.get("upstream", {}),
        )
        return hashlib.sha256(_sorted_text(basis).encode()).hexdigest()

    def _prefetch(self) -> None:
        """Read the envelopes of many upstream tasks at once: from S3 each takes some 20 ms."""
        tasks = dict.fromkeys(name for kind, name in _references(self._specs.values()) if kind == "t")
        missing = [task for task in tasks if task not in self._event.get("records", {})]
        if len(missing) < _MANY or self._store.local_path("any") is not None:
            return
        with importlib.import_module("concurrent.futures").ThreadPoolExecutor(_READERS) as pool:
            list(pool.map(self._find_envelope, missing))

    def _value(self, spec: dict[str, Any]) -> Any:
        if "v" in spec:
            return spec["v"]
        if "t" in spec:
            task = spec["t"]
            value = self._task_value(task)
            path = spec.get("p", ())
            return (
                follow(value, path, f"the value of task {task!r}") if path and self._exists(task) else value
            )
        if "r" in spec:
            name = spec["r"]
            if name not in self._params:
                raise DataError(
                    f"the run has no param {name!r}; expected one of {', '.join(sorted(self._params))}"
                )
            return follow(self._params[name], spec.get("p", ()), f"param {name!r}")
        if "x" in spec:
            return self._event["values"][spec["x"]]
        if "l" in spec:
            return [self._value(item) for item in spec["l"]]
        if "d" in spec:
            return {key: self._value(item) for key, item in spec["d"].items()}
        raise PermanentError(f"an argument has the unknown spec {spec!r}; expected one of v, t, r, x, l, d")

    def _task_value(self, task: str) -> Any:
        if task not in self._values:
            self._values[task] = self._load(task) if self._exists(task) else None
        return self._values[task]

    def _load(self, task: str) -> Any:
        text = self._inline_text(task)
        if text is not None:
            return decode(text, PartReader(self._store, self._scratch))
        return load_value(self._envelope(task).value, self._store, self._scratch)

    def _digest(self, task: str) -> str | None:
        if not self._exists(task):
            return None
        text = self._inline_text(task)
        # The envelope of an inline value has the digest of the very same text.
        return (
            self._envelope(task).value.digest if text is None else hashlib.sha256(text.encode()).hexdigest()
        )

    def _exists(self, task: str) -> bool:
        """Whether the task succeeded. A rule other than ``all_success`` lets a task run although one did not."""
        record = self._event.get("records", {}).get(task)
        if record is not None:
            return record["status"] == "success"
        if "upstream" not in self._event:
            return True
        status = self._event["upstream"].get(task)
        # Not every status travels; where it does not, the store knows whether there is a value.
        return self._find_envelope(task) is not None if status is None else status == "success"

    def _inline_text(self, task: str) -> str | None:
        record = self._event.get("records", {}).get(task)
        return record.get("value") if record else None

    def _envelope(self, task: str) -> Envelope:
        envelope = self._find_envelope(task)
        if envelope is None:
            raise DataError(
                f"the value of task {task!r} is not in the store {self._store.url}: expected the object "
                f"{self._key(task)!r}; if the task ran elsewhere, point both to one store"
            )
        return envelope

    def _find_envelope(self, task: str) -> Envelope | None:
        if task not in self._envelopes:
            key = self._key(task)
            data = self._store.get_or_none(key)
            self._envelopes[task] = None if data is None else parse_envelope(data, key)
        return self._envelopes[task]

    def _key(self, task: str) -> str:
        run = self._event["run"]
        return result_key(task_prefix(run["dag"], run["id"], task))


def _specs(event: Event) -> dict[str, Any]:
    text = event.get("args", "{}")
    if text == FROM_GRAPH:
        return specs_from_graph(graph_of(event["call"], event["run"]["dag"]), event["task"])
    specs: dict[str, Any] = json.loads(text)
    return specs


def _references(specs: Any) -> Iterator[tuple[str, str]]:
    """``("t", task)`` and ``("r", param)`` for every reference inside the specs, in the order written."""
    stack = list(specs)[::-1]
    while stack:
        spec = stack.pop()
        if "t" in spec:
            yield "t", spec["t"]
        elif "r" in spec:
            yield "r", spec["r"]
        elif "l" in spec:
            stack.extend(reversed(spec["l"]))
        elif "d" in spec:
            stack.extend(reversed(spec["d"].values()))
