"""From waves that may be to the waves of each beat, lead by lead and over all leads."""

from __future__ import annotations

import numpy as np

from ecg_core.delineation.candidates import Candidates
from ecg_core.waves import END, ONSET, PEAK, QRS, P, T

BEAT_S = 0.15
"""A QRS complex peaks this close to the beat that it is, at most."""
LONGEST_PR_S = 0.5
"""A P wave that peaks longer before a beat leads to none."""
ALIKE_S = 0.1
"""Waves of two leads are one where their peaks are this close."""


def assemble(candidates: Candidates, beats_s: np.ndarray, n_leads: int) -> np.ndarray:
    """Return the waves of each beat.

    Each beat has at most one QRS, the likeliest near it; one P, the last before it; and one T, the likeliest between
    it and the next. P waves that lead to no beat have rows of their own where all leads together show them.

    Parameters
    ----------
    candidates
        Of ``n_leads`` leads, and of all together as row number ``n_leads``.
    beats_s
        Seconds from the first sample, increasing, shape (n_beats,).

    Returns
    -------
    Seconds, float64, shape (n_leads + 1, n_rows, 3 waves, 3 instants), rows in order of time; NaN for absent waves.
    """
    n_beats = len(beats_s)
    marks = np.full((n_leads + 1, n_beats, 3, 3), np.nan)
    peak = candidates.marks[:, PEAK]

    qrs = candidates.take((candidates.kind == QRS) & (_nearest_gap(peak, beats_s) <= BEAT_S))
    _put(marks, qrs, QRS, _nearest(qrs.marks[:, PEAK], beats_s), qrs.score)
    onset, end = _around(marks[:, :, QRS], beats_s)

    t = candidates.take(candidates.kind == T)
    beat = np.searchsorted(beats_s, t.marks[:, PEAK]) - 1
    fits = beat >= 0
    fits[fits] = t.marks[fits, PEAK] > end[t.row[fits], beat[fits]]
    t, beat = t.take(fits), beat[fits]
    _put(marks, t, T, beat, t.score * (t.marks[:, END] - t.marks[:, ONSET]))

    p = candidates.take(candidates.kind == P)
    beat = np.searchsorted(beats_s, p.marks[:, PEAK])
    leads_to = np.append(beats_s, np.inf)[beat] - p.marks[:, PEAK] <= LONGEST_PR_S
    leads_to[leads_to] = p.marks[leads_to, PEAK] < onset[p.row[leads_to], beat[leads_to]]
    _put(marks, p.take(leads_to), P, beat[leads_to], p.marks[leads_to, PEAK])
    known = set(marks[:, :, P, PEAK].ravel().tolist())
    taken = np.array([peak in known for peak in p.marks[:, PEAK].tolist()], bool)
    marks = in_order(marks)
    lone = _lone(p.take(~taken), n_leads)
    if not lone.shape[1]:
        return marks
    marks = np.concatenate([marks, lone], axis=1)
    return marks[:, np.argsort(np.append(beats_s, lone[-1, :, P, PEAK]), kind="stable")]


def _put(marks: np.ndarray, found: Candidates, wave: int, beat: np.ndarray, worth: np.ndarray) -> None:
    """Set the wave of each row and beat to the candidate that is worth most."""
    order = np.argsort(worth, kind="stable")
    marks[found.row[order], beat[order], wave] = found.marks[order]


def _around(qrs: np.ndarray, beats_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return onset and end (s, shape (n_rows, n_beats)) of QRS, where a row has none those of all leads or the beat."""
    sides = []
    for place in (ONSET, END):
        times = qrs[:, :, place]
        times = np.where(np.isnan(times), times[-1:], times)
        sides.append(np.where(np.isnan(times), beats_s, times))
    return sides[0], sides[1]


def in_order(marks: np.ndarray) -> np.ndarray:
    """Return marks (s, shape (n_rows, n_beats, 3, 3)), changed in place, in which no wave overlaps the one before."""
    p, qrs, t = marks[:, :, P], marks[:, :, QRS], marks[:, :, T]
    p[:, :, END] = np.where(p[:, :, END] > qrs[:, :, ONSET], np.maximum(qrs[:, :, ONSET], p[:, :, PEAK]), p[:, :, END])
    t[:, :, ONSET] = np.where(
        t[:, :, ONSET] < qrs[:, :, END], np.minimum(qrs[:, :, END], t[:, :, PEAK]), t[:, :, ONSET]
    )
    return marks


def _lone(p: Candidates, n_leads: int) -> np.ndarray:
    """Return the P waves that lead to no beat, as rows: those of all leads together, and what each lead shows then."""
    overall = p.take(p.row == n_leads)
    times = overall.marks[:, PEAK]
    rows = np.full((n_leads + 1, len(times), 3, 3), np.nan)
    own = p.take(_nearest_gap(p.marks[:, PEAK], times) <= ALIKE_S)
    rows[own.row, _nearest(own.marks[:, PEAK], times), P] = own.marks
    rows[n_leads, :, P] = overall.marks
    return rows


def _nearest(times: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Return the number of the time nearest to each; among one or more, in order."""
    if not len(among):
        return np.zeros(len(times), np.int64)
    after = np.clip(np.searchsorted(among, times), 1, max(len(among) - 1, 1))
    after = np.minimum(after, len(among) - 1)
    before = np.maximum(after - 1, 0)
    return np.where(times - among[before] <= among[after] - times, before, after)


def _nearest_gap(times: np.ndarray, among: np.ndarray) -> np.ndarray:
    return np.abs(times - among[_nearest(times, among)]) if len(among) else np.full(len(times), np.inf)
