"""Every error a user can meet, and the exceptions a task may raise.

The bottom of the package: standard library only, imported by all, importing nothing of stepweave. An error says
*what* is wrong, *where*, what was *expected* and *got*, and the *fix*; the parts are attributes, the text is built
from them, and mistakes found together are reported together (:class:`DagError`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One mistake in a DAG, a definition, a setting or an argument."""

    what: str
    """The mistake, one sentence without a full stop."""
    code: str
    """Stable kebab-case name of the rule that was broken, e.g. ``cycle`` or ``edge-type``."""
    file: str | None = None
    """Source file as the user named it."""
    line: int | None = None
    """Line in ``file``, from 1."""
    task: str | None = None
    """Id of the task concerned."""
    state: str | None = None
    """Path of the state concerned, e.g. ``branches 1[0]/load_orders``."""
    expected: str | None = None
    got: str | None = None
    fix: str | None = None
    """What to write instead."""

    def __str__(self) -> str:
        where = (
            f"{self.file}:{self.line}: " if self.file and self.line else f"{self.file}: " if self.file else ""
        )
        task = f"task {self.task!r}: " if self.task else ""
        state = f"state {self.state!r}: " if self.state else ""
        parts = [f"{where}{task}{state}{self.what} [{self.code}]"]
        parts += [f"  {label}: {text}" for label, text in self._details() if text]
        return "\n".join(parts)

    def _details(self) -> tuple[tuple[str, str | None], ...]:
        return (("expected", self.expected), ("got", self.got), ("fix", self.fix))

    def to_json(self) -> dict[str, str | int | None]:
        """The parts as a JSON object, for ``--json``."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


class StepweaveError(Exception):
    """Base of every error of this library that is not raised by a user's task."""


class ProblemsError(StepweaveError):
    """Several :class:`Problem` reported together."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class DagError(ProblemsError):
    """A DAG does not trace, check, plan or compile."""


class DefinitionError(ProblemsError):
    """A state machine definition breaks a rule of the Amazon States Language or of Step Functions."""


class ParamsError(ProblemsError):
    """The params given for a run do not fit the DAG's declaration."""


class UsageError(StepweaveError):
    """A command or a function of the library was called in a way that cannot work; the text says how to call it."""


class StoreError(StepweaveError):
    """An artifact or a record could not be read or written."""


class CodecError(StepweaveError):
    """A value cannot be stored, or a stored value cannot be read back."""


TASKS_FAILED = "DagRunFailed"
"""Error with which the state machine of a DAG ends when tasks have failed: an end of its own, after which nothing is
left to clean up."""


# What a task may raise. The runtime maps every other exception to one of the four classes (``runtime/outcome.py``).


class TaskError(Exception):
    """Base of the four error classes by which retries are chosen."""


class TransientError(TaskError):
    """Another attempt may succeed: a connection, a throttle, an unknown exception."""


class ResourceError(TaskError):
    """The attempt ran out of memory, disk or another resource."""


class DataError(TaskError):
    """The data is wrong; another attempt on the same data fails again."""


class PermanentError(TaskError):
    """No further attempt can succeed."""


class Fail(PermanentError):
    """Raise in a task to fail it at once, without a retry."""


class Skip(Exception):
    """Raise in a task to end it as ``skipped``; tasks that need it are skipped too."""


LONGEST_WAIT_SECONDS = 31_536_000
"""An execution lasts a year at most (https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html)."""


class RetryAfter(TransientError):
    """Raise in a task to ask for another attempt, no earlier than ``seconds`` from now; within a year."""

    def __init__(self, seconds: float, message: str = "") -> None:
        given: object = seconds  # whoever copies it out of a header may have text
        if not isinstance(given, (int, float)) or not 0 <= given <= LONGEST_WAIT_SECONDS:
            raise ValueError(f"RetryAfter takes seconds from 0 to {LONGEST_WAIT_SECONDS:,}, got {given!r}")
        self.seconds = seconds
        super().__init__(message or f"retry after {seconds:g} s")
