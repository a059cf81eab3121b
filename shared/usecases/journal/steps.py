"""Steps in the life of what has a row: each is an entry of the journal first, with the state that it leads to.

Then the row follows. Whoever finds the journal ahead of the row, because another run is about to write it or died
there, lets the row say what the journal says.
"""

from collections.abc import Callable

from shared.domain.journal import Evidence, JournalEntry
from shared.errors import Conflict
from shared.ports import JournalTable


def append_step(
    journal: JournalTable, entry: JournalEntry, evidence: Evidence, catch_up: Callable[[JournalEntry, str], None]
) -> None:
    """Append a step whose number is that of the entries which the row follows; raises Conflict where it is behind.

    catch_up: lets the row follow the topic's newest entry, and the state [JSON] that it led to.
    """
    try:
        journal.append(entry, evidence)
    except Conflict:
        last = journal.last(entry.platform, entry.topic)
        if last is not None and last.number >= entry.number:
            catch_up(last, journal.evidence(last.platform, last.id).state)
        raise
