"""The document as people read it."""

from collections.abc import Iterator
from typing import Any


def report(document: dict[str, Any]) -> str:
    """Return what the template can see, with its sensors as they are and otherwise, and how well that holds."""
    parts = [list(_variants(document))]
    if document["check"]:
        parts.append(list(_check(document["check"])))
    return "\n\n".join("\n".join(part) for part in parts)


def _variants(document: dict[str, Any]) -> Iterator[str]:
    rate = document["options"]["rate_kg_s"]
    yield (
        f"{document['template']}: rates [kg/s] from which on a leak is noticed within a day, in half and in 9 of 10 "
        f"cases, and how far off [m] the place of one of {rate:.0e} kg/s is expected to be"
    )
    yield f"(over the template's cells; currents: {document['currents']}; sensors: {document['sensors']})"
    yield (
        f"  {'sensors':<40}{'half: median':>14}{'90 % of cells':>15}{'9 of 10: median':>17}{'90 % of cells':>15}"
        f"{'off: median':>13}{'90 %':>7}"
    )
    for name, one in document["variants"].items():
        yield (
            f"  {name:<40}{one['half_median_kg_s']:>14.1e}{one['half_p90_kg_s']:>15.1e}{one['most_median_kg_s']:>17.1e}"
            f"{one['most_p90_kg_s']:>15.1e}{one['error_median_m']:>13.1f}{one['error_p90_m']:>7.1f}"
        )
    yield (
        f"processor time: rates {document['time']['rates_s']:.1f} s, errors {document['time']['errors_s']:.1f} s; "
        f"whether one leak would be found in four weeks of currents {document['whole_answer_s']:.2f} s"
    )


def _check(one: dict[str, Any]) -> Iterator[str]:
    yield f"held against {one['noticed'][0]['of']} leaks of a truth that shares no closure with the model"
    yield f"  {'foretold to be noticed':<28}{'truly noticed':>14}"
    for part in one["noticed"]:
        yield f"  {part['foretold']:<28.2f}{part['value']:>14.2f}  ({part['low']:.2f}-{part['high']:.2f})"
    yield (
        f"  the rate from which on one is noticed: rank correlation with the one foretold {one['rate_spearman']:+.2f}, "
        f"median of ln true / foretold {one['rate_bias_ln']:+.2f}"
    )
    if one["located"]:
        yield (
            f"  place: of {one['located']} leaks {one['reported']} were located; rank correlation of expected and "
            f"actual errors {one['error_spearman']:+.2f}; median {one['expected_median_m']:.1f} m expected, "
            f"{one['actual_median_m']:.1f} m actual; mean {one['expected_mean_m']:.1f} and {one['actual_mean_m']:.1f} m"
        )
