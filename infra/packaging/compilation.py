"""`compiled(interpreter, sources, cache)`: the bytecode of files, made once for each content and kept.

Python cannot write in a function's folder: what is not compiled in its package is compiled at every cold start. Files
are kept by path and content, since most sets of dependencies share most of theirs.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from infra.packaging import compiling
from infra.packaging.archive import share_file
from infra.packaging.dependencies import MOST_SETS, Dependencies
from infra.packaging.interpreters import Interpreter
from infra.packaging.kept import SPARED_SECONDS, forget, make
from stepweave.errors import UsageError

FORMAT = "1"
"""Raised when the same sources are to give other bytecode."""

MOST_FILES = 60_000
"""Compiled files that are kept: some 1 GB."""

_AT = "/var/task"
"""Where a function's code lies, for tracebacks: Python corrects it where code lies elsewhere."""
_SHARE = 100
"""Files that are worth a process."""


def cached_name(inside: str, tag: str) -> str:
    """The path of a module's bytecode in a bundle.

    >>> cached_name("shop/rates.py", "cpython-313")
    'shop/__pycache__/rates.cpython-313.pyc'
    """
    path = PurePosixPath(inside)
    return str(path.parent / "__pycache__" / f"{path.stem}.{tag}.pyc")


def compiled(interpreter: Interpreter, sources: Mapping[str, bytes], cache: Path) -> dict[str, Path]:
    """The file with the bytecode of each source, by the path that it has in a bundle.

    Sources, by path, that this Python does not understand are left out.
    """
    store = cache / "bytecode" / interpreter.tag
    places = {inside: store / _key(inside, content) for inside, content in sources.items()}
    missing = [inside for inside, place in places.items() if not _is_kept(place)]
    if missing:
        store.mkdir(parents=True, exist_ok=True)
        _compile(interpreter, {inside: sources[inside] for inside in missing}, places, store)
        forget(store, MOST_FILES, time.time() - SPARED_SECONDS)
    return {
        cached_name(inside, interpreter.tag): place
        for inside, place in sorted(places.items())
        if place.is_file()
    }


def compiled_set(interpreter: Interpreter, unpacked: Dependencies, cache: Path) -> dict[str, Path]:
    """A folder for each distribution of a set, with the bytecode of its modules at their places in a bundle."""

    def build(new: Path) -> None:
        for name, modules in unpacked.modules.items():
            sources = {inside: (unpacked.folder / inside).read_bytes() for inside in modules}
            for inside, file in compiled(interpreter, sources, cache).items():
                target = new / name / inside
                target.parent.mkdir(parents=True, exist_ok=True)
                share_file(file, target)

    key = f"{unpacked.key}-{interpreter.tag}-{FORMAT}"
    folder = make(cache / "compiled" / key, build, most=MOST_SETS)
    return {path.name: path for path in sorted(folder.iterdir())}


@functools.lru_cache(maxsize=8192)
def _key(inside: str, content: bytes) -> str:
    return hashlib.sha256(f"{FORMAT}\0{inside}\0".encode() + content).hexdigest() + ".pyc"


def _is_kept(place: Path) -> bool:
    try:
        os.utime(place)  # when it was used last
    except FileNotFoundError:
        return False
    return True


def _compile(
    interpreter: Interpreter, sources: Mapping[str, bytes], places: Mapping[str, Path], store: Path
) -> None:
    """Put the bytecode of ``sources`` at their ``places``."""
    with tempfile.TemporaryDirectory(dir=store.parent) as text:
        folder = Path(text)
        listed = []
        for number, (inside, content) in enumerate(sorted(sources.items())):
            source, target = folder / f"{number}.py", folder / f"{number}.pyc"
            source.write_bytes(content)
            listed.append((str(source), f"{_AT}/{inside}", str(target)))
        _run(interpreter, listed, folder)
        for (_, _, made), inside in zip(listed, sorted(sources), strict=True):
            if os.path.isfile(made):
                os.replace(made, places[inside])


def _run(interpreter: Interpreter, listed: Sequence[tuple[str, str, str]], folder: Path) -> None:
    """Compile ``listed``, by several processes where there is much."""
    count = max(1, min(os.cpu_count() or 1, len(listed) // _SHARE))
    running = [
        _started(interpreter, listed[number::count], folder / f"{number}.json") for number in range(count)
    ]
    for process in running:
        _, said = process.communicate()
        if process.returncode:
            raise UsageError(f"compiling with {interpreter.executable} failed:\n{said.strip()}")


def _started(
    interpreter: Interpreter, share: Iterable[tuple[str, str, str]], path: Path
) -> subprocess.Popen[str]:
    path.write_text(json.dumps(list(share)), encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment["PYTHONHASHSEED"] = "0"  # sets among the constants: in one order
    # Neither the folder of the script, whose modules have names of Python's own, nor installed packages are seen.
    command = [interpreter.executable, "-P", "-s", "-S", "-B", "-W", "ignore", compiling.__file__, str(path)]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
