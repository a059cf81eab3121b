"""The document as people read it."""

from collections.abc import Iterator
from typing import Any

from bench.chain.ablations import WORDS
from bench.chain.study import HOURS
from bench.estimation.report import share_words

FOUND_BY = {
    "at_budgets": "a sample that is not as high without the leak",
    "new_alarms_at_budgets": "an alarm that is not there without the leak, nor within 24 h",
}
BAND = (0.2, 0.8)  # of leaks found: there rules can be told apart


def report(document: dict[str, Any]) -> str:
    """Return the figures as tables of text."""
    parts = [_head(document), _quiet(document), _told(document), _beside(document), _at_budgets(document)]
    parts += [_ablations(document)]
    return "\n\n".join("\n".join(lines) for part in parts if (lines := list(part)))


def undecided_decades(document: dict[str, Any], rule: str, hours: int) -> dict[str, tuple[float, float]]:
    """Return what both rules find in the decades in which either finds between 20 and 80 %."""
    found = {}
    for decade, one in document["decades"].items():
        both = tuple(one["beside_older"][rule][name][str(hours)]["value"] for name in ("ours", "older"))
        if any(BAND[0] <= value <= BAND[1] for value in both):
            found[decade] = (both[0], both[1])
    return found


def _head(document: dict[str, Any]) -> Iterator[str]:
    options = document["options"]
    seeds = ", ".join(map(str, options["seeds"]))
    yield (
        f"{options['leaks']} leaks of each of the seeds {seeds}; currents: {options['currents']}; looked at every "
        f"{options['tick_hours']} h, estimated anew every {options['update_hours']} h"
    )
    yield (f"templates that were alarmed before they leaked, and drawn anew: {share_words(document['alarmed_before'])}")
    yield "(shares with their 95 % interval, false alarms with their 90 % interval)"


def _quiet(document: dict[str, Any]) -> Iterator[str]:
    yield "without a leak, alarms per template-month, by what people are told last"
    heads = " ".join(f"{cause:<21}" for cause in ("CONFIRMED", "undecided", "external", "all"))
    yield f"  {'':<18} {'months':>6}  {heads} one sensor, alone"
    for name, one in document["quiet"].items():
        told = [one["alarms"][cause] for cause in ("leak", "undecided", "external")]
        cells = " ".join(f"{_rate(cell):<21}" for cell in [*told, one["all_alarms"]])
        yield f"  {name:<18} {one['months']:>6.1f}  {cells} {_rate(one['one_sensor'])}"


def _told(document: dict[str, Any]) -> Iterator[str]:
    yield "leaks by rate: an alarm within 6, 24 and 72 h; CONFIRMED within 24 and 72 h; of all leaks, told last as"
    yield (
        f"  {'kg/s':<18} {'leaks':>5}  {'6 h':<14} {'24 h':<14} {'72 h':<14} {'CONFIRMED 24 h':<14} "
        f"{'72 h':<14} undecided external"
    )
    rows = document["decades"] | document["kinds"]
    for name, one in rows.items():
        cells = [*(one["found"][str(most)] for most in HOURS), *(one["confirmed"][str(most)] for most in HOURS[1:])]
        words = " ".join(f"{_share(cell):<14}" for cell in cells)
        causes = [f"{_percent(one['causes'][cause]):>9}" for cause in ("undecided", "external")]
        yield f"  {name:<18} {one['leaks']:>5}  {words} {' '.join(causes)}"
    yield ""
    yield "median delay in h of those told; when CONFIRMED: place off horizontally in m, and the rate's 90 % interval"
    yield f"  {'kg/s':<18} Warning Critical CONFIRMED  place: median, 90 %   holds the rate"
    for name, one in rows.items():
        yield (
            f"  {name:<18} {one['warning_h']:>7.1f} {one['critical_h']:>8.1f} {one['confirmed_h']:>9.1f}  "
            f"{one['place_median_m']:>13.1f} {one['place_p90_m']:>6.1f}   {share_words(one['rate_90'])}"
        )


