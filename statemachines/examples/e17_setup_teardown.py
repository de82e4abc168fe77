"""Setup and teardown: a resource that is there while it is needed, and gone afterwards, however the run ends.

``drop`` is the teardown of ``create``: it runs when the tasks between them have ended, after a failure, a time-out
or a cancellation too, and only if the setup has succeeded. A teardown does not count for the outcome: the run
fails because ``load`` fails, although the clean-up after it goes well.

Run it: ``stepweave run statemachines/examples/e17_setup_teardown.py --param spoiled=true``.
"""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from stepweave import dag, get_current_context, task
from stepweave.errors import DataError

CLIMATE = {"Oslo": 6.3, "Nairobi": 18.8, "Sydney": 18.0, "Lima": 19.2}


@task(setup=True)
def create() -> str:
    """Returns the address of a data base for this run."""
    path = Path(tempfile.gettempdir()) / f"{get_current_context().run_id}.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("create table if not exists climate (city text primary key, mean real)")
    return str(path)


@task
def load(database: str, spoiled: bool) -> int:
    """Returns how many rows were loaded."""
    if spoiled:
        raise DataError("the file ends in the middle of a line")
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.executemany("insert or replace into climate values (?, ?)", CLIMATE.items())
    return len(CLIMATE)


@task
def warm(database: str, above: float) -> list[str]:
    """Returns the warm cities."""
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("select city from climate where mean > ? order by city", [above])
        return [str(city) for (city,) in rows]


@task
def drop(database: str) -> bool:
    """Returns whether there was something to drop."""
    path = Path(database)
    there = path.exists()
    path.unlink(missing_ok=True)
    return there


@dag
def setup_teardown(above: float = 18.5, spoiled: bool = False) -> None:
    """Loads a data base of its own, asks it, and drops it."""
    database = create()
    answer = warm(database, above)
    load(database, spoiled) >> answer >> drop(database).as_teardown(setups=database)
