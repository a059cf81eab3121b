"""What if: a leak in the sea that was measured, as the forward model has it; where no sea was measured, no answer."""

from datetime import datetime, timedelta

import numpy as np
import pytest

from shared.domain.environment import Environment
from shared.domain.estimation_words import digits, per_hour
from shared.domain.leak import Leak
from shared.domain.tsd import SLOTS, SeriesDay, grid, start_of
from shared.errors import InvalidInput, NotFound
from shared.simulation import simulate
from shared.usecases.queries.what_if import WhatIf
from tests.support.examples import DAY, at, document, noise, platform, template
from tests.support.fakes import World

TEMPLATE = template()
LEAK = Leak(x=0.0, y=1.0, z=2.0, rate_kg_s=1e-4, onset=at(DAY, 6))
SPEED, DIRECTION = 12.0, 90.0  # [cm/s], [degrees]


def what_if(measured: int = SLOTS) -> WhatIf:
    """Return the use case on a world whose current was measured in so many buckets of the day."""
    world = World()
    world.registry.add(platform(TEMPLATE))
    values = {"current_speed": ("SPEED", "cm/s", SPEED), "current_direction": ("DIRECTION", "deg", DIRECTION)}
    sea = {
        name: SeriesDay(
            tag=tag,
            unit=unit,
            until=start_of(DAY) + timedelta(days=1),
            values=(value,) * measured + (None,) * (SLOTS - measured),
            counts=(1,) * measured + (0,) * (SLOTS - measured),
        )
        for name, (tag, unit, value) in values.items()
    }
    day = document(TEMPLATE, DAY, s1=noise(1), s2=noise(2)).model_copy(update={"environment": sea})
    world.lake.cells.set((TEMPLATE.id, DAY), day)
    return WhatIf(lake=world.lake, registry=world.registry)


def test_it_is_the_forward_model_in_the_measured_sea() -> None:
    """The same as simulating by hand, in metres per second."""
    found = what_if().run("troll-a", LEAK, at(DAY), at(DAY, 24))
    times = grid(DAY, SLOTS)
    sea = Environment.of(times, current_speed=np.full(SLOTS, SPEED / 100), current_direction=np.full(SLOTS, DIRECTION))
    assert found.times.tolist() == times.tolist()
    assert found.ppmv == pytest.approx(simulate(TEMPLATE, sea, LEAK, times), rel=1e-6)
    assert found.ppmv.max() > 0
    assert found.known == 1.0


def test_it_says_how_much_of_the_sea_was_measured() -> None:
    """Half a day of currents is half of what was asked for."""
    assert what_if(72).run("troll-a", LEAK, at(DAY), at(DAY, 24)).known == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("leak", "start", "end", "words"),
    [
        (LEAK, at(DAY, 6), at(DAY, 6), "to: must be at least ten minutes after from"),
        (LEAK, at(DAY, 24), at(DAY, 48), "from: no current was measured"),
        (LEAK.model_copy(update={"x": 900.0}), at(DAY), at(DAY, 24), "x"),
    ],
)
def test_what_cannot_be_simulated_is_refused(leak: Leak, start: datetime, end: datetime, words: str) -> None:
    """By the name of what is wrong."""
    with pytest.raises(InvalidInput, match=words):
        what_if().run("troll-a", leak, start, end)


def test_more_than_pure_methane_is_refused() -> None:
    """The error says which sensor would read how much, and the rate up to which it can be; that is simulated."""
    usual = what_if().run("troll-a", LEAK, at(DAY), at(DAY, 24)).ppmv.max()
    possible = LEAK.rate_kg_s * 1e6 / usual
    under, over = (LEAK.model_copy(update={"rate_kg_s": share * possible}) for share in (0.99, 1.01))
    assert what_if().run("troll-a", under, at(DAY), at(DAY, 24)).ppmv.max() == pytest.approx(0.99e6)
    words = f"^rateKgS: {per_hour(over.rate_kg_s)} cannot dissolve here: troll-a-. would read 1010000 ppmv, and pure"
    with pytest.raises(InvalidInput, match=words) as refused:
        what_if().run("troll-a", over, at(DAY), at(DAY, 24))
    assert str(refused.value).endswith(f"at most about {per_hour(possible)} ({digits(possible)} kg/s) can")


def test_an_unknown_template_has_no_leak() -> None:
    """Nor one that is not an id."""
    with pytest.raises(NotFound):
        what_if().run("troll-b", LEAK, at(DAY), at(DAY, 24))
