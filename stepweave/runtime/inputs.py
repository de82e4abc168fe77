"""`Inputs`: the arguments of a task as its event describes them, and the digest that tells whether they changed.

The kinds of specs are those of :mod:`stepweave.graph.specs`; those of mapped nodes, loops and nested DAGs are read by
``runtime/scoped.py``, which is imported when the first of them is met.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Sequence
from typing import Any, cast

from stepweave.errors import DataError
from stepweave.runtime.codecs.parts import PartReader
from stepweave.runtime.codecs.text import decode
from stepweave.runtime.codecs.values import load_value
from stepweave.runtime.coercion import coerced
from stepweave.runtime.envelope import Envelope, parse_envelope
from stepweave.runtime.events import Event, Record, RunInfo, index_of
from stepweave.runtime.lazily import part, threads
from stepweave.runtime.paths import follow
from stepweave.runtime.scratch import Scratch
from stepweave.runtime.survey import Survey, survey
from stepweave.stores.layout import result_key, staged_key, task_prefix
from stepweave.stores.objects import ObjectStore

_sorted_text = json.JSONEncoder(sort_keys=True).encode

_MANY = 4

FROM_GRAPH = "graph"
"""``args`` of an event whose specs are found by tracing the DAG."""
_LOOSE = frozenset({"setups", "upstream"})
"""Keys of events of tasks that run although not every upstream task succeeded."""
KEYWORDS = "**"
"""Name under which a dict of mapped keyword arguments stands."""


class Inputs:
    """What one attempt is given. Nothing is read from the store before it is needed, and nothing twice."""

    __slots__ = (
        "_envelopes",
        "_own",
        "_specs",
        "_survey",
        "_values",
        "event",
        "index",
        "mapped",
        "scratch",
        "states",
        "store",
    )

    def __init__(
        self,
        event: Event,
        store: ObjectStore,
        scratch: Scratch,
        *,
        index: tuple[str, ...] | None = None,
        specs: dict[str, Any] | None = None,
    ) -> None:
        """``index``: read as a task with another index path would; ``specs``: other arguments than the event's."""
        self.event = event
        self.store = store
        self.scratch = scratch
        self._own = index_of(event)
        self.index = self._own if index is None else index
        self._specs = _specs(event) if specs is None else specs
        self._survey: Survey | None = None
        self._envelopes: dict[tuple[str, int], Envelope | None] = {}
        self._values: dict[tuple[str, int], Any] = {}
        self.mapped: dict[tuple[str, int], Any] = {}
        """Values of mapped nodes that were looked for, by node and depth."""
        self.states: dict[tuple[str, tuple[str, ...]], Any] = {}
        """States of loops that were read, by kind and index path."""

    def arguments(self, function: Callable[..., Any]) -> dict[str, Any]:
        """The keyword arguments for ``function``."""
        self._prefetch()
        arguments = self.values()
        if self._surveyed().scoped:
            part("scoped").as_annotated(arguments, function)
        return coerced(arguments, function)

    def values(self, names: Collection[str] | None = None) -> dict[str, Any]:
        """The arguments (of these names) as they were stored."""
        arguments: dict[str, Any] = {}
        for name, spec in self._specs.items():
            if name == KEYWORDS:
                part("scoped").add_keywords(arguments, self.value(spec), names)
            elif names is None or name in names:
                arguments[name] = self.value(spec)
        return arguments

    def lists(self) -> dict[str, Any]:
        """The lists that a mapped node takes its items from, by argument; for dicts of arguments by ``**``."""
        self._prefetch()
        return {name: self.value(spec) for name, spec in self._specs.items()}

    def written_count(self) -> int | None:
        """How many items the mapped task has, when the arguments say so: its lists were written in the DAG."""
        count: int | None = part("mapped_nodes").written_count(self._specs.values(), len(self.index) - 1)
        return count

    def upstream_digests(self) -> dict[str, str]:
        """Digest of the value of each upstream task that an argument reads; absent where there is no value."""
        survey = self._surveyed()
        if survey.scoped:
            digests: dict[str, str] = part("settling").settled(self, self._specs)[1]
            return digests
        found = ((task, self.digest_of(task, depth)) for task, depth in survey.tasks)
        return {task: digest for task, digest in found if digest is not None}

    def digest(self, upstream_digests: dict[str, str]) -> str:
        """Digest of the arguments' specs, what they read, and the upstream statuses."""
        survey = self._surveyed()
        specs = part("settling").settled(self, self._specs)[0] if survey.scoped else self._specs
        params = self.event["run"].get("params", {})
        basis = (
            specs,
            upstream_digests,
            {name: params.get(name) for name in sorted(survey.params)},
            self.event.get("values", []),
            self.event.get("upstream", {}),
        )
        return hashlib.sha256(_sorted_text(basis).encode()).hexdigest()

    def at(self, index: tuple[str, ...]) -> Inputs:
        """What a task with another index path is given."""
        seen = Inputs(self.event, self.store, self.scratch, index=index, specs={})
        seen.states = self.states
        return seen

    def of_run(self, run: RunInfo) -> Inputs:
        """What a task of another run is given."""
        # Without statuses of its tasks the store says which of them have a value.
        event = cast(Event, {"task": "", "call": "", "run": run, "upstream": {}})
        return Inputs(event, self.store, self.scratch, index=(), specs={})

    def value(self, spec: dict[str, Any]) -> Any:
        """The value that ``spec`` describes."""
        if "v" in spec:
            return spec["v"]
        if "t" in spec:
            task, depth, path = spec["t"], spec.get("d", 0), spec.get("p", ())
            value = self._task_value(task, depth)
            if path and self.exists(task, depth):
                return follow(value, path, f"the value of task {task!r}")
            return value
        if "r" in spec:
            return self._param(spec["r"], spec.get("p", ()))
        if "x" in spec and "last" not in spec:
            return self.event["values"][spec["x"]]
        if "l" in spec:
            return [self.value(item) for item in spec["l"]]
        if type(spec.get("d")) is dict:
            return {key: self.value(item) for key, item in spec["d"].items()}
        return part("scoped").value(self, spec)

    def digest_of(self, task: str, depth: int) -> str | None:
        """Digest of the value of a task; None when there is no value."""
        if not self.exists(task, depth):
            return None
        text = self._inline_text(task, depth)
        # The envelope of an inline value has the digest of the very same text.
        if text is None:
            return self._envelope(task, depth).value.digest
        return hashlib.sha256(text.encode()).hexdigest()

    def digest_of_spec(self, spec: dict[str, Any]) -> tuple[str, bool]:
        """Digest of what ``spec`` means here, and whether anything that it reads is there."""
        digests: dict[str, str] = {}
        basis = part("settling").settle(self, spec, digests)
        return hashlib.sha256(_sorted_text([basis, digests]).encode()).hexdigest(), bool(digests)

    def exists(self, task: str, depth: int) -> bool:
        """Whether the task succeeded. A rule other than ``all_success`` lets a task run although one did not."""
        status = self.status(task, depth)
        if status is not None:
            return status == "success"
        event = self.event
        if self.index is self._own and depth == len(self.index) and _LOOSE.isdisjoint(event):
            return True
        # Not every status travels, and none from outside of a body: the store knows whether there is a value.
        return self.find_envelope(task, depth) is not None

    def status(self, task: str, depth: int) -> str | None:
        """The status of a task as far as the event tells."""
        record = self._record(task, depth)
        if record is not None:
            return record["status"]
        return self.event.get("upstream", {}).get(task) if self.sees(depth) else None

    def sees(self, depth: int) -> bool:
        """Whether records and statuses of the event are those of tasks at this depth: no other item's or round's."""
        return self.index is self._own or self.index[:depth] == self._own[:depth]

    def prefix(self, task: str, depth: int) -> str:
        """Prefix of what a task stored."""
        run = self.event["run"]
        return task_prefix(run["dag"], run["id"], task, "/".join(self.index[:depth]))

    def find_envelope(self, task: str, depth: int) -> Envelope | None:
        """The committed envelope of a task, or None; inside a speculation, also one that is not yet committed."""
        instance = task, depth
        if instance not in self._envelopes:
            prefix = self.prefix(task, depth)
            keys = [result_key(prefix)]
            if self.event.get("stage"):
                keys.insert(0, staged_key(prefix))
            found = ((key, self.store.get_or_none(key)) for key in keys)
            self._envelopes[instance] = next(
                (parse_envelope(data, key) for key, data in found if data is not None), None
            )
        return self._envelopes[instance]

    def _surveyed(self) -> Survey:
        if self._survey is None:
            self._survey = survey(self._specs.values())
        return self._survey

    def _prefetch(self) -> None:
        """Read the envelopes of many upstream tasks at once: from S3 each takes some 20 ms."""
        tasks = self._surveyed().tasks
        if len(tasks) < _MANY:
            return
        missing = [one for one in tasks if self._record(*one) is None]
        if len(missing) < _MANY or self.store.local_path("any") is not None:
            return
        with threads() as pool:
            list(pool.map(lambda one: self.find_envelope(*one), missing))

    def _param(self, name: str, path: Sequence[str | int]) -> Any:
        params = self.event["run"].get("params", {})
        if name not in params:
            raise DataError(f"the run has no param {name!r}; expected one of {', '.join(sorted(params))}")
        return follow(params[name], path, f"param {name!r}")

    def _task_value(self, task: str, depth: int) -> Any:
        instance = task, depth
        if instance not in self._values:
            self._values[instance] = self._load(task, depth) if self.exists(task, depth) else None
        return self._values[instance]

    def _load(self, task: str, depth: int) -> Any:
        text = self._inline_text(task, depth)
        if text is not None:
            return decode(text, PartReader(self.store, self.scratch))
        return load_value(self._envelope(task, depth).value, self.store, self.scratch)

    def _record(self, task: str, depth: int) -> Record | None:
        return self.event.get("records", {}).get(task) if self.sees(depth) else None

    def _inline_text(self, task: str, depth: int) -> str | None:
        record = self._record(task, depth)
        return None if record is None else record.get("value")

    def _envelope(self, task: str, depth: int) -> Envelope:
        envelope = self.find_envelope(task, depth)
        if envelope is None:
            raise DataError(
                f"the value of task {task!r} is not in the store {self.store.url}: expected the object "
                f"{result_key(self.prefix(task, depth))!r}; if the task ran elsewhere, point both to one store"
            )
        return envelope


def _specs(event: Event) -> dict[str, Any]:
    text = event.get("args", "{}")
    specs: dict[str, Any] = (
        part("graph_arguments").specs_of(event) if text == FROM_GRAPH else json.loads(text)
    )
    return specs
