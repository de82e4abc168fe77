"""What the author probably meant."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Iterable

_MOST = 2_000
"""Names that are compared; more would make a definition with many mistakes slow to check."""


def closest(word: object, names: Iterable[str]) -> str | None:
    """The name most like ``word``, or None when none is. ``closest("Comnent", ["Comment"])`` gives ``"Comment"``."""
    candidates = list(itertools.islice(names, _MOST))
    found = difflib.get_close_matches(str(word), candidates, n=1, cutoff=0.8)
    return found[0] if found else None
