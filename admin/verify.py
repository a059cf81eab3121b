"""Holds the tables against the lake, template by template."""

from collections.abc import Iterator
from typing import NamedTuple

from shared.bootstrap import Bootstrap
from shared.domain.tsd import runs_of
from shared.usecases.detection.detect import REACH
from shared.usecases.detection.verify import Finding, Verify


class Verified(NamedTuple):
    """A template that was looked at: how many days, what was wrong, and how much still is after it was mended."""

    template: str
    days: int
    findings: list[Finding]
    left: int


def verify(app: Bootstrap, *, every: int = 1, mend: bool = False) -> Iterator[Verified]:
    """Look at each ``every``-th day of each template; with ``mend``, let detect look again at what is wrong.

    It looks at the days before those, too: a day is held against the days that the same run looks at.
    """
    for record in app.registry.platforms():
        for template in record.platform.templates:
            days = app.kept.scored_among(app.lake.days(template), app.clock.now())
            findings = list(Verify(app.detect).run(record, template, days, every))
            left = len(findings)
            if mend and findings:
                for first, last in runs_of(one.day for one in findings):
                    app.detect.run(record.platform.id, template.id, first - REACH, last)
                left = len(list(Verify(app.detect).run(record, template, days, every)))
            yield Verified(template.id, len(days[::every]), findings, left)
