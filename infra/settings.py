"""`Settings`: everything in which environments differ, read from ``infra/environments/<env>.toml``.

    infra/environments/dev.toml ─load("dev")─▶ Settings ─▶ infra.app

Every value is checked here, so that nothing below asks again; all mistakes of a file are reported together.
"""

from __future__ import annotations

import tomllib
from math import ceil
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator

from infra.settings_errors import SettingsError, named_inside, problems_of, unknown_environment, unreadable
from infra.settings_sections import (
    Alarms,
    Approvals,
    Architecture,
    Dashboards,
    Deploy,
    Encryption,
    Metrics,
    Network,
    Python,
    Queues,
    Retention,
    Section,
    TagKey,
    TagValue,
)

ENVIRONMENTS = Path("infra/environments")
"""Folder of the files, from the root of the repository."""
LONGEST_SHIFT_MINUTES = 2_100
"""Of a linear shift, all steps together:
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-stepfunctions-statemachinealias-deploymentpreference.html"""


class Settings(Section):
    """The settings of one environment; the file's name is the environment's."""

    env: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{1,11}$", exclude=True)]
    target: Literal["aws", "local"] = "aws"
    """`local`: the local AWS, where jobs are processes instead of containers."""
    account: Annotated[str, Field(pattern=r"^\d{12}$")] | None = None
    """Account that is deployed to; left out: that of the credentials."""
    region: Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$")] | None = None
    """Region that is deployed to; left out: that of the profile."""
    architecture: Architecture = "arm64"
    """Of functions and of CPU jobs: `arm64` (a fifth cheaper), `x86_64`, or `host` for that of this machine."""
    python: Python = "3.13"
    """Version of functions and images: `3.11` to `3.14`, or `host`."""
    removal_policy: Literal["retain", "destroy"] = "retain"
    """What becomes of bucket, table and logs when the stack is deleted. `destroy` takes a bucket that is empty."""
    permission_boundary: Annotated[str, Field(pattern=r"^[\w+=,.@/-]{1,128}$")] | None = None
    """Name of a managed policy that bounds every role."""
    schedules: bool = True
    """Schedules start runs. Without: they are deployed, but disabled, for an environment that people start runs in."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """Of functions and jobs."""
    tracing: bool = False
    """X-Ray traces of state machines and functions."""
    tags: dict[TagKey, TagValue] = Field(default_factory=dict)
    """Tags of every resource."""
    network: Network = Network()
    """Where Batch runs."""
    queues: Queues = Queues()
    """Job queues of Batch."""
    alarms: Alarms = Alarms()
    """Who is told of what."""
    dashboards: Dashboards = Dashboards()
    """Dashboards of CloudWatch."""
    encryption: Encryption = Encryption()
    """Keys."""
    metrics: Metrics = Metrics()
    """Metrics of CloudWatch."""
    approvals: Approvals = Approvals()
    """How people are asked."""
    retention: Retention = Retention()
    """How long things are kept."""
    deploy: Deploy = Deploy()
    """How a new version of a DAG takes over."""

    @property
    def is_local(self) -> bool:
        """Whether this is the local AWS."""
        return self.target == "local"

    @field_validator("network")
    @classmethod
    def _complete(cls, network: Network) -> Network:
        if network.mode == "existing" and not (network.vpc_id and network.subnet_ids):
            raise ValueError('mode "existing" needs vpc_id and subnet_ids')
        if network.mode != "existing" and (network.vpc_id or network.subnet_ids):
            raise ValueError(f'vpc_id and subnet_ids are for mode "existing", not {network.mode!r}')
        return network

    @field_validator("deploy")
    @classmethod
    def _in_time(cls, deploy: Deploy) -> Deploy:
        steps = ceil(100 / deploy.percent)
        minutes = steps * deploy.minutes
        if deploy.shift == "linear" and minutes > LONGEST_SHIFT_MINUTES:
            raise ValueError(
                f"a linear shift of at most {LONGEST_SHIFT_MINUTES} minutes; {steps} steps take {minutes}"
            )
        return deploy

    @field_validator("retention")
    @classmethod
    def _consistent(cls, kept: Retention) -> Retention:
        if kept.artifacts_days is not None and kept.cache_days > kept.artifacts_days:
            raise ValueError(
                f"cache_days at most artifacts_days ({kept.artifacts_days}): an entry names what a run stored"
            )
        return kept


def load(env: str, root: Path) -> Settings:
    """The settings of ``env`` in the repository at ``root``.

    Raises ``SettingsError`` with every mistake of the file.
    """
    folder = root / ENVIRONMENTS
    file = folder / f"{env}.toml"
    shown = str(ENVIRONMENTS / f"{env}.toml")
    if not file.is_file():
        raise SettingsError(
            [unknown_environment(env, sorted(path.stem for path in folder.glob("*.toml")), shown)]
        )
    try:
        given: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError([unreadable(error, shown)]) from error
    return parse(env, given, shown)


def parse(env: str, given: dict[str, Any], file: str) -> Settings:
    """The settings that a file says; ``file`` is named in errors."""
    if "env" in given:
        raise SettingsError([named_inside(file)])
    try:
        return Settings.model_validate({**_tuples(given), "env": env})
    except ValidationError as error:
        raise SettingsError(problems_of(error, Settings, file)) from error


def _tuples(value: Any) -> Any:
    """TOML's arrays as tuples, which is what the strict models hold."""
    if isinstance(value, dict):
        return {key: _tuples(one) for key, one in value.items()}
    return tuple(_tuples(one) for one in value) if isinstance(value, list) else value
