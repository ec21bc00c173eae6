"""How far the measurements that rest on the waves are from the truth of synthetic ECGs, through the whole chain."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from ecg_core.beats import detect_beats
from ecg_core.delineation.delineate import delineate_with
from ecg_core.engine import Network
from ecg_core.errors import InvalidValue
from ecg_core.evaluation.bootstrap import RESAMPLES
from ecg_core.measurements import measure
from ecg_core.synthesis import SHAPES, Synthetic, synthesize

INTERVALS = ("pr", "qrs", "qt")
AXES = ("p", "qrs", "t")
SEED = 7_000_000
"""Far from those that training draws."""
CASES: Mapping[str, Mapping[str, Any]] = {
    "as recorded": {},
    "axes anywhere": {"axes": True},
    "long QT": {"qtc_ms": (480, 580)},
    "noise of 20 dB": {"noise": ("muscle", "baseline", "mains"), "snr_db": 20.0},
}
PER_SHAPE = 6


def run_checks(network: Network, per_shape: int = PER_SHAPE) -> dict[str, dict[str, Any]]:
    """Return, case by case, what each measurement is off (ms, degrees) at the median and the 95th percentile.

    Each case holds every shape ``per_shape`` times, at rates from 45 to 105. ``missing`` counts values that there
    should be and are not.
    """
    return {case: _one_case(network, options, per_shape) for case, options in CASES.items()}


def _one_case(network: Network, options: Mapping[str, Any], per_shape: int) -> dict[str, Any]:
    errors: dict[str, list[float]] = {f"{name}_ms": [] for name in INTERVALS} | {f"{n}_axis_deg": [] for n in AXES}
    n = missing = 0
    for made in _ecgs(options, per_shape):
        n += 1
        waves = delineate_with(network, made.recording, detect_beats(made.recording, method="fast").times_s)
        table = measure(made.recording, waves)
        for name, found in errors.items():
            kind, _, unit = name.rpartition("_")
            truth = made.truth.interval_ms(kind) if unit == "ms" else made.truth.axis_deg(kind.removesuffix("_axis"))
            item = table[name]
            if math.isnan(truth) or (item.value is None and "runs into" in str(item.reason)):
                continue
            if item.value is None:
                missing += 1
                continue
            error = item.value - truth
            found.append(abs(error) if unit == "ms" else abs((error + 180) % 360 - 180))
    return {"n": n, "missing": missing, "errors": {name: _figures(found) for name, found in errors.items()}}


def _ecgs(options: Mapping[str, Any], per_shape: int) -> Iterator[Synthetic]:
    rng = np.random.default_rng(SEED)
    settings = {name: value for name, value in options.items() if name not in ("axes", "qtc_ms")}
    for shape in SHAPES:
        made = 0
        while made < per_shape:
            drawn = dict(settings)
            if "axes" in options:
                drawn |= {f"{name}_axis_deg": float(rng.uniform(-180, 180)) for name in AXES}
            if "qtc_ms" in options:
                drawn["qtc_ms"] = float(rng.uniform(*options["qtc_ms"]))
            rate = rng.uniform(45, 75 if "qtc_ms" in options else 105)
            try:
                yield synthesize(shape=shape, rate_bpm=float(rate), seed=SEED + int(rng.integers(1 << 30)), **drawn)
            except InvalidValue:
                continue  # an axis for which the ST deviation of this shape leaves no room
            made += 1


def _figures(errors: list[float]) -> dict[str, Any]:
    """Return median and 95th percentile, the latter with its 95 % bootstrap interval."""
    if not errors:
        return {"n": 0, "median": None, "p95": None}
    values = np.array(errors)
    drawn = np.random.default_rng(0).integers(0, len(values), (RESAMPLES, len(values)))
    low, high = np.percentile(np.percentile(values[drawn], 95, axis=1), (2.5, 97.5))
    p95 = {"value": float(np.percentile(values, 95)), "low": float(low), "high": float(high)}
    return {"n": len(values), "median": float(np.median(values)), "p95": p95}
