"""`to_machines`: from graph and plan to definitions, and definitions to files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stepweave.asl import cleanup
from stepweave.asl.emit import emit
from stepweave.asl.field_order import in_order
from stepweave.asl.indented import indented
from stepweave.asl.scene import scene_of
from stepweave.asl.scopes.scope import Repeat
from stepweave.graph.model import Graph
from stepweave.graph.specs import Places
from stepweave.planning.model import Plan
from stepweave.planning.placement import Placement

MAX_INDENTED_BYTES = 256 * 1024
"""A definition is indented for its reader up to this size; beyond, its 1 MiB is worth more without white space."""


@dataclass(frozen=True, slots=True)
class Machines:
    """The state machines of one DAG: definitions by name, the root (named ``""``) first."""

    dag_id: str
    definitions: Mapping[str, dict[str, Any]]
    repeats: Mapping[str, Repeat]
    """How often what is inside a Map or a loop runs, by the name of its state."""

    def files(self) -> dict[str, bytes]:
        """File name to content: ``<dag>.asl.json`` and ``<dag>.<machine>.asl.json`` for nested machines."""
        return {self.file_name(name): to_bytes(definition) for name, definition in self.definitions.items()}

    def file_name(self, name: str) -> str:
        return f"{self.dag_id}.{name}.asl.json" if name else f"{self.dag_id}.asl.json"


def to_machines(graph: Graph, plan: Plan, placements: Mapping[str, Placement]) -> Machines:
    """The state machines that carry out ``plan``."""
    scene = scene_of(graph, plan, placements, Places.of(graph))
    definitions = emit(scene)
    cleaning = cleanup.cleanup(scene)
    if cleaning is not None:
        definitions[cleanup.NAME] = {**cleaning, "States": in_order(cleaning["States"])}
    return Machines(graph.dag.id, definitions, scene.repeats)


def to_bytes(definition: Mapping[str, Any]) -> bytes:
    """The bytes of a definition file: indented unless large, always the same for the same definition."""
    compact = json.dumps(definition, ensure_ascii=False, separators=(",", ":"))
    if len(compact) > MAX_INDENTED_BYTES:
        return compact.encode() + b"\n"
    text = indented(definition)
    if len(text) > MAX_INDENTED_BYTES:
        return compact.encode() + b"\n"
    return text.encode() + b"\n"
