"""What is not known of the physics, as a few combinations that are weighed like places and onsets.

How a plume spreads is known least: by a diffusivity from the source on, or in proportion to its way (``ballistic``).
Each of the two has nine combinations of four quantities at three levels each: how much it spreads, how the release
rises, the sensors' time constant, and an offset of the current's direction. Nine hold every pair of levels of any two
quantities once: the orthogonal array L9(3^4) (Taguchi; Hedayat, Sloane & Stufken, Orthogonal Arrays, 1999, doi
10.1007/978-1-4612-1478-6). What remains of a current at slack water goes with how much it spreads.
"""

from dataclasses import dataclass

from shared.estimation.options import EstimationOptions
from shared.simulation.physics import CLOSURES, Closure, Physics

_L9 = (
    (0, 0, 0, 0),
    (0, 1, 1, 2),
    (0, 2, 2, 1),
    (1, 0, 1, 1),
    (1, 1, 2, 0),
    (1, 2, 0, 2),
    (2, 0, 2, 2),
    (2, 1, 0, 1),
    (2, 2, 1, 0),
)
_MIDDLE, _ALL_MIDDLE = (1, 1, 2, 0), (1, 1, 1, 1)
MIXING = (0.5, 1.0, 2.0)  # times the diffusivity
RISE = ((0.1, 0.0), (0.3, 0.3), (1.0, 0.6))  # share of Johansen's rise, share of the rate along bubbles
INTENSITY = (0.09, 0.17, 0.32)  # over the bed alone, in weak wakes, in strong ones
RISE_M = (0.2, 1.2, 2.8)
RESIDUAL_M_S = (0.006, 0.010, 0.016)
CLOUD_M = 0.4
BOX_MIXING_M = (0.15, 0.6, 4.0)  # from zones that hardly mix to a box that is nearly well mixed
# Times the sensors' time constant, and how much longer it takes them to fall: the decays of real series suggest more
# than the rises do.
RESPONSE = ((0.75, 1.0), (0.9, 1.4), (1.2, 1.2))
OFFSET_DEG = (-12.0, 0.0, 12.0)  # three equal thirds of a spread of 10 degrees


@dataclass(frozen=True, slots=True)
class Member:
    """One combination: the forward model's parameters, and degrees to add to the current's direction."""

    physics: Physics
    offset_deg: float
    is_middle: bool  # of its closure's combinations, as far as one of them can be


def ensemble_of(options: EstimationOptions) -> tuple[Member, ...]:
    """Return nine combinations of each closure, each as likely, or the middle one of a ballistic plume alone."""
    if options.members == 1:
        return (_member("ballistic", *_ALL_MIDDLE, options),)
    return tuple(_member(closure, *levels, options) for closure in CLOSURES for levels in _L9)


def _member(closure: Closure, spread: int, rise: int, response: int, offset: int, options: EstimationOptions) -> Member:
    factor, share = RISE[rise]
    slowness, fall = RESPONSE[response]
    physics = Physics(
        closure=closure,
        intensity=INTENSITY[spread],
        rise_m=RISE_M[rise],
        residual_m_s=RESIDUAL_M_S[spread],
        cloud_m=max(CLOUD_M, 0.25 * options.spacing_m),
        mixing_factor=MIXING[spread],
        rise_factor=factor,
        bubble_share=share,
        box_mixing_m=BOX_MIXING_M[rise],
        sensor_time_constant_s=slowness * options.sensor_time_constant_s,
        sensor_fall=fall,
        source_radius_m=max(0.15, 0.25 * options.spacing_m),
    )
    levels = spread, rise, response, offset
    return Member(physics, OFFSET_DEG[offset], levels in (_MIDDLE, _ALL_MIDDLE))
