"""`open_deployment`: what is deployed in an environment, as far as SSM parameters tell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from stepweave.authoring.suggest import did_you_mean
from stepweave.deployed.arns import execution_page
from stepweave.deployed.connecting import LOCAL, Clients, account_of, connect
from stepweave.deployed.environment import DeployedDag, Platform
from stepweave.deployed.explaining import code_of, explained
from stepweave.deployed.names import PRODUCT, dag_parameter, dags_path, platform_parameter
from stepweave.errors import UsageError
from stepweave.stores.objects import ObjectStore, open_store

_PLATFORM = "/platform"


@dataclass(slots=True)
class Deployment:
    """A deployed environment, seen from outside."""

    env: str
    aws: Clients
    platform: Platform
    _dags: dict[str, DeployedDag] = field(default_factory=dict)

    def store(self) -> ObjectStore:
        """The store with the artifacts of its runs."""
        return open_store(self.platform.store)

    def dag(self, dag_id: str) -> DeployedDag:
        """A deployed DAG; ``UsageError``, with those there are, when it is not deployed."""
        if dag_id not in self._dags:
            found = parameter(self.aws, dag_parameter(self.env, dag_id))
            if found is None:
                raise self._not_deployed(dag_id)
            self._dags[dag_id] = DeployedDag.from_json(found)
        return self._dags[dag_id]

    def dag_ids(self) -> list[str]:
        """The ids of all deployed DAGs, sorted."""
        beginning = dags_path(self.env)
        return sorted(name.removeprefix(beginning) for name, _ in parameters(self.aws, beginning))

    def execution_link(self, execution: str) -> str:
        """Where people look at an execution; empty for the environment on this machine, which has no console."""
        if self.env == LOCAL:
            return ""
        return execution_page(execution)

    def _not_deployed(self, dag_id: str) -> UsageError:
        return UsageError(
            f"DAG {dag_id!r} is not deployed in environment {self.env!r}; {did_you_mean(dag_id, self.dag_ids())} "
            f"(deploy it: cdk deploy -c env={self.env} '{self.env}/{dag_id}')"
        )


def open_deployment(env: str) -> Deployment:
    """The environment ``env``. Raises ``UsageError``, with the environments there are, when there is no such one."""
    aws = connect(env)
    found = parameter(aws, platform_parameter(env))
    if found is None:
        raise _no_such_environment(env, aws)
    return Deployment(env, aws, Platform.from_json(found))


def parameter(aws: Clients, name: str) -> str | None:
    """The value of an SSM parameter, or None when there is none."""
    with explained(f"reading the parameter {name}"):
        try:
            return str(aws.client("ssm").get_parameter(Name=name)["Parameter"]["Value"])
        except ClientError as error:
            if code_of(error) == "ParameterNotFound":
                return None
            raise


def parameters(aws: Clients, path: str) -> Iterator[tuple[str, str]]:
    """Name and value of every SSM parameter below ``path``."""
    with explained(f"listing the parameters below {path}"):
        paginator = aws.client("ssm").get_paginator("get_parameters_by_path")
        pages: list[dict[str, Any]] = list(paginator.paginate(Path=path.rstrip("/"), Recursive=True))
    for page in pages:
        for each in page["Parameters"]:
            yield str(each["Name"]), str(each["Value"])


def _no_such_environment(env: str, aws: Clients) -> UsageError:
    there = sorted(
        name.split("/")[2] for name, _ in parameters(aws, f"/{PRODUCT}") if name.endswith(_PLATFORM)
    )
    listed = f"environments there: {', '.join(there)}" if there else "no environment is deployed there"
    how = "make demo-aws" if env == LOCAL else f"cdk deploy -c env={env} '{env}/*'"
    return UsageError(
        f"there is no environment {env!r} in account {account_of(aws)}, region {aws.region}; "
        f"{listed}. Look at AWS_PROFILE and AWS_REGION (infra/environments/{env}.toml says where it belongs), "
        f"or deploy it: {how}"
    )
