"""From log odds over time to places where a beat may be, each with the probability that it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecg_core.robust.inputs import FS, STEP

TARGET_MASS = 3.76
"""Sum of the answer over a certain beat: what the network was taught adds up to this."""

_REACH = 5
"""Half width in answers of what belongs to one place: 80 ms."""
_SMOOTH = np.array([0.06, 0.24, 0.4, 0.24, 0.06])
_APART = 8
"""Answers, 128 ms: closer places are one."""
_LEAST = 0.04
"""Less probable places are none."""
_LEAST_WEIGHT = 0.02
_ROUNDS = 2
_ALIKE = 0.15
"""How much less another lead says since leads err together."""
_PRIOR = 5.0
"""Places that what is believed of a lead beforehand counts for."""
_SEES, _INVENTS = 0.95, 0.05
_SHARES = (0.2, 0.8)
"""Part of the places that are beats, at least and at most."""
_RATES = (0.02, 0.98)
_BEST = 0.97
"""No lead is believed to show more than this part of the beats."""


@dataclass(frozen=True, eq=False)
class Candidates:
    """Places where a beat may be, in order of time; arrays of shape (n,)."""

    time_s: np.ndarray
    probability: np.ndarray
    """That a beat is here, 0 to 1."""


def find_candidates(log_odds: np.ndarray, start_s: float, recorded: np.ndarray | None = None) -> Candidates:
    """Return the places where the log odds of simultaneous leads speak for a beat.

    A lead weighs what it is worth here. How often each shows what the others show, and how often something that they do
    not, is estimated together with which places are beats (expectation maximisation as in Dawid & Skene 1979). So a
    lead in which QRS complexes are small denies nothing, and one full of noise asserts nothing.

    Parameters
    ----------
    log_odds
        Shape (n_leads, n).
    start_s
        Time of the first sample of the strip that the first answer stands for.
    recorded
        Where each lead holds a signal, same shape; everywhere, without it.
    """
    probability = _probability(np.asarray(log_odds, np.float64))
    if recorded is not None:
        probability = probability * recorded
    course = _padded(probability)
    if len(course) == 1:
        at, centre, mass = _places(course[0])
        return Candidates(start_s + _seconds(centre), np.minimum(mass, 1.0))
    sure = np.square(course).sum(axis=1) / np.maximum(course.sum(axis=1), 1e-6)
    weight = np.maximum(sure * sure, _LEAST_WEIGHT)
    at, centre, _ = _places((course * (weight / weight.max())[:, None]).max(axis=0))
    shown = np.minimum(_masses(course, at), 1.0)
    here = np.ones(shown.shape) if recorded is None else _padded(recorded)[:, at].astype(np.float64)
    return Candidates(start_s + _seconds(centre), _agree(shown, here, weight))


def _padded(courses: np.ndarray) -> np.ndarray:
    """Return courses (n_leads, n) with blanks to either side."""
    edge = _REACH + 1
    padded = np.zeros((len(courses), courses.shape[1] + 2 * edge), courses.dtype)
    padded[:, edge:-edge] = courses
    return padded


def _agree(shown: np.ndarray, here: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the probability that each place is a beat, shape (n,).

    ``shown`` says how clearly each lead shows each place and ``here`` whether it was recorded there, both of shape
    (n_leads, n); ``weight`` what the leads are worth to begin with.
    """
    claim = weight[:, None] * here
    beat = (claim * shown).sum(axis=0) / np.maximum(claim.sum(axis=0), 1e-9)
    if not beat.size:
        return np.asarray(beat)
    temper = 1 / (1 + _ALIKE * np.maximum(here.sum(axis=0) - 1, 0))
    for _ in range(_ROUNDS):
        hits, misses = (beat * here).sum(axis=1), ((1 - beat) * here).sum(axis=1)
        sees = ((beat * here * shown).sum(axis=1) + _PRIOR * _SEES) / (hits + _PRIOR)
        invents = (((1 - beat) * here * shown).sum(axis=1) + _PRIOR * _INVENTS) / (misses + _PRIOR)
        sees, invents = (np.clip(rate, *_RATES)[:, None] for rate in (sees, invents))
        sees = np.minimum(sees, _BEST)
        evidence = here * (shown * np.log(sees / invents) + (1 - shown) * np.log((1 - sees) / (1 - invents)))
        share = min(max(float(beat.mean()), _SHARES[0]), _SHARES[1])
        beat = _probability(temper * evidence.sum(axis=0) + np.log(share / (1 - share)))
    return np.asarray(beat)


def _places(probability: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return where a course of probability peaks, about which place, and its mass there; shapes (n,)."""
    smooth = np.convolve(probability, _SMOOTH, "same")
    peak = np.flatnonzero((smooth[1:-1] >= smooth[:-2]) & (smooth[1:-1] > smooth[2:])) + 1
    mass = _masses(probability[None], peak)[0]
    possible = mass >= _LEAST
    peak, mass = peak[possible], mass[possible]
    keep = _apart(peak, smooth[peak])
    peak, mass = peak[keep], mass[keep]
    around = peak[:, None] + np.arange(-2, 3)
    near = probability[np.clip(around, 0, len(probability) - 1)] + 1e-9
    return peak, (near * around).sum(axis=1) / near.sum(axis=1), mass


def _masses(courses: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return how many beats each course holds around each place, shape (n_courses, n)."""
    sums = np.zeros((len(courses), courses.shape[1] + 1))
    np.cumsum(courses, axis=1, out=sums[:, 1:])
    low, high = np.maximum(at - _REACH, 0), np.minimum(at + _REACH + 1, courses.shape[1])
    return np.asarray((sums[:, high] - sums[:, low]) / TARGET_MASS)


def _seconds(centre: np.ndarray) -> np.ndarray:
    return np.asarray(((centre - _REACH - 1) * STEP + (STEP - 1) / 2) / FS)


def _apart(at: np.ndarray, height: np.ndarray) -> np.ndarray:
    """Return which peaks stand: the higher of any two that are too close together; shape (n,), bool."""
    standing = np.ones(len(at), bool)
    crowded = np.flatnonzero(np.diff(at) < _APART)
    for one in sorted({*crowded.tolist(), *(crowded + 1).tolist()}, key=lambda i: -height[i]):
        if standing[one]:
            for step in (-1, 1):
                other = one + step
                while 0 <= other < len(at) and abs(int(at[other] - at[one])) < _APART:
                    standing[other] = False
                    other += step
    return standing


def _probability(log_odds: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-log_odds)))
