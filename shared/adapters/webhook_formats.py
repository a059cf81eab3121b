"""What is sent of a notice: our own JSON, a card of Microsoft Teams, or an event of PagerDuty."""

from collections.abc import Mapping
from typing import Any

from shared.domain.alarm import Priority
from shared.domain.estimation_words import coordinates, percent, rate_interval, utc_text, verdict_text
from shared.domain.notice import Notice, NoticeKind

PRODUCT = "Subsea leak detection"
LONGEST_SUMMARY = 1024  # characters that PagerDuty takes

_ACTIONS: Mapping[NoticeKind, str] = {
    "raised": "trigger",
    "escalated": "trigger",
    "acknowledged": "acknowledge",
    "returned": "resolve",
    "withdrawn": "resolve",
}
_SEVERITIES: Mapping[Priority, str] = {Priority.HIGH: "critical", Priority.MEDIUM: "warning", Priority.LOW: "info"}
_COLORS: Mapping[Priority, str] = {Priority.HIGH: "Attention", Priority.MEDIUM: "Warning", Priority.LOW: "Default"}


def plain(notice: Notice) -> dict[str, Any]:
    """Return the notice as it is, in camelCase (docs/notification.md)."""
    return notice.model_dump(mode="json", by_alias=True)


def teams(notice: Notice) -> dict[str, Any]:
    """Return an Adaptive Card in the envelope that a Workflows webhook of Teams takes."""
    links = [{"type": "Action.OpenUrl", "title": "Open the incident", "url": notice.link}] if notice.link else []
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [
            {
                "type": "TextBlock",
                "text": summary(notice),
                "weight": "Bolder",
                "size": "Medium",
                "wrap": True,
                "color": _COLORS[notice.priority] if _ACTIONS[notice.kind] == "trigger" else "Default",
            },
            {"type": "TextBlock", "text": notice.message, "wrap": True},
            {"type": "FactSet", "facts": [{"title": name, "value": value} for name, value in _facts(notice).items()]},
            {"type": "TextBlock", "text": notice.response, "wrap": True},
        ],
        "actions": links,
    }
    content_type = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": content_type, "contentUrl": None, "content": card}]}


def pagerduty(notice: Notice, routing_key: str) -> dict[str, Any]:
    """Return an event of PagerDuty's Events API v2; all of an incident have one ``dedup_key``."""
    payload = {
        "summary": f"{summary(notice)}: {notice.message}"[:LONGEST_SUMMARY],
        "source": notice.template,
        "severity": _SEVERITIES[notice.priority],
        "timestamp": notice.said.isoformat(),
        "component": notice.template,
        "group": notice.platform,
        "class": "methane",
        "custom_details": plain(notice),
    }
    return {
        "routing_key": routing_key,
        "event_action": _ACTIONS[notice.kind],
        "dedup_key": notice.incident,
        "client": PRODUCT,
        "payload": payload,
        **({"client_url": notice.link, "links": [{"href": notice.link, "text": "Incident"}]} if notice.link else {}),
    }


def summary(notice: Notice) -> str:
    """Return ``Alarm raised: Troll A, priority high``."""
    return f"Alarm {notice.kind}: {notice.platform_name} {notice.template_name}, priority {notice.priority.value}"


def _facts(notice: Notice) -> dict[str, str]:
    facts = {"Since": utc_text(notice.onset), "Told": utc_text(notice.said), "State": notice.state.value}
    if notice.verdict is not None and notice.probability is not None:
        facts["Cause"] = f"{verdict_text(notice.verdict)}, probability of a leak here {percent(notice.probability)}"
    if notice.dissolved_rate_kg_s is not None:
        facts["Dissolved rate"] = rate_interval(notice.dissolved_rate_kg_s)
    if notice.place is not None:
        facts["Place"] = coordinates(notice.place, None)
    return {**facts, "Incident": notice.incident}
