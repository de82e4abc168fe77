"""What an HTTP Task sends and what it makes of the answer.

AWS: https://docs.aws.amazon.com/step-functions/latest/dg/call-https-apis.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

from stepweave.engine.failures import RUNTIME, StateError
from stepweave.engine.payload import to_text
from stepweave.engine.place import REGION

METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD")

RESPONSE_BYTES = 262_144
"""What is asked for at most, same page."""

_FORBIDDEN = frozenset(
    {
        *(
            "a-im",
            "authorization",
            "cache-control",
            "connection",
            "date",
            "expect",
            "forwarded",
            "from",
            "host",
        ),
        *("accept-charset", "accept-datetime", "accept-encoding", "content-encoding", "content-md5"),
        *(
            "if-match",
            "if-modified-since",
            "if-none-match",
            "if-range",
            "if-unmodified-since",
            "max-forwards",
        ),
        *("http2-settings", "origin", "pragma", "proxy-authorization", "referer", "server", "te", "trailer"),
        *("transfer-encoding", "upgrade", "via", "warning"),
    }
)
_FORBIDDEN_STARTS = ("x-forwarded-", "x-amz-", "x-amzn-")
_BINARY = ("application/octet-stream", "image/", "video/", "audio/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An HTTP request."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None


def forbidden_headers(headers: Iterable[str]) -> list[str]:
    """The headers that an HTTP Task may not set."""
    return [
        name for name in headers if name.lower() in _FORBIDDEN or name.lower().startswith(_FORBIDDEN_STARTS)
    ]


def request_of(arguments: Mapping[str, Any]) -> Request:
    """The request that the arguments ask for; raises ``States.Runtime`` for what no HTTP Task may ask."""
    method = str(arguments.get("Method", "")).upper()
    if method not in METHODS:
        raise StateError(
            RUNTIME, f"Method must be one of {', '.join(METHODS)}, got {arguments.get('Method')!r}"
        )
    given = arguments.get("Headers") or {}
    if not isinstance(given, Mapping):
        raise StateError(RUNTIME, "Headers must be an object")
    if forbidden := forbidden_headers(given):
        raise StateError(RUNTIME, f"The headers {', '.join(forbidden)} cannot be set in an HTTP Task")
    headers = {str(name): _header(value) for name, value in given.items()}
    transform = arguments.get("Transform") or {}
    if not isinstance(transform, Mapping):
        raise StateError(RUNTIME, "Transform must be an object")
    body = _body(arguments.get("RequestBody"), transform)
    if body is not None and not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = "application/json; charset=UTF-8"
    headers["User-Agent"] = f"Amazon|StepFunctions|HttpInvoke|{REGION}"
    headers["Range"] = f"bytes=0-{RESPONSE_BYTES}"
    url = _with_query(str(arguments.get("ApiEndpoint", "")), arguments.get("QueryParameters"))
    return Request(method=method, url=url, headers=headers, body=body)


def result_of(status: int, reason: str, headers: Iterable[tuple[str, str]], body: bytes) -> dict[str, Any]:
    """The task's result; raises ``States.Http.StatusCode.…`` when the status is no success, ``States.Runtime`` for a
    body that is no text.
    """
    fields: dict[str, list[str]] = {}
    for name, value in headers:
        fields.setdefault(name, []).append(value)
    kind = next((values[0].lower() for name, values in fields.items() if name.lower() == "content-type"), "")
    if kind.startswith(_BINARY):
        raise StateError(RUNTIME, f"The response has the unsupported content type {kind}")
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise StateError(RUNTIME, "The response cannot be read as text") from error
    if not 200 <= status < 300:
        raise StateError(f"States.Http.StatusCode.{status}", text)
    return {"Headers": fields, "ResponseBody": _parsed(text), "StatusCode": status, "StatusText": reason}


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _header(value: Any) -> str:
    return ", ".join(map(_text, value)) if isinstance(value, list) else _text(value)


def _with_query(url: str, parameters: Any) -> str:
    """``url`` with the query parameters: an object, a list of ``name=value``, or such a text."""
    if not parameters:
        return url
    if isinstance(parameters, Mapping):
        pairs = [
            (name, _text(item))
            for name, value in parameters.items()
            for item in (value if isinstance(value, list) else [value])
        ]
        more = urlencode(pairs, quote_via=quote)
    else:
        more = "&".join(map(_text, parameters)) if isinstance(parameters, list) else str(parameters)
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query="&".join(filter(None, (parts.query, more)))))


def _body(value: Any, transform: Mapping[str, Any]) -> bytes | None:
    if value is None:
        return None
    if transform.get("RequestBodyEncoding") == "URL_ENCODED" and isinstance(value, Mapping):
        options = transform.get("RequestEncodingOptions")
        form = options.get("ArrayFormat", "INDICES") if isinstance(options, Mapping) else "INDICES"
        return "&".join(_encoded(value, str(form))).encode()
    return (value if isinstance(value, str) else to_text(value)).encode()


def _encoded(value: Mapping[str, Any], form: str) -> Iterator[str]:
    """The form fields of an object; nested names are written in brackets.

    >>> list(_encoded({"a": ["x", "y"], "b": {"c": 1}}, "INDICES"))
    ['a%5B0%5D=x', 'a%5B1%5D=y', 'b%5Bc%5D=1']
    """
    pending = [(str(name), item) for name, item in value.items()][::-1]
    while pending:
        name, item = pending.pop()
        if isinstance(item, Mapping):
            pending += [(f"{name}[{key}]", inner) for key, inner in item.items()][::-1]
        elif isinstance(item, list) and form == "COMMAS":
            yield f"{_quoted(name)}={','.join(_quoted(_text(inner)) for inner in item)}"
        elif isinstance(item, list):
            ends = {"REPEAT": "", "BRACKETS": "[]"}
            pending += [(name + ends.get(form, f"[{index}]"), inner) for index, inner in enumerate(item)][
                ::-1
            ]
        else:
            yield f"{_quoted(name)}={_quoted(_text(item))}"


def _quoted(text: str) -> str:
    return quote(text, safe="")


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else to_text(value)
