"""User text in a definition is data: no marker of Step Functions, CloudFormation or Batch survives."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from stepweave.asl import text
from tests.engine.building import machine, passing, result_of

HOSTILE = st.text() | st.sampled_from(
    ["{% $x %}", "${AWS::AccountId}", "it's", 'say "x"', "\\", "%}", "a\\'b", "${!x}"]
)


@given(HOSTILE)
def test_json_text_decodes_to_the_same_value_without_markers(value: str) -> None:
    encoded = text.json_text({"k": value})
    assert json.loads(encoded) == {"k": value}
    assert "${" not in encoded
    assert "%}" not in encoded


@given(HOSTILE.filter(lambda value: "\x00" not in value))
def test_a_quoted_literal_is_the_text_itself_for_jsonata(value: str) -> None:
    quoted = text.quoted(value)
    assert result_of(machine(("a", passing(Output=f"{{% {quoted} %}}")))) == value
    assert "${" not in quoted


@given(HOSTILE)
def test_comments_are_short_lines_without_substitutions(value: str) -> None:
    comment = text.comment(value)
    assert "${" not in comment
    assert "\n" not in comment
    assert len(comment) <= text.MAX_COMMENT_CHARACTERS + 40
