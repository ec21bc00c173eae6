"""Global marks, as the median beat of the dominant shape has them.

Referees, and so a network that learned from them, mark waves a few milliseconds wide of where the heart's vector leaves
and regains its level. The global marks of all beats are moved to there:

- QRS on the median beat, where noise is least: it begins where the spatial magnitude against the PQ level exceeds a
  small share of its greatest, and ends where the spatial velocity falls below a small share of its greatest, each
  within a short reach of where the network has it;
- P and T, which are too low for that, by what referees are wide of 5 % of the peak: the same in every recording.
"""

from __future__ import annotations

import numpy as np

from ecg_core.delineation.assembly import in_order
from ecg_core.measurements.representative import Aligned, align_dominant
from ecg_core.recording import Recording
from ecg_core.statistics import median
from ecg_core.waves import END, ONSET, PEAK, QRS, P, T

ONSET_SHARE = 0.006
"""Of the greatest spatial magnitude, at the onset of QRS: 20 uV of some 3 mV over twelve leads."""
END_SHARES = (0.02, 0.04)
"""Of the greatest spatial velocity, at the end of QRS: the first under which it falls, for ST may slope."""
NOISE = 4.0
"""Nor is either less than this many times the noise of the median beat."""
ONSET_REACH_S, END_REACH_S = 0.012, 0.02
"""How far a mark of QRS is moved at most."""
WIDE_S = {(P, ONSET): 0.004, (T, ONSET): 0.005, (T, END): -0.005}
"""By how much marks of P and T are moved: the median error of the network on synthetic ECGs, rounded."""
LEAST_BEATS = 3
_LEVEL_S = (0.034, 0.014)
"""The PQ level is that from and to so long before the onset, as the network has it."""
_VELOCITY_S = 0.008
"""The velocity is the change over this time."""
_STILL_S = 0.012
"""QRS has ended where the velocity stays low for this long."""


def settle(recording: Recording, marks: np.ndarray) -> np.ndarray:
    """Return global marks (s, shape (n_rows, 3, 3)) as the median beat has them; see above.

    The beats of the dominant shape settle it, and all are moved alike. Fewer beats than `LEAST_BEATS`, or one lead
    alone, which has no spatial magnitude, settle nothing.
    """
    rows = np.flatnonzero(~np.isnan(marks[:, QRS, ONSET]))
    if len(rows) < LEAST_BEATS or recording.n_leads < 2:
        return marks
    shifts = _shifts(align_dominant(recording, marks[rows]))
    if shifts is None:
        return marks
    moved = marks.copy()
    for (wave, place), shift in (WIDE_S | {(QRS, ONSET): shifts[0], (QRS, END): shifts[1]}).items():
        limit = np.minimum if place == ONSET else np.maximum
        moved[:, wave, place] = limit(moved[:, wave, place] + shift, moved[:, wave, PEAK])
    return np.asarray(in_order(moved[None])[0])


def _shifts(beats: Aligned) -> tuple[float, float] | None:
    """Return by how much (s) onset and end of QRS are to be moved, None where the beats do not tell."""
    time = beats.time_s
    gone = np.isnan(beats.values).any(axis=2)
    leads = gone.mean(axis=0) < 0.5
    whole = ~gone[:, leads].any(axis=1)
    if leads.sum() < 2 or whole.sum() < LEAST_BEATS:
        return None
    values = beats.values[whole][:, leads]
    typical = median(values)
    onset, peak, end = beats.marks_s[QRS].tolist()
    after_p = float(np.fmax(beats.marks_s[P, END], -1.0))
    from_s = max(onset - _LEVEL_S[0], min(after_p, onset - _LEVEL_S[1]))
    level = (time >= from_s - 2 * (time[1] - time[0])) & (time <= onset - _LEVEL_S[1])
    size = np.sqrt(((typical - typical[:, level].mean(axis=1, keepdims=True)) ** 2).sum(axis=0))
    quiet = values[:, :, level]
    scatter = np.sqrt(((quiet - quiet.mean(axis=2, keepdims=True)) ** 2).mean(axis=(0, 2)).sum())
    noise = float(scatter) / np.sqrt(len(values))
    during = (time >= onset) & (time <= end)
    least = max(ONSET_SHARE * float(size[during].max()), NOISE * noise)
    return _onset(time, size, onset, peak, least), _end(time, typical, end, peak, during, noise)


def _onset(time: np.ndarray, size: np.ndarray, onset: float, peak: float, least: float) -> float:
    """Return from where before the peak on the magnitude stays above ``least``, against ``onset``."""
    before = np.flatnonzero((time >= onset - ONSET_REACH_S) & (time <= min(onset + ONSET_REACH_S, peak)))
    low = before[size[before] <= least]
    if not len(low):
        return 0.0
    at = int(low[-1])
    part = (least - size[at]) / max(float(size[at + 1] - size[at]), 1e-9)
    found = float(time[at] + np.clip(part, 0, 1) * (time[at + 1] - time[at]))
    return float(np.clip(found - onset, -ONSET_REACH_S, ONSET_REACH_S))


def _end(time: np.ndarray, typical: np.ndarray, end: float, peak: float, during: np.ndarray, noise: float) -> float:
    """Return from where on the velocity stays low for a while, against ``end``."""
    step = float(time[1] - time[0])
    half = max(1, round(_VELOCITY_S / 2 / step))
    speed = np.zeros(len(time))
    speed[half:-half] = np.sqrt(((typical[:, 2 * half :] - typical[:, : -2 * half]) ** 2).sum(axis=0))
    still = max(1, round(_STILL_S / step))
    around = np.flatnonzero((time >= max(end - END_REACH_S, peak)) & (time <= end + END_REACH_S))
    for share in END_SHARES:
        low = speed <= max(share * float(speed[during].max()), NOISE * noise)
        for at in around.tolist():
            if low[at : at + still].all():
                return float(time[at] - half * step - end)
    return 0.0