def _beside(document: dict[str, Any]) -> Iterator[str]:
    for rule, false in document["rules"].items():
        yield (
            f"beside the older rule, at as many false {rule}s: {false['false_alarms_per_month']:.2f} per "
            f"template-month of this system, {false['older_false_alarms_per_month']:.2f} of the older one where judged"
        )
        yield f"  kg/s   within  {'this system':<14} {'older rule':<14} only this, only older   one sensor, Critical"
        for decade, one in document["decades"].items():
            for hours in map(str, HOURS):
                two = one["beside_older"][rule]
                yield (
                    f"  {decade:<6} {hours:>3} h   {_share(two['ours'][hours]):<14} {_share(two['older'][hours]):<14} "
                    f"{two['only_ours'][hours]:>9}, {two['only_older'][hours]:<10}   {_share(one['one_sensor'][hours])}"
                )
        for most in HOURS:
            told = undecided_decades(document, rule, most)
            worse = [decade for decade, (ours, older) in told.items() if not ours > older]
            where, words = ", ".join(told) or "no decade", f"not in {', '.join(worse)}" if worse else "in every one"
            yield f"  within {most} h either finds 20 to 80 % in {where}: this system finds more {words}"
        yield ""


def _at_budgets(document: dict[str, Any]) -> Iterator[str]:
    budgets = document["budgets"]
    yield (
        "beside the older rule, both at thresholds that the other half of the templates chose: mean share found over "
        f"{_listed(budgets, 'budget', 'g')} false alarms per template-month"
    )
    for name, key in (("this system", "false_alarms_per_month"), ("the older rule", "older_false_alarms_per_month")):
        yield f"  false alarms of {name} where judged: {_listed(budgets, key, '.2f')}"
    heads = [f"within {most} h: this, older" for most in HOURS]
    for key, words in FOUND_BY.items():
        yield f"  found by {words}"
        yield f"  kg/s   {''.join(f'{head:>30}' for head in heads)}"
        for decade, one in document["decades"].items():
            two = one[key]
            cells = [f"{100 * two['ours'][most]:.0f}, {100 * two['older'][most]:.0f}" for most in map(str, HOURS)]
            yield f"  {decade:<6} {''.join(f'{cell:>30}' for cell in cells)}"


def _ablations(document: dict[str, Any]) -> Iterator[str]:
    if not document["ablations"]:
        return
    yield "when something goes wrong: false alarms per template-month; found; CONFIRMED; place off in m; rate held"
    yield (
        f"  {'':<31} {'false, all':<21} {'CONFIRMED':<21} {'found 24 h':<14} {'72 h':<14} {'CONFIRMED 72 h':<14} "
        f"{'place':>5}  rate in 90 %"
    )
    for name, one in document["ablations"].items():
        quiet, leaks = one["quiet"], one["leaks"]
        found = [leaks["found"]["24"], leaks["found"]["72"], leaks["confirmed"]["72"], leaks["rate_90"]]
        cells = [f"{_share(cell):<14}" for cell in found]
        yield (
            f"  {WORDS[name]:<31} {_rate(quiet['all_alarms']):<21} {_rate(quiet['alarms']['leak']):<21} "
            f"{cells[0]} {cells[1]} {cells[2]} {leaks['place_median_m']:>5.1f}  {cells[3]}"
        )


def _listed(budgets: list[dict[str, float]], key: str, style: str) -> str:
    return ", ".join(format(one[key], style) for one in budgets)


def _rate(one: dict[str, float]) -> str:
    return f"{one['value']:.2f} ({one['low']:.2f} - {one['high']:.2f})"


def _share(one: dict[str, float]) -> str:
    return f"{100 * one['value']:3.0f} ({100 * one['low']:.0f} - {100 * one['high']:.0f})"


def _percent(one: dict[str, float]) -> str:
    return f"{100 * one['value']:.0f} %"
