"""Signed links to an approval: ``<id>.<expiry>.<signature>``, of which nobody can make one or lengthen one's life.

The id is random and names an item of the records table that says what the link is for; the task token is in no link.
The signature is HMAC-SHA256 with a secret of the environment. A rotated secret is still accepted until it is rotated
again, so that links in people's mail do not die.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

_ID_BYTES = 18
_MAX_CHARACTERS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link, as far as its text says."""

    id: str
    expires: int
    """Seconds since the epoch."""


def new_link(expires: int) -> Link:
    """A link with a random id."""
    return Link(id=secrets.token_urlsafe(_ID_BYTES), expires=expires)


def signed(link: Link, secret: str) -> str:
    """The text of the link."""
    return f"{link.id}.{link.expires}.{_signature(link.id, link.expires, secret)}"


def verified(text: str, accepted: Iterable[str], now: float) -> Link | None:
    """The link in ``text``, if one of the ``accepted`` secrets signed it and it has not expired; else None."""
    parts = text.split(".") if len(text) <= _MAX_CHARACTERS and text.isascii() else []
    if len(parts) != 3 or not parts[1].isdecimal():
        return None
    link = Link(id=parts[0], expires=int(parts[1]))
    # All are compared, in constant time: how long it takes tells nothing.
    matches = [hmac.compare_digest(_signature(link.id, link.expires, key), parts[2]) for key in accepted]
    return link if any(matches) and now < link.expires else None


def _signature(link_id: str, expires: int, secret: str) -> str:
    digest = hmac.new(secret.encode(), f"approval.{link_id}.{expires}".encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
