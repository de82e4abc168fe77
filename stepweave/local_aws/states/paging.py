"""Pages of a list that may grow meanwhile, and the tokens that name the next one.

A token holds where the next page begins, in what list and in what order, so the server remembers nothing.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from stepweave.local_aws.states.failing import ApiError

T = TypeVar("T")

LARGEST_PAGE = 1000
"""Most items of a page: https://docs.aws.amazon.com/step-functions/latest/apireference/API_ListExecutions.html."""


def page(
    request: Mapping[str, Any], items: Sequence[T], *, of: str, default: int, length: int | None = None
) -> tuple[Sequence[T], str | None]:
    """The items that ``request`` asks for, and the token of the next page if there is one.

    ``of`` tells one list from another; ``length`` is how many items there were when the first page was asked for.
    Raises ``ApiError`` for a token of something else.
    """
    start = 0
    if (token := request.get("nextToken")) is not None:
        start = _read(token, of)[0]
    size = _size(request.get("maxResults"), default)
    until = len(items) if length is None else length
    found = items[start : min(start + size, until)]
    follows = start + size < until
    return found, _written(start + size, of, until) if follows else None


def page_after(
    request: Mapping[str, Any],
    items: Sequence[T],
    *,
    of: str,
    default: int,
    key: Callable[[T], tuple[float, str]],
) -> tuple[Sequence[T], str | None]:
    """As :func:`page`, of items that come by their ``key``, the largest first: new ones move no page."""
    if (token := request.get("nextToken")) is not None:
        at, what = _read_key(token, of)
        items = [item for item in items if key(item) < (at, what)]
    size = _size(request.get("maxResults"), default)
    found = items[:size]
    return found, _encoded([*key(found[-1]), of]) if len(items) > size else None


def known_length(request: Mapping[str, Any], of: str) -> int | None:
    """How long the list was when its first page was asked for; None when this is the first page."""
    token = request.get("nextToken")
    return None if token is None else _read(token, of)[1]


def _size(wanted: Any, default: int) -> int:
    if wanted is None or wanted == 0:
        return default
    if not isinstance(wanted, int) or isinstance(wanted, bool) or not 0 < wanted <= LARGEST_PAGE:
        raise ApiError("ValidationException", f"maxResults must be between 0 and {LARGEST_PAGE}")
    return wanted


def _written(start: int, of: str, length: int) -> str:
    return _encoded([start, length, of])


def _read(token: Any, of: str) -> tuple[int, int]:
    start, length = _decoded(token, of)
    if not (isinstance(start, int) and isinstance(length, int) and start >= 0 and length >= 0):
        raise _invalid()
    return start, length


def _read_key(token: Any, of: str) -> tuple[float, str]:
    at, what = _decoded(token, of)
    if not (isinstance(at, int | float) and isinstance(what, str)):
        raise _invalid()
    return at, what


def _encoded(token: list[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(token).encode()).decode()


def _decoded(token: Any, of: str) -> tuple[Any, Any]:
    """The two values of a token of this list."""
    try:
        first, second, what = json.loads(base64.urlsafe_b64decode(str(token).encode()))
    except (ValueError, TypeError) as error:
        raise _invalid() from error
    if what != of:
        raise _invalid()
    return first, second


def _invalid() -> ApiError:
    return ApiError("InvalidToken", "Invalid Token: 'Invalid token'")
