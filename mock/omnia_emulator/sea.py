"""The synthetic sea: what the sensors read without a leak, and the currents, waves and warmth around them."""

from collections.abc import Mapping

import numpy as np

from omnia_emulator.noise import BLOCK, STEP_S, Floats, dice, red, times_of, white
from shared.domain.environment import Environment
from shared.domain.platform import Platform, Quantity

TIDE_S = 12.42 * 3600
ENVIRONMENT_STRIDE = 2  # the environment is logged every second step: every 10 minutes
BUMP_EVERY_D = 6.0


class Sea:
    """The sea at one platform, from a seed."""

    def __init__(self, seed: int, platform: Platform) -> None:
        self._seed, self._name = seed, platform.id
        self._constants = dice(seed, f"{platform.id}/sea").random(6)

    def methane(self, sensor: str, block: int) -> Floats:
        """Return a sensor's leak-free reading [ppmv] in a block: lognormal slow drift, tide, bumps and noise.

        The levels, the drift over days and the bumps of a few ppmv are like those of the real series.
        """
        level, shift, swing, grain = dice(self._seed, f"{sensor}/level").random(4)
        typical = 7.0 * np.exp(1.5 * level)  # 7 to 31 ppmv, which the drift widens
        drift = 0.24 * red(self._seed, f"{sensor}/drift", block, 60.0)
        drift += 0.10 * red(self._seed, f"{self._name}/drift", block, 96.0)
        tide = (0.02 + 0.06 * swing) * np.sin(self._tide(block) + 2 * np.pi * shift)
        uneven = 0.008 * red(self._seed, f"{sensor}/uneven", block, 1.0)
        fine = (0.001 + 0.003 * grain) * white(self._seed, f"{sensor}/fine", block)
        clean = typical * np.exp(drift + tide) + self._bumps(sensor, block)
        return np.asarray(np.round(np.clip(clean, 3.0, 60.0) * (1 + uneven + fine), 3))

    def quantities(self, block: int) -> dict[Quantity, Floats]:
        """Return the environment in the domain's units at every step of a block."""
        east, north = self._current(block)
        height = 2.2 * np.exp(0.45 * self._red("wave_height", block, 18.0))
        return {
            "current_speed": np.clip(np.hypot(east, north), 0.02, 0.25),
            "current_direction": np.degrees(np.arctan2(east, north)) % 360,
            "wave_height": height,
            "wave_period": 5.0 + 2.2 * np.sqrt(height) + 0.3 * self._red("wave_period", block, 12.0),
            "temperature": np.clip(6.5 + 0.2 * self._red("temperature", block, 96.0), 6.0, 7.0),
        }

    def environment(self, blocks: range) -> Environment:
        """Return the environment of several blocks as the simulation takes it."""
        parts = [self.quantities(block) for block in blocks]
        stamps = np.concatenate([times_of(block) for block in blocks]).astype("datetime64[s]")
        chosen = slice(None, None, ENVIRONMENT_STRIDE)
        joined: Mapping[str, Floats] = {
            name: np.concatenate([part[name] for part in parts])[chosen] for name in parts[0]
        }
        return Environment.of(stamps[chosen], **joined)

    def _current(self, block: int) -> tuple[Floats, Floats]:
        """Return the current to the east and north [m/s]: a mean, a tidal ellipse and eddies of a day and an hour."""
        mean, mean_to, major, minor, axis, _ = self._constants
        phase = self._tide(block)
        along = (0.05 + 0.05 * major) * np.cos(phase)
        across = (0.01 + 0.02 * minor) * np.sin(phase)
        turn, to = np.pi * axis, 2 * np.pi * mean_to
        flow = []
        for name, steady, tide in (
            ("east", np.sin(to), along * np.cos(turn) - across * np.sin(turn)),
            ("north", np.cos(to), along * np.sin(turn) + across * np.cos(turn)),
        ):
            eddies = 0.035 * self._red(f"{name}/day", block, 24.0) + 0.008 * self._red(f"{name}/hour", block, 1.0)
            flow.append((0.04 + 0.04 * mean) * steady + tide + eddies)
        return flow[0], flow[1]

    def _tide(self, block: int) -> Floats:
        seconds = (block * BLOCK + np.arange(BLOCK)) * float(STEP_S)
        return np.asarray(2 * np.pi * (seconds / TIDE_S + self._constants[5]))

    def _red(self, name: str, block: int, memory_h: float) -> Floats:
        return red(self._seed, f"{self._name}/{name}", block, memory_h)

    def _bumps(self, sensor: str, block: int) -> Floats:
        """Return rises of 1.5 to 6 ppmv over 2 to 10 hours that no leak made [ppmv]."""
        random = dice(self._seed, f"{sensor}/bumps", block)
        rises = np.zeros(BLOCK)
        for _ in range(random.poisson(BLOCK * STEP_S / 86_400 / BUMP_EVERY_D)):
            steps = int(random.uniform(2, 10) * 3600 / STEP_S)
            first = int(random.integers(0, BLOCK - steps))
            shape = np.sin(np.pi * (np.arange(steps) + 0.5) / steps) ** 2
            rises[first : first + steps] += random.uniform(1.5, 6) * shape
        return rises
