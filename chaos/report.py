"""What a campaign says of itself: counts by kind, and how many histories were right."""

from collections import Counter
from collections.abc import Iterator

from chaos.campaign import Score


def report(score: Score) -> str:
    """Return the tables of a score."""
    return "\n".join(_lines(score))


def _lines(score: Score) -> Iterator[str]:
    yield from _table("faults by kind", score.faults)
    yield from _table("faults by port call", score.places)
    yield from _table("what happened", score.events)
    if score.wrong:
        yield from _table("wrong histories by what is wrong first", score.wrong)
        yield from (f"written: {path}" for path in score.failures)
    yield (
        f"seed {score.seed}: {score.faults.total():,} faults in {score.histories:,} histories, "
        f"{score.right:,} of them right"
    )


def _table(title: str, counts: Counter[str]) -> Iterator[str]:
    yield f"{title}:"
    yield from (f"  {count:8,}  {name}" for name, count in counts.most_common())
