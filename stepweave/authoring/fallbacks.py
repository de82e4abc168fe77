"""What stands in for a task that failed (``degrade``, ``on_out_of_memory``), and what undoes it (``compensate``)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Iterator, Set
from typing import Any

from stepweave.authoring.contracts import can_be, type_name
from stepweave.authoring.nodes import Node
from stepweave.authoring.options import TaskOptions, resolve
from stepweave.authoring.signatures import Signature, signature_of
from stepweave.errors import Problem
from stepweave.graph.constructs import Rung

RESULT = "result"
"""Parameter of an undo that gets the value of the task that it undoes."""


def attach(node: Node, signature: Signature, mapped: Collection[str]) -> Iterator[Problem]:
    """Note the functions that belong to ``node``; what cannot stand in for it or undo it comes out as problems.

    ``mapped`` names the parameters that differ from item to item.
    """
    options = node.options
    given = {name for name, _ in node.arguments} | set(mapped)
    for number, function in enumerate(options.degrade, 1):
        node.others[f"degrade{number}"] = getattr(function, "function", function)
        yield from _degrade_problems(signature_of(node.others[f"degrade{number}"]), signature, given)
    if options.compensate is not None:
        node.others["undo"] = getattr(options.compensate, "function", options.compensate)
        yield from _undo_problems(signature_of(node.others["undo"]), signature, given, mapped)


def _degrade_problems(lesser: Signature, task: Signature, given: Set[str]) -> Iterator[Problem]:
    strange = [] if lesser.open else sorted(given - set(lesser.parameters))
    missing = [name for name in lesser.required if name not in given]
    for names, what in ((strange, "does not take"), (missing, "needs")):
        if names:
            yield Problem(
                what=f"{lesser.name}() cannot stand in for {task.name}(): it {what} {', '.join(map(repr, names))}",
                code="degrade-signature",
                expected=task.text,
                got=lesser.text,
                fix=f"give {lesser.name}() the parameters of {task.name}(), or **others",
            )
    if not can_be(lesser.returns, task.returns):
        yield Problem(
            what=f"{lesser.name}() cannot stand in for {task.name}(): it returns something else",
            code="degrade-signature",
            expected=type_name(task.returns),
            got=type_name(lesser.returns),
            fix="correct one of the two annotations",
        )


def _undo_problems(
    undo: Signature, task: Signature, given: Set[str], mapped: Collection[str]
) -> Iterator[Problem]:
    strange = [name for name in undo.required if name not in {*given, RESULT}]
    if strange:
        names = ", ".join(map(repr, strange))
        left_out = set(strange) <= set(task.parameters)
        yield Problem(
            what=f"{undo.name}() cannot undo {task.name}(): it needs {names}"
            + (", which this call leaves to its default" if left_out else ""),
            code="undo-signature",
            expected=f"arguments of the call of {task.text}, or 'result', the value that it returned",
            got=undo.text,
            fix=f"give {names} in the call, or a default in {undo.name}()"
            if left_out
            else f"take what {task.name}() takes, or what it returned as 'result'",
        )
    elif mapped and not undo.open and not set(undo.parameters) & {*mapped, RESULT}:
        yield Problem(
            what=f"{undo.name}() cannot undo the items of {task.name}(): it does not know which item is meant",
            code="undo-mapped",
            expected=f"one of the parameters {', '.join(map(repr, sorted({*mapped, RESULT})))}",
            got=undo.text,
            fix="take the item's argument, or what the task returned as 'result'",
        )


def ladder_of(node: Node, name_of: Callable[[Callable[..., Any], str], str]) -> tuple[Rung, ...]:
    """What is tried, in order, when all attempts of the task have failed."""
    options = node.options
    rungs = [
        Rung(
            call=node.call,
            resources=dataclasses.replace(options.resources, memory_mib=memory),
            compute=None if options.compute == "lambda" else options.compute,  # more may not fit a function
            timeout_seconds=options.timeout_seconds,
            requirements=options.requirements,
            on="resource",
            label=_size(memory),
        )
        for memory in options.more_memory
    ]
    for number, function in enumerate(options.degrade, 1):
        role = f"degrade{number}"
        theirs: TaskOptions = resolve(getattr(function, "options", {}))[0]
        call = name_of(node.others[role], f"{node.id}~{role}")
        rungs.append(
            Rung(
                call=call,
                resources=theirs.resources,
                compute=theirs.compute,
                timeout_seconds=theirs.timeout_seconds,
                requirements=theirs.requirements,
                label=node.others[role].__name__,
            )
        )
    return tuple(rungs)


def _size(mebibytes: int) -> str:
    return f"{mebibytes // 1024} GiB" if mebibytes % 1024 == 0 else f"{mebibytes} MiB"
