"""`measure_hrv`: how the intervals between normal beats vary, after the Task Force 1996 (doi:10.1161/01.CIR.93.5.1043).

Which intervals count as NN (normal to normal), without knowing what kind each beat is:

- those of 0.3 to 2.0 s,
- within 20 % of the median of the eleven around them: an early beat and the pause after it are left out.

Where more than 20 % are left out, the rhythm is not one whose variability means autonomic tone (atrial fibrillation, a
poor signal), and no figure is given. Differences are taken between neighbours only, never across what was left out.

Powers are Welch's, on the NN intervals as a function of time, joined by a cubic spline and read at 4 Hz, in windows of
five minutes or the whole of what is shorter. Runs are cut where no NN interval ends for `_BRIDGE_S`, and each figure
uses the runs that hold about ten periods of its slowest oscillation: 60 s for HF, 120 s for LF, over 300 s for VLF.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ecg_core.measurements.values import Measurement

BOUNDS_S = (0.3, 2.0)
NEAR_MEDIAN = 0.2
AROUND = 11
MAX_LEFT_OUT = 0.2
MIN_INTERVALS = 5
"""Fewer NN intervals, or pairs of them, say nothing about variability."""

BANDS = {"vlf": (0.0033, 0.04), "lf": (0.04, 0.15), "hf": (0.15, 0.4)}
"""Hz, the upper edge not included."""
MIN_RUN_S = {"vlf": 300.0, "lf": 120.0, "hf": 60.0}

_TACHOGRAM_FS = 4.0
_WINDOW_S = 300.0
_N_FFT = 4096
_BRIDGE_S = 5.0
_NOTHING = 1e-6
"""In ms or ms2: what rounding leaves of a variability of 0."""


@dataclass(frozen=True)
class Hrv:
    """Heart rate variability."""

    n_intervals: int
    n_left_out: int
    """Intervals that are not NN."""
    figures: Mapping[str, Measurement]
    """By name, the unit at its end: ``sdnn_ms``, ``rmssd_ms``, ``pnn50_percent``, ``lf_ms2``, ``lf_nu``, ``lf_hf``."""

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {
            "n_intervals": self.n_intervals,
            "n_left_out": self.n_left_out,
            "figures": {name: figure.to_dict() for name, figure in self.figures.items()},
        }


_METHODS = {
    "mean_nn_ms": "mean",
    "sdnn_ms": "standard deviation",
    "rmssd_ms": "root mean square of successive differences",
    "pnn50_percent": "successive differences over 50 ms, of all NN intervals",
    "sd1_ms": "Poincare plot, across the line of identity",
    "sd2_ms": "Poincare plot, along the line of identity",
    "sd1_sd2": "SD1 / SD2",
    "vlf_ms2": "Welch power, 0.0033-0.04 Hz",
    "lf_ms2": "Welch power, 0.04-0.15 Hz",
    "hf_ms2": "Welch power, 0.15-0.4 Hz",
    "lf_hf": "LF / HF",
    "lf_nu": "LF / (LF + HF), percent",
    "hf_nu": "HF / (LF + HF), percent",
}


def measure_hrv(times_s: np.ndarray, stretch: np.ndarray) -> Hrv:
    """Measure heart rate variability in the time domain, the frequency domain and the Poincare plot.

    Parameters
    ----------
    times_s
        Beats in seconds, increasing, shape (n_beats,).
    stretch
        Number of the recorded stretch that each beat lies in, shape (n_beats,); no interval leads from one to another.
    """
    times_s, stretch = np.asarray(times_s, np.float64), np.asarray(stretch)
    rr_ms = 1000 * np.diff(times_s)
    is_rr = np.diff(stretch) == 0
    is_nn = is_rr & _is_normal(rr_ms, is_rr)
    n_rr, n_nn = int(is_rr.sum()), int(is_nn.sum())
    if n_nn < MIN_INTERVALS or n_rr - n_nn > MAX_LEFT_OUT * n_rr:
        if n_rr < MIN_INTERVALS:
            reason = f"{n_rr} intervals between beats; {MIN_INTERVALS} are needed"
        else:
            reason = (
                f"{n_rr - n_nn} of {n_rr} intervals are not of a steady rhythm"
                f" (0.3-2.0 s and within 20 % of the median around): variability describes sinus rhythm only"
            )
        return Hrv(
            n_rr, n_rr - n_nn, {name: Measurement(None, how, n_nn, reason=reason) for name, how in _METHODS.items()}
        )
    found = _time_domain(rr_ms, is_nn) | _frequency_domain(times_s[1:], rr_ms, is_nn, stretch[1:])
    figures = {}
    for name, method in _METHODS.items():
        value, n, why = found[name]
        figures[name] = Measurement(value, method, n, reason=why)
    return Hrv(n_rr, n_rr - n_nn, figures)


_Found = dict[str, tuple[float | None, int, str | None]]
"""Name to value, n and reason."""


def _is_normal(rr_ms: np.ndarray, is_rr: np.ndarray) -> np.ndarray:
    """Return which intervals, of all between neighbours in time, are plausible and near the median around them."""
    from scipy.ndimage import median_filter

    low, high = (1000 * bound for bound in BOUNDS_S)
    plausible = is_rr & (rr_ms >= low) & (rr_ms <= high)
    around = rr_ms.copy()
    if plausible.any():
        around[plausible] = median_filter(
            rr_ms[plausible], size=AROUND, mode="mirror" if plausible.sum() > 1 else "nearest"
        )
    normal: np.ndarray = plausible & (np.abs(rr_ms - around) <= NEAR_MEDIAN * around)
    return normal


def _time_domain(rr_ms: np.ndarray, is_nn: np.ndarray) -> _Found:
    nn = rr_ms[is_nn]
    first = np.flatnonzero(is_nn[:-1] & is_nn[1:])
    step = rr_ms[first + 1] - rr_ms[first]
    found: _Found = {
        "mean_nn_ms": (float(nn.mean()), len(nn), None),
        "sdnn_ms": (float(nn.std(ddof=1)), len(nn), None),
    }
    pairwise = ("rmssd_ms", "pnn50_percent", "sd1_ms", "sd2_ms", "sd1_sd2")
    if len(step) < MIN_INTERVALS:
        reason = f"{len(step)} pairs of successive normal intervals; {MIN_INTERVALS} are needed"
        return found | dict.fromkeys(pairwise, (None, len(step), reason))
    sd1 = float(np.std(step, ddof=1) / np.sqrt(2))
    sd2 = float(np.std(rr_ms[first + 1] + rr_ms[first], ddof=1) / np.sqrt(2))
    values = (float(np.sqrt(np.mean(step**2))), float(100 * (np.abs(step) > 50).sum() / len(nn)), sd1, sd2)
    found |= {name: (value, len(step), None) for name, value in zip(pairwise, values, strict=False)}
    found["sd1_sd2"] = (sd1 / sd2, len(step), None) if sd2 > _NOTHING else (None, len(step), "SD2 is 0")
    return found


def _frequency_domain(end_s: np.ndarray, rr_ms: np.ndarray, is_nn: np.ndarray, stretch: np.ndarray) -> _Found:
    """Return the powers; an interval stands at the time of the beat that ends it, in the stretch of that beat."""
    runs = list(_runs(end_s[is_nn], rr_ms[is_nn], stretch[is_nn]))
    found: _Found = {f"{name}_ms2": _power(runs, *BANDS[name], MIN_RUN_S[name]) for name in BANDS}
    lf, n, reason = found["lf_ms2"]
    # Of the same runs as LF, which may be fewer than HF has.
    hf, _, _ = _power(runs, *BANDS["hf"], MIN_RUN_S["lf"])
    if lf is None or hf is None:
        return found | dict.fromkeys(("lf_nu", "hf_nu", "lf_hf"), (None, n, reason))
    if hf < _NOTHING:
        reason = "there is no power at 0.15-0.4 Hz to compare with"
        return found | dict.fromkeys(("lf_nu", "hf_nu", "lf_hf"), (None, n, reason))
    found["lf_hf"] = (lf / hf, n, None)
    return found | {"lf_nu": (100 * lf / (lf + hf), n, None), "hf_nu": (100 * hf / (lf + hf), n, None)}


def _runs(end_s: np.ndarray, nn_ms: np.ndarray, stretch: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield (end times in s, NN intervals in ms) of what hangs together."""
    cuts = np.flatnonzero((np.diff(stretch) != 0) | (np.diff(end_s) > _BRIDGE_S)) + 1
    yield from zip(np.split(end_s, cuts), np.split(nn_ms, cuts), strict=True)


