"""Somebody who answers task tokens, in a process of its own: ``python -m tests.drills.crash_answers FOLDER``.

It ends when its standard input does.
"""

from __future__ import annotations

import select
import sys
from pathlib import Path

from tests.drills.crash_functions import TOKENS

ANSWERS = "answers"


def main(folder: Path) -> None:
    """Answer every token of ``folder`` until nobody listens any more."""
    while not select.select([sys.stdin], [], [], 0.05)[0]:
        for token in (folder / TOKENS).iterdir():
            (folder / ANSWERS / token.name).touch()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
