"""Rendering: Jinja2 with everything escaped, and numbers and times as people read them."""

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from functions.http.assets import asset_name
from functions.pages.channel_words import FLAT_LINES
from functions.pages.moments import timed
from functions.pages.words import alarm_words, back_to_usual, unwatched
from shared import __version__
from shared.domain.deviation import Level
from shared.domain.deviation import worst as worst_level
from shared.domain.estimation_words import (
    coordinates,
    counted,
    digits,
    kilograms,
    leak_point,
    per_hour,
    per_second,
    percent,
    rate_interval,
    utc_text,
    verdict_text,
)
from shared.domain.tsd import iso

HTML = Path(__file__).resolve().parent / "html"


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(HTML), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.filters |= {
        "utc": utc_text,
        "iso": iso,
        "percent": percent,
        "per_hour": per_hour,
        "per_second": per_second,
        "digits": digits,
        "kilograms": kilograms,
    }
    made.filters |= {"digits": digits, "verdict": verdict_text, "coordinates": coordinates, "leak_point": leak_point}
    made.filters |= {"rate_interval": rate_interval, "unwatched": unwatched, "timed": timed, "counted": counted}
    made.filters |= {"back_to_usual": back_to_usual, "alarm_words": alarm_words}
    made.globals |= {"version": __version__, "worst": worst, "asset_name": asset_name, "FLAT_LINES": FLAT_LINES}
    return made


def render(file: str, values: Mapping[str, object]) -> str:
    """Return a page; raises where a template asks for what is not there."""
    return _environment().get_template(file).render(values)


def macro(name: str) -> Callable[..., Markup]:
    """Return what pages draw a part by, such as ``drawing`` or ``key``."""
    found: Callable[..., Markup] = getattr(_environment().get_template("macros.html").module, name)
    return found


def worst(ids: Iterable[str], states: Mapping[str, str]) -> str:
    """Return the worst of some sensors' levels, by word."""
    return worst_level(Level.of(states.get(one, Level.UNDEFINED.word)) for one in ids).word
