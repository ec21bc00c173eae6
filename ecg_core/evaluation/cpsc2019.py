"""The score of the China Physiological Signal Challenge 2019, as its script (``score_2019.py``) computes it.

Per record of 10 s at 500 Hz, with marks in samples:

- Reference beats count within 0.5-9.5 s, ends included.
- A beat is found by an answer no farther than 0.075 s from it, ends included; else it is a false negative. Further
  answers in its window are false positives, whichever other beat they might belong to.
- An answer between beats is a false positive, counted within 0.575-9.425 s, ends included.
- No error scores 1, one false positive alone 0.7, one false negative alone 0.3, anything else 0.
- The heart rate is 60 over the mean interval of the reference beats within 5.5-9.5 s, ends not included, rounded (half
  to even) to whole beats a minute. The answer is truncated to whole beats a minute, a missing one is 0; an error of at
  most 2, 5, 10, 20 % scores 1, 0.75, 0.5, 0.25, else 0.

Oddities of the script, kept in the official score and left out of the strict one:

- It looks before the first reference beat, or after it, but never both: answers between the first two reference beats
  are never false positives, nor those after the beat where it is the only one, nor any where there is none.
- An answer exactly 0.075 s from a beat both finds it and is a false positive.

Departures: means are not rounded to four places. Where fewer than two reference beats define the rate the script fails;
here the record has no rate score (NaN) and stays out of that mean.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from ecg_core.evaluation.bootstrap import Score, Tally, ratio

FS = 500.0
TOLERANCE_S = 0.075
SCORED_S = (0.5, 9.5)
RATE_S = (5.5, 9.5)
_RATE_STEPS = ((0.02, 1.0), (0.05, 0.75), (0.1, 0.5), (0.2, 0.25))


def count_errors(reference: np.ndarray, answer: np.ndarray, *, fs: float = FS, strict: bool = False) -> tuple[int, int]:
    """Return the (false negatives, false positives) of a record.

    Parameters
    ----------
    reference, answer
        Sample numbers of the beats, increasing, shapes (n_reference,) and (n_answer,).
    fs
        Samples per second.
    strict
        Count every false positive, without the oddities of the script.
    """
    start, stop = (edge * fs for edge in SCORED_S)
    tolerance = TOLERANCE_S * fs
    beats = np.asarray(reference, np.float64)
    beats = beats[(beats >= start) & (beats <= stop)]
    answer = np.asarray(answer, np.float64)
    near = np.abs(answer[:, None] - beats) <= tolerance
    hits = near.sum(axis=0)
    missed, extra = int((hits == 0).sum()), int((hits[hits > 0] - 1).sum())
    if strict:
        inside = (answer >= start + tolerance) & (answer <= stop - tolerance)
        return missed, extra + int((inside & ~near.any(axis=1)).sum())
    edges = np.concatenate(([start], beats, [stop]))
    gaps = (answer[:, None] >= edges[:-1] + tolerance) & (answer[:, None] <= edges[1:] - tolerance)
    looked_at = np.arange(len(beats) + 1) != 1
    looked_at[0] = len(beats) > 0
    return missed, extra + int(gaps[:, looked_at].sum())


def qrs_score(missed: int, extra: int) -> float:
    """Return the score of a record with this many false negatives and false positives."""
    return {(0, 0): 1.0, (0, 1): 0.7, (1, 0): 0.3}.get((missed, extra), 0.0)


def heart_rate(beats: np.ndarray, *, fs: float = FS) -> int | None:
    """Return the rate in whole beats a minute by the reference's rule, None where fewer than two beats define it.

    Parameters
    ----------
    beats
        Sample numbers, increasing, shape (n_beats,): the reference's, or those found, which gives a model's answer.
    fs
        Samples per second.
    """
    beats = np.asarray(beats, np.float64)
    counted = beats[(beats > RATE_S[0] * fs) & (beats < RATE_S[1] * fs)]
    if len(counted) < 2 or counted[0] == counted[-1]:
        return None
    return round(float(60 * fs / np.diff(counted).mean()))


def rate_score(reference_bpm: int | None, answer_bpm: float | None) -> float:
    """Return the score of a heart rate in beats a minute; NaN where the reference has none."""
    if reference_bpm is None:
        return math.nan
    return step_score(reference_bpm, int(answer_bpm) if answer_bpm is not None and math.isfinite(answer_bpm) else 0)


def step_score(reference_bpm: float, answer_bpm: float) -> float:
    """Return the score of a rate by its relative error, with no rounding."""
    error = abs(answer_bpm - reference_bpm)
    return next((score for step, score in _RATE_STEPS if error <= step * reference_bpm), 0.0)


def score_record(
    reference: np.ndarray, answer: np.ndarray, answer_bpm: float | None, *, fs: float = FS
) -> dict[str, float]:
    """Return the additive figures of a record, for `score_records`.

    Parameters
    ----------
    reference, answer
        Sample numbers of the beats, increasing, shapes (n_reference,) and (n_answer,).
    answer_bpm
        The model's heart rate, beats a minute; None (or NaN) where it gave none.
    fs
        Samples per second.
    """
    rate = rate_score(heart_rate(reference, fs=fs), answer_bpm)
    return {
        "records": 1.0,
        "qrs_official": qrs_score(*count_errors(reference, answer, fs=fs)),
        "qrs_strict": qrs_score(*count_errors(reference, answer, fs=fs, strict=True)),
        "rates": float(not math.isnan(rate)),
        "hr_official": 0.0 if math.isnan(rate) else rate,
    }


def score_records(records: Sequence[Mapping[str, float]]) -> Score:
    """Return the means over records: ``qrs_official``, ``hr_official``, ``qrs_strict``."""
    tally = Tally(records)

    def score(weights: np.ndarray) -> dict[str, np.ndarray]:
        sums = tally(weights)
        return {
            "qrs_official": ratio(sums["qrs_official"], sums["records"]),
            "hr_official": ratio(sums["hr_official"], sums["rates"]),
            "qrs_strict": ratio(sums["qrs_strict"], sums["records"]),
        }

    return score
