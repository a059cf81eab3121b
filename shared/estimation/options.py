"""What an estimation may be told to do otherwise."""

from dataclasses import dataclass
from datetime import datetime

from shared.errors import InvalidInput
from shared.simulation.physics import SENSOR_TIME_CONSTANT_S


@dataclass(frozen=True, slots=True)
class EstimationOptions:
    """Settings of the estimation; standard deviations of noise in ppmv, times in seconds, rates in kg/s.

    ``earliest_onset`` and ``latest_onset`` bound when the leak may have begun; without them the first sixth of the
    observations counts as background and every later time is possible. Place, onset and physics are those of what was
    read until ``fitted_until``: all of a long incident tells of its rate over time alone.
    ``dissolved_share_factor`` is the geometric
    standard deviation of the dissolved share.
    """

    spacing_m: float = 1.0
    heights: int = 4
    max_places: int = 2000
    onset_candidates: int = 21
    members: int = 18  # combinations of what is not known of the physics: 1 or 18
    earliest_onset: datetime | None = None
    latest_onset: datetime | None = None
    fitted_until: datetime | None = None  # included; what comes later tells of the rate over time alone
    step_s: float = 1800.0  # the sensors are slow: finer steps hold nothing more
    max_steps: int = 300
    noise_floor_ppmv: float = 1.0
    noise_time_s: float = 1800.0  # AR(1) of noise and model error: the coefficient of a step dt is exp(-dt / T)
    relative_model_error: float = 0.35  # share of a sensor's rise (root mean square) by which its pattern is off
    neighbour_error: float = 0.15  # share of the strongest sensor's error that every sensor has
    # A plume that spreads as one closure says is denser or thinner than their mixture. Set by the rate's bias on the
    # truths of bench.estimation, half way between clouds and a diffusivity.
    gain_median: float = 0.85
    independent_s: float = 5400.0
    gain_error: float = 0.5  # of the logarithm of a signal, one for each sensor, for good
    outlier_gain_error: float = 1.5  # the same for a sensor that the plume meets otherwise than simulated
    outlier_share: float = 0.2  # of such sensors
    common_error: float = 0.25  # of the logarithm of a signal, the same for all sensors: how much the sea dilutes
    box_error: float = 0.3  # the same of the flow through a semi-closed template
    slow_time_s: float = 21_600.0  # memory of external causes and of sensors that wander
    sensor_time_constant_s: float = SENSOR_TIME_CONSTANT_S
    dissolved_share: float = 0.05
    dissolved_share_factor: float = 3.0
    lowest_rate_kg_s: float = 1e-8
    highest_rate_kg_s: float = 1e-2
    known_point_weight: float = 0.3
    prior_leak: float = 0.3
    prior_external: float = 0.3
    prior_wander: float = 0.2
    prior_unmodelled: float = 0.02  # of what neither holds, as far as the fit speaks for it
    confirm_at: float = 0.95
    external_at: float = 0.95

    def __post_init__(self) -> None:
        """Refuse settings that make no sense; raises InvalidInput that names the setting and its range."""
        tiny, huge = 1e-12, 1e9
        bounds: dict[str, tuple[float, float]] = {
            "spacing_m": (0.1, 50),
            "heights": (1, 50),
            "max_places": (10, 20_000),
            "onset_candidates": (2, 200),
            "members": (1, 18),
            "max_steps": (20, 1000),
            "noise_floor_ppmv": (1e-3, 1e4),
            "noise_time_s": (1, huge),
            "step_s": (1, 86_400),
            "relative_model_error": (0, 3),
            "neighbour_error": (0, 1),
            "gain_median": (0.1, 10),
            "gain_error": (0, 3),
            "independent_s": (1, huge),
            "outlier_gain_error": (self.gain_error, 5),
            "outlier_share": (0, 0.5),
            "common_error": (0, 3),
            "box_error": (0, 3),
            "slow_time_s": (1, huge),
            "sensor_time_constant_s": (1, 86_400),
            "dissolved_share": (1e-4, 1),
            "dissolved_share_factor": (1, 100),
            "lowest_rate_kg_s": (tiny, 1),
            "highest_rate_kg_s": (10 * self.lowest_rate_kg_s, 1e3),
            "known_point_weight": (0, 0.99),
            "prior_leak": (1e-6, 1 - 1e-6),
            "prior_external": (0, 1 - self.prior_leak),
            "prior_wander": (0, 1 - self.prior_leak - self.prior_external),
            "prior_unmodelled": (0, 1),
            "confirm_at": (0.5, 1),
            "external_at": (0.5, 1),
        }
        for name, (low, high) in bounds.items():
            if not low <= getattr(self, name) <= high:
                raise InvalidInput(f"{name} must be in [{low:g}, {high:g}], not {getattr(self, name)!r}")
        if self.members not in (1, 18):
            raise InvalidInput(f"members must be 1 or 18, not {self.members}")
        for name in ("earliest_onset", "latest_onset", "fitted_until"):
            moment = getattr(self, name)
            if moment is not None and moment.tzinfo is None:
                raise InvalidInput(f"{name} {moment.isoformat()} has no time zone")
