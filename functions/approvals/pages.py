"""The pages of the approvals' web interface, as answers of an HTTP API. Everything that is not ours is escaped."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:42rem;margin:3rem auto;padding:0 1rem;color:#1b1f24}"
    "pre{white-space:pre-wrap;background:#f4f5f7;padding:1rem;border-radius:6px}"
    "dt{color:#57606a}dd{margin:0 0 .5rem}label{display:block;margin:.75rem 0}"
    "input,select,textarea{font:inherit;width:100%;box-sizing:border-box;padding:.4rem}"
    "button{font:inherit;padding:.5rem 1.5rem;margin:1rem .5rem 0 0}"
)
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()

HEADERS: Mapping[str, str] = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; frame-ancestors 'none'; "
        "base-uri 'none'"
    ),
    # The address of the page is a secret: no other site may learn it.
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=63072000",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "X-Robots-Tag": "noindex",
}


def question(asked: Mapping[str, Any], address: str) -> dict[str, Any]:
    """The page that shows what is asked; nothing is decided by looking at it."""
    run = asked["run"]
    facts = {"DAG": run["dag"], "Run": run["id"], "Task": asked["task"], "Asked": asked["requested_at"]}
    if run.get("index"):
        facts["Item"] = run["index"]
    body = (
        f"<h1>{escape(str(asked['task']))}</h1><pre>{escape(asked['message'])}</pre>"
        f"<dl>{''.join(f'<dt>{escape(k)}</dt><dd>{escape(str(v))}</dd>' for k, v in facts.items())}</dl>"
        f'<form method="post" action="{escape(address)}">'
        f"<label>Your name {_who(asked['approvers'])}</label>"
        '<label>Comment <textarea name="comment" maxlength="1000" rows="3"></textarea></label>'
        '<button name="decision" value="approve">Approve</button>'
        '<button name="decision" value="reject">Reject</button></form>'
    )
    return page(200, "Approval", body)


def decided(approved: bool) -> dict[str, Any]:
    """The page after a decision."""
    said = "approved" if approved else "rejected"
    return page(200, said.capitalize(), f"<h1>{said.capitalize()}</h1><p>The run goes on accordingly.</p>")


def unusable(status: int = 410) -> dict[str, Any]:
    """The page for links that are forged, expired or used, and questions that are decided: always the same."""
    return page(
        status,
        "Not available",
        "<h1>This link cannot be used</h1><p>It has expired, was used, or the question was decided otherwise. "
        "See <code>stepweave show</code> for how things stand.</p>",
    )


def refused(why: str) -> dict[str, Any]:
    """The page for an answer that cannot be taken as it is; the link can still be used."""
    return page(400, "Not accepted", f"<h1>Not accepted</h1><p>{escape(why)}</p>")


def page(status: int, title: str, body: str) -> dict[str, Any]:
    """An answer of the HTTP API (payload format 2.0)."""
    html = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>{body}</body></html>'
    )
    return {"statusCode": status, "headers": dict(HEADERS), "body": html}


def _who(approvers: Sequence[str]) -> str:
    if not approvers:
        return '<input name="by" required maxlength="200" autocomplete="name">'
    options = "".join(f"<option>{escape(name)}</option>" for name in approvers)
    return f'<select name="by" required>{options}</select>'
