"""What ARNs tell, and the pages of the console that show what they name. Standard library only."""

from __future__ import annotations


def region_of(arn: str) -> str:
    """The region; empty where there is none, or ``arn`` is no ARN."""
    parts = arn.split(":")
    return parts[3] if len(parts) > 3 else ""


def unqualified(machine: str) -> str:
    """ARN of a state machine itself, of which ``machine`` is the ARN, or that of a version or an alias.

    >>> unqualified("arn:aws:states:eu-west-1:1:stateMachine:stepweave-dev-churn:live")
    'arn:aws:states:eu-west-1:1:stateMachine:stepweave-dev-churn'
    """
    return ":".join(machine.split(":")[:7])


def machine_of(arn: str) -> str:
    """Name of the state machine of an execution or of a machine's own ARN; that of a map's item is its machine's."""
    parts = arn.split(":")
    return parts[6].partition("/")[0] if len(parts) > 6 else ""


def execution_arn(machine: str, name: str) -> str:
    """ARN of the execution ``name`` of a state machine, of which ``machine`` is the ARN, or that of an alias.

    >>> execution_arn("arn:aws:states:eu-west-1:1:stateMachine:stepweave-dev-churn:live", "r1")
    'arn:aws:states:eu-west-1:1:execution:stepweave-dev-churn:r1'
    """
    return f"{unqualified(machine).replace(':stateMachine:', ':execution:')}:{name}"


def name_of(execution: str) -> str:
    """Name of an execution, by its ARN."""
    return execution.rpartition(":")[2]


def console_page(region: str, service: str, page: str) -> str:
    """Address of a page of the console.

    >>> console_page("eu-west-1", "states", "/v2")
    'https://eu-west-1.console.aws.amazon.com/states/home?region=eu-west-1#/v2'
    """
    return f"https://{region}.console.aws.amazon.com/{service}/home?region={region}#{page}"


def execution_page(execution: str) -> str:
    """Address of the page of an execution, by its ARN."""
    return console_page(region_of(execution), "states", f"/v2/executions/details/{execution}")
