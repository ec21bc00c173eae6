"""Timing two ways of doing one thing, in turns, so that a noisy machine disturbs both alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping

Work = Callable[[], object]


def compare(ours: Work, theirs: Work, *, seconds: float = 2.0, least: int = 15) -> dict[str, float]:
    """Run both alternately for about ``seconds``.

    Returns
    -------
    Median milliseconds of each, and the median of the pairwise ratios ours/theirs with its quartiles.
    """
    ours()
    theirs()
    pairs = []
    end = time.perf_counter() + seconds
    while len(pairs) < least or time.perf_counter() < end:
        pairs.append((_time(ours), _time(theirs)))
    ratios = [mine / other for mine, other in pairs]
    low, middle, high = statistics.quantiles(ratios, n=4)
    return {
        "ours_ms": 1e3 * statistics.median(mine for mine, _ in pairs),
        "theirs_ms": 1e3 * statistics.median(other for _, other in pairs),
        "ratio": middle,
        "ratio_low": low,
        "ratio_high": high,
        "runs": len(pairs),
    }


def _time(work: Work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def say(what: str, row: Mapping[str, float], peer: str) -> None:
    """Print a ratio of times."""
    print(
        f"{what}: {row['ratio']:.2f} x the time of {peer} ({row['ratio_low']:.2f}-{row['ratio_high']:.2f});"
        f" {row['ours_ms']:.1f} against {row['theirs_ms']:.1f} ms"
    )
