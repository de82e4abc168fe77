"""Every private name of ministack that the layer takes hold of is there, and what is not is said clearly."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from stepweave.local_aws.home import Home, Running
from stepweave.local_aws.layer.seams import Seam, faults

pytestmark = pytest.mark.aws

LISTED = """
import json
from stepweave.local_aws.layer.parts import PARTS
from stepweave.local_aws.layer.seams import faults
print(json.dumps({part.name: [len(part.seams), faults(part.seams)] for part in PARTS}))
"""


def test_every_part_finds_its_seams(local_aws: Running, local_aws_home: Home) -> None:
    environment = {**os.environ, "PYTHONPATH": str(local_aws_home.code)}
    done = subprocess.run(
        [local_aws_home.python, "-c", LISTED], env=environment, capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    assert {name: wrong for name, (_, wrong) in found.items() if wrong} == {}
    assert {name for name, (number, _) in found.items() if number} >= {
        "lambda",
        "batch",
        "cloudformation",
        "logs",
    }


@pytest.mark.parametrize(
    "seam, expected",
    [
        (Seam("no_such_module", "name"), "no_such_module.name: No module named 'no_such_module'"),
        (Seam("json", "gone"), "json.gone: module 'json' has no attribute 'gone'"),
        (Seam("bisect", "insort", ("a",)), "bisect.insort takes ('a', 'x', 'lo', 'hi', 'key'), not ('a',)"),
    ],
)
def test_a_seam_that_changed_is_a_sentence(seam: Seam, expected: str) -> None:
    assert faults([seam]) == (expected,)


def test_a_seam_that_is_as_expected_is_none() -> None:
    assert faults([Seam("json", "JSONDecodeError"), Seam("textwrap", "dedent", ("text",))]) == ()
