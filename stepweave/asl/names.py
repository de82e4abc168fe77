"""Every derived name: states, variables, keys, substitutions.

A task id has no space (``graph/checks.py``), so a derived state name, which has one, never meets a task's.
"""

from __future__ import annotations

import hashlib
import re

from stepweave.graph.model import DagInfo

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
LONGEST_STATE = 80
"""Longest name of a state (https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html)."""

_OTHER = re.compile(r"[^A-Za-z0-9_]")


START = "start run"
OUTCOME = "run failed?"
SUCCEEDED = "run succeeded"
FAILED = "run failed"
"""States of the machine itself. All derived names have a space, and no task id has one."""


def variable(task: str) -> str:
    """The variable that holds the record of ``task``; distinct for distinct ids."""
    if _IDENTIFIER.match(task) and "__dot__" not in task and "__dash__" not in task:
        return f"v_{task}"
    return "v_" + task.replace(".", "__dot__").replace("-", "__dash__")


def member(base: str, key: str) -> str:
    """JSONata for the member ``key`` of the object ``base``."""
    return f"{base}.{key}" if _IDENTIFIER.match(key) and key not in ("and", "or", "in") else f"{base}.`{key}`"


def ready(label: str) -> str:
    """State that checks the upstream tasks."""
    return f"{label}: ready?"


def gate(label: str) -> str:
    """State that waits at a gate."""
    return f"{label}: wait"


def prepare(task: str) -> str:
    """State that writes the inputs of a Batch job."""
    return f"{task}: prepare"


def collect(task: str) -> str:
    """State that fetches the record of a finished Batch job."""
    return f"{task}: collect"


def later(base: str) -> str:
    """State that waits until an attempt that asked to be put off is made again."""
    return f"{base}: later"


def put_off(task: str, part: str) -> str:
    """The variable that counts how often a part of ``task`` was put off."""
    return f"later{part}{variable(task)[1:]}"


def ended(task: str) -> str:
    """State that raises a skip again."""
    return f"{task}: ended"


def copy(task: str, number: int) -> str:
    """State that runs one of several attempts side by side."""
    return f"{task}: copy {number}"


def hedge(task: str, number: int) -> str:
    """State that waits before one of several attempts."""
    return f"{task}: hedge {number}"


def undo(task: str) -> str:
    """State that undoes what a task did."""
    return f"{task}: undo"


def undo_part(number: int) -> str:
    """State that runs one of the machines which undo many tasks; the machine has this name with ``_`` for its space."""
    return f"undo {number}"


def notice(outcome: str) -> str:
    """State that tells of the outcome of the run."""
    return f"{outcome}: notice"


def signal(task: str) -> str:
    """State that tells gates that a task is done."""
    return f"{task}: signal"


def not_run_signal(label: str) -> str:
    """State that tells gates that tasks will not run."""
    return f"{label}: not run"


def stopped(label: str) -> str:
    """State in which a branch ends early."""
    return f"{label}: stopped"


def branches(number: int, node: str = "") -> str:
    """State that runs branches side by side, in the body of ``node`` if one is given."""
    return f"{node}: branches {number}" if node else f"branches {number}"


def results(number: int, node: str = "") -> str:
    """The variable that holds what :func:`branches` hands out."""
    return f"b_{number}{variable(node)[1:]}" if node else f"b_{number}"


def items(node: str) -> str:
    """State that counts the items of a mapped node."""
    return f"{node}: items"


def size(node: str) -> str:
    """State that chooses how a mapped node runs, by the number of items."""
    return f"{node}: size?"


def item(node: str) -> str:
    """State that runs the task for one item."""
    return f"{node}: item"


def verdict(node: str) -> str:
    """State that looks at how the items ended."""
    return f"{node}: verdict"


def done(node: str) -> str:
    """State that ends a branch after a node whose last state is a Choice."""
    return f"{node}: done"


def distributed(name: str, depth: int) -> str:
    """A state of a map as it stands where items are executions of their own; ``depth`` of the mapped node.

    A name that would be too long is cut, and told apart by a digest.
    """
    suffix = f" (d{depth or ''})"
    if len(name) + len(suffix) <= LONGEST_STATE:
        return name + suffix
    digest = hashlib.sha256(name.encode()).hexdigest()[:6]
    return f"{name[: LONGEST_STATE - len(suffix) - 7]}~{digest}{suffix}"


def first_round(node: str) -> str:
    """State before the first round of a loop."""
    return f"{node}: start"


def again(node: str) -> str:
    """State that decides whether a loop goes on."""
    return f"{node}: again?"


def rounds(node: str) -> str:
    """State that runs a round of a loop in an execution of its own."""
    return f"{node}: round"


def more(node: str) -> str:
    """State that decides whether another round follows in the same execution."""
    return f"{node}: more?"


def decision(node: str) -> str:
    """State of a speculation that waits for the decision."""
    return f"{node}: decision"


def commit(node: str) -> str:
    """State by which what a speculation has staged becomes results."""
    return f"{node}: commit"


def scope_begin(node: str) -> str:
    """State that keeps what one item gets."""
    return f"{node}: begin"


def end_of(node: str) -> str:
    """State in which the body of a node ends; not named after the node, since a failure ends there."""
    return f"end of {node}"


def outer(task: str) -> str:
    """The variable by which the body of a node knows the record of a task outside; bound when the body is put in."""
    return f"o{variable(task)[1:]}"


def scope(node: str) -> str:
    """The variable of one item or round of ``node``: ``{"run": ..., ...}``."""
    return f"s{variable(node)[1:]}"


def arrival(tasks: tuple[str, ...]) -> str:
    """The name under which a group of tasks arrives at a gate."""
    return tasks[0] if len(tasks) == 1 else f"{tasks[0]}+{len(tasks) - 1}"


def share(dag: DagInfo) -> str:
    """The share of a job queue that the jobs of ``dag`` count in: its owner's, else its own.

    A queue with a fair-share policy takes no job without one, and only letters and digits are allowed in it
    (https://docs.aws.amazon.com/batch/latest/APIReference/API_SubmitJob.html).
    """
    return re.sub(r"[^A-Za-z0-9]", "", dag.owner or dag.id)[:255] or "default"


def identifier(text: str) -> str:
    """``text`` as part of a substitution's name."""
    return _OTHER.sub("_", text)
