"""`SignedLinks`: the links by which the questions of an environment are decided: made, and opened again."""

from __future__ import annotations

from dataclasses import dataclass

from functions.approvals.link_table import KnownLink, LinkTable, Target
from functions.approvals.links import new_link, signed, verified
from functions.shared.secrets import CURRENT, PREVIOUS, secret
from stepweave.errors import UsageError

_PATH = "/approvals/"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedLinks:
    """Links that are on record."""

    table: LinkTable
    url: str
    """Of the HTTP API."""
    secret: str
    """Name of the secret with which they are signed."""

    def make(self, target: Target, expires: int) -> str:
        """A new link to a question; ``expires``: seconds since the epoch."""
        key = secret(self.secret)
        if not key:
            raise UsageError("the secret with which links are signed is empty; give it a random text")
        link = new_link(expires)
        self.table.add(link, target)
        return f"{self.url.rstrip('/')}{_PATH}{signed(link, key)}"

    def open(self, path: str, now: float) -> KnownLink | None:
        """The link that ``path`` is of; None when it is forged or has expired."""
        _, found, text = path.rpartition(_PATH)
        keys = (secret(self.secret, CURRENT), secret(self.secret, PREVIOUS)) if found else ()
        link = verified(text, [key for key in keys if key], now)
        return self.table.find(link) if link is not None else None
