"""Moments in sentences: each is marked as one, so that pages can tell it in the zone that a person chose."""

import re
from datetime import UTC, datetime

from markupsafe import Markup, escape

from shared.domain.estimation_words import utc_text
from shared.domain.tsd import iso

_WORDS, _ISO = "%d %b %Y %H:%M UTC", "%Y-%m-%dT%H:%M:%SZ"
_MOMENT = re.compile(
    r"\b(\d{1,2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2} UTC|\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z)\b", re.ASCII
)


def timed(text: str) -> Markup:
    """Return the text escaped, with the moments in it as HTML's own; what only looks like one stays text."""
    parts = _MOMENT.split(text)  # every second one is a moment
    return Markup("").join(_time(part) if k % 2 else escape(part) for k, part in enumerate(parts))


def _time(text: str) -> Markup:
    try:
        moment = datetime.strptime(text, _WORDS if text.endswith("UTC") else _ISO).replace(tzinfo=UTC)
    except ValueError:
        return escape(text)
    return Markup('<time datetime="{}">{}</time>').format(iso(moment), utc_text(moment))
