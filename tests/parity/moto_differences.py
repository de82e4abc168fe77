"""How moto differs from our engine, by kind; which machines do is kept in ``data/moto.json``."""

from __future__ import annotations

import json
from pathlib import Path

from tests.parity.cases import Case, Ending, differences
from tests.parity.running_moto import in_moto, refuses
from tests.parity.running_ours import in_our_engine

FILE = Path(__file__).parent / "data" / "moto.json"


def known_differences() -> dict[str, str]:
    """The kind of difference, by the name of the machine."""
    kinds: dict[str, list[str]] = json.loads(FILE.read_text())
    return {name: kind for kind, names in kinds.items() for name in names}


def difference_from_moto(one: Case) -> str | None:
    """The kind of the first difference that ``one`` shows; None when moto agrees with our engine."""
    endings = in_our_engine(one)
    if endings[0].status == "refused":
        return None if refuses(one) else "runs what is refused"
    for ours, theirs in zip(endings, in_moto(one), strict=True):
        if found := differences(one, ours, theirs):
            return _kind(ours, theirs, found)
    return None


def _kind(ours: Ending, theirs: Ending, found: list[str]) -> str:
    match found[0]:
        case "crash":
            return "breaks"
        case "refusal":
            return "refuses a sound definition"
        case "status" | "error" if theirs.error == "States.Runtime":
            return "fails with States.Runtime"
        case "status":
            return "fails" if ours.status == "SUCCEEDED" else "does not fail"
        case "error" | "cause":
            return "fails with another error"
        case "output":
            return "gives another output"
    return f"differs in {found[0]} only"
