"""The whole analysis of a 12-lead recording: time and throughput; NeuroKit2 and Keras beside it.

Times are of one synthetic recording of 10 s at 500 Hz, warm: on the clock, and of the processor (all threads together),
which says more on a machine that does other things too. The peers are what one would write without us: NeuroKit2's
`ecg_process` on lead II, its wavelet delineation on all twelve leads, and ``predict`` of a plain Keras network.
"""

from __future__ import annotations

import os
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.timing import compare, say
from benchmarks.waves import LEAD, dwt
from ecg_core.leads import INDEPENDENT_8
from ecg_core.pipeline import analyze, analyze_many
from ecg_core.recording import Recording
from ecg_core.synthesis import synthesize

STEPS = {
    "ecg_core.predictors.chain": (
        *("assess_quality", "detect_beats", "find_pacing", "classify_beats", "classify_rhythm", "suspect_reversals"),
        *("delineate_waves", "measure"),
    ),
    "ecg_core.pipeline": ("conclude",),
}
"""Where the steps of an analysis are called from, by name; the predictors stand beside them."""
RUNS = 30
MANY = 192
IN_A_ROW = 5
"""Analyses for each run of the peers, so that ours is as warm as its figures say."""
FLOOR = {"widths": (64, 128, 192, 256), "depths": (2, 2, 2, 2), "kernel": 7, "heads": 1, "dropout": 0.0}
"""A plain residual network of 3.3 million parameters, as one would train on PTB-XL at 100 Hz."""


def single(recording: Recording) -> dict[str, Any]:
    """Time one recording after the other: the whole, and its steps."""
    for _ in range(3):
        analyze(recording)
    walls, processor = [], []
    for _ in range(RUNS):
        wall, used = time.perf_counter(), time.process_time()
        analyze(recording)
        walls.append(1e3 * (time.perf_counter() - wall))
        processor.append(1e3 * (time.process_time() - used))
    spent: dict[str, list[float]] = {}
    with timed_steps(spent):
        for _ in range(RUNS):
            analyze(recording)
    steps = {name: min(sum(row) for row in np.array_split(values, RUNS)) for name, values in spent.items()}
    return {
        "least_ms": min(walls),
        "median_ms": statistics.median(walls),
        "processor_ms": statistics.median(processor),
        "steps_ms": steps,
    }


@contextmanager
def timed_steps(spent: dict[str, list[float]]) -> Iterator[None]:
    """Collect the milliseconds that each step takes on the clock."""
    from ecg_core.predictors import predictors

    homes = [(import_module(home), name) for home, names in STEPS.items() for name in names]
    homes += [(type(predictor), "predict") for predictor in predictors().values()]
    originals = [getattr(home, name) for home, name in homes]

    def timed(label: str, step: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            start = time.perf_counter()
            try:
                return step(*given, **named)
            finally:
                spent.setdefault(label, []).append(1e3 * (time.perf_counter() - start))

        return call

    try:
        for (home, name), step in zip(homes, originals, strict=True):
            label = name.strip("_") if name != "predict" else home.__name__
            setattr(home, name, timed(label, step))
        yield
    finally:
        for (home, name), step in zip(homes, originals, strict=True):
            setattr(home, name, step)


def throughput(recordings: list[Recording]) -> dict[str, float]:
    """Return the recordings a second of `analyze_many`: with the start of its processes, and once these are at work."""
    some = [recordings[at % len(recordings)] for at in range(MANY)]
    start = time.perf_counter()
    times = [time.perf_counter() - start for _ in analyze_many(some)]
    warm = MANY // 4
    return {
        "recordings": MANY,
        "per_second": MANY / times[-1],
        "per_second_at_work": (MANY - warm) / (times[-1] - times[warm - 1]),
    }


def peers(recording: Recording) -> Callable[[], None]:
    """Return NeuroKit2's analysis of twelve leads and a Keras prediction, as one call."""
    import neurokit2

    from training.heart12_network import build

    network = build(1000, 71, **FLOOR)  # type: ignore[arg-type]
    print(f"the peers' network: {network.count_params() / 1e6:.1f} million parameters")
    signal = recording.signal.astype(np.float64)
    strip = np.stack([recording.lead(lead)[:: round(recording.fs / 100)][:1000] for lead in INDEPENDENT_8], axis=1)

    def theirs() -> None:
        neurokit2.ecg_process(recording.lead(LEAD).astype(np.float64), recording.fs)
        for lead in signal:
            dwt(lead, recording.fs)
        network.predict(strip[None], verbose=0)

    return theirs


def main() -> dict[str, Any]:
    """Print the figures, and return them."""
    recordings = [synthesize(fs=500, seed=seed).recording for seed in range(16)]
    one = single(recordings[1])
    times = f"{one['median_ms']:.1f} ms (least {one['least_ms']:.1f})"
    print(f"analyze: {times}; of the processor {one['processor_ms']:.1f}")
    for name, spent in one["steps_ms"].items():
        print(f"    {name}: {spent:.1f} ms")
    many = throughput(recordings)
    print(
        f"analyze_many: {many['per_second']:.0f} recordings/s over {MANY}, {many['per_second_at_work']:.0f} once its "
        f"{len(os.sched_getaffinity(0))} processes are at work"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        row = compare(
            lambda: [analyze(recordings[1]) for _ in range(IN_A_ROW)], peers(recordings[1]), seconds=15, least=8
        )
    row |= {name: row[name] / IN_A_ROW for name in ("ours_ms", "ratio", "ratio_low", "ratio_high")}
    say("analyze", row, "NeuroKit2 on 12 leads and a Keras prediction")
    print(f"    that is {1 / row['ratio']:.0f} times as fast")
    return {"single": one, "many": many, "beside peers": row}
