"""`Template`: a synthesized template, by type and property."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Template:
    """A synthesized template."""

    file: Path
    content: Mapping[str, Any]

    @classmethod
    def read(cls, file: Path) -> Template:
        """The template in a file."""
        return cls(file, json.loads(file.read_text()))

    @property
    def resources(self) -> Mapping[str, Any]:
        return self.content["Resources"]  # type: ignore[no-any-return]

    def of_type(self, kind: str) -> dict[str, Any]:
        """Properties by logical id of all resources of a type, such as ``Lambda::Function``."""
        return {
            name: one["Properties"] for name, one in self.resources.items() if one["Type"] == f"AWS::{kind}"
        }

    def only(self, kind: str) -> Any:
        """Properties of the only resource of a type."""
        (found,) = self.of_type(kind).values()
        return found

    def named(self, kind: str, key: str, value: str) -> Any:
        """Properties of the only resource of a type whose property ``key`` is ``value``."""
        (found,) = (one for one in self.of_type(kind).values() if one.get(key) == value)
        return found
