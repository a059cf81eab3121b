"""A train of puffs: what carries and spreads the gas of a leak at an open template.

Every 30 s a puff leaves the source, and others where its bubbles dissolve further up. All are carried by the current at
their own height, which meanders, and grow by eddies; the gas between two puffs lies along the line that joins them.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from bench.estimation.sea import STEP_S, Span, wandering
from shared.arrays import Floats

KARMAN = 0.40
RISE_SPEED, SLOWEST_RISE = 0.1, 0.02  # m/s; the final rise goes as U^(-1/3) of the speed at release (Briggs)
METER_HEIGHT = 3.0  # m, of the current meter over the seabed
EDDY_CEILING = 5.0  # m; eddies do not grow further up
LOWEST, HIGHEST = 0.2, 10.0  # m, heights between which the current follows the logarithm
BUBBLE_SPEED = 0.25  # m/s
BUBBLE_HEIGHTS = np.array([1.0, 3.5])  # m over the source, where separated bubbles dissolve
BUBBLE_WEIGHTS = np.array([0.6, 0.4])
BUBBLE_SPREAD = 0.8  # m, of each of those heights
FARTHEST_M, OLDEST_STEPS = 40.0, 5400 // STEP_S
SHORTEST = 1e-3  # m, of a line between two puffs


@dataclass(frozen=True, slots=True)
class PlumeParameters:
    """The turbulence, buoyancy and bubbles around one leak, which no estimation knows."""

    roughness_m: float  # z_0 of the logarithm
    meander: float  # standard deviation of u', v' as a share of the current
    residual_m_s: float  # standard deviation of u', v' at slack water
    memory_s: float  # of u', v'
    eddies: float  # factor on K_z = kappa u* z
    flatness: float  # K_h / K_z
    size_m: float  # standard deviation of a new puff
    rise_m: float  # of the buoyant plume, in the end, in a current of 0.1 m/s
    rise_time_s: float
    bubble_share: float  # of the dissolved gas, from bubbles that left the plume
    phase: float  # rad, of the tide that stands in for a missing record


def drawn(rng: np.random.Generator) -> PlumeParameters:
    """Return parameters drawn at random; the spreads are wider than what a single site shows."""
    return PlumeParameters(
        roughness_m=float(np.exp(rng.uniform(np.log(2e-4), np.log(5e-3)))),
        meander=rng.uniform(0.15, 0.25),
        residual_m_s=rng.uniform(0.010, 0.015),
        memory_s=rng.uniform(120, 360),
        eddies=float(rng.lognormal(np.log(1.5), 0.4)),  # the structure stirs beyond what the seabed does
        flatness=rng.uniform(1.5, 3.5),
        size_m=rng.uniform(0.2, 0.3),
        rise_m=rng.uniform(0.0, 2.5),
        rise_time_s=rng.uniform(30, 90),
        bubble_share=rng.uniform(0.0, 0.4),
        phase=rng.uniform(0, 2 * np.pi),
    )


@dataclass(eq=False, slots=True)
class Train:
    """Puffs [levels, steps + 1], each waiting at its source until its step; those before ``first`` are gone."""

    parameters: PlumeParameters
    velocity: Floats  # [2, steps], m/s at the meter's height
    friction: Floats  # [steps], m/s
    leaking: Floats  # [steps]
    sources: Floats  # [levels], m over the seabed
    weights: Floats  # [levels]
    lift: Floats  # [steps + 1], m, in the end
    risen: Floats  # [steps + 1], share of it, by age in steps
    place: Floats  # [2]
    where: Floats  # [2, levels, steps + 1], m
    variance: Floats  # [2, levels, steps + 1], horizontal and vertical, m2
    first: int = 0

    @classmethod
    def released(
        cls,
        place: tuple[float, float, float],
        flow: Floats,
        span: Span,
        parameters: PlumeParameters,
        rng: np.random.Generator,
    ) -> Self:
        """Return the puffs of a source in a flow [2, steps] in m/s, all of them still to be released."""
        steps = flow.shape[1]
        restless = np.hypot(parameters.meander * np.hypot(*flow), parameters.residual_m_s)
        velocity = flow + restless * wandering(rng, (2, steps), parameters.memory_s)
        drag = KARMAN / np.log(METER_HEIGHT / parameters.roughness_m)
        drift = np.concatenate([[0.0], BUBBLE_HEIGHTS]) / BUBBLE_SPEED
        at_release = np.concatenate([velocity, velocity[:, -1:]], axis=1)
        variance = np.full((2, drift.size, steps + 1), parameters.size_m**2)
        variance[1, 1:] = BUBBLE_SPREAD**2
        return cls(
            parameters=parameters,
            velocity=velocity,
            friction=drag * np.hypot(np.hypot(*flow), np.sqrt(2) * restless),
            leaking=span.leaking,
            sources=place[2] + np.concatenate([[0.0], BUBBLE_HEIGHTS]),
            weights=np.concatenate([[1 - parameters.bubble_share], parameters.bubble_share * BUBBLE_WEIGHTS]),
            lift=parameters.rise_m * np.cbrt(RISE_SPEED / np.maximum(np.hypot(*at_release), SLOWEST_RISE)),
            risen=-np.expm1(-STEP_S * np.arange(steps + 1) / parameters.rise_time_s),
            place=np.array(place[:2]),
            where=np.array(place[:2])[:, None, None] + drift[:, None] * at_release[:, None, :],
            variance=variance,
        )

    def advance(self, step: int) -> None:
        """Carry the puffs that left by the beginning of the step to its end, and let them grow."""
        alive = slice(self.first, step + 1)
        spread = self.variance[1, :, alive]
        height = np.clip(np.sqrt(self._heights(step, alive) ** 2 + 0.25 * spread), LOWEST, HIGHEST)
        logs = np.log(height / self.parameters.roughness_m) / np.log(METER_HEIGHT / self.parameters.roughness_m)
        self.where[:, :, alive] += STEP_S * self.velocity[:, step, None, None] * logs
        eddy = self.parameters.eddies * KARMAN * self.friction[step] * np.minimum(height, EDDY_CEILING)
        self.variance[0, :, alive] += 2 * STEP_S * self.parameters.flatness * eddy
        self.variance[1, :, alive] += 2 * STEP_S * eddy
        self._forget(step)

    def _heights(self, step: int, alive: slice) -> Floats:
        ages = step - np.arange(alive.start, alive.stop)
        rising = np.zeros((self.sources.size, ages.size))
        rising[0] = self.lift[alive] * self.risen[ages]  # bubbles that left the plume drag no water along
        return self.sources[:, None] + rising

    def _forget(self, step: int) -> None:
        """Drop the oldest puffs that are too old or too far away to matter; younger ones are nearer."""
        while self.first < step:
            far = np.abs(self.where[:, :, self.first] - self.place[:, None]).max(axis=0).min() > FARTHEST_M
            if not far and step - self.first < OLDEST_STEPS:
                return
            self.first += 1

    def concentration(self, points: Floats, step: int) -> Floats:
        """Return the concentration at points [p, 3] at the step's end per unit rate [p] in s/m3.

        A line of gas from the later to the earlier puff: Gaussian across it and vertically with its image in the
        seabed, a difference of two normal distribution functions along it, the spread that of the nearest point on it.
        """
        head, tail = slice(self.first, step + 1), slice(self.first + 1, step + 2)
        joined = self.where[:, :, head] - self.where[:, :, tail]
        apart = np.hypot(*joined)
        length = np.maximum(apart, SHORTEST)
        ahead, aside = np.where(apart < SHORTEST, [[[1.0]], [[0.0]]], joined / length)  # two in one place: any line
        dx, dy = points[:, :2].T[:, :, None, None] - self.where[:, None, :, tail]
        along, across = dx * ahead + dy * aside, dy * ahead - dx * aside
        share = np.clip(along / length, 0.0, 1.0)
        wide, tall = (one[:, tail] + share * (one[:, head] - one[:, tail]) for one in self.variance)
        later, earlier = self._heights(step + 1, tail), self._heights(step + 1, head)
        height = later + share * (earlier - later)
        above = points[:, 2, None, None]
        vertical = np.exp(-((above - height) ** 2) / (2 * tall)) + np.exp(-((above + height) ** 2) / (2 * tall))
        width = np.sqrt(wide)
        lengthwise = (_normal(along / width) - _normal((along - length) / width)) / length
        plume = lengthwise * np.exp(-(across**2) / (2 * wide)) * vertical / (2 * np.pi * width * np.sqrt(tall))
        mass = STEP_S * self.weights[:, None] * self.leaking[head]
        return np.asarray((plume * mass).sum(axis=(1, 2)), dtype=np.float64)


def _normal(x: Floats) -> Floats:
    """Return the normal distribution function of each x, of any shape, by its hyperbolic tangent, to 3e-4."""
    return np.asarray(0.5 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))), dtype=np.float64)
