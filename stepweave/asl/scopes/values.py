"""Values of bindings as the state machine itself can compute them, from what records carry natively."""

from __future__ import annotations

from stepweave.asl.payload import RecordOf, expression_text, operand_text
from stepweave.asl.text import quoted
from stepweave.graph.model import Binding, DictOf, Expression, ListOf, Literal


def value_text(binding: Binding, record_of: RecordOf) -> str:
    """JSONata for the value of ``binding``."""
    match binding:
        case Literal(json=json):
            return f"$parse({quoted(json)})"
        case Expression():
            return f"({expression_text(binding, record_of)})"
        case ListOf(items=items):
            return f"[{', '.join(value_text(item, record_of) for item in items)}]"
        case DictOf(items=pairs):
            return object_text({key: value_text(value, record_of) for key, value in pairs})
        case _:
            return operand_text(binding, record_of)


def object_text(members: dict[str, str]) -> str:
    """JSONata for an object; a member without a value is left out, as JSONata does."""
    return "{" + ", ".join(f"{quoted(key)}: {value}" for key, value in members.items()) + "}"
