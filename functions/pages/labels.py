"""Labels of a drawing: each beside what it names, within the frame, and on nothing else where there is room."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

LETTER = 0.7  # of the size: the width of a letter, wide ones among narrow ones
LINE = 1.2  # of the size: the height of a line
MOST_LETTERS = 18  # of a name that is drawn; all of it is shown to who points at it
RINGS = 12  # how far from its place a label is looked for, in steps of half its height
AROUND = ((1, 0), (-1, 0), (0, -1), (0, 1), (1, -1), (-1, -1), (1, 1), (-1, 1))


class Box(NamedTuple):
    """A rectangle in a drawing [m]; y grows downwards."""

    left: float
    top: float
    right: float
    bottom: float

    @classmethod
    def about(cls, x: float, y: float, width: float, height: float) -> "Box":
        """Return the rectangle with that centre."""
        return cls(x - width / 2, y - height / 2, x + width / 2, y + height / 2)

    def common(self, other: "Box") -> float:
        """Return the area that both cover [m²]."""
        across = min(self.right, other.right) - max(self.left, other.left)
        down = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(0.0, across) * max(0.0, down)

    @property
    def area(self) -> float:
        """What it covers [m²]."""
        return (self.right - self.left) * (self.bottom - self.top)


@dataclass(frozen=True)
class Label:
    """A name as it is drawn: its centre, the size of its letters [m], and what a line leads to, if one does."""

    kind: str
    name: str
    x: float
    y: float
    size: float
    turned: bool = False  # read upwards
    leads_to: tuple[float, float] | None = None

    @property
    def text(self) -> str:
        """The name, or its beginning where it is long."""
        return self.name if len(self.name) <= MOST_LETTERS else f"{self.name[: MOST_LETTERS - 1]}…"

    @property
    def box(self) -> Box:
        """What it covers."""
        along, across = LETTER * self.size * len(self.text), LINE * self.size
        return Box.about(self.x, self.y, *((across, along) if self.turned else (along, across)))


class Sheet:
    """A drawing's frame with what is on it, to which labels are added."""

    def __init__(self, frame: Box, taken: Iterable[Box]) -> None:
        """Begin with what no label may cover."""
        self.frame = frame
        self.labels: list[Label] = []
        self._taken = list(taken)

    def add(self, candidates: Iterable[Label]) -> None:
        """Add the first label that has room, or else the one that covers least of anything."""
        found, least = None, float("inf")
        for one in candidates:
            covered = self._covered(one.box)
            if covered < least:
                found, least = one, covered
            if not covered:
                break
        if found is not None:
            self.labels.append(found)
            self._taken.append(found.box)

    def _covered(self, box: Box) -> float:
        """Return how much of a box lies on other things, or beside the frame, which is worse [m²]."""
        beside = box.area - box.common(self.frame)
        return sum(box.common(one) for one in self._taken) + (100 * beside if beside > 1e-9 * box.area else 0)


def beside(kind: str, name: str, x: float, y: float, size: float, radius: float) -> Iterator[Label]:
    """Yield a label at growing distances from a thing of that radius [m], first on the side away from the middle."""
    box = Label(kind, name, x, y, size).box
    half_width, half_height = (box.right - box.left) / 2, (box.bottom - box.top) / 2
    outward = 1 if x >= 0 else -1
    for ring in range(RINGS):
        gap = radius + ring * half_height
        for right, down in AROUND:
            yield Label(
                kind,
                name,
                x + outward * right * (gap + half_width),
                y + down * (gap + half_height),
                size,
                leads_to=(x, y) if ring else None,
            )
