"""Names of runs."""

from datetime import datetime

import pytest

from stepweave.errors import UsageError
from stepweave.runtime.run_ids import check_run_id, new_run_id

NOW = datetime(2026, 1, 2, 3, 4, 5)


def test_a_run_id_tells_the_dag_and_the_time() -> None:
    assert new_run_id("sales", NOW, "0a1b") == "sales-20260102T030405-0a1b"


def test_a_run_id_of_a_long_dag_id_is_still_an_execution_name() -> None:
    run_id = new_run_id("d" * 100, NOW)
    assert len(run_id) == 80
    assert check_run_id(run_id) == run_id


def test_run_ids_of_the_same_second_differ() -> None:
    assert len({new_run_id("d", NOW) for _ in range(50)}) > 45


@pytest.mark.parametrize("bad", ["", "../x", "a/b", "a b", "-a", "a" * 81, "a\n", "ä"])
def test_a_run_id_that_is_no_execution_name_is_refused(bad: str) -> None:
    with pytest.raises(UsageError, match="cannot name an execution"):
        check_run_id(bad)
