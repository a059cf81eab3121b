"""The document as people read it."""

from collections.abc import Iterator
from typing import Any

from bench.estimation.outcome import RANKS

NAMES = {
    "family": "family (independent, drawn per leak)",
    "puffs": "puffs (independent of the model)",
    "varying": "family, its rate changes over three days",
    "model": "model, perturbed",
    "self_consistent": "the estimation's own prior",
}
IN_A_BOX = {
    "family": "family, a box of cells (independent, drawn per leak)",
    "varying": "family, a box of cells, its rate changes over three days",
}


def report(document: dict[str, Any]) -> str:
    """Return the study's figures as tables of text: truths, leakless scenarios, costs, targets."""
    parts = [_head(document), *(_truth(document, kind) for kind in document["truths"])]
    parts += [_leakless(document), _costs(document), _targets(document)]
    return "\n\n".join("\n".join(lines) for part in parts if (lines := list(part)))


def name_of(document: dict[str, Any], kind: str) -> str:
    """Return what a kind of truth is called in tables and pictures."""
    names = NAMES | IN_A_BOX if document["options"]["template"] == "semi" else NAMES
    return names[kind]


def _head(document: dict[str, Any]) -> Iterator[str]:
    options = document["options"]
    yield (
        f"{options['scenarios']} scenarios per truth, seed {options['seed']}, {_template(options['template'])}; "
        f"currents: {document['currents']}; noise: {document['noise']}"
    )
    yield "(shares with their 95 % interval)"


def _template(kind: str) -> str:
    return "open template" if kind == "open" else "semi-closed template"


def _truth(document: dict[str, Any], kind: str) -> Iterator[str]:
    one = document["truths"][kind]
    drawn = f"{one['scenarios']} detected leaks of {one['drawn']} drawn"
    every = f"{one['scenarios']} leaks, detected or not ({one['detected']} detected)"
    yield f"{name_of(document, kind)}: {every if kind == 'self_consistent' else drawn}"
    yield f"  leak reported            {share_words(one['reported'])}"
    for verdict, part in one["verdicts"].items():
        yield f"  {verdict:<24} {share_words(part)}"
    yield f"  place off, horizontally  median {one['location_median_m']:.2f} m, 90 % {one['location_p90_m']:.2f} m"
    yield f"  place off, in all        median {one['distance_median_m']:.2f} m, 90 % {one['distance_p90_m']:.2f} m"
    yield f"  place's 50 % region      {share_words(one['place_50'])}"
    yield f"  place's 90 % region      {share_words(one['place_90'])}, median {one['region_90_median_m3']:.0f} m3"
    yield f"  rate within x2           {share_words(one['rate_x2'])}"
    yield f"  rate within x3           {share_words(one['rate_x3'])}"
    yield f"  rate's bias              median of ln {one['rate_bias_ln']:+.2f}"
    yield f"  rate's 50 % interval     {share_words(one['rate_50'])}"
    yield f"  rate's 90 % interval     {share_words(one['rate_90'])}, median width x{one['rate_90_width']:.1f}"
    yield f"  onset off                median {one['onset_median_h']:.2f} h, bias {one['onset_bias_h']:+.2f} h"
    yield f"  onset's 90 % interval    {share_words(one['onset_90'])}"
    yield f"  mass within x3           {share_words(one['mass_x3'])}, bias of ln {one['mass_bias_ln']:+.2f}"
    yield f"  mass' 50 % interval      {share_words(one['mass_50'])}"
    yield f"  mass' 90 % interval      {share_words(one['mass_90'])}"
    yield f"  steps' 90 % interval     {share_words(one['step_90'])} of the steps that leak"
    yield f"  told to leak             {share_words(one['leaking_told'])} of these"
    yield f"  told to be quiet         {share_words(one['quiet_told'])} of the others"
    yield from _ranks(one["calibration"], kind)


def _ranks(calibration: dict[str, Any], kind: str) -> Iterator[str]:
    among = (
        "all leaks of the prior"
        if kind == "self_consistent"
        else "detected leaks, chosen by what they show: not quite uniform"
    )
    yield f"  ranks of the truth in the posterior, among {among}"
    names = (*RANKS, "rate_detected") if kind == "self_consistent" else RANKS
    for name in names:
        one = calibration[name]
        counts = " ".join(f"{count:3d}" for count in one["histogram"])
        low, high = one["band"]
        yield (
            f"    {name.replace('_', ', '):<14} {counts}   (uniform: {low} to {high})  "
            f"KS {one['ks']:.3f}, p {one['p']:.3f}, {one['n']} leaks"
        )


def share_words(one: dict[str, float]) -> str:
    """Return a share with its interval."""
    return f"{one['value']:.2f} ({one['low']:.2f}-{one['high']:.2f})"


def _leakless(document: dict[str, Any]) -> Iterator[str]:
    for kind, words in (("none", "no leak"), ("common", "a common swing")):
        if one := document[kind]:
            shares = ", ".join(f"{verdict} {share_words(part)}" for verdict, part in one["verdicts"].items())
            yield f"{words:<16}{shares} of {one['verdicts']['CONFIRMED']['of']}"


def _costs(document: dict[str, Any]) -> Iterator[str]:
    time, size = document["time"], document["size"]
    yield f"machine: {document['machine']}; processes side by side: {time['processes']}"
    yield (
        f"an estimation: median {time['median_s']:.2f} s, longest {time['max_s']:.2f} s, median "
        f"{time['median_ratio']:.0f} x a fixed piece of numpy's work; {time['peak_mb']:.0f} MB over the imports'"
    )
    if size:
        yield (
            f"full size ({size['places']} places, 4 sensors, {size['steps']} steps, {size['onsets']} onsets, "
            f"{size['members']} members; one core): {size['seconds']:.2f} s, {size['ratio']:.0f} x that work, "
            f"{size['peak_mb']:.0f} MB over the imports', {size['process_mb']:.0f} MB in all; "
            f"import {size['import_s']:.2f} s"
        )


def _targets(document: dict[str, Any]) -> Iterator[str]:
    if document["targets"]:
        yield f"{'target':<48}{'wanted':>14}{'measured':>10}"
    for one in document["targets"]:
        interval = f"  ({one['low']:.2f}-{one['high']:.2f})" if "low" in one else ""
        word = "ok" if one["ok"] else "short"
        yield f"  {one['label']:<46}{one['target']:>14}{one['value']:>10.2f}  {word:<5}{interval}"
