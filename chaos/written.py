"""Writes a failing history as a test that is ready to be run."""

import re
from pathlib import Path

from chaos.steps import History

TEMPLATE = '''"""What the fault campaign found: {title}."""

from chaos import steps
from chaos.faults import Fault
from chaos.play import play
from chaos.stage import quickly


def test_{name}() -> None:
    """The end is as a clean run makes it."""
    history = steps.History(
        steps=(
{lines}
        ),
        order={order},
    )
    with quickly():
        assert play(history) == []
'''


def write_test(folder: Path, name: str, history: History, found: list[str]) -> Path:
    """Write the test file of a history in whose end that was found wrong, and return its path."""
    lines = "\n".join(f"            {_readable(step)}," for step in history.steps)
    title = re.sub(r"[\\\"]", "'", found[0])[:90]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"test_{name}.py"
    path.write_text(TEMPLATE.format(title=title, name=name, lines=lines, order=history.order))
    return path


def _readable(step: object) -> str:
    """Return a step as it is written in code, without what is usual."""
    text = repr(step).replace("faults=(), ", "").replace(", faults=()", "").replace(", run=None", "")
    return re.sub(r"(?<![\w.])([A-Z]\w+)\(", lambda found: _name(found[1]), text)


def _name(name: str) -> str:
    return f"{name}(" if name == "Fault" else f"steps.{name}("
