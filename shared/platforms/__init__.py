"""What differs from platform to platform: a module for each, and here the one place where they are registered.

``docs/adding-a-platform.md`` says what a new one takes.
"""

from shared.platforms import askeladd, snorre, trestakk, troll
from shared.platforms.rules import OMNIA, FreeTags, PlatformRules

__all__ = ["OMNIA", "PLATFORMS", "PlatformRules", "rules_of"]

PLATFORMS: dict[str, PlatformRules] = {
    "askeladd": askeladd.RULES,
    "snorre": snorre.RULES,
    "trestakk": trestakk.RULES,
    "troll": troll.RULES,
}

_UNREGISTERED = FreeTags()  # a platform that was created over HTTP and has no module


def rules_of(platform: str) -> PlatformRules:
    """Return the rules of a platform by its id; one that is not registered reads OMNIA and has no rule in its tags."""
    return PLATFORMS.get(platform, _UNREGISTERED)
