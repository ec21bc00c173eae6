"""What the intervals around a beat say about it: whether it is early, a pause follows, the rhythm around is regular.

Intervals are compared with those around. There are several ideas of what is usual (the last few, a minute, minutes,
beats of the dominant shape alone), since in a long run of early beats the nearest idea is the wrong one.
"""

from __future__ import annotations

import numpy as np

from ecg_core.statistics import known_median, median

NEAR, HALF_MINUTE, MINUTE, LONG = 11, 31, 61, 301
"""Intervals, about so many, that are looked at around a beat for what is usual there."""
_SUDDEN = 0.1
"""Change of the logarithm from an interval to the next that a steady rhythm seldom shows."""
_EARLY = 0.85
"""An interval under this part of the usual one is short."""


def timing_features(times_s: np.ndarray, stretch: np.ndarray, dominant: np.ndarray) -> dict[str, np.ndarray]:
    """Return the features by name, float64, shape (n_beats,); NaN where there is no interval to speak of.

    Parameters
    ----------
    times_s
        Beats, seconds, increasing, shape (n_beats,).
    stretch
        Number of the recorded stretch that each lies in; there is no interval between two stretches.
    dominant
        Which beats have the dominant shape, bool.
    """
    intervals = np.where((np.diff(stretch) == 0) & (np.diff(times_s) > 0), np.diff(times_s), np.nan)
    before, after = np.append(np.nan, intervals), np.append(intervals, np.nan)
    last, next_ = shift(before, 1), shift(after, -1)
    of_dominant = np.where(dominant & np.append(False, dominant[:-1]), before, np.nan)
    usual = {"near": running_median(before, NEAR)}
    usual["minute"], normal = running_median(np.stack((before, of_dominant)), MINUTE)
    usual["long"] = running_median(before, LONG)
    usual["normal"] = normal = np.where(np.isnan(normal), usual["minute"], normal)
    usual["whole"] = np.full(len(before), known_median(before))
    steps = np.log(after / before)
    sudden = np.where(np.isnan(steps), np.nan, np.abs(steps) > _SUDDEN)
    short = before < _EARLY * normal
    mean, square, unsteady = _running_mean(np.stack((before, before**2, sudden)), MINUTE)
    unsteady_near, early_near = _running_mean(np.stack((sudden, short)), NEAR)
    least_around = np.fmin(np.fmin(last, shift(before, 2)), np.fmin(after, next_))
    return {
        "rr_before_s": before,
        "rr_after_s": after,
        "rr_usual_s": normal,
        **{f"rr_before_to_{name}": np.log(before / value) for name, value in usual.items()},
        "rr_after_to_normal": np.log(after / normal),
        "rr_after_to_near": np.log(after / usual["near"]),
        "rr_before_to_after": np.log(before / after),
        "rr_before_to_last": np.log(before / last),
        "rr_before_to_last_but_one": np.log(before / shift(before, 2)),
        "rr_after_to_next": np.log(after / next_),
        "rr_last_to_normal": np.log(last / normal),
        "rr_next_to_normal": np.log(next_ / normal),
        "rr_pair_to_normal": np.log((before + after) / (2 * normal)),
        "rr_before_to_least_around": np.log(before / least_around),
        "unsteady_near": unsteady_near,
        "unsteady_minute": unsteady,
        "swing_near": running_median(np.abs(steps), NEAR),
        "swing_minute": running_median(np.abs(steps), MINUTE),
        "spread_minute": np.sqrt(np.fmax(square - mean**2, 0)) / mean,
        "early_near": early_near,
        "early_in_a_row": _in_a_row(short),
        **_episodes(before, usual["whole"]),
    }


def _episodes(before: np.ndarray, whole: np.ndarray) -> dict[str, np.ndarray]:
    """Return what the steady episode around a beat is like: ectopic tachycardia begins with a jump, sinus gradually."""
    begins = np.append(True, ~(np.abs(np.log(before[1:] / before[:-1])) <= _SUDDEN))
    number = np.cumsum(begins) - 1
    first = np.flatnonzero(begins)
    middle = np.array([median(part) for part in np.split(before, first[1:])])
    usual_before = shift(running_median(before, HALF_MINUTE), 1)[first]
    return {
        "episode_beats": np.log(np.bincount(number))[number],
        "episode_at": np.arange(len(before)) - first[number].astype(np.float64),
        "episode_to_whole": np.log(middle[number] / whole),
        "episode_jump": np.log(middle / shift(middle, 1))[number],
        "episode_entry": np.log(middle / usual_before)[number],
    }


def shift(values: np.ndarray, by: int) -> np.ndarray:
    """Return what stands ``by`` places earlier, NaN where nothing does."""
    shifted = np.full(len(values), np.nan)
    if by > 0:
        shifted[by:] = values[:-by]
    else:
        shifted[:by] = values[-by:]
    return shifted


def running_median(values: np.ndarray, size: int) -> np.ndarray:
    """Return the median of what is known among the ``size`` values around each; NaN where nothing is.

    Along the last axis of ``values``, shape (..., n).
    """
    if values.shape[-1] <= size // 2 + 1:
        # All values lie around each.
        return np.repeat(known_median(values)[..., None], values.shape[-1], axis=-1)
    return known_median(_around(values, size))


def _running_mean(values: np.ndarray, size: int) -> np.ndarray:
    """Return the mean of what is known among the ``size`` values around each, along the last axis, likewise."""
    known = ~np.isnan(values)
    counted = np.stack((known, np.where(known, values, 0.0)))
    count, total = _around(counted, size, 0.0).sum(axis=-1)
    return np.asarray(np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0))


def _around(values: np.ndarray, size: int, beyond: float = np.nan) -> np.ndarray:
    """Return the ``size`` (odd) values around each, ``beyond`` past the ends; shape (..., n, size)."""
    padded = np.full((*values.shape[:-1], values.shape[-1] + 2 * (size // 2)), beyond)
    padded[..., size // 2 : -(size // 2)] = values
    return np.lib.stride_tricks.sliding_window_view(padded, size, axis=-1)


def _in_a_row(flags: np.ndarray) -> np.ndarray:
    """Return how many flags in a row end here."""
    at = np.arange(1, len(flags) + 1)
    return np.asarray(at - np.maximum.accumulate(np.where(flags, 0, at)), np.float64)
