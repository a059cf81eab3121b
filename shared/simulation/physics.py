"""What the forward model takes for granted: constants with their sources, and the parameters that one may vary."""

from dataclasses import dataclass
from typing import Literal, get_args

from shared.errors import InvalidInput

VON_KARMAN = 0.41
GRAVITY = 9.81  # m/s2
ROUGHNESS = 0.025  # m, Nikuradse roughness of the seabed
REFERENCE_HEIGHT = 3.0  # m, height of the current that the drag law takes
RESIDUAL_SPEED = 0.02  # m/s, motion that is left when the mean current stands still
SENSOR_TIME_CONSTANT_S = 7200.0  # s; the decays of the real Snorre series suggest 130-190 min, an upper bound

Closure = Literal["gradient", "ballistic"]
CLOSURES: tuple[Closure, ...] = get_args(Closure)


@dataclass(frozen=True, slots=True)
class Physics:
    """Parameters of the forward model, each uncertain; the defaults are the reference's middle values."""

    closure: Closure = "gradient"  # of the plume in the open: by a diffusivity (plume), or by Taylor (ballistic)
    intensity: float = 0.17  # sigma_v / U across the current: 0.06-0.13 over the bed alone, to 0.3 in wakes
    eddy_m: float = 4.0  # L, integral scale of what spreads a cloud
    vertical_ratio: float = 0.55  # of the variances' growth; (1.27 / 1.63)^2 over the bed alone
    cloud_m: float = 0.4  # s0, standard deviation of the gas as it leaves the source
    rise_m: float = 1.2  # R, up to which the gas of a ballistic plume is let go
    residual_m_s: float = 0.01  # of each component inside 10 minutes: what remains at slack water, 6-16 mm/s
    mixing_factor: float = 1.0  # multiplies the diffusivity K
    structure_mixing: float = 0.15  # c in c U d, 0.1-0.2
    structure_size_m: float = 0.5  # d in c U d, 0.3-1 m
    box_mixing_m: float = 0.6  # K / U_in between the zones of a box: eddies of a few m that fluctuate by c U_in
    direction_spread_deg: float = 15.0  # of the current inside 10 minutes, 10-20 degrees
    source_radius_m: float = 0.15  # a: softens the point source
    rise_factor: float = 0.3  # share of Johansen's rise, 0 to 1; integral models differ widely
    bubble_share: float = 0.3  # of the dissolved rate, along bubbles that left the plume
    bubble_dissolution_m: float = 10.0  # rise in which a bubble's dissolution falls by 1/e: 2-3 mm at 317 m
    bubble_column_m: float = 5.0  # rise that counts as the leak's surroundings
    bubble_radius_m: float = 0.5  # softens the line of bubbles: their cloud is about as wide
    sensor_time_constant_s: float = SENSOR_TIME_CONSTANT_S
    sensor_fall: float = 1.0  # the time constant over that one while a reading falls
    salinity: float = 35.0  # practical salinity

    def __post_init__(self) -> None:
        """Refuse values outside physics; raises InvalidInput."""
        bounds = {
            "intensity": (1e-3, 1.0),
            "eddy_m": (0.1, 100.0),
            "vertical_ratio": (1e-2, 2.0),
            "cloud_m": (1e-2, 5.0),
            "rise_m": (0.0, 20.0),
            "residual_m_s": (1e-4, 0.2),
            "mixing_factor": (1e-2, 1e2),
            "structure_mixing": (1e-3, 1.0),
            "structure_size_m": (1e-2, 10.0),
            "box_mixing_m": (1e-3, 100.0),
            "direction_spread_deg": (0.0, 60.0),
            "source_radius_m": (1e-3, 1.0),
            "rise_factor": (0.0, 2.0),
            "bubble_share": (0.0, 1.0),
            "bubble_dissolution_m": (0.1, 1e4),
            "bubble_column_m": (0.1, 100.0),
            "bubble_radius_m": (1e-3, 5.0),
            "sensor_time_constant_s": (1.0, 86_400.0),
            "sensor_fall": (0.2, 5.0),
            "salinity": (0.0, 42.0),
        }
        for name, (low, high) in bounds.items():
            if not low <= getattr(self, name) <= high:
                raise InvalidInput(f"{name} must be in [{low:g}, {high:g}], not {getattr(self, name)!r}")
