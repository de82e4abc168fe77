"""Did you mean ...? The nearest known name for one that is unknown."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Advice that names what was probably meant, else every known name: ``"did you mean 'seed'?"``."""
    import difflib  # only when there is a mistake: every process that imports a DAG would pay for it

    names = {candidate.lower(): candidate for candidate in sorted(known)}
    near = difflib.get_close_matches(name.lower(), names, n=2, cutoff=0.6)
    if near:
        return f"did you mean {' or '.join(repr(names[one]) for one in near)}?"
    return f"use one of: {', '.join(names.values())}" if names else "there is none to choose from"
