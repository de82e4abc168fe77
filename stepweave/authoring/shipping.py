"""What goes with tasks to where they run: requirements and permissions, of each task and of the DAG as a whole.

A task's requirements are those of its DAG and its own. Permissions are the DAG's: all its tasks share a role.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from stepweave.permissions import Permission

if TYPE_CHECKING:
    from stepweave.authoring.dag_options import DagOptions
    from stepweave.authoring.trace import Trace
    from stepweave.graph.model import DagInfo

_REQUIREMENT = r"""\s*(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)
        \s*(?:\[(?P<extras>[A-Za-z0-9._,\s-]*)\])?
        \s*(?:@\s*(?P<url>[a-z+]+://\S+?)
             |(?P<versions>(?:===|==|~=|!=|<=|>=|<|>)\s*[0-9][A-Za-z0-9.*+!_-]*
                           (?:\s*,\s*(?:===|==|~=|!=|<=|>=|<|>)\s*[0-9][A-Za-z0-9.*+!_-]*)*))?
        \s*(?:;\s*(?P<marker>\S.*?))?\s*"""


def requirements(value: Any) -> tuple[str, ...]:
    """Requirements (PEP 508) in normal form: names as PyPI writes them, no white space, sorted.

    >>> requirements(["Scikit_Learn >= 1.6", "pandas"])
    ('pandas', 'scikit-learn>=1.6')
    """
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise ValueError("a list of requirements, such as ['pandas>=2.2', 'scikit-learn']")
    return tuple(sorted({_requirement(one) for one in value}))


def _requirement(given: Any) -> str:
    # compiled when needed: most functions on Lambda import DAGs that name none
    match = re.fullmatch(_REQUIREMENT, given, re.VERBOSE) if isinstance(given, str) else None
    if match is None:
        raise ValueError(f"requirements such as 'pandas>=2.2' or 'skops[rust]==0.13.0', not {given!r}")
    name = re.sub(r"[-_.]+", "-", match["name"]).lower()
    extras = sorted(extra.strip().lower() for extra in (match["extras"] or "").split(",") if extra.strip())
    versions = ",".join(sorted(re.sub(r"\s", "", match["versions"]).split(","))) if match["versions"] else ""
    url = f" @ {match['url']}" if match["url"] else ""
    marker = f" ; {match['marker']}" if match["marker"] else ""
    return f"{name}{'[' + ','.join(extras) + ']' if extras else ''}{versions}{url}{marker}"


def permissions(value: Any) -> tuple[str, ...]:
    """Permissions as the JSON texts that the graph carries, sorted."""
    given = (value,) if isinstance(value, Permission) else value
    if not isinstance(given, (list, tuple)) or not all(isinstance(one, Permission) for one in given):
        raise ValueError(
            "a list of permissions, such as [Permission('s3:GetObject', 'arn:aws:s3:::bucket/prefix/*')]"
        )
    return tuple(sorted({one.as_text() for one in given}))


def common_requirements(dags: Iterable[DagOptions]) -> tuple[str, ...]:
    """What all tasks need: of the DAG, of those written into it, and of the functions that are told how a run ended."""
    found: set[str] = set()
    for options in dags:
        found.update(options.requirements)
        for told in (options.on_failure, options.on_success):
            found.update(_of_function(told, "requirements", requirements))
    return tuple(sorted(found))


def all_permissions(dags: Iterable[DagOptions], trace: Trace) -> tuple[str, ...]:
    """The permissions of the DAG, of its tasks, and of everything that runs for them."""
    found: set[str] = set()
    functions: list[Any] = []
    for options in dags:
        found.update(options.permissions)
        functions += [options.on_failure, options.on_success]
    for node in trace.nodes.values():
        found.update(node.options.permissions)
        functions += [node.options.compensate, *node.options.degrade]
    for function in functions:
        found.update(_of_function(function, "permissions", permissions))
    return tuple(sorted(found))


def undo_requirements(function: Any) -> tuple[str, ...]:
    """What the function needs that undoes a task; nothing where it is a plain function, or there is none."""
    return _of_function(function, "requirements", requirements)


def beyond(dag: DagInfo, own: tuple[str, ...]) -> tuple[str, ...]:
    """The requirements that the DAG has not."""
    return tuple(one for one in own if one not in dag.requirements) if own else ()


def _of_function(function: Any, option: str, read: Callable[[Any], tuple[str, ...]]) -> tuple[str, ...]:
    """An option of a task that is named as a function; a mistake in it is reported where that task is called."""
    given = getattr(function, "options", {}).get(option)
    try:
        return read(given) if given is not None else ()
    except (ValueError, TypeError):
        return ()
