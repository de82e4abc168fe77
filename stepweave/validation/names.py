"""Names that Step Functions accepts: of states, of variables, of state machines."""

from __future__ import annotations

import re

from stepweave.errors import Problem
from stepweave.validation.limits import MAX_NAME_LENGTH

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]")
_MACHINE_FORBIDDEN = re.compile(r'[\s?*<>{}\[\]"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]')
_PLAIN_VARIABLE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}", re.ASCII)
_SUBSTITUTION = re.compile(r"\$\{(?![A-Za-z0-9_]+\})")


def state_name_fault(name: str) -> str | None:
    """What is wrong with the name of a state, or None."""
    if not name:
        return "the name is empty"
    if len(name) > MAX_NAME_LENGTH:
        return f"the name has {len(name)} characters, {MAX_NAME_LENGTH} are allowed"
    return "the name has a control character" if not name.isprintable() and _CONTROL.search(name) else None


def variable_name_fault(name: str) -> str | None:
    """What is wrong with the name of a variable, or None.

    Unicode identifiers that start with a letter (https://docs.aws.amazon.com/step-functions/latest/dg/workflow-variables.html).
    """
    if _PLAIN_VARIABLE.fullmatch(name) and name != "states":
        return None
    if name == "states":
        return "the name is reserved"
    if len(name) > MAX_NAME_LENGTH:
        return f"the name has {len(name)} characters, {MAX_NAME_LENGTH} are allowed"
    if not name.isidentifier() or name.startswith("_"):
        return "the name is not a letter followed by letters, digits and _"
    return None


def forbidden_characters(name: str) -> list[str]:
    """Characters of ``name`` that names of state machines, executions, activities and labels must not have."""
    return _MACHINE_FORBIDDEN.findall(name)


def machine_name_problems(name: str) -> tuple[Problem, ...]:
    """What is wrong with the name of a state machine (without the environment's prefix)."""
    problems = []
    if not 0 < len(name) <= MAX_NAME_LENGTH:
        what = f"the name of the state machine has {len(name)} characters"
        problems.append(
            Problem(code="machine-name", what=what, expected=f"1 to {MAX_NAME_LENGTH} characters", got=name)
        )
    if forbidden := forbidden_characters(name):
        what = "the name of the state machine has characters that Step Functions forbids"
        problems.append(
            Problem(
                code="machine-name", what=what, expected="letters, digits, - and _", got=" ".join(forbidden)
            )
        )
    return tuple(problems)


def bad_substitution(text: str) -> str | None:
    """The first ``${…`` in ``text`` that is no substitution, with what follows it; None if all are well-formed."""
    found = _SUBSTITUTION.search(text)
    return text[found.start() : found.start() + 30] if found else None
