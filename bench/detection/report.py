"""The document as people read it."""

import math
from collections.abc import Iterator
from typing import Any

from bench.detection.rules import RULES

LABELS = {rule.name: rule.label for rule in RULES}
WIDTH = 7


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
    parts = (_data, _performances, _comparison, _holding, _events)
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


def _performances(document: dict[str, Any]) -> Iterator[str]:
    short = [name.replace(" ppmv", "").replace(" sigma", "s") for name in document["amplitudes"]]
    heads = ("thresh.", "FA/mon", "alarm%", *short, "mean", "delay")
    yield "recall % (by amplitude in ppmv and sigma, and their mean) / median delay in hours"
    yield " " * 30 + "".join(f"{head:>{WIDTH}}" for head in heads)
    for name, rule in document["rules"].items():
        for when, figures in rule["fixed"].items():
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


def _comparison(document: dict[str, Any]) -> Iterator[str]:
    yield "this system beside the others, each of those at its best threshold for 1 false alarm per sensor-month"
    for name, one in document["comparison"].items():
        for what in ("fixed_warning", "at_budget_1"):
            ratio, delay = one[f"ours_{what}"], one[f"delay_ours_{what}"]
            yield f"  ours {what.replace('_', ' ')} / {LABELS[name]}"
            yield (
                f"    recall x {ratio['ratio']:.2f}  (bootstrap over sensors and folds: median {ratio['median']:.2f}, "
                f"95 % from {ratio['low']:.2f} to {ratio['high']:.2f})"
            )
            yield (
                f"    delay on the {delay['both_find']} leaks that both find: "
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
    for name, rule in document["rules"].items():
        for when, one in rule["holding"].items():
            yield (
                f"  {LABELS[name] + ', ' + when:<28}{one['found']:>4}/{one['leaks']:<4}{100 * one['held_share']:>7.1f}"
                f"  ({100 * one['held_share_median_leak']:>5.1f}, {100 * one['held_share_p5_leak']:>5.1f})"
                f"{_hours(one['clear_median_h']):>23}{_hours(one['clear_p95_h']):>8}"
                f"{100 * one['clear_within_12_h']:>12.0f}"
            )
    for when, one in document["rules"]["ours"]["holding"].items():
        kinds = ", ".join(f"{kind} {100 * share:.1f}" for kind, share in one["held_share_by_kind"].items())
        yield f"  this system, {when}, held % by kind of leak: {kinds}"


def _hours(value: float) -> str:
    return "> 48" if math.isinf(value) else f"{value:.1f}"


def _events(document: dict[str, Any]) -> Iterator[str]:
    yield "known rises: first flag on their days, UTC"
    for event in document["events"]:
        yield f"  {event['sensor']}, {event['first_day']} to {event['last_day']}"
        for name, label in LABELS.items():
            flags = ", ".join(f"{when} {moment or 'never'}" for when, moment in event[name].items())
            yield f"    {label:<16}{flags}"
    if not document["events"]:
        yield "  none of their series is here"
