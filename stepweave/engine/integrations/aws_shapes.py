"""Arguments and results of AWS calls, between the names of a task and botocore's.

Written against the members that botocore's shapes have, without importing botocore.
"""

from __future__ import annotations

import base64
import difflib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from stepweave.engine.payload import to_text
from stepweave.engine.templates import ArrayTemplate, ExpressionTemplate, ObjectTemplate, Template

Spelling = Callable[[str, str], str]
"""From a structure's name and its member's to the name in a task (``aws_names``)."""


class _Computed:
    """Stands for a value that an expression gives, before anything runs."""


COMPUTED: Final = _Computed()

_NUMBERS = {"integer": int, "long": int, "float": (int, float), "double": (int, float)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """An argument that the API does not take."""

    path: str
    """Where it is in Arguments, e.g. ``Entries[0].Detail``."""
    text: str
    """As Step Functions says it."""
    expected: str
    fix: str | None = None


class Arguments:
    """Reads the arguments of one call."""

    def __init__(self, spelling: Spelling, *, texts: Collection[str] = ()) -> None:
        """``texts`` are the string members that also take any data, which travels as JSON text."""
        self._spelling = spelling
        self._texts = texts
        self.mistakes: list[Mistake] = []

    def read(self, shape: Any, value: Any, path: str = "", member: str = "") -> Any:
        """``value`` as botocore takes it for ``shape``, without what is null; what is wrong joins the ``mistakes``."""
        if value is COMPUTED:
            return value
        match shape.type_name:
            case "structure" if getattr(shape, "is_document_type", False):
                return value
            case "structure":
                return self._structure(shape, value, path)
            case "list" if isinstance(value, list):
                items = [
                    self.read(shape.member, item, f"{path}[{index}]") for index, item in enumerate(value)
                ]
                return items
            case "map" if isinstance(value, Mapping):
                return {key: self.read(shape.value, item, _join(path, key)) for key, item in value.items()}
            case "string" if not isinstance(value, str):
                return self._text(value, path, member)
            case "blob":
                text = value if isinstance(value, str) and not _streams(shape) else to_text(value)
                return text.encode("utf-8", "surrogatepass")
            case kind:
                self._expect(kind, value, path)
                return value

    def _structure(self, shape: Any, value: Any, path: str) -> Any:
        if not isinstance(value, Mapping):
            self._wrong(path, "an OBJECT")
            return value
        names = {self._spelling(shape.name, name): name for name in shape.members}
        result = {}
        for key, item in value.items():
            name = names.get(key) or self._second_name(shape, key)
            where = _join(path, key)
            if name is None:
                close = difflib.get_close_matches(key, names, n=1) or [
                    n for n in names if n.lower() == key.lower()
                ]
                self.mistakes.append(
                    Mistake(
                        path=where,
                        text=f"The field '{key}' is not supported by Step Functions",
                        expected=", ".join(sorted(names)) or "no fields",
                        fix=f"write {close[0]}" if close else None,
                    )
                )
            elif item is not None:
                result[name] = self.read(shape.members[name], item, where, key)
        for name in shape.required_members:
            given = self._spelling(shape.name, name)
            if given not in value:
                text = f"The field '{given}' is required but was missing"
                self.mistakes.append(Mistake(path=_join(path, given), text=text, expected=given))
        return result

    @staticmethod
    def _second_name(shape: Any, key: str) -> str | None:
        # What the SDK for Java calls Nul is Null by the rule; which of the two AWS takes is not recorded.
        return "NULL" if key == "Null" and "NULL" in shape.members else None

    def _text(self, value: Any, path: str, member: str) -> Any:
        """Text for a string member: objects and lists travel as JSON text, other data only where it may."""
        if isinstance(value, Mapping | list) or member in self._texts:
            return to_text(value) if not _holds_computed(value) else COMPUTED
        self._wrong(path, "a STRING")
        return value

    def _expect(self, kind: str, value: Any, path: str) -> None:
        if kind in _NUMBERS:
            right = isinstance(value, _NUMBERS[kind]) and not isinstance(value, bool)  # type: ignore[arg-type]
            if not right and not (isinstance(value, float) and value.is_integer()):
                self._wrong(path, "a NUMBER")
        elif kind == "boolean" and not isinstance(value, bool):
            self._wrong(path, "a BOOLEAN")
        elif kind == "list":
            self._wrong(path, "an ARRAY")
        elif kind == "map":
            self._wrong(path, "an OBJECT")

    def _wrong(self, path: str, expected: str) -> None:
        field = path.rpartition(".")[2] or "Arguments"
        text = f"The value for the field '{field}' must be {expected}"
        self.mistakes.append(Mistake(path=path, text=text, expected=expected))


def result_of(
    shape: Any, value: Any, spelling: Spelling, dates: Callable[[float], Any], member: str = ""
) -> Any:
    """A value that botocore returned, as a task's result: its names spelled, its times as ``dates`` writes them (given
    seconds since the epoch), its bytes as text.
    """
    if hasattr(value, "read"):
        value = value.read()
    if isinstance(value, bytes | bytearray):
        return _decoded(bytes(value))
    if isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=UTC)
        return dates(moment.timestamp())
    kind = shape.type_name if shape is not None else ""
    if kind == "structure" and isinstance(value, Mapping) and not getattr(shape, "is_document_type", False):
        return {
            spelling(shape.name, name): result_of(shape.members.get(name), item, spelling, dates)
            for name, item in value.items()
            if item is not None
        }
    if kind == "map" and isinstance(value, Mapping):
        return {key: result_of(shape.value, item, spelling, dates) for key, item in value.items()}
    if kind == "list":
        return [result_of(shape.member, item, spelling, dates) for item in value]
    return value


def constants(template: Template | None) -> Any:
    """What a definition says of a value, with ``COMPUTED`` for what expressions give."""
    match template:
        case None | ExpressionTemplate():
            return COMPUTED
        case ObjectTemplate():
            varying = {key: constants(field) for key, field in template.dynamic}
            return {**template.value, **varying}
        case ArrayTemplate():
            return [constants(item) for item in template.value]
        case Template():
            return template.value


def _streams(shape: Any) -> bool:
    """Whether bytes are the body of a request (S3 putObject): a text is sent as JSON there, in quotes.

    Recorded on AWS (https://github.com/localstack/localstack, test_aws_sdk_task_service, ``test_s3_put_object``).
    """
    return bool(shape.serialization.get("streaming"))


def _holds_computed(value: Any) -> bool:
    pending = [value]
    while pending:
        item = pending.pop()
        if item is COMPUTED:
            return True
        if isinstance(item, Mapping):
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)
    return False


def _decoded(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return base64.b64encode(data).decode()


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
