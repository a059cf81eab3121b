"""Rendering: Jinja2 with everything escaped, and numbers and times as people read them."""

import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from shared import __version__
from shared.domain.deviation import Level
from shared.domain.tsd import iso, utc

HTML = Path(__file__).resolve().parent / "html"
SECONDS_PER_HOUR = 3600
NEARLY = 0.99  # more digits of a probability are worth nothing


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(HTML), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.filters |= {"utc": utc_text, "iso": iso, "percent": percent, "per_hour": per_hour, "digits": digits}
    made.globals |= {"version": __version__, "worst": worst}
    return made


def render(file: str, values: Mapping[str, object]) -> str:
    """Return a page; raises where a template asks for what is not there."""
    return _environment().get_template(file).render(values)


def worst(ids: Iterable[str], states: Mapping[str, str]) -> str:
    """Return the worst of some sensors' levels, by word."""
    return max((Level.of(states.get(one, Level.UNDEFINED.word)) for one in ids), default=Level.UNDEFINED).word


def utc_text(moment: datetime) -> str:
    """Return a moment as people read it, in UTC."""
    return f"{utc(moment):%-d %b %Y %H:%M} UTC"


def percent(share: float) -> str:
    """Return a probability; what is nearly certain is not said to be."""
    if share > NEARLY:
        return "over 99 %"
    if share < 1 - NEARLY:
        return "under 1 %"
    return f"{100 * share:.0f} %"


def digits(value: float, significant: int = 2) -> str:
    """Return a number with so many significant digits, without an exponent."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    places = max(0, significant - 1 - math.floor(math.log10(abs(value))))
    return f"{round(value, places):.{places}f}"


def per_hour(rate_kg_s: float) -> str:
    """Return a rate per hour, in kilograms or grams."""
    rate = rate_kg_s * SECONDS_PER_HOUR
    return f"{digits(rate)} kg/h" if rate >= 1 else f"{digits(1000 * rate)} g/h"
