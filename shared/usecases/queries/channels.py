"""What the channels said, as it was stored: by word, and as the figure that was scored."""

import numpy as np

from shared.arrays import Levels
from shared.detection.channels import Channel, Threshold

_BY_NUMBER = {int(one): one for one in Channel}
_WORDS = np.array([None if one is Channel.NONE else one.word for one in sorted(Channel)])


def channel_of(number: int) -> Channel:
    """Return the channel of that number; none where only another release knows it."""
    return _BY_NUMBER.get(number, Channel.NONE)


def channel_word(number: int) -> str | None:
    """Return the channel of that number as people read it, None for none."""
    channel = channel_of(number)
    return None if channel is Channel.NONE else channel.word


def channel_words(numbers: Levels) -> list[str | None]:
    """Return the channels of those numbers [n] as people read them, None for none."""
    known = np.where(np.isin(numbers, list(_BY_NUMBER)), numbers, Channel.NONE)
    words: list[str | None] = _WORDS[known - min(_BY_NUMBER)].tolist()
    return words


def figure_of(raw: float, threshold: Threshold) -> float:
    """Return the channel's figure that was scored so: 1.0 is its Warning, 2.0 its Critical."""
    if raw < 1.0:
        return raw * threshold.warning
    return threshold.warning + (raw - 1.0) * (threshold.critical - threshold.warning)
