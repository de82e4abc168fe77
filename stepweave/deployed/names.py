"""Every name in a deployed environment, derived from the environment, the DAG and the part. Standard library only.

Infrastructure creates things by these names, and whoever looks for them (the command line, the functions, another
DAG's stack) derives the same ones, so that no stack exports anything to another.
"""

from __future__ import annotations

import hashlib
import re

PRODUCT = "stepweave"
LIVE = "live"
"""Alias of every state machine and of every Lambda function that is called by name."""

MAX_MACHINE = 80
"""Longest name of a state machine: https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html"""
MAX_FUNCTION = 64
"""Longest name of a function: https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html"""
MAX_SCHEDULE = 64
"""Longest name of a schedule: https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html"""
MAX_RULE = 64
"""Longest name of a rule: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html"""
MAX_STACK = 128
"""Longest name of a stack:
https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html"""
MAX_JOB_DEFINITION = 128
"""Longest name of a job definition:
https://docs.aws.amazon.com/batch/latest/APIReference/API_RegisterJobDefinition.html"""

MAX_DASHBOARD = 255
"""Longest name of a dashboard:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutDashboard.html"""

DIGEST = 7
"""Characters by which names are told apart that are cut: a hyphen and six digits."""

_OTHER = re.compile(r"[^A-Za-z0-9_-]")
_OTHER_IN_STACK = re.compile(r"[^A-Za-z0-9-]")

RUNNERS = "tasks"
"""Beginning of the part of every task runner's name."""
JOBS = "job"
"""Beginning of the part of every job definition's name."""

QUEUES = ("cpu", "cpu_spot", "gpu", "gpu_spot", "fargate")
"""The kinds of job queues of an environment."""


def machine_name(env: str, dag: str, machine: str = "") -> str:
    """Name of a state machine: of a DAG, or of the part ``machine`` of it.

    >>> machine_name("dev", "churn"), machine_name("dev", "churn", "cleanup")
    ('stepweave-dev-churn', 'stepweave-dev-churn--cleanup')
    """
    return _name(MAX_MACHINE, env, dag, machine)


def function_name(env: str, part: str, dag: str = "") -> str:
    """Name of a Lambda function: ``part`` of the platform, or of a DAG.

    >>> function_name("dev", "recorder"), function_name("dev", "starter", "churn")
    ('stepweave-dev-recorder', 'stepweave-dev-churn--starter')
    """
    return _name(MAX_FUNCTION, env, dag, part) if dag else _name(MAX_FUNCTION, env, part)


def runner_names(env: str, dag: str) -> str:
    """Pattern of the names of the task runners of a DAG, those that it no longer has included.

    >>> runner_names("dev", "churn")
    'stepweave-dev-churn--tasks*'
    """
    return _beginning(MAX_FUNCTION, env, dag, RUNNERS)


def schedule_name(env: str, dag: str) -> str:
    """Name of the schedule of a DAG."""
    return _name(MAX_SCHEDULE, env, dag)


def job_definition_name(env: str, dag: str, part: str) -> str:
    """Name of the job definition of a task."""
    return _name(MAX_JOB_DEFINITION, env, dag, part)


def job_definition_names(env: str, dag: str) -> str:
    """Pattern of the names of the job definitions of a DAG, those that it no longer has included."""
    return _beginning(MAX_JOB_DEFINITION, env, dag, JOBS)


def queue_name(env: str, kind: str) -> str:
    """Name of a job queue; ``kind`` is one of :data:`QUEUES`."""
    return _name(MAX_JOB_DEFINITION, env, kind)


def rule_name(env: str, dag: str, number: int) -> str:
    """Name of the rule behind the trigger ``number`` of a DAG, from 0."""
    return _name(MAX_RULE, env, dag, f"trigger-{number}")


def topic_name(env: str, kind: str) -> str:
    """Name of a topic: ``warn``, ``page`` or ``ask``."""
    return _name(MAX_MACHINE, env, kind)


def bucket_name(env: str, account: str, region: str) -> str:
    """Name of the artifact bucket; names of buckets are shared by all accounts, so it holds account and region."""
    return f"{PRODUCT}-{env}-{account}-{region}"


def table_name(env: str) -> str:
    """Name of the records table."""
    return f"{PRODUCT}-{env}"


def bus_name(env: str) -> str:
    """Name of the event bus."""
    return f"{PRODUCT}-{env}"


def dead_letter_queue_name(env: str) -> str:
    """Name of the queue of what could not be delivered: by schedules, rules, topics, and to functions."""
    return f"{PRODUCT}-{env}-dead-letters"


def secret_name(env: str, purpose: str) -> str:
    """Name of a secret: ``links`` signs approval links, ``notify`` holds what Slack and PagerDuty give."""
    return f"{PRODUCT}/{env}/{purpose}"


def dashboard_name(env: str, dag: str = "") -> str:
    """Name of the dashboard of the fleet, or of a DAG."""
    return _name(MAX_DASHBOARD, env, dag or "fleet")


def stack_name(env: str, part: str) -> str:
    """Name of a stack: ``platform``, or the id of a DAG."""
    return _fitting(f"{PRODUCT}-{env}-{_OTHER_IN_STACK.sub('-', part)}", part, MAX_STACK, _OTHER_IN_STACK)


def platform_parameter(env: str) -> str:
    """Name of the SSM parameter that holds :class:`~stepweave.deployed.environment.Platform` as JSON."""
    return f"/{PRODUCT}/{env}/platform"


def dags_path(env: str) -> str:
    """Path of the SSM parameters of the deployed DAGs."""
    return f"/{PRODUCT}/{env}/dags/"


def dag_parameter(env: str, dag: str) -> str:
    """Name of the SSM parameter that holds :class:`~stepweave.deployed.environment.DeployedDag` as JSON."""
    return dags_path(env) + dag


def task_log_group(env: str, dag: str) -> str:
    """Log group of the tasks of a DAG on Lambda."""
    return f"/{PRODUCT}/{env}/{dag}/tasks"


def job_log_group(env: str, dag: str) -> str:
    """Log group of the tasks of a DAG on Batch."""
    return f"/{PRODUCT}/{env}/{dag}/jobs"


def machine_log_group(env: str, dag: str) -> str:
    """Log group of the state machines of a DAG. With this prefix CloudWatch needs no resource policy that grows
    (https://docs.aws.amazon.com/step-functions/latest/dg/bp-cwl.html).
    """
    return f"/aws/vendedlogs/states/{machine_name(env, dag)}"


def function_log_group(env: str, part: str) -> str:
    """Log group of a function of the platform."""
    return f"/{PRODUCT}/{env}/{part}"


def _name(longest: int, env: str, first: str, part: str = "") -> str:
    plain = f"{PRODUCT}-{env}-{first}" + (f"--{part}" if part else "")
    return _fitting(_OTHER.sub("-", plain), f"{first}\0{part}" if part else first, longest, _OTHER)


def _beginning(longest: int, env: str, first: str, part: str) -> str:
    """Pattern of all names whose part begins with ``part``, those that are cut included."""
    plain = _OTHER.sub("-", f"{PRODUCT}-{env}-{first}--{part}")
    return f"{plain[: longest - DIGEST]}*"


def _fitting(text: str, original: str, longest: int, other: re.Pattern[str]) -> str:
    """``text``, or cut and told apart by a digest where a character was replaced or it is too long."""
    if len(text) <= longest and not other.search(original.replace("\0", "")):
        return text
    digest = hashlib.sha256(original.encode()).hexdigest()[:6]
    return f"{text[: longest - DIGEST]}-{digest}"
