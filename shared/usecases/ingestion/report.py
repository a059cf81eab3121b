"""What a run of ingest did."""

from dataclasses import astuple, dataclass


@dataclass(frozen=True)
class IngestReport:
    """New samples, bad ones among them, blobs written, and templates left for a later run."""

    samples: int = 0
    bad: int = 0
    blobs_written: int = 0
    behind: int = 0

    def __add__(self, other: "IngestReport") -> "IngestReport":
        """Return both together."""
        return IngestReport(*(one + two for one, two in zip(astuple(self), astuple(other), strict=True)))
