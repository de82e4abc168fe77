"""Other interpreters of state machines, timed from outside: moto in this process, ministack as a server of its own."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

_POLL_SECONDS = 0.02
"""Asking more often would take processor time from an interpreter in this process."""
_START_SECONDS = 60.0
_CREDENTIALS = {
    "aws_access_key_id": "000000000000",
    "aws_secret_access_key": "none",
    "region_name": "us-east-1",
}
_ROLE = "arn:aws:iam::000000000000:role/none"


@contextmanager
def moto() -> Iterator[Any]:
    """A Step Functions client of moto, which interprets machines in threads of this process."""
    mock_aws = importlib.import_module("moto").mock_aws
    with mock_aws(config={"stepfunctions": {"execute_state_machine": True}}):
        yield importlib.import_module("boto3").client("stepfunctions", **_CREDENTIALS)


@contextmanager
def ministack() -> Iterator[Any]:
    """A Step Functions client of a ministack server on loopback; the command must be on the path."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "GATEWAY_PORT": str(port),
            "PORT": str(port),
            "BIND_HOST": "127.0.0.1",
            "STATE_DIR": folder,
            "PERSIST_STATE": "0",
            "LAMBDA_EXECUTOR": "local",
        }
        command = shutil.which("ministack") or "ministack"
        server = subprocess.Popen(
            [command], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            _await_port(port, server)
            url = f"http://127.0.0.1:{port}"
            yield importlib.import_module("boto3").client("stepfunctions", endpoint_url=url, **_CREDENTIALS)
        finally:
            server.terminate()
            server.wait()


def available() -> dict[str, Callable[[], Any]]:
    """The interpreters that this machine has, by name."""
    found: dict[str, Callable[[], Any]] = {"moto": moto}
    if shutil.which("ministack"):
        found["ministack"] = ministack
    return found


def seconds(client: Any, definition: Mapping[str, Any], name: str) -> float:
    """How long an execution takes, from its start until it is seen to have ended. Raises unless it succeeds."""
    arn = client.create_state_machine(name=name, definition=json.dumps(definition), roleArn=_ROLE)
    began = time.perf_counter()
    execution = client.start_execution(stateMachineArn=arn["stateMachineArn"], input="{}")["executionArn"]
    while (told := client.describe_execution(executionArn=execution))["status"] == "RUNNING":
        time.sleep(_POLL_SECONDS)
    took = time.perf_counter() - began
    if told["status"] != "SUCCEEDED":
        raise RuntimeError(f"{name} ended {told['status']}: {told.get('error')}: {told.get('cause')}")
    return took


def measured(
    name: str, machines: Mapping[str, tuple[dict[str, Any], int]], repeat: int = 1
) -> dict[str, float | None]:
    """Milliseconds per state (or item) of each machine, ``(definition, count)``, the least of ``repeat`` measurements.

    None for one that does not succeed.
    """
    figures: dict[str, float | None] = {}
    with ExitStack() as stack:
        client = stack.enter_context(available()[name]())
        for label, (definition, count) in machines.items():
            try:
                times = [seconds(client, definition, f"{label}-{number}") for number in range(repeat)]
                figures[label] = min(times) * 1000 / count
            except RuntimeError:
                figures[label] = None
    return figures


def _await_port(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError("ministack did not start")
