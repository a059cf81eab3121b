"""Askeladd: nothing in a tag says which sensor it belongs to."""

from shared.platforms.rules import FreeTags

RULES = FreeTags()
