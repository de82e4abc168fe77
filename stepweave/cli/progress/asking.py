"""`Asker`: on a terminal, asks for the approvals that a run waits for, as ``stepweave approve`` would decide them."""

from __future__ import annotations

import getpass
import queue
import select
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import Any

from stepweave.cli.progress.words import approve_command, in_store, name_of_task
from stepweave.embedded.approvals import approve
from stepweave.embedded.taskruns import APPROVAL, TaskRun
from stepweave.errors import StepweaveError
from stepweave.runtime.approvals import pending
from stepweave.stores.layout import task_prefix
from stepweave.stores.objects import open_store

LOOK_SECONDS = 0.2
"""How often it is looked whether somebody else has decided meanwhile."""


class Asker:
    """An observer of task runs that asks in a thread of its own, one question at a time."""

    def __init__(
        self,
        dag: str,
        run: str,
        store: str,
        paused: Callable[[], AbstractContextManager[Any]],
        read: Callable[[Callable[[], bool]], str | None] | None = None,
    ) -> None:
        """``paused``: while a question is asked, the screen stands still.

        ``read`` gives a line that a person typed, or None when its argument says that nobody need answer any more.
        """
        self._dag, self._run, self._store = dag, run, store
        self._paused, self._read = paused, read or typed
        self._asked: queue.Queue[TaskRun | None] = queue.Queue()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="stepweave-asking", daemon=True)

    def __call__(self, run: TaskRun) -> None:
        """Ask when ``run`` waits for a person."""
        if run.status == "waiting" and run.message == APPROVAL:
            self._asked.put(run)

    def __enter__(self) -> Asker:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._asked.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (run := self._asked.get()) is not None:
            if not self._over(run)():
                with self._paused():
                    self._ask(run)

    def _over(self, run: TaskRun) -> Callable[[], bool]:
        return lambda: self._stopped.is_set() or run.status != "waiting"

    def _ask(self, run: TaskRun) -> None:
        dag, run_id = run.inside or (self._dag, self._run)
        prefix = task_prefix(dag, run_id, run.task, run.index)
        asked = pending(open_store(self._store), prefix) or {}
        name, over = name_of_task(run), self._over(run)
        people = f" (asked: {', '.join(asked['approvers'])})" if asked.get("approvers") else ""
        question = f"\n{name}: {asked.get('message') or 'needs an approval'}{people}\napprove? [y/n] "
        word = self._answer(question, over).lower()
        if word not in ("y", "yes", "n", "no"):
            later = approve_command(run_id, name, in_store(self._store))
            sys.stdout.write(f"not decided; decide later with: {later}\n")
            return
        by = self._decider(asked.get("approvers", []), over)
        comment = self._answer("comment (may be empty): ", over)
        try:
            approve(
                self._store,
                self._run,
                dag=dag,
                run=run_id,
                task=run.task,
                index=run.index,
                approved=word.startswith("y"),
                by=by,
                comment=comment,
            )
        except StepweaveError as error:
            sys.stdout.write(f"{error}\n")

    def _decider(self, approvers: Sequence[str], over: Callable[[], bool]) -> str:
        """Who decides: the user of this process, unless only others may."""
        user = getpass.getuser()
        if not approvers or user in approvers:
            return user
        return self._answer(f"as whom? [{approvers[0]}] ", over) or approvers[0]

    def _answer(self, question: str, over: Callable[[], bool]) -> str:
        sys.stdout.write(question)
        sys.stdout.flush()
        return (self._read(over) or "").strip()


def typed(over: Callable[[], bool]) -> str | None:
    """A line from standard input; None when ``over`` says that nobody need answer any more, or at its end."""
    while not over():
        ready, _, _ = select.select([sys.stdin], [], [], LOOK_SECONDS)
        if ready:
            return sys.stdin.readline() or None
    return None


@contextmanager
def nothing() -> Iterator[None]:
    """Nothing stands in the way of a question."""
    yield
