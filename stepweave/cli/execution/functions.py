"""`Functions`: the Lambda functions of ``--function NAME=module:handler``, and where their modules are found."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from stepweave.engine.handlers import Handler, Handlers
from stepweave.errors import UsageError

OnPrint = Callable[[str, str], None]
"""Told the name of a function and what it printed."""


class Functions:
    """Functions by name, each in worker processes of its own, which ``close`` ends."""

    def __init__(self, targets: Mapping[str, str], *, inline: bool, on_print: OnPrint) -> None:
        """``targets`` by name: ``module:handler``, ``module.handler`` as on Lambda, or ``path/to/file.py:handler``.

        Modules are looked for in the current folder first. ``inline`` calls the functions in this process.
        """
        self._handlers: list[Handlers] = []
        self.functions: dict[str, Callable[[Any], Awaitable[Any]]] = {}
        places = {name: _place(name, target) for name, target in targets.items()}
        if inline:
            _find_inline(places)
        for name, (folder, handler) in places.items():
            handlers = Handlers(
                {name: Handler(handler=handler)},
                path=[folder],
                inline=inline,
                on_log=partial(_tell, on_print, name),
            )
            self._handlers.append(handlers)
            self.functions |= handlers.functions

    async def close(self) -> None:
        """End the worker processes."""
        for handlers in self._handlers:
            await handlers.close()


def _tell(on_print: OnPrint, name: str, event: Any, text: str) -> None:
    on_print(name, text)


def _place(name: str, target: str) -> tuple[str, str]:
    """The folder where the module of ``target`` is found, and ``module:function``."""
    module, separator, function = target.rpartition(":")
    if not separator and not target.endswith(".py"):
        module, separator, function = target.rpartition(".")
    if not module or not function or not separator:
        raise UsageError(
            f"--function {name}={target} names no handler; write {name}=module:handler or"
            f" {name}=path/to/file.py:handler"
        )
    if not module.endswith(".py"):
        return str(Path.cwd()), f"{module}:{function}"
    file = Path(module).resolve()
    if not file.is_file():
        raise UsageError(f"--function {name}={target}: there is no file {module!r}")
    return str(file.parent), f"{file.stem}:{function}"


def _find_inline(places: Mapping[str, tuple[str, str]]) -> None:
    """Let this process find the modules; two files of one name cannot both be imported."""
    folders: dict[str, str] = {}
    for name, (folder, handler) in places.items():
        module = handler.partition(":")[0]
        if folders.setdefault(module, folder) != folder:
            raise UsageError(
                f"--function {name}: {folders[module]} and {folder} both have a module {module!r}, and one process can"
                " import one of them only; leave --inline or --virtual-time out, or rename one"
            )
    for folder in dict.fromkeys(folders.values()):
        if folder not in sys.path:
            sys.path.insert(0, folder)
