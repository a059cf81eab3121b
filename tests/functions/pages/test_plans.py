"""The plans of an incident and of what-if tell how each sensor is, as the template's does; places say how likely."""

import re

import pytest
import requests

from tests.support.filled import TEMPLATE
from tests.support.http_host import FilledHost

pytestmark = [pytest.mark.azurite, pytest.mark.xdist_group("http_examples")]


@pytest.mark.parametrize("path", ["templates/{template}", "templates/{template}/what-if", "incidents/{incident}"])
def test_a_plan_shows_the_sensors_levels(host: FilledHost, path: str) -> None:
    """Every sensor in the drawings has a level in words, the one that the API has."""
    page = requests.get(f"{host.url}/{path.format(template=TEMPLATE, incident=host.incident.id)}", timeout=60).text
    told = dict(re.findall(r"<title>(snorre-w-\d): (\w+)</title>", page))
    items = host.get(f"templates/{TEMPLATE}/sensors")["items"]
    assert told == {one["id"]: one["latest"]["level"] if one["latest"] else "Undefined" for one in items}


def test_an_incident_says_of_which_probability_its_region_is(host: FilledHost) -> None:
    """In the key of the plan and in the table."""
    page = requests.get(f"{host.url}/incidents/{host.incident.id}", timeout=60).text
    assert "90 % of the probability lies inside" in page
    assert re.search(r"90 % of the probability lies in [\d.]+ m³, half of it in [\d.]+ m³", page)


def test_an_estimation_tells_its_modes(host: FilledHost) -> None:
    """The first one lies at its likeliest place, beside a known leak point, and all of them are within the region."""
    found = host.get(f"incidents/{host.incident.id}/estimation")
    assert (
        sum(one["probability"] for one in found["modes"]) <= sum(one["probability"] for one in found["places"]) + 1e-6
    )
    for one in found["modes"]:
        assert any((one["x"], one["y"], one["z"]) == (place["x"], place["y"], place["z"]) for place in found["places"])
        assert one["nearestLeakPoint"]
        assert one["distanceM"] >= 0
