"""What Slack and PagerDuty take for an alert."""

from __future__ import annotations

from typing import Any

from functions.notifier.messages import Alert

_MAX_HEADER = 150
"""Characters of a header: https://docs.slack.dev/reference/block-kit/blocks/header-block"""
_MAX_TEXT = 2900
"""Characters of a section, of which 3,000 are allowed: https://docs.slack.dev/reference/block-kit/blocks/section-block"""
_MAX_FIELDS = 10
_MAX_SUMMARY = 1024
"""Characters of a summary: https://developer.pagerduty.com/docs/events-api-v2/trigger-events/"""
_MAX_KEY = 255


def slack(alert: Alert) -> dict[str, Any]:
    """The body of a message to an incoming webhook."""
    mark = "✅" if alert.is_over else "🔴"
    blocks: list[dict[str, Any]] = [
        {
            "type": "header",
            "text": {"type": "plain_text", "text": f"{mark} {alert.title}"[:_MAX_HEADER], "emoji": True},
        }
    ]
    if alert.text:
        blocks.append(_section(f"```{_escaped(alert.text)[:_MAX_TEXT]}```"))
    fields = [f"*{name}*\n{_escaped(value)[:1900]}" for name, value in alert.facts.items() if value]
    if fields:
        shown = [{"type": "mrkdwn", "text": text} for text in fields[:_MAX_FIELDS]]
        blocks.append({"type": "section", "fields": shown})
    links = [f"<{link}|{name}>" for name, link in alert.links.items() if link.startswith("https://")]
    if links:
        blocks.append(_section("  •  ".join(links)))
    return {"text": f"{mark} {_escaped(alert.title)}", "blocks": blocks}


def pager_duty(alert: Alert, routing_key: str, environment: str) -> dict[str, Any]:
    """The body of an event for the Events API v2."""
    event: dict[str, Any] = {
        "routing_key": routing_key,
        "event_action": "resolve" if alert.is_over else "trigger",
        "dedup_key": f"{environment}/{alert.key}"[:_MAX_KEY],
    }
    if alert.is_over:
        return event
    return {
        **event,
        "payload": {
            "summary": alert.title[:_MAX_SUMMARY],
            "source": f"{alert.source} {environment}",
            "severity": "critical",
            "component": environment,
            "custom_details": {**alert.facts, "text": alert.text},
        },
        "links": [{"href": link, "text": name} for name, link in alert.links.items()],
    }


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def _escaped(text: str) -> str:
    # https://docs.slack.dev/messaging/formatting-message-text: only these three are special.
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
