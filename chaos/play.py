"""Plays a history that is written down, or that was just drawn, to its end."""

from chaos.comparison import differences
from chaos.stage import Stage, begun
from chaos.steps import History


def play(history: History) -> list[str]:
    """Return in what the end of a history is wrong, each in a line; nothing where it is right."""
    stage = begun()
    for step in history.steps:
        stage.play(step)
    return end(stage, history.order)


def end(stage: Stage, order: int) -> list[str]:
    """Settle a stage, and return in what it is wrong."""
    try:
        stage.settle(order)
    except Exception as error:
        return [f"settling: {type(error).__name__}: {error}"]
    return differences(stage)


def where(found: list[str]) -> str:
    """Return in which table it is wrong first."""
    return found[0].partition(" ")[0]
