"""`DeployedDags`: which DAG a state machine is of; the SSM parameters that infrastructure writes tell."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from stepweave.deployed.arns import unqualified
from stepweave.deployed.environment import DeployedDag
from stepweave.deployed.names import dags_path

_FRESH_SECONDS = 300.0
_KNOWN_SECONDS = 20.0
"""How long it is believed that a machine is of no DAG: one may be deployed just now."""


class DeployedDags:
    """The DAGs of an environment, read again after five minutes.

    Args:
        client: A boto3 client of SSM.
        env: Name of the environment.
        now: Seconds of a clock that only goes forward.
    """

    def __init__(self, client: Any, env: str, now: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._path = dags_path(env)
        self._now = now
        self._by_machine: dict[str, DeployedDag] = {}
        self._deployed_at: dict[str, datetime] = {}
        self._read_at: float | None = None

    def all(self) -> list[DeployedDag]:
        """Every DAG, by id."""
        self._refresh(_FRESH_SECONDS)
        return sorted(self._by_machine.values(), key=lambda dag: dag.dag)

    def of_machine(self, arn: str) -> DeployedDag | None:
        """The DAG whose runs are executions of this state machine; None for parts of DAGs, and for strangers."""
        self._refresh(_FRESH_SECONDS)
        name = unqualified(arn)
        if name not in self._by_machine:
            self._refresh(_KNOWN_SECONDS)
        return self._by_machine.get(name)

    def deployed_at(self, dag: str) -> datetime | None:
        """When the DAG was deployed last in another form; None for one that is not deployed."""
        return self._deployed_at.get(dag)

    def _refresh(self, older_than: float) -> None:
        now = self._now()
        if self._read_at is not None and now - self._read_at < older_than:
            return
        pages = self._client.get_paginator("get_parameters_by_path").paginate(Path=self._path, Recursive=True)
        found = [
            (DeployedDag.from_json(parameter["Value"]), parameter["LastModifiedDate"])
            for page in pages
            for parameter in page["Parameters"]
        ]
        self._by_machine = {unqualified(dag.machine): dag for dag, _ in found}
        self._deployed_at = {dag.dag: moment for dag, moment in found}
        self._read_at = now
