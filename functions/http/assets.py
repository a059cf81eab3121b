"""Files that pages load: our own in ``functions/static``, and those of packages that ``make setup`` puts there."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from shared.errors import NotFound

STATIC = Path(__file__).resolve().parent.parent / "static"
SCRIPT, STYLE, PICTURE = "text/javascript", "text/css", "image/svg+xml"

SCRIPTS = (
    "charts.js",
    "docs.js",
    "feedback.js",
    "live.js",
    "template.js",
    "theme.js",
    "times.js",
    "what-if.js",
)

# What pages load, by the name that they use; no path is ever made of what a caller sends.
ASSETS: Mapping[str, tuple[str, str]] = {
    **{name: (name, SCRIPT) for name in SCRIPTS},
    "pages.css": ("pages.css", STYLE),
    "icon.svg": ("icon.svg", PICTURE),
    "uplot.js": ("vendor/uplot.js", SCRIPT),
    "uplot.css": ("vendor/uplot.css", STYLE),
    "swagger-ui-bundle.js": ("vendor/swagger-ui-bundle.js", SCRIPT),
    "swagger-ui.css": ("vendor/swagger-ui.css", STYLE),
}


@cache
def page(name: str) -> bytes:
    """Return the bytes of one of our own HTML files, by name without suffix."""
    return _read(f"{name}.html")


@cache
def asset(name: str) -> tuple[bytes, str]:
    """Return a file's content and media type; raises NotFound, also where the packages' files were not put there."""
    if name not in ASSETS:
        raise NotFound(f"there is no asset {name!r}")
    path, kind = ASSETS[name]
    try:
        return _read(path), kind
    except FileNotFoundError as error:
        raise NotFound(f"the asset {name!r} is not installed: `make setup` does it") from error


def _read(path: str) -> bytes:
    return (STATIC / path).read_bytes()
