"""What all triggers of one host share."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from local.faults import Faults
from local.metadata import HostSettings
from local.worker import Worker


@dataclass(frozen=True)
class Runtime:
    """The worker, the settings and the switches of one host."""

    settings: HostSettings
    worker: Worker
    faults: Faults
    stop: threading.Event  # set: take no more work
    records: str  # folder of this host's records
    lease: int  # [s] a taken message stays hidden so long, unless renewed
    blob_threads: ThreadPoolExecutor
