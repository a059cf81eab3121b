"""The document as people read it."""

import math
from collections.abc import Iterator
from typing import Any

from bench.detection.rules import RULES, TOLD_RULES
from bench.detection.tally import GROUPS

LABELS = {rule.name: rule.label for rule in RULES + TOLD_RULES}
WIDTH = 7
WIDE = 14


def plain(value: Any) -> Any:
    """Return a document as JSON takes it: what is not a finite number is null."""
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value


def report(document: dict[str, Any]) -> str:
    """Return the study's figures as tables of text."""
    parts = (_data, _areas, _intervals, _fixed, _performances, _delays, _holding, _gaps, _events)
    return "\n\n".join("\n".join(part(document)) for part in parts)


def _data(document: dict[str, Any]) -> Iterator[str]:
    yield (
        f"{len(document['sensors'])} sensors, {len(document['folds'])} folds, "
        f"{document['sensor_months']:.1f} evaluated sensor-months, {document['leaks']} leaks "
        f"(seed {document['options']['seed']}, currents: {document['currents']})"
    )
    for fold in document["folds"]:
        yield (
            f"  {fold['sensor']:<28} baseline {fold['baseline_from'][:10]}, evaluated {fold['evaluated_from'][:10]} "
            f"to {fold['evaluated_to'][:10]}, {fold['months']:.2f} months, sigma {fold['sigma_ppmv']:.1f} ppmv"
        )
    for name, why in document["passed_over"].items():
        yield f"  passed over: {name} ({why})"


def _areas(document: dict[str, Any]) -> Iterator[str]:
    yield "area: mean recall % over 0.25, 0.5, 1 and 2 false alarms per sensor-month, new alarms only (recall % at 1)"
    yield f"  {'':<28}" + "".join(f"{group:>{WIDE}}" for group in GROUPS)
    for name, groups in document["area"].items():
        cells = (f"{100 * one['area']:.1f} ({100 * one['recall_at_1']:.0f})" for one in groups.values())
        yield f"  {LABELS[name]:<28}" + "".join(f"{cell:>{WIDE}}" for cell in cells)


def _intervals(document: dict[str, Any]) -> Iterator[str]:
    how = "measured without the sensor judged" if document["chosen_without_the_sensor"] else "as they are set"
    yield f"ratios of areas, 90 % intervals over sensors, thresholds chosen anew (this system's scales: {how})"
    for name, groups in document["area_ratios"].items():
        for group, one in groups.items():
            yield f"  ours / {LABELS[name]:<14}{group:<14}{one['value']:>6.2f}  ({one['low']:.2f} to {one['high']:.2f})"
    for name, groups in document["area_differences"].items():
        yield f"area {LABELS[name]} less that without, in points"
        for group, one in groups.items():
            low, value, high = (100 * one[key] for key in ("low", "value", "high"))
            yield f"  {group:<28}{value:>+6.1f}  ({low:+.1f} to {high:+.1f})"


def _fixed(document: dict[str, Any]) -> Iterator[str]:
    yield "fixed levels: false alarms per sensor-month with the exact 90 % interval, recall % of all leaks"
    for name, levels in document["fixed"].items():
        for when, one in levels.items():
            yield (
                f"  {LABELS[name] + ', ' + when:<28}{one['false_alarms']:>4} of them, "
                f"{one['false_alarms_per_month']:.2f} ({one['per_month_low']:.2f} to {one['per_month_high']:.2f}), "
                f"recall {100 * one['recall']:.1f}"
            )
            yield " " * 30 + ", ".join(f"{kind} {100 * share:.0f}" for kind, share in one["recall_by_kind"].items())


def _performances(document: dict[str, Any]) -> Iterator[str]:
    short = [name.replace(" ppmv", "").replace(" sigma", "s") for name in document["amplitudes"]]
    heads = ("thresh.", "FA/mon", "alarm%", *short, "mean", "delay")
    yield "recall % (by amplitude in ppmv and sigma, and their mean) / median delay in hours"
    yield " " * 30 + "".join(f"{head:>{WIDTH}}" for head in heads)
    for name, levels in document["fixed"].items():
        for when, figures in levels.items():
            yield from _performance(f"{LABELS[name]}, {when}", figures)
    for index, one in enumerate(document["rules"]["ours"]["budgets"]):
        yield f"smallest threshold that keeps at most {one['budget']:g} false alarms per sensor-month"
        for name, rule in document["rules"].items():
            yield from _performance(LABELS[name], rule["budgets"][index])


def _performance(name: str, figures: dict[str, Any]) -> Iterator[str]:
    yield f"  {name:<28}" + _cells(
        f"{figures['threshold']:.2f}",
        f"{figures['false_alarms_per_month']:.2f}",
        f"{100 * figures['time_in_alarm']:.1f}",
        *(f"{100 * share:.0f}" for share in figures["recall_by_amplitude"]),
        f"{100 * figures['recall']:.1f}",
        f"{figures['delay_h']:.1f}",
    )
    delays = (f"{hours:.1f}" for hours in figures["delay_h_by_amplitude"])
    yield f"  {'':<28}" + _cells("", "", "", *delays)


