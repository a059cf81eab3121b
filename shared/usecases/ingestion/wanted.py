"""What is ingested of a template: its sensors' series and the sea's, each in the unit that is registered."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.domain.platform import EnvironmentSeries, Platform, Quantity
from shared.domain.template import Template
from shared.domain.tsd import PlausibleRange
from shared.domain.units import PPMV, Conversion, conversion, whole_turn
from shared.simulation.ambient import CLIMATE_TEMPERATURE
from shared.simulation.solubility import MOLAR_MASS, kg_m3_per_ppmv

NMOL_L = 1e-6  # mol/m3

# What a measurement of the sea can be, in the project's units; outside lies a fault.
PLAUSIBLE_SEA: Mapping[Quantity, PlausibleRange] = {
    "current_speed": PlausibleRange(0, 5),
    "current_direction": PlausibleRange(-360, 720),
    "wave_height": PlausibleRange(0, 40),
    "wave_period": PlausibleRange(0, 60),
    "temperature": PlausibleRange(-3, 40),
}
ANGLES: frozenset[Quantity] = frozenset({"current_direction"})


@dataclass(frozen=True)
class WantedSeries:
    """One series: its key in the day document, its tag, its registered unit, and what is plausible in that unit."""

    key: str
    tag: str
    unit: str
    plausible: PlausibleRange
    is_sensor: bool
    is_angle: bool = False

    def turn(self, unit: str) -> float | None:
        """Return a whole turn in the unit of the source (empty: the registered one); None where it is no angle."""
        return whole_turn(unit or self.unit) if self.is_angle else None


def wanted_series(platform: Platform, template: Template, ppmv: PlausibleRange) -> dict[str, WantedSeries]:
    """Return the template's series by key."""
    sensors = [WantedSeries(sensor.id, sensor.tag, PPMV, ppmv, is_sensor=True) for sensor in template.sensors]
    sea = [
        WantedSeries(
            quantity,
            series.tag,
            series.unit,
            _in_source_unit(quantity, series),
            is_sensor=False,
            is_angle=quantity in ANGLES,
        )
        for quantity, series in sorted(platform.environment.items())
    ]
    return {one.key: one for one in [*sensors, *sea]}


def to_registered(one: WantedSeries, unit: str, template: Template) -> Conversion | None:
    """Return what makes of a value of the source one in the registered unit; None where nothing is known to.

    A source that names no unit is taken at the registration's word. Dissolved methane becomes the reading that it
    causes at the template's depth, in water of the shelf's climatological temperature.
    """
    if not unit:
        return Conversion()
    moles = float(kg_m3_per_ppmv(CLIMATE_TEMPERATURE, depth=template.depth)) / MOLAR_MASS  # per m3 and ppmv
    return conversion(unit, one.unit, NMOL_L / moles)


def _in_source_unit(quantity: Quantity, series: EnvironmentSeries) -> PlausibleRange:
    span = PLAUSIBLE_SEA[quantity]
    return PlausibleRange(span.low / series.scale, span.high / series.scale)