def _power(
    runs: list[tuple[np.ndarray, np.ndarray]], low: float, high: float, min_s: float
) -> tuple[float | None, int, str | None]:
    """Return the power in ms2 at [low, high) Hz, the mean over runs of at least ``min_s`` weighted by their length."""
    from scipy.interpolate import CubicSpline
    from scipy.signal import welch

    long_enough = [(at, nn) for at, nn in runs if at[-1] - at[0] + nn[0] / 1000 >= min_s]
    if not long_enough:
        longest = max(float(at[-1] - at[0] + nn[0] / 1000) for at, nn in runs)
        return None, 0, f"the longest run of beats lasts {longest:.0f} s; {min_s:.0f} s are needed"
    powers, weights = [], []
    for at, nn in long_enough:
        tachogram = CubicSpline(at, nn)(np.arange(at[0], at[-1], 1 / _TACHOGRAM_FS))
        window = min(len(tachogram), round(_WINDOW_S * _TACHOGRAM_FS))
        hz, density = welch(tachogram, _TACHOGRAM_FS, "hann", nperseg=window, nfft=_N_FFT, detrend="constant")
        powers.append(density[(hz >= low) & (hz < high)].sum() * hz[1])
        weights.append(len(tachogram))
    return float(np.average(powers, weights=weights)), sum(len(nn) for _, nn in long_enough), None
