"""The processes of all functions."""

from __future__ import annotations

import io
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stepweave.local_aws.layer.lambdas.pool import Pool
from stepweave.local_aws.layer.lambdas.process import Invocation

PID = "import os\ndef handler(event, context):\n    return os.getpid()\n"


def zipped(source: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("index.py", source)
    return data.getvalue()


def config(name: str = "score", **fields: Any) -> dict[str, Any]:
    return {"FunctionName": name, "Version": "1", "Handler": "index.handler", "CodeSha256": "a", **fields}


def call(pool: Pool, settings: dict[str, Any], code: bytes) -> Any:
    invocation = Invocation(request_id="r", arn="arn", event=None, timeout_seconds=30)
    with pool.process(settings, code) as process:
        return process.invoke(invocation).value


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[Pool]:
    made = Pool(tmp_path, lambda config: {}, lambda layer: None, most=2)
    yield made
    made.close()


def test_one_call_after_another_meets_the_same_process(pool: Pool) -> None:
    code = zipped(PID)
    assert call(pool, config(), code) == call(pool, config(), code)


def test_another_version_or_setting_is_another_process(pool: Pool) -> None:
    code = zipped(PID)
    first = call(pool, config(), code)
    assert call(pool, config(Version="2"), code) != first
    assert call(pool, config(Environment={"Variables": {"A": "1"}}), code) != first


def test_calls_at_the_same_time_have_processes_of_their_own(pool: Pool) -> None:
    code = zipped(PID)
    with pool.process(config(), code) as first, pool.process(config(), code) as second:
        invocation = Invocation(request_id="r", arn="arn", event=None, timeout_seconds=30)
        assert first.invoke(invocation).value != second.invoke(invocation).value


def test_a_call_waits_when_there_are_as_many_processes_as_may_be(pool: Pool) -> None:
    code = zipped(PID)
    answered = threading.Event()

    def third() -> None:
        call(pool, config("other"), code)
        answered.set()

    with pool.process(config(), code), pool.process(config(), code):
        waiting = threading.Thread(target=third)
        waiting.start()
        assert not answered.wait(0.3)
    waiting.join(20)
    assert answered.is_set()


def test_functions_that_wait_for_functions_do_not_wait_for_ever(tmp_path: Path) -> None:
    code = zipped(PID)
    pool = Pool(tmp_path, lambda config: {}, lambda layer: None, most=1, patience_seconds=0.1)
    with pool.process(config("outer"), code):
        assert call(pool, config("inner"), code) > 0
    pool.close()


def test_of_too_many_idle_processes_the_longest_idle_ends(pool: Pool) -> None:
    code = zipped(PID)
    names = "abcdefg"
    pids = [call(pool, config(name), code) for name in names]
    assert len(set(pids)) == len(names)
    assert call(pool, config(names[-1]), code) == pids[-1]
    assert call(pool, config(names[0]), code) not in pids


def test_code_is_unpacked_once(pool: Pool, tmp_path: Path) -> None:
    code = zipped(PID)
    call(pool, config(), code)
    call(pool, config(Version="2"), code)
    assert len(list(tmp_path.glob("code-*"))) == 1


def test_a_layer_is_on_the_import_path(tmp_path: Path) -> None:
    layer = io.BytesIO()
    with zipfile.ZipFile(layer, "w") as archive:
        archive.writestr("python/shared.py", "NAME = 'from the layer'\n")
    pool = Pool(tmp_path, lambda config: {}, lambda one: layer.getvalue())
    code = zipped("import shared\ndef handler(event, context):\n    return shared.NAME\n")
    assert call(pool, config(Layers=[{"Arn": "arn:aws:lambda:…:layer:shared:1"}]), code) == "from the layer"
    pool.close()
