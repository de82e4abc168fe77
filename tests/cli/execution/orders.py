"""A state machine, the files around it, and the command that executes it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from stepweave.cli.main import execute
from tests.engine.building import block, call, machine, passing

Capture = pytest.CaptureFixture[str]

CHARGE = call(
    "${Charge}",
    {"total": "{% $states.input.total %}"},
    Output="{% $states.result.Payload %}",
    Retry=[{"ErrorEquals": ["Busy"], "IntervalSeconds": 30, "MaxAttempts": 2}],
    Catch=[{"ErrorEquals": ["CardDeclined"], "Next": "Refuse"}],
)
"""Asks the function Charge, again when it is busy; a declined card leads to a refusal."""

ORDERS = machine(
    ("Validate", passing()),
    ("Charge card", {**CHARGE, "Next": "Ship"}),
    ("Refuse", {"Type": "Fail", "Error": "Refused", "Cause": "the card was declined"}),
    (
        "Ship",
        {
            "Type": "Map",
            "Items": "{% [1..3] %}",
            "ItemProcessor": block(("Pack", {"Type": "Wait", "Seconds": 60})),
            "Output": "{% $states.input %}",
            "End": True,
        },
    ),
)

HANDLERS = """
import os

class CardDeclined(Exception): ...

def charge(event, context):
    print("charging", event["total"])
    if event["total"] > 100:
        raise CardDeclined("no funds")
    return {"pid": os.getpid(), "function": context.function_name}
"""


def write_json(path: str, value: Any) -> str:
    """``path``, a file that holds ``value`` now."""
    Path(path).write_text(json.dumps(value))
    return path


def write_orders(mocks: Mapping[str, Any] | None = None) -> list[str]:
    """The arguments that execute the machine with these mocks, in virtual time."""
    write_json("orders.asl.json", ORDERS)
    if mocks is None:
        return ["orders.asl.json", "--virtual-time"]
    return ["orders.asl.json", "--virtual-time", "--mock", write_json("mocks.json", mocks)]


def write_machine(*states: tuple[str, dict[str, Any]], name: str = "main", **top: Any) -> str:
    """The file of a machine of these states."""
    return write_json(f"{name}.asl.json", machine(*states, **top))


def json_of(capfd: Capture, argv: Sequence[str], status: int = 0) -> dict[str, Any]:
    """The object that the command prints with ``--json``."""
    assert execute(["execute", *argv, "--json"]) == status
    out = capfd.readouterr().out
    assert out.count("\n") == 1
    found = json.loads(out)
    assert isinstance(found, dict)
    return found


def text_of(capfd: Capture, argv: Sequence[str], status: int = 0) -> str:
    """What the command prints on standard output."""
    assert execute(["execute", *argv]) == status
    return capfd.readouterr().out


def error_of(capfd: Capture, argv: Sequence[str]) -> str:
    """What the command says about wrong usage; it prints nothing else."""
    assert execute(["execute", *argv]) == 2
    captured = capfd.readouterr()
    assert captured.out == ""
    assert "Traceback" not in captured.err
    return captured.err
