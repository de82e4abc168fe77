import logging
import sys
import threading
from contextlib import contextmanager

import pytest

from stepweave.errors import Skip, StoreError, TransientError
from stepweave.runtime.invoke import invoke
from stepweave.runtime.logs import AttemptLog
from stepweave.stores.objects import open_store
from tests.runtime.events import event

KEY = "runs/sales/r1/a/logs/0.log"


@pytest.fixture
def store(tmp_path):
    return open_store(tmp_path / "store")


@contextmanager
def no_logging_setup():
    """As in a program that has not set up logging, which pytest has by the time a test runs."""
    root = logging.getLogger()
    handlers, root.handlers = root.handlers, []
    try:
        yield
    finally:
        root.handlers = handlers


class RemoteLike:
    """A store that has no local files, as S3."""

    def __init__(self):
        self.objects = {}

    def put(self, key, data):
        self.objects[key] = data

    def local_path(self, key):
        return None


def test_what_a_task_prints_and_logs_is_kept_per_attempt(store, capsys):
    with no_logging_setup():
        invoke(event("a", "talk"), store)
    lines = store.get(KEY).decode().splitlines()
    assert lines[:2] == ["printed", "to stderr"]
    assert lines[2].endswith("INFO my.library: logged 1")
    assert lines[3].endswith("INFO stepweave.task: by the context")
    assert lines[4:] == ["from a thread"]
    assert capsys.readouterr() == ("", "")


def test_a_program_that_has_set_up_logging_keeps_its_level(store):
    logging.getLogger().setLevel(logging.ERROR)
    try:
        invoke(event("a", "talk"), store)
    finally:
        logging.getLogger().setLevel(logging.WARNING)
    assert "logged 1" not in store.get(KEY).decode()
    assert "by the context" in store.get(KEY).decode()


def test_a_task_that_says_nothing_leaves_no_log(store):
    invoke(event("a", "one"), store)
    assert store.get_or_none(KEY) is None


def test_echo_shows_it_on_the_terminal_as_well(store, capsys):
    with no_logging_setup():
        invoke(event("a", "talk"), store, echo=True)
    shown = capsys.readouterr()
    assert "printed" in shown.out
    assert "logged 1" in shown.err
    assert "printed" in store.get(KEY).decode()


def test_without_logs_everything_goes_where_it_always_goes(store, capsys):
    invoke(event("a", "talk"), store, logs=False)
    assert "printed" in capsys.readouterr().out
    assert store.get_or_none(KEY) is None


def test_the_log_of_a_failed_attempt_ends_with_the_traceback(store):
    with pytest.raises(TransientError):
        invoke(event("a", "raising", {"kind": {"v": "value"}}, attempt=1), store)
    text = store.get("runs/sales/r1/a/logs/1.log").decode()
    assert text.startswith("Traceback (most recent call last):\n")
    assert text.endswith("ValueError: no\n")
    assert "stepweave/runtime/" not in text


def test_the_log_of_a_skipped_task_says_why(store):
    with pytest.raises(Skip):
        invoke(event("a", "raising", {"kind": {"v": "skip"}}), store)
    assert store.get(KEY) == b"skipped: nothing to do\n"


def test_attempts_side_by_side_do_not_mix(store):
    barrier = threading.Barrier(2)

    def run(name):
        with AttemptLog(store, f"runs/{name}", 0, echo=False):
            for _ in range(20):
                barrier.wait()
                print(name)

    threads = [threading.Thread(target=run, args=(name,)) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.get("runs/a/logs/0.log") == b"a\n" * 20
    assert store.get("runs/b/logs/0.log") == b"b\n" * 20


def test_streams_and_logging_are_put_back(store):
    before = (sys.stdout, sys.stderr, logging.getLogger().level, list(logging.getLogger().handlers))
    invoke(event("a", "talk"), store)
    assert (sys.stdout, sys.stderr, logging.getLogger().level, list(logging.getLogger().handlers)) == before


def test_a_log_line_can_be_read_while_the_task_runs(store):
    with AttemptLog(store, "runs/a", 0, echo=False):
        print("first")
        assert store.get("runs/a/logs/0.log") == b"first\n"


def test_a_resumed_run_begins_the_log_of_an_attempt_anew(store):
    for word in ("before", "after"):
        with AttemptLog(store, "runs/a", 0, echo=False):
            print(word)
    assert store.get("runs/a/logs/0.log") == b"after\n"


def test_lines_that_others_put_into_the_log_meanwhile_stay(store):
    with AttemptLog(store, "runs/a", 0, echo=False):
        store.put("runs/a/logs/0.log", b"from a child process\n")
        print("printed")
    assert store.get("runs/a/logs/0.log") == b"from a child process\nprinted\n"


class Broken(RemoteLike):
    def put(self, key, data):
        raise StoreError("unreachable")


def test_a_log_that_cannot_be_kept_does_not_fail_the_task():
    with AttemptLog(Broken(), "runs/a", 0, echo=False):
        print("lost")


def test_a_remote_store_gets_the_log_at_the_end():
    remote = RemoteLike()
    with AttemptLog(remote, "runs/a", 0, echo=False):
        print("one\ud800")
        assert remote.objects == {}
    assert remote.objects == {"runs/a/logs/0.log": b"one\\ud800\n"}


def test_a_log_that_never_ends_is_cut(store, monkeypatch):
    monkeypatch.setattr("stepweave.runtime.logs._LIMIT_BYTES", 10)
    with AttemptLog(store, "runs/a", 0, echo=False) as log:
        for _ in range(5):
            log.write("12345678\n")
    text = store.get("runs/a/logs/0.log").decode()
    assert text.count("12345678") == 2
    assert "the log is cut here" in text


def test_a_broken_log_call_does_not_fail_the_task(store):
    with no_logging_setup(), AttemptLog(store, "runs/a", 0, echo=True):
        logging.getLogger("x").warning("%d", "no number")
        print("after")
    assert "after" in store.get("runs/a/logs/0.log").decode()


def test_a_stream_still_is_what_libraries_look_for(store):
    with AttemptLog(store, "runs/a", 0, echo=False):
        assert sys.stdout.encoding
        assert sys.stdout.isatty() is False
        sys.stdout.writelines(["a", "b"])
        sys.stdout.flush()
    assert store.get("runs/a/logs/0.log") == b"ab"
