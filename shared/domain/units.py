"""Units as data sources write them, and how a value in one becomes a value in another."""

from typing import NamedTuple

PPMV = "ppmv"
NMOL_L = "nmol/l"


class Conversion(NamedTuple):
    """value x ``factor`` + ``offset``."""

    factor: float = 1.0
    offset: float = 0.0

    def of(self, value: float) -> float:
        """Return the value in the other unit."""
        return value * self.factor + self.offset


# Each unit by its names in lower case, with what makes of it the first unit of its kind.
_KINDS: tuple[dict[str, Conversion], ...] = (
    {
        "m/s": Conversion(),
        "cm/s": Conversion(0.01),
        "mm/s": Conversion(0.001),
        "km/h": Conversion(1 / 3.6),
        "kn": Conversion(1852 / 3600),
    },
    {"m": Conversion(), "cm": Conversion(0.01), "mm": Conversion(0.001), "ft": Conversion(0.3048)},
    {"s": Conversion(), "ms": Conversion(0.001), "min": Conversion(60.0)},
    {"deg": Conversion(), "rad": Conversion(57.29577951308232)},
    {"degc": Conversion(), "k": Conversion(1.0, -273.15), "degf": Conversion(5 / 9, -160 / 9)},
    {PPMV: Conversion(), "ppbv": Conversion(0.001)},
    {NMOL_L: Conversion(), "umol/l": Conversion(1000.0)},
)
_NAMES = {
    "mps": "m/s",
    "m/sec": "m/s",
    "knot": "kn",
    "knots": "kn",
    "kt": "kn",
    "kts": "kn",
    "meter": "m",
    "metre": "m",
    "sec": "s",
    "°": "deg",
    "degree": "deg",
    "degrees": "deg",
    "°c": "degc",
    "c": "degc",
    "celsius": "degc",
    "kelvin": "k",
    "°f": "degf",
    "ppm": PPMV,
    "ppm(v)": PPMV,
    "ppb": "ppbv",
    "nm": NMOL_L,
    "µmol/l": "umol/l",
    "μmol/l": "umol/l",
}


def conversion(given: str, wanted: str, ppmv_per_nmol_l: float) -> Conversion | None:
    """Return what makes of a value in one unit a value in another; None where nothing is known to.

    ``ppmv_per_nmol_l`` is the reading [ppmv] in water that holds 1 nmol/L of dissolved methane.
    """
    one, other = _name(given), _name(wanted)
    if one == other:
        return Conversion()
    for kind in _KINDS:
        if one in kind and other in kind:
            to_first, from_first = kind[one], kind[other]
            return Conversion(
                to_first.factor / from_first.factor, (to_first.offset - from_first.offset) / from_first.factor
            )
    amount = _KINDS[-1].get(one)
    if amount is not None and other == PPMV:
        return Conversion(amount.factor * ppmv_per_nmol_l)
    return None


def whole_turn(unit: str) -> float:
    """Return a whole turn in a unit of angles; 360 of one that is not known."""
    return 6.283185307179586 if _name(unit) == "rad" else 360.0


def _name(unit: str) -> str:
    text = "".join(unit.casefold().split())
    return _NAMES.get(text, text)
