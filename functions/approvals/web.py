"""`answer_web(event, ...)`: what the HTTP API answers: GET shows a question, POST decides it, once.

The address of a link is all that a browser needs to know, and nobody else knows it, so there is no cookie that another
site could make use of; an answer that a browser sends on behalf of another site is refused all the same. Programs that
look at links in mail (scanners, previews) send GET.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs

from functions.approvals import pages
from functions.approvals.deciding import Approvals
from functions.approvals.link_table import LinkTable, Target
from functions.approvals.links import Link, verified
from stepweave.errors import UsageError

_PREFIX = "/approvals/"
_MAX_BODY = 16 * 1024


def answer_web(
    event: Mapping[str, Any],
    approvals: Approvals,
    links: LinkTable,
    accepted: Callable[[], Iterable[str]],
    now: Callable[[], float] = time.time,
) -> dict[str, Any]:
    """The answer of the HTTP API; ``accepted`` gives the secrets with which links may be signed."""
    method = event["requestContext"]["http"]["method"]
    _, found, text = str(event.get("rawPath", "")).rpartition(_PREFIX)
    link = verified(text, accepted(), now()) if found else None
    known = links.target(link) if link is not None else None
    if link is None or known is None:
        return pages.unusable()
    target, is_used = known
    asked = approvals.asked(target)
    if asked is None:
        return pages.unusable()
    if method == "GET":
        return pages.unusable() if is_used else pages.question(asked, str(event.get("rawPath")))
    if method != "POST":
        return pages.unusable(405)
    if _is_foreign(event):
        return pages.refused("The answer came from another site.")
    return _decided(_form(event), link, target, asked, approvals, links)


def _decided(
    form: Mapping[str, str],
    link: Link,
    target: Target,
    asked: Mapping[str, Any],
    approvals: Approvals,
    links: LinkTable,
) -> dict[str, Any]:
    """The page after an answer was sent."""
    decision, by = form.get("decision", ""), form.get("by", "").strip()
    if decision not in ("approve", "reject") or not by:
        return pages.refused("Choose one of approve and reject, and say who you are.")
    if asked["approvers"] and by not in asked["approvers"]:
        return pages.refused("Only those who were asked may decide this.")
    approved = decision == "approve"
    why = approvals.hindrance(target.dag, target.run, approved, by)
    if why:
        return pages.refused(why)
    if not links.use(link, f"{decision} {by}"):
        return pages.unusable()
    try:
        made = approvals.decide_by_link(target, approved, by, form.get("comment", "")[:1000])
    except UsageError:
        return pages.unusable()
    return pages.decided(made["approved"])


def _is_foreign(event: Mapping[str, Any]) -> bool:
    headers = {name.lower(): value for name, value in event.get("headers", {}).items()}
    # With `Referrer-Policy: no-referrer` a browser may send the origin `null` for our own page.
    origin = headers.get("origin", "null")
    host = event["requestContext"].get("domainName") or headers.get("host", "")
    is_other = origin != "null" and origin.partition("://")[2].partition(":")[0] != host.partition(":")[0]
    return is_other or headers.get("sec-fetch-site") == "cross-site"


def _form(event: Mapping[str, Any]) -> dict[str, str]:
    body = event.get("body") or ""
    if event.get("isBase64Encoded"):
        body = base64.b64decode(body).decode("utf-8", "replace")
    parsed = parse_qs(body[:_MAX_BODY], max_num_fields=10)
    return {name: values[-1] for name, values in parsed.items()}
