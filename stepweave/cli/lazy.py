"""`module_named`: the one place where modules are imported late.

A short run takes most of its time to import. So only the chosen command's module is imported, rich only for a
terminal, and the engine only when the first worker process is already starting beside it.
"""

from __future__ import annotations

import importlib
from typing import Any

from stepweave.cli.options import DEFAULT_STORE
from stepweave.errors import UsageError


def module_named(name: str) -> Any:
    """The module of that name, imported now."""
    return importlib.import_module(name)


def environment_command(name: str, store: str = DEFAULT_STORE) -> Any:
    """The module with the command ``name`` for deployed environments.

    ``UsageError`` where boto3 is missing, or a ``store`` was named.
    """
    if store != DEFAULT_STORE:
        raise UsageError("--store is for runs on this machine; an environment has a store of its own")
    try:
        return module_named(f"stepweave.cli.environment.{name}")
    except ModuleNotFoundError as error:
        if error.name not in ("boto3", "botocore"):
            raise
        raise UsageError(f"--env needs the package {error.name}: pip install 'stepweave[aws]'") from error
