"""What a ``degrade`` ladder may end on."""

from __future__ import annotations

from typing import Any

from stepweave.runtime.context import get_current_context


def last_good(**_: Any) -> Any:
    """What the task returned when it last succeeded, in any run: ``@task(degrade=[small_model, last_good])``.

    Raises ``DataError`` when it never did.
    """
    return get_current_context().last_success()
