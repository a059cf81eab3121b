"""Files that pages load: our own in ``functions/static``, and those of packages that ``make setup`` puts there.

Each is served under a name with the hash of its content, such as ``live.0123456789ab.js``: a browser may keep it for
ever, since other content has another name. Names are made when they are first asked for; scripts that import others get
the served names of these, so their own hash tells of those, too.
"""

import hashlib
import logging
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from shared.errors import NotFound

logger = logging.getLogger(__name__)

STATIC = Path(__file__).resolve().parent.parent / "static"
SCRIPT, STYLE, PICTURE = "text/javascript", "text/css", "image/svg+xml"

SCRIPTS = (
    "alarms.js",
    "annunciate.js",
    "api.js",
    "charts.js",
    "compare.js",
    "docs.js",
    "download.js",
    "environment.js",
    "feedback.js",
    "handover.js",
    "live.js",
    "moment-fields.js",
    "performance.js",
    "report.js",
    "suppress.js",
    "template.js",
    "theme.js",
    "times.js",
    "wall.js",
    "what-if.js",
)

# What pages load, by the name that they use; no path is ever made of what a caller sends.
ASSETS: Mapping[str, tuple[str, str]] = {
    **{name: (name, SCRIPT) for name in SCRIPTS},
    "pages.css": ("pages.css", STYLE),
    "docs.css": ("docs.css", STYLE),
    "icon.svg": ("icon.svg", PICTURE),
    "icon-alarm.svg": ("icon-alarm.svg", PICTURE),
    "uplot.js": ("vendor/uplot.js", SCRIPT),
    "uplot.css": ("vendor/uplot.css", STYLE),
    "swagger-ui-bundle.js": ("vendor/swagger-ui-bundle.js", SCRIPT),
    "swagger-ui.css": ("vendor/swagger-ui.css", STYLE),
}


HASH_DIGITS = 12
FOREVER = "public, max-age=31536000, immutable"

_IMPORT = re.compile(rb"""(?<=["']\./)([a-z-]+\.js)(?=["'];)""")
_LINK = re.compile(rb"""(?<=\.\./assets/)([a-z-]+\.[a-z]+)(?=")""")


@cache
def page(name: str) -> bytes:
    """Return the bytes of one of our own HTML files, by name without suffix; it loads assets by their served names."""
    return _LINK.sub(_served_name, _read(f"{name}.html"))


def asset(served_name: str) -> tuple[bytes, str]:
    """Return a file's content and media type; raises NotFound for a name that is not, or no longer, served."""
    stem, dot, suffix = served_name.rpartition(".")
    name = stem.rpartition(".")[0] + dot + suffix
    if served_name in ASSETS and asset_name(served_name) == served_name:
        raise NotFound(f"the asset {served_name!r} is not installed: `make setup` does it")
    if name not in ASSETS or asset_name(name) != served_name:
        raise NotFound(f"there is no asset {served_name!r}; a page that asks for it was opened before the app changed")
    return _content(name), ASSETS[name][1]


@cache
def asset_name(name: str) -> str:
    """Return the name by which an asset is served; its own, which is not, where the packages' files are not there."""
    try:
        digits = hashlib.sha256(_content(name)).hexdigest()[:HASH_DIGITS]
    except FileNotFoundError:
        logger.warning("the asset %s is not installed: `make setup` does it", name)
        return name
    stem, dot, suffix = name.rpartition(".")
    return f"{stem}.{digits}{dot}{suffix}"


@cache
def _content(name: str) -> bytes:
    """Return a file as it is served."""
    content = _read(ASSETS[name][0])
    return _IMPORT.sub(_served_name, content) if name in SCRIPTS else content


def _served_name(found: re.Match[bytes]) -> bytes:
    return asset_name(found[1].decode()).encode()


def _read(path: str) -> bytes:
    return (STATIC / path).read_bytes()