def _cells(*cells: str) -> str:
    return "".join(f"{cell:>{WIDTH}}" for cell in cells)


def _delays(document: dict[str, Any]) -> Iterator[str]:
    yield "median delays, this system beside the others, each at its threshold for 1 false alarm per sensor-month"
    for name, delay in document["delays"].items():
        yield (
            f"  {LABELS[name]}: on the {delay['both_find']} leaks that both find "
            f"{delay['ours_h']:.1f} h against {delay['theirs_h']:.1f} h"
        )
        yield (
            f"    at equal recall (ours at {delay['equal_recall_threshold']:.2f}, "
            f"{delay['equal_recall_false_alarms_per_month']:.2f} false alarms per month): "
            f"{delay['equal_recall_ours_h']:.1f} h against {delay['equal_recall_theirs_h']:.1f} h"
        )
        yield (
            f"    and on the {delay['equal_recall_both_find']} leaks that both find then: "
            f"{delay['equal_recall_both_ours_h']:.1f} h against {delay['equal_recall_both_theirs_h']:.1f} h"
        )


def _holding(document: dict[str, Any]) -> Iterator[str]:
    yield "holding: leaks of 5 and 10 sigma that end after 3 days"
    yield " " * 30 + "   found  held %  (median, worst 5 %)   clear: median h, P95 h, within 12 h %"
    for name, levels in document["holding"].items():
        for when, one in levels.items():
            yield (
                f"  {LABELS[name] + ', ' + when:<28}{one['found']:>4}/{one['leaks']:<4}{100 * one['held_share']:>7.1f}"
                f"  ({100 * one['held_share_median_leak']:>5.1f}, {100 * one['held_share_p5_leak']:>5.1f})"
                f"{_hours(one['clear_median_h']):>23}{_hours(one['clear_p95_h']):>8}"
                f"{100 * one['clear_within_12_h']:>12.0f}"
            )
    for name in ("ours", *(rule.name for rule in TOLD_RULES)):
        for when, one in document["holding"][name].items():
            kinds = ", ".join(f"{kind} {100 * share:.1f}" for kind, share in one["held_share_by_kind"].items())
            yield f"  {LABELS[name]}, {when}, held % by kind of leak: {kinds}"


def _gaps(document: dict[str, Any]) -> Iterator[str]:
    yield "leaks that begin in a gap, in steps of so many times the baseline's spread"
    rows = document["gaps"]
    steps = sorted({row["step"] for row in rows})
    for name in (rule.name for rule in RULES):
        mine = [row for row in rows if row["rule"] == name]
        high, wrong = (sum(row[key] for row in mine) for key in ("high_samples", "high_but_ok_samples"))
        yield f"  {LABELS[name]}: {wrong} of {high} samples above the baseline's maximum plus its spread were Ok"
        for step in steps:
            these = [row for row in mine if row["step"] == step]
            yield f"    x {step:<5g}{_pooled(these, 'warning')}; {_pooled(these, 'critical')}"
    yield "this system's hours to Warning / Critical after the gap, the median fold's (the worst fold's)"
    yield f"  {'':<28}" + "".join(f"{f'x {step:g}':>26}" for step in steps)
    cases = dict[str, list[dict[str, Any]]]()
    for row in (row for row in rows if row["rule"] == "ours"):
        cases.setdefault(f"{row['gap']} {row['gap_h']} h, {row['onset']}", []).append(row)
    for case, members in cases.items():
        yield f"  {case:<28}" + "".join(f"{_times(row):>26}" for row in members)


def _pooled(rows: list[dict[str, Any]], level: str) -> str:
    medians = sorted(row[f"{level}_median_h"] for row in rows)
    worst = max(row[f"{level}_worst_h"] for row in rows)
    seen = sum(math.isfinite(one) for one in medians)
    middle = _hours(medians[len(medians) // 2])
    return f"{level.capitalize()} in {seen} of {len(medians)} gaps, after {middle} h (worst fold {_hours(worst)})"


def _times(row: dict[str, Any]) -> str:
    pairs = ((row[f"{level}_median_h"], row[f"{level}_worst_h"]) for level in ("warning", "critical"))
    return " / ".join(f"{_hours(median)} ({_hours(worst)})" for median, worst in pairs)


def _hours(value: float) -> str:
    return "> 48" if math.isinf(value) else f"{value:.1f}"


def _events(document: dict[str, Any]) -> Iterator[str]:
    yield "known rises: first flag on their days, UTC"
    for event in document["events"]:
        yield f"  {event['sensor']}, {event['first_day']} to {event['last_day']}"
        for name in (name for name in LABELS if name in event):
            flags = ", ".join(f"{when} {moment or 'never'}" for when, moment in event[name].items())
            yield f"    {LABELS[name]:<20}{flags}"
    if not document["events"]:
        yield "  none of their series is here"
