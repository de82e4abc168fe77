"""`DagFile`: what the starter knows of its DAG, from ``dag.json`` beside it; infrastructure writes it."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stepweave.errors import UsageError

NAME = "dag.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredParam:
    """A param as the DAG declares it."""

    name: str
    schema: Mapping[str, Any]
    """JSON Schema."""
    required: bool
    default: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DagFile:
    """A deployed DAG, as far as starting it goes."""

    dag: str
    params: tuple[DeclaredParam, ...] = ()
    triggers: tuple[Mapping[str, Any], ...] = ()
    max_active_runs: int | None = None
    """None for any number."""
    code_version: str | None = None


def dag_file(given: Mapping[str, Any]) -> DagFile:
    """The content of ``dag.json`` as a value."""
    return DagFile(
        dag=given["dag"],
        params=tuple(_param(param) for param in given.get("params", ())),
        triggers=tuple(given.get("triggers", ())),
        max_active_runs=given.get("max_active_runs"),
        code_version=given.get("code_version"),
    )


@functools.cache
def read_dag_file(folder: str) -> DagFile:
    """``dag.json`` in the folder of the function's code."""
    path = Path(folder) / NAME
    try:
        return dag_file(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(
            f"{NAME} of the starter cannot be read ({type(error).__name__}: {error}); deploy the DAG again"
        ) from error


def _param(given: Mapping[str, Any]) -> DeclaredParam:
    return DeclaredParam(
        name=given["name"],
        schema=given.get("schema", {}),
        required="default" not in given,
        default=given.get("default"),
    )
