"""`Order`: what a person asks of ``stepweave execute``, and which wishes do not go together."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from stepweave.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """The command's arguments, as typed."""

    file: str
    input: str | None = None
    """A file, ``-`` for standard input, or JSON."""
    name: str | None = None
    machines: Sequence[str] = ()
    """``NAME=FILE``"""
    functions: Sequence[str] = ()
    """``NAME=module:handler``"""
    jobs: Sequence[str] = ()
    """``NAME=command``"""
    values: Sequence[str] = ()
    """``Placeholder=value``"""
    mock: str | None = None
    case: str | None = None
    buckets: str | None = None
    endpoint: str | None = None
    inline: bool = False
    virtual_time: bool = False
    seed: int = 0
    journal: str | None = None
    resume: str | None = None
    redrive: str | None = None
    history: bool = False
    as_json: bool = False

    @property
    def continued(self) -> str | None:
        """The name of the execution that is to go on; None for a new one."""
        return self.resume or self.redrive

    def check(self) -> None:
        """Nothing; raises ``UsageError`` for options that do not go together."""
        if self.resume and self.redrive:
            raise UsageError(
                "--resume goes on with an execution that was cut off, --redrive with one that failed: give one of them"
            )
        option = "--resume" if self.resume else "--redrive"
        if self.continued and not self.journal:
            raise UsageError(f"{option} needs --journal FOLDER, in which the execution was recorded")
        if self.continued and (self.input is not None or self.name is not None):
            raise UsageError(
                f"{option} {self.continued} goes on with the execution's own name and input: leave --name and --input"
                " out"
            )
        if self.case is not None and self.mock is None:
            raise UsageError("--case chooses a test case of the file that --mock names; give --mock FILE too")
        if self.virtual_time and (self.jobs or self.endpoint):
            what = "--job" if self.jobs else "--endpoint"
            raise UsageError(
                f"{what} does not go with --virtual-time, in which nothing waits for another process; mock the tasks,"
                " or leave --virtual-time out"
            )

    def going_on(self, option: str, name: str) -> str:
        """The command that goes on with the execution ``name``: ``option`` is ``--resume`` or ``--redrive``."""
        words = ["stepweave", "execute", self.file]
        for flag, pairs in (
            ("--machine", self.machines),
            ("--function", self.functions),
            ("--job", self.jobs),
            ("--set", self.values),
        ):
            words += [word for pair in pairs for word in (flag, pair)]
        given = {
            "--mock": self.mock,
            "--case": self.case,
            "--buckets": self.buckets,
            "--endpoint": self.endpoint,
            "--seed": str(self.seed) if self.seed else None,
            "--journal": self.journal,
            option: name,
        }
        words += [word for flag, value in given.items() if value is not None for word in (flag, value)]
        words += ["--inline"] * self.inline + ["--virtual-time"] * self.virtual_time
        return shlex.join(words)
