"""User text inside a definition: always data, never code.

Three readers look for markers in a definition's strings: Step Functions (``{%``), CloudFormation (``${``) and Batch
(``Ref::``). JSON text and JSONata literals are written so that none of the markers can appear in them.
"""

from __future__ import annotations

import json
from typing import Any

MAX_COMMENT_CHARACTERS = 160


def json_text(value: Any) -> str:
    """``value`` as compact JSON text in which ``${`` cannot occur, to travel in a definition as a string."""
    return guard(json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=True))


def guard(text: str) -> str:
    """JSON ``text`` with its markers written as JSON escapes; it decodes to the same value."""
    return text.replace("${", "\\u0024{").replace("%}", "\\u0025}")


def quoted(text: str) -> str:
    """``text`` as a JSONata string literal (https://docs.jsonata.org/simple#string-literals)."""
    escaped = json.dumps(text, ensure_ascii=True)[1:-1].replace("'", "\\u0027")
    return "'" + guard(escaped) + "'"


def comment(text: str) -> str:
    """The first line of ``text`` for a Comment; comments are not code, but CloudFormation reads them."""
    line = text.strip().partition("\n")[0].strip()
    return line[:MAX_COMMENT_CHARACTERS].replace("${", "$ {").replace("{%", "{ %")
