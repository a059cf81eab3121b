"""The sea at a template over time."""

from typing import Annotated, Any, Self

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from shared.arrays import ComplexFloats, Floats, Times


def _as_times(value: Any) -> Times:
    times = np.array(value, dtype="datetime64[s]")
    times.setflags(write=False)
    return times


def _as_floats(value: Any) -> Floats:
    values = np.array(value, dtype=np.float64)
    values.setflags(write=False)
    return values


TimeArray = Annotated[Times, BeforeValidator(_as_times)]
FloatArray = Annotated[Floats, BeforeValidator(_as_floats)]


class Environment(BaseModel):
    """Currents, waves and temperature on common, increasing times [n]; NaN where a value is missing.

    ``current_direction`` is where the current flows TOWARDS, in degrees clockwise from north.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    times: TimeArray
    current_speed: FloatArray  # m/s
    current_direction: FloatArray  # degrees, towards
    wave_height: FloatArray  # m, significant
    wave_period: FloatArray  # s
    temperature: FloatArray  # degrees Celsius

    @classmethod
    def of(cls, times: Any, **quantities: Any) -> Self:
        """Return an environment in which every quantity that is not given is missing (NaN)."""
        stamps = _as_times(times)
        missing = np.full(stamps.shape, np.nan)
        names = [name for name in cls.model_fields if name != "times"]
        return cls(times=stamps, **{name: quantities.get(name, missing) for name in names})

    @classmethod
    def of_currents(cls, times: Any, currents: ComplexFloats) -> Self:
        """Return an environment of nothing but currents, east + i north [n] in m/s."""
        return cls.of(
            times, current_speed=np.abs(currents), current_direction=np.degrees(np.angle(1j * currents.conj()))
        )

    @model_validator(mode="after")
    def _one_length_and_sane(self) -> Self:
        names = [name for name in type(self).model_fields if name != "times"]
        for name in names:
            if getattr(self, name).shape != self.times.shape or self.times.ndim != 1:
                raise ValueError(f"{name} must have the shape of times {self.times.shape}")
        if np.isnat(self.times).any() or (np.diff(self.times) <= np.timedelta64(0, "s")).any():
            raise ValueError("times must increase without repetition")
        if (self.current_speed < 0).any() or (self.current_speed > 5).any():
            raise ValueError("current_speed must be in [0, 5] m/s")
        if np.isinf(self.current_direction).any():
            raise ValueError("current_direction must be finite or NaN")
        return self
