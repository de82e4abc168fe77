"""A script that any Python runs: it compiles files for the Python that runs it.

    python compiling.py LIST

``LIST`` is JSON: of each file where its source lies, the path that tracebacks show, and where its bytecode goes. A file
that this Python does not understand is left out, as when pip installs it; whoever imports it learns why.
"""

from __future__ import annotations

import json
import py_compile
import sys
from pathlib import Path


def compile_listed(path: Path) -> None:
    """Compile the files that the list at ``path`` names."""
    for source, shown, target in json.loads(path.read_text(encoding="utf-8")):
        try:
            py_compile.compile(
                source,
                cfile=target,
                dfile=shown,
                doraise=True,
                optimize=0,
                # Nobody changes the source: Python need not look at its time, which a zip does not keep.
                invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
            )
        except (py_compile.PyCompileError, ValueError, RecursionError):
            continue


if __name__ == "__main__":
    compile_listed(Path(sys.argv[1]))
