"""How other processes reach a run that goes on."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from stepweave.embedded.control import Control, socket_path, tell


def heard_while_listening(
    store: str, requests: list[dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[bool]]:
    """What the run was told of ``requests``, and whether each was taken."""
    heard: list[dict[str, Any]] = []
    control = Control(store, "r1")
    control.on("decided", heard.append)

    async def listen() -> list[bool]:
        async with control.listening():
            return [await asyncio.to_thread(tell, store, "r1", request) for request in requests]

    return heard, asyncio.run(listen())


@pytest.mark.parametrize("folder", ["s", "a" * 90 + "/" + "b" * 90], ids=["short", "long"])
def test_a_run_hears_what_it_is_told_wherever_its_store_is(tmp_path: Path, folder: str) -> None:
    store = str(tmp_path / folder)
    request = {"do": "decided", "task": "t"}
    assert heard_while_listening(store, [request]) == ([request], [True])
    assert not os.path.lexists(socket_path(store, "r1"))


def test_nobody_listens_to_what_is_told_after_the_end_or_makes_no_sense(tmp_path: Path) -> None:
    store = str(tmp_path)
    assert heard_while_listening(store, [{"do": "dance"}, {}]) == ([], [False, False])
    assert tell(store, "r1", {"do": "decided"}) is False


def test_the_socket_of_a_killed_run_is_in_nobodys_way(tmp_path: Path) -> None:
    store = str(tmp_path)
    os.makedirs(os.path.dirname(socket_path(store, "r1")))
    Path(socket_path(store, "r1")).touch()
    assert tell(store, "r1", {"do": "decided"}) is False
    assert heard_while_listening(store, [{"do": "decided"}])[1] == [True]
