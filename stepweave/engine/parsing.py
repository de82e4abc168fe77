"""`parse`: a definition that anybody wrote, checked by AWS's rules and read.

Everything that is wrong is reported at once, with the state's path, before anything runs. What Step Functions accepts
is read, also where it will not end well (:mod:`stepweave.validation.severity`): then the execution fails, as there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stepweave.engine.machine import Machine
from stepweave.engine.reading import read
from stepweave.errors import DefinitionError, Problem
from stepweave.validation.definition import validate
from stepweave.validation.severity import rejections
from stepweave.validation.text import parsed


def parse(definition: Mapping[str, Any] | str, name: str = "machine") -> Machine:
    """The machine that ``definition`` (an object or its JSON text) describes.

    Raises ``DefinitionError`` with every problem for which Step Functions would reject it.
    """
    text = definition if isinstance(definition, str) else None
    source = definition if not isinstance(definition, str) else parsed(definition, name=name)
    if problems := rejections(validate(source, name=name, text=text)):
        raise DefinitionError(problems)
    machine = read(source, name)
    if unfilled := tuple(_unfilled(machine)):
        raise DefinitionError(unfilled)
    return machine


def _unfilled(machine: Machine) -> Iterator[Problem]:
    """Tasks whose ``Resource`` is known only after deployment."""
    for task in machine.tasks():
        if "${" in task.resource or "${" in task.target:
            yield Problem(
                code="substitution",
                what="Resource has a placeholder without a value",
                file=machine.name,
                state=task.name,
                got=task.target or task.resource,
                fix="replace the placeholder before the machine runs",
            )
