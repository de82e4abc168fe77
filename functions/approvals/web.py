"""`answer_web(event, ...)`: what the HTTP API answers: GET shows a question, POST decides it, once.

The address of a link is all that a browser needs to know, and nobody else knows it, so there is no cookie that another
site could make use of; an answer that a browser sends on behalf of another site is refused all the same. Programs that
look at links in mail (scanners, previews) send GET.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from functions.approvals import pages
from functions.approvals.deciding import Answer, Decisions
from functions.approvals.link_table import KnownLink
from functions.approvals.signed_links import SignedLinks
from stepweave.errors import UsageError

_MAX_BODY = 16 * 1024


def answer_web(event: Mapping[str, Any], decisions: Decisions, links: SignedLinks) -> dict[str, Any]:
    """The answer of the HTTP API."""
    path = str(event.get("rawPath", ""))
    known = links.open(path, time.time())
    asked = decisions.asked(known.target) if known is not None else None
    if known is None or asked is None:
        return pages.unusable()
    match event["requestContext"]["http"]["method"]:
        case "GET":
            return pages.unusable() if known.is_used else pages.question(asked, path)
        case "POST":
            said = _answer(event, asked)
            return pages.refused(said) if isinstance(said, str) else _decided(said, known, decisions, links)
        case _:
            return pages.unusable(405)


def _decided(said: Answer, known: KnownLink, decisions: Decisions, links: SignedLinks) -> dict[str, Any]:
    """The page after an answer was sent."""
    target = known.target
    if why := decisions.hindrance(target.dag, target.run, said):
        return pages.refused(why)
    if not links.table.use(known.link, f"{'approve' if said.approved else 'reject'} {said.by}"):
        return pages.unusable()
    try:
        made = decisions.decide(target.dag, target.run, target.task, target.index, said)
    except UsageError:
        return pages.unusable()
    return pages.decided(made["approved"])


def _answer(event: Mapping[str, Any], asked: Mapping[str, Any]) -> Answer | str:
    """What somebody says to the question, or why it is no answer."""
    if _is_foreign(event):
        return "The answer came from another site."
    form = _form(event)
    decision, by = form.get("decision", ""), form.get("by", "").strip()
    if decision not in ("approve", "reject") or not by:
        return "Choose one of approve and reject, and say who you are."
    if asked["approvers"] and by not in asked["approvers"]:
        return "Only those who were asked may decide this."
    return Answer(approved=decision == "approve", by=by, comment=form.get("comment", "")[:1000])


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
