"""`Shelf`: executions on disk: a head and a journal each, and every definition once.

definitions/<digest>.json      a definition, as it was deployed
<machine>/<execution>.json     the head: all but the history
<machine>/<execution>.journal  the history, from which it goes on
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from stepweave.engine.journal import Journal
from stepweave.local_aws.states.entry import Entry

_DEFINITIONS = "definitions"
_HEAD = ".json"
_JOURNAL = ".journal"


class Shelf:
    """All executions of a local AWS, in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._definitions: dict[str, str] = {}
        """Those that are known to be on disk, by digest."""
        (folder / _DEFINITIONS).mkdir(parents=True, exist_ok=True)

    def entries(self) -> Iterator[Entry]:
        """Every execution, the oldest first. A head that a crash cut off counts as never written."""
        found: list[Entry] = []
        for path in self._folder.glob(f"*/*{_HEAD}"):
            if path.parent.name == _DEFINITIONS:
                continue
            try:
                head = json.loads(path.read_bytes())
            except ValueError:
                continue
            found.append(Entry.from_head(head, self._definition(head["revision"]["definition"])))
        yield from sorted(found, key=lambda entry: (entry.started_at, entry.arn))

    def write(self, entry: Entry) -> None:
        """Keep the head of an execution; it is there whole or as it was before."""
        digest = self._keep(entry.revision.definition)
        path = self._path(entry, _HEAD)
        path.parent.mkdir(exist_ok=True)
        _replace(path, json.dumps(entry.as_head(digest)))

    def journal(self, entry: Entry) -> Journal:
        """The journal of an execution, open."""
        return Journal(self._path(entry, _JOURNAL), _digest(entry.revision.definition))

    def forget(self, entry: Entry) -> None:
        """Keep nothing of an execution."""
        for suffix in (_HEAD, _JOURNAL):
            self._path(entry, suffix).unlink(missing_ok=True)

    def _path(self, entry: Entry, suffix: str) -> Path:
        # Names hold no slash; a leading character keeps "." and ".." from meaning folders. Of express executions
        # several have one name, and more behind it.
        name = ".".join(entry.arn.split(":")[7:])
        return self._folder / f"m-{entry.revision.name}" / f"x-{name}{suffix}"

    def _keep(self, definition: str) -> str:
        digest = _digest(definition)
        if digest not in self._definitions:
            _replace(self._folder / _DEFINITIONS / f"{digest}.json", definition)
            self._definitions[digest] = definition
        return digest

    def _definition(self, digest: str) -> str:
        if digest not in self._definitions:
            text = (self._folder / _DEFINITIONS / f"{digest}.json").read_text()
            self._definitions[digest] = text
        return self._definitions[digest]


def _digest(definition: str) -> str:
    return hashlib.sha256(definition.encode()).hexdigest()


def _replace(path: Path, text: str) -> None:
    beside = path.with_name(f"{path.name}~")
    beside.write_text(text)
    os.replace(beside, path)
