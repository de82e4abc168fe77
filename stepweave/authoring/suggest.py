"""Did you mean ...? The nearest known name for one that is unknown."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Advice that names what was probably meant, else every known name: ``"did you mean 'retries'?"``."""
    import difflib  # only when there is a mistake: every process that imports a DAG would pay for it

    names = sorted(known)
    near = difflib.get_close_matches(
        name.lower(), [candidate.lower() for candidate in names], n=1, cutoff=0.6
    )
    if near:
        return f"did you mean {next(candidate for candidate in names if candidate.lower() == near[0])!r}?"
    return f"use one of: {', '.join(names)}" if names else "there is none to choose from"
