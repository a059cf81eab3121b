"""Plain HTTP to an emulator with hand-made series, for the emulator's tests."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import requests
from omnia_emulator.series import Samples, Series, Store, Stored, fixed, instant
from omnia_emulator.server import Emulator

START = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
STEP = timedelta(minutes=5)


class Client:
    """Speaks plain HTTP to an emulator."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.session = requests.Session()
        self.session.headers["Authorization"] = "Bearer secret"

    def get(self, path: str, **params: Any) -> requests.Response:
        """GET below the API's base."""
        return self.session.get(self.emulator.base_url + path, params=params, timeout=5)

    def post(self, path: str, body: Any, **params: Any) -> requests.Response:
        """POST below the API's base."""
        return self.session.post(self.emulator.base_url + path, json=body, params=params, timeout=5)

    def set(self, **faults: Any) -> requests.Response:
        """POST /faults."""
        return self.session.post(self.emulator.root_url + "/faults", json=faults, timeout=5)


def store(clock: Any = None) -> Store:
    """Return two series of 36 samples, 5 minutes apart; every fourth is bad."""
    times = [instant(START + n * STEP) for n in range(36)]
    statuses = [0 if n % 4 == 3 else 192 for n in range(36)]
    series = [
        Series(name, "SNA", "ppmv", Stored(Samples.of(times, np.arange(36.0), statuses))) for name in ("19H-1", "19H-2")
    ]
    return Store.of(series, clock or fixed(NOW), leak=None)


def first(client: Client) -> str:
    """Return the id of the first series."""
    return next(iter(client.emulator.store.series))


def values(answer: requests.Response) -> list[Any]:
    """Return the values of an answer's first item."""
    return [point["value"] for point in answer.json()["data"]["items"][0]["datapoints"]]
