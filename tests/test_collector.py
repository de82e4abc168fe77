"""The garbage collector is off where it would only look at what lives, and as it was afterwards."""

import gc

import pytest

from stepweave import collector


class Node:
    """Something the collector tracks."""


def test_nothing_is_collected_while_paused_and_the_collector_runs_again_afterwards() -> None:
    with collector.paused():
        assert not gc.isenabled()
    assert gc.isenabled()


def test_a_collector_that_is_off_stays_off() -> None:
    gc.disable()
    try:
        with collector.paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_an_error_ends_the_pause() -> None:
    with pytest.raises(ValueError, match="inside"), collector.paused():
        raise ValueError("inside")
    assert gc.isenabled()


def test_what_was_made_in_a_pause_is_old_afterwards() -> None:
    with collector.paused():
        made = Node()
    assert not any(each is made for each in gc.get_objects(generation=0))
    assert any(each is made for each in gc.get_objects(generation=2))


def test_what_exists_is_spared_until_the_end() -> None:
    before = Node()
    with collector.sparing_what_exists():
        assert not any(each is before for each in gc.get_objects())
    assert any(each is before for each in gc.get_objects())


def test_what_somebody_else_froze_stays_frozen() -> None:
    gc.freeze()
    try:
        with collector.sparing_what_exists():
            pass
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
