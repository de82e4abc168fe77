"""The page on architecture tells the whole contract between state machine and runtime, and every module."""

from __future__ import annotations

from pathlib import Path

import pytest

from stepweave.runtime.events import Event, Record, RunInfo

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("told", [Event, Record, RunInfo], ids=lambda told: str(told.__name__))
def test_every_key_of_the_contract_is_told(told: type) -> None:
    keys = told.__annotations__
    assert [key for key in keys if f"`{key}`" not in PAGE and f'"{key}"' not in PAGE] == []


def test_every_module_has_its_question() -> None:
    found = {
        path.name if path.suffix else f"{path.name}/"
        for path in (ROOT / "stepweave").iterdir()
        if (path.suffix == ".py" or (path / "__init__.py").exists()) and not path.name.startswith("__")
    }
    assert sorted(name for name in found if f"| `{name}` |" not in PAGE) == []
