"""The server as a process: one for each folder, found again, stopped with all that it started."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from pathlib import Path

import boto3
import pytest

from stepweave.cli.main import execute
from stepweave.errors import UsageError
from stepweave.local_aws.environment import shell, variables
from stepweave.local_aws.home import Home, Running
from stepweave.local_aws.process import down, up
from tests.local_aws.conftest import VENV

pytestmark = pytest.mark.aws


def bucket_names(running: Running) -> list[str]:
    session = boto3.Session("000000000000", "local", region_name="us-east-1")
    found = session.client("s3", endpoint_url=running.endpoint).list_buckets()["Buckets"]
    return [bucket["Name"] for bucket in found]


def make_bucket(running: Running, name: str) -> None:
    session = boto3.Session("000000000000", "local", region_name="us-east-1")
    session.client("s3", endpoint_url=running.endpoint).create_bucket(Bucket=name)


def answers(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def test_a_second_up_finds_the_server_that_runs(home: Home) -> None:
    first = up(home, 0)
    assert up(home, 0) == first == home.running()


def test_a_server_listens_on_loopback_only(home: Home) -> None:
    running = up(home, 0)
    listening = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    local = [line.split()[1] for line in listening if line.split()[1].endswith(f":{running.port:04X}")]
    assert "0100007F" in {address.split(":")[0] for address in local}
    assert "00000000" not in {address.split(":")[0] for address in local}


def test_what_is_there_survives_down_and_up(home: Home) -> None:
    first = up(home, 0)
    make_bucket(first, "kept")
    assert down(home)
    assert home.running() is None
    assert bucket_names(up(home, 0)) == ["kept"]


def test_down_without_a_server_says_so(home: Home) -> None:
    assert not down(home)


def test_the_record_of_a_server_that_was_killed_is_not_believed(home: Home) -> None:
    running = up(home, 0)
    os.killpg(running.pid, signal.SIGKILL)
    end = time.monotonic() + 20
    while home.held() and time.monotonic() < end:
        time.sleep(0.05)
    assert home.record.exists()
    assert home.running() is None
    assert up(home, 0).pid != running.pid


def test_a_port_that_is_taken_is_an_error_with_a_way_out(home: Home) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(UsageError, match=rf"port {port} .* Choose another: .*--port"):
            up(home, port)


def test_another_port_for_a_server_that_runs_is_an_error(home: Home) -> None:
    running = up(home, 0)
    with pytest.raises(UsageError, match=f"runs on port {running.port} already"):
        up(home, running.port + 1)


def test_a_server_that_does_not_start_shows_its_log(home: Home, tmp_path: Path) -> None:
    home.folder.mkdir()
    (home.folder / "state").write_text("in the way", encoding="utf-8")
    with pytest.raises(UsageError, match=r"did not start(?s:.*)FileExistsError"):
        up(home, 0)
    (home.folder / "state").unlink()


def test_the_command_starts_finds_and_stops_it(
    home: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    home.folder.mkdir()
    (home.folder / "venv").symlink_to(VENV)
    monkeypatch.setenv("STEPWEAVE_LOCAL_AWS", str(home.folder))
    assert execute(["local-aws", "status", "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {"running": False}

    assert execute(["local-aws", "up", "--port", "0", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["environment"]["AWS_ENDPOINT_URL"] == told["endpoint"]

    assert execute(["local-aws", "status", "--shell"]) == 0
    assert capsys.readouterr().out.strip() == shell(variables(told["endpoint"]))

    assert answers(told["port"])
    assert execute(["local-aws", "down"]) == 0
    assert capsys.readouterr().out == "stopped\n"
    assert not answers(told["port"])


@pytest.mark.parametrize("speed", ["fast", "0", "-1"])
def test_a_clock_speed_that_is_none_is_an_error(
    speed: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEPWEAVE_CLOCK_SPEED", speed)
    assert execute(["local-aws", "up"]) == 2
    assert "STEPWEAVE_CLOCK_SPEED is a number above 0" in capsys.readouterr().err
