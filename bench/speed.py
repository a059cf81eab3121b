"""How fast samples are scored, beside STUMPY's streaming class in the same run, and how soon in a fresh process.

    python -m bench.speed [--json] [--quick]

Milliseconds per sample, medians of interleaved turns: the engine (nearest windows), the whole score (``detect`` as a
tick calls it, all channels, with and without currents), STUMPY's ``aampi.update``, and the same with what it costs to
build that class again every 144 samples, without which it would slowly join the leak to its baseline.
"""

import argparse
import json
import statistics
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

from bench import fresh
from bench.history import WINDOW, baseline_of, history, ready_profile, tide, times
from shared.arrays import Floats
from shared.detection import Baseline, detect
from shared.detection.figures import Raw
from shared.detection.join import Join

SIZES = (5_000, 20_000, 66_000, 125_000)
CALLS = (1, 6, 144, 1000)  # samples that come at once: live, an hour, a day, a week
DAY = 144
CONTEXT = 2 * DAY  # bins that a tick reads before the samples it scores
RESET = 144  # samples between two resets of the older system
MONTH, MONTH_BASELINE = 4_320, 52_000
BUILT = 200 * DAY


def say(text: str) -> None:
    """Print progress on stderr, beside the tables."""
    print(text, file=sys.stderr, flush=True)


def seconds(call: Callable[[], object]) -> float:
    """Return how long a call takes, in s."""
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def score(baseline: Baseline, values: Floats, samples: int, *, currents: bool) -> Callable[[], object]:
    """Return the call that scores the last so many samples of values [n]; the rest of their day is scored already."""
    known = max(DAY - samples, 0)
    recent = values[-(CONTEXT + known + samples) :]
    moments = times(values.size - recent.size, recent.size)
    sea = tide(moments) if currents else None
    raw = detect(baseline, moments, recent, sea, since=moments[CONTEXT]).raw
    before = Raw(raw.score[:known], raw.channel[:known], raw.away[:known])
    return lambda: detect(baseline, moments, recent, sea, since=moments[CONTEXT], known=before)


def per_sample(baseline: Baseline, values: Floats, profile: Floats, turns: int) -> list[dict[str, float]]:
    """Return a row for each number of samples in CALLS; values [n + 1000] go on after the baseline's n."""
    import stumpy

    size = values.size - max(CALLS)
    known = values[:size]

    def rebuild() -> Any:
        return stumpy.aampi(known, m=WINDOW, egress=False, mp=profile)

    stream, join = rebuild(), Join(known, WINDOW)
    stream.update(values[size])
    reset = statistics.median(seconds(rebuild) for _ in range(3))
    rows = []
    for samples in CALLS:
        query = values[size - WINDOW + 1 : size + samples]
        whole, told = (score(baseline, values[: size + samples], samples, currents=each) for each in (False, True))
        mine, scored, with_currents, theirs = (list[float]() for _ in range(4))
        for _ in range(turns if samples < RESET else max(turns // 5, 3)):
            mine.append(seconds(lambda: join.nearest(query)) / samples)  # noqa: B023
            theirs.extend(seconds(lambda: stream.update(values[size])) for _ in range(2))
            scored.append(seconds(whole) / samples)
            with_currents.append(seconds(told) / samples)
        engine, detection, hearing, update = (
            1e3 * statistics.median(each) for each in (mine, scored, with_currents, theirs)
        )
        with_resets = update + 1e3 * reset / RESET
        rows.append(
            {
                "baseline": size,
                "samples": samples,
                "engine_ms": engine,
                "score_ms": detection,
                "score_with_currents_ms": hearing,
                "stumpy_update_ms": update,
                "stumpy_with_resets_ms": with_resets,
                "engine_ratio": update / engine,
                "engine_ratio_with_resets": with_resets / engine,
                "score_ratio": update / detection,
                "score_ratio_with_resets": with_resets / detection,
                "score_with_currents_ratio": update / hearing,
                "score_with_currents_ratio_with_resets": with_resets / hearing,
            }
        )
    return rows


def month(turns: int) -> dict[str, float]:
    """Return the median seconds of scoring a month of one sensor again."""
    values = history(MONTH_BASELINE + MONTH)
    call = score(baseline_of(values[:MONTH_BASELINE]), values, MONTH, currents=True)
    return {
        "baseline": MONTH_BASELINE,
        "samples": MONTH,
        "score_s": statistics.median(seconds(call) for _ in range(turns)),
    }


def built(turns: int) -> dict[str, float]:
    """Return the median seconds of making a baseline of 200 days."""
    values = history(BUILT)
    return {"samples": BUILT, "build_s": statistics.median(seconds(lambda: baseline_of(values)) for _ in range(turns))}


def measure(quick: bool) -> dict[str, Any]:
    """Return everything: per_sample, fresh, built, month."""
    sizes = SIZES[:2] if quick else SIZES
    rows: list[dict[str, float]] = []
    for size in sizes:
        say(f"baseline of {size:,} samples ...")
        values = history(size + max(CALLS))
        baseline, profile = baseline_of(values[:size]), ready_profile(values[:size])
        say("  per sample ...")
        rows += per_sample(baseline, values, profile, 15 if quick else 41)
    say("fresh processes ...")
    start = fresh.measure(baseline, values[: size + WINDOW], profile, 3 if quick else 5)
    say("a baseline of 200 days, and a month again ...")
    return {"per_sample": rows, "fresh": start, "built": built(3), **({} if quick else {"month": month(3)})}


def report(found: dict[str, Any]) -> None:
    """Print what was measured as tables."""
    print("milliseconds per sample, and how many times as long STUMPY's streaming class takes (with its resets)")
    print(
        "baseline  at once   engine    score  and currents   STUMPY  with resets"
        "   engine is faster   score is faster   and with currents"
    )
    for row in found["per_sample"]:
        print(
            f"{row['baseline']:8,}  {row['samples']:7,}  {row['engine_ms']:7.3f}  {row['score_ms']:7.3f}"
            f"  {row['score_with_currents_ms']:12.3f}"
            f" {row['stumpy_update_ms']:8.3f}  {row['stumpy_with_resets_ms']:11.3f}"
            f"   {row['engine_ratio']:6.1f} ({row['engine_ratio_with_resets']:6.1f})"
            f"   {row['score_ratio']:6.1f} ({row['score_ratio_with_resets']:6.1f})"
            f"  {row['score_with_currents_ratio']:6.1f} ({row['score_with_currents_ratio_with_resets']:6.1f})"
        )
    cold = found["fresh"]
    print(
        f"\nfresh process to the first score, baseline of {cold['samples']:,} (Python's own start, left out: ", end=""
    )
    print(f"{cold['python_alone_s']:.2f} s, {cold['python_alone_mb']:.0f} MB)")
    print(f"  this system             {cold['ours_s']:7.2f} s  {cold['ours_mb']:5.0f} MB at most")
    print(
        f"  STUMPY streaming class  {cold['stumpy_streaming_s']:7.2f} s  {cold['stumpy_streaming_mb']:5.0f} MB at most"
    )
    made = found["built"]
    print(f"\na baseline of {made['samples']:,} samples")
    print(f"  this system             {made['build_s']:7.2f} s")
    if "month" in found:
        again = found["month"]
        print(f"\na month of one sensor again ({again['samples']:,} samples, baseline of {again['baseline']:,})")
        print(f"  this system             {again['score_s']:7.2f} s")


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.speed", description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true", help="small baselines, few turns, no month")
    options = parser.parse_args()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = measure(options.quick)
    if options.json:
        print(json.dumps(found))
    else:
        report(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
