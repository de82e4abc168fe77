import signal
import threading
import time

import pytest

from stepweave.errors import TransientError
from stepweave.runtime.deadline import OutOfTime, ending_before


def test_a_block_that_takes_too_long_is_ended_with_advice():
    with pytest.raises(TransientError, match='or compute="batch"'), ending_before(0.05):
        time.sleep(30)


def test_a_wait_for_a_lock_is_ended_as_well():
    with pytest.raises(OutOfTime), ending_before(0.05):
        threading.Event().wait(30)


def test_a_block_that_ends_in_time_is_left_alone():
    with ending_before(60):
        value = 1
    assert value == 1
    assert signal.getsignal(signal.SIGALRM) is not None


def test_the_timer_and_the_handler_of_others_go_on_afterwards():
    rung = []
    before = signal.signal(signal.SIGALRM, lambda *_: rung.append("other"))
    kept = signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        with pytest.raises(OutOfTime), ending_before(0.01):
            time.sleep(30)
        assert rung == []
        deadline = time.monotonic() + 30
        while not rung and time.monotonic() < deadline:
            time.sleep(0.01)
    finally:
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, *kept)
    assert rung == ["other"]


def test_other_threads_and_no_time_at_all_are_not_interrupted():
    seen = []

    def work():
        with ending_before(0.001):
            time.sleep(0.05)
            seen.append("done")

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    with ending_before(0):
        seen.append("at once")
    assert seen == ["done", "at once"]
