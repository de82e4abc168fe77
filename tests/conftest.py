"""What holds for every test: no network but loopback, a home and a working directory of its own, repeatable draws."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# The same examples in every run and no deadline: a slow machine is no failing test.
settings.register_profile("stepweave", derandomize=True, database=None, deadline=None)
settings.load_profile("stepweave")


TOGETHER = ("infra", "local_aws")
"""Folders whose tests share what takes long to make, a template or a server: one process runs all tests of a folder.
Of the other folders a process runs whole files: a module may have a server of its own."""


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist looks at the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        path = item.path.relative_to(Path(__file__).parent)
        item.add_marker(pytest.mark.xdist_group(path.parts[0] if path.parts[0] in TOGETHER else str(path)))


class NetworkBlockedError(RuntimeError):
    """A test tried to reach another machine."""


def _refuse_unless_loopback(host: object) -> None:
    if host in (None, "", "localhost", b"localhost"):
        return
    text = host.decode() if isinstance(host, bytes) else str(host)
    try:
        local = ipaddress.ip_address(text.split("%")[0]).is_loopback or text in ("0.0.0.0", "::")
    except ValueError:
        local = False
    if not local:
        raise NetworkBlockedError(
            f"tests speak to loopback only, not to {text}; serve what you need with a fake"
        )


@pytest.fixture(scope="session", autouse=True)
def _loopback_only() -> Iterator[None]:
    connect, connect_ex, getaddrinfo = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX:
            _refuse_unless_loopback(address[0])
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: Any) -> int:
        if self.family != socket.AF_UNIX:
            _refuse_unless_loopback(address[0])
        return connect_ex(self, address)

    def guarded_getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        _refuse_unless_loopback(host)
        return getaddrinfo(host, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded_connect)
        patch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
        patch.setattr(socket, "getaddrinfo", guarded_getaddrinfo)
        yield


@pytest.fixture(scope="session")
def _home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(autouse=True)
def _own_environment(_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A test finds nothing of the person who runs it: no settings, no credentials, no earlier runs; and leaves nothing.

    Commands tell the libraries below them by the environment where an AWS is: the next test must not ask that one.
    """
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith(("AWS_", "STEPWEAVE_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(_home))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.chdir(tmp_path)
    yield
    for name in os.environ.keys() - before.keys():
        del os.environ[name]
    os.environ.update(before)
