"""What is not known of the physics, as a few combinations that are weighed like places and onsets.

Four quantities at three levels each: diffusivity, how the release rises, the sensors' time constant, and an offset
of the current's direction. Nine combinations hold every pair of levels of any two quantities once: the orthogonal
array L9(3^4) (Taguchi; Hedayat, Sloane & Stufken, Orthogonal Arrays, 1999, doi 10.1007/978-1-4612-1478-6).
"""

from dataclasses import dataclass

from shared.estimation.options import EstimationOptions
from shared.simulation.physics import Physics

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
_MIDDLE = (1, 1, 1, 1)
MIXING = (0.5, 1.0, 2.0)  # times the diffusivity
RISE = ((0.1, 0.0), (0.3, 0.3), (1.0, 0.6))  # share of Johansen's rise, share of the rate along bubbles
BOX_MIXING_M = (0.15, 0.6, 4.0)  # from zones that hardly mix to a box that is nearly well mixed
TIME_CONSTANT = (0.78, 1.0, 1.28)  # times the sensors' time constant: three equal thirds of a spread of 20 %
OFFSET_DEG = (-12.0, 0.0, 12.0)  # three equal thirds of a spread of 10 degrees


@dataclass(frozen=True, slots=True)
class Member:
    """One combination: the forward model's parameters, and degrees to add to the current's direction."""

    physics: Physics
    offset_deg: float


def ensemble_of(options: EstimationOptions) -> tuple[Member, ...]:
    """Return the nine combinations, each as likely, or the middle one alone."""
    return tuple(_member(*levels, options) for levels in (_L9 if options.members > 1 else [_MIDDLE]))


def _member(mixing: int, rise: int, tau: int, offset: int, options: EstimationOptions) -> Member:
    factor, share = RISE[rise]
    physics = Physics(
        mixing_factor=MIXING[mixing],
        rise_factor=factor,
        bubble_share=share,
        box_mixing_m=BOX_MIXING_M[rise],
        sensor_time_constant_s=TIME_CONSTANT[tau] * options.sensor_time_constant_s,
        source_radius_m=max(0.15, 0.25 * options.spacing_m),
    )
    return Member(physics, OFFSET_DEG[offset])
