"""Rendering: Jinja2 with everything escaped, and numbers and times as people read them."""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from functions.http.assets import asset_name
from functions.pages.words import unwatched
from shared import __version__
from shared.domain.deviation import Level
from shared.domain.deviation import worst as worst_level
from shared.domain.estimation_words import (
    coordinates,
    digits,
    kilograms,
    leak_point,
    per_hour,
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
        "digits": digits,
        "kilograms": kilograms,
    }
    made.filters |= {"digits": digits, "verdict": verdict_text, "coordinates": coordinates, "leak_point": leak_point}
    made.filters |= {"rate_interval": rate_interval, "unwatched": unwatched}
    made.globals |= {"version": __version__, "worst": worst, "asset_name": asset_name}
    return made


def render(file: str, values: Mapping[str, object]) -> str:
    """Return a page; raises where a template asks for what is not there."""
    return _environment().get_template(file).render(values)


def worst(ids: Iterable[str], states: Mapping[str, str]) -> str:
    """Return the worst of some sensors' levels, by word."""
    return worst_level(Level.of(states.get(one, Level.UNDEFINED.word)) for one in ids).word
