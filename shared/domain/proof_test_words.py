"""Proof tests as people read them."""

from shared.domain.estimation_words import per_hour
from shared.domain.proof_test import ProofTest


def words_of(test: ProofTest) -> str:
    """Return in a sentence what came of a test."""
    if test.play is None:
        return f"not run: {test.why}"
    leak = test.play.leak
    played = f"a leak of {per_hour(leak.rate_kg_s)} at x {leak.x:.1f}, y {leak.y:.1f}, z {leak.z:.1f} m"
    if test.found_after_h is None:
        return f"{played} was not found: {test.why}"
    found = f"{played} was found after {test.found_after_h:.1f} h at {test.sensor}"
    told = f"estimated as {test.verdict}" if test.verdict else "not estimated"
    off = "" if test.place_off_m is None else f", {test.place_off_m:.1f} m off"
    return f"{found} and {told}{off}" + (f": {test.why}" if test.why else "")
