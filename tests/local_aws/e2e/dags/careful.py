"""DAGs that wait for a person, or a while: what happens to them when something is deployed or stopped meanwhile."""

from __future__ import annotations

import time
from typing import TypedDict

from stepweave import Batch, Cron, approval, dag, get_current_context, task

VERSION = "one"


class Release(TypedDict):
    """What a run would release."""

    version: str


@task
def build() -> Release:
    """Returns what would be released."""
    return {"version": VERSION}


@task(compute=Batch, memory={"one": "1GiB", "two": "2GiB"}[VERSION])
def publish(release: Release, by: str) -> str:
    """Returns what was released, by which code; the job definition of one version is not that of the other."""
    return f"{release['version']} published by {VERSION}, {by} agreed"


@dag
def careful() -> None:
    """Publishes what a person agrees to."""
    release = build()
    decision = approval("Publish " + release["version"] + "?", timeout="1h", task_id="agree")
    publish(release, decision["by"])


@task(setup=True)
def rent() -> str:
    """Returns what was rented."""
    return "a machine"


@task
def think(seconds: float) -> float:
    """Returns how long it took."""
    time.sleep(seconds)
    return seconds


@task
def give_back(rented: str) -> str:
    """Returns what was given back."""
    return rented


@dag(max_active_runs=1)
def patient(seconds: float = 1.0) -> None:
    """Rents something, thinks, and gives it back; one run at a time."""
    rented = rent()
    rented >> think(seconds) >> give_back(rented).as_teardown(setups=rented)


@task
def report() -> str | None:
    """Returns the moment that the run is for."""
    moment = get_current_context().logical_date
    return moment.isoformat() if moment is not None else None


@dag(schedule=Cron("0 6 * * *", timezone="Europe/Berlin"))
def daily() -> None:
    """Tells the date it runs for."""
    report()
