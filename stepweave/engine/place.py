"""`Place`: the account, the region and the role in the ARNs of an engine's executions."""

from __future__ import annotations

from dataclasses import dataclass

ACCOUNT = "000000000000"
REGION = "local"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/stepweave"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where executions are said to run."""

    account: str = ACCOUNT
    region: str = REGION
    role_arn: str = ROLE_ARN

    def machine_arn(self, machine: str) -> str:
        """The ARN of a state machine.

        >>> EMBEDDED.machine_arn("orders")
        'arn:aws:states:local:000000000000:stateMachine:orders'
        """
        return f"{self._head}:stateMachine:{machine}"

    def execution_arn(self, machine: str, name: str) -> str:
        """The ARN of an execution."""
        return f"{self._head}:execution:{machine}:{name}"

    def map_run_arn(self, machine: str, identifier: str) -> str:
        """The ARN of a map run whose children run ``machine``."""
        return f"{self._head}:mapRun:{machine}:{identifier}"

    @property
    def _head(self) -> str:
        return f"arn:aws:states:{self.region}:{self.account}"


EMBEDDED = Place()
"""That of an engine which stands for no account."""
