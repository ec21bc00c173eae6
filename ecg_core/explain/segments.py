"""The waves of a strip, lead by lead, as parts that add up to it: so that each can be taken out or put back.

Of each lead an isoelectric line is drawn through the levels just before the QRS complexes. What a wave is, is how far
the signal runs from that line while it lasts; the rest is what remains between the waves, with the line itself. Taken
out, a wave is isoelectric, an elevated ST segment as well. Without all of its parts a strip is nothing but straight
lines at zero. Neighbours fade into each other within 20 ms, so that no edge is cut.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ecg_core.explain.value import WAVES, SegmentWave
from ecg_core.measurements import Part
from ecg_core.predictors import Context
from ecg_core.predictors.chain import mark_part
from ecg_core.predictors.windows import FS, INPUTS, N_SAMPLES, STRIP_S
from ecg_core.statistics import median
from ecg_core.waves import END, ONSET, PEAK, QRS, P, T, Waves

REST = WAVES.index("rest")
_SHORTEST_ST = 12
"""Samples of an ST segment that no T wave ends."""
_LONGEST_PR = 30
_LEVEL = slice(-6, -1)
"""Samples before QRS onset whose median is the isoelectric level."""
_FADE = np.array([0.25, 0.5, 0.25])
_HALF_QRS = 5
"""Samples to either side of a beat whose QRS complex could not be marked."""
_SAME = 15
_BEFORE, _AFTER = 40, 60
"""Samples around R that the median beat holds."""
_LEAST_BEATS = 3


@dataclass(frozen=True, eq=False)
class Segments:
    """A strip in parts."""

    parts: np.ndarray
    """mV, float32, shape (8 leads, 6 waves, 1000); summed over the waves they are the strip."""
    usual: np.ndarray | None
    """The same with each wave as in the person's median beat; None where too few beats are alike, or none is marked."""
    masks: np.ndarray
    """Share of each sample that belongs to each wave, shape (8, 6, 1000), summing to 1 over the waves."""

    @property
    def waves(self) -> tuple[SegmentWave, ...]:
        """Waves that some lead has."""
        return tuple(wave for k, wave in enumerate(WAVES) if self.masks[:, k].any())

    def strips(self, present: np.ndarray) -> np.ndarray:
        """Return strips of the parts that are present: bool (n, 8, 6) to float32 (n, 1000, 8)."""
        # Lead by lead: parts of one lead are no part of another.
        return np.stack([present[:, lead].astype(np.float32) @ self.parts[lead] for lead in range(len(INPUTS))], axis=2)


def waves_at(context: Context, start_s: float) -> Waves:
    """Return the waves around a strip that starts there: those at hand, or, beyond the part they are of, new ones."""
    part, end_s = context.part, min(start_s + STRIP_S, context.recording.duration_s)
    if context.waves.reason or (part.start_s <= start_s and end_s <= part.end_s):
        return context.waves
    trusted = context.quality.trusted_leads
    return mark_part(context.recording.select(trusted), context.beats, Part(start_s, end_s))


def split_strip(context: Context, start_s: float, signal: np.ndarray) -> Segments | None:
    """Return a strip (1000, 8) of a recording in parts; None where no wave is marked in it."""
    waves = waves_at(context, start_s)
    shared = _samples(waves.global_.marks, start_s)
    if not (_inside(shared[:, QRS, PEAK])).any():
        return None
    beats = np.rint((context.beats.times_s - start_s) * FS)
    centres = _centres(shared, beats)
    labels = np.full((len(INPUTS), N_SAMPLES), REST)
    owner = np.full((len(INPUTS), N_SAMPLES), -N_SAMPLES)
    for at, lead in enumerate(INPUTS):
        marks = shared
        if lead in waves.per_lead:
            own = _samples(waves.per_lead[lead].marks, start_s)
            marks = np.where(np.isnan(own), shared, own) if own.shape == shared.shape else shared
        _paint(labels[at], owner[at], marks, centres)
        _paint_unmarked(labels[at], owner[at], shared, beats)
    onsets = shared[:, QRS, ONSET]
    away = signal.T - (level := _isoelectric(signal.T, onsets[_inside(onsets)]))
    masks = _faded(labels)
    parts = masks * away[:, None]
    parts[:, REST] += level
    typical = _median_beat(away, _dominant(context, beats))
    usual = None if typical is None else (masks * _placed(typical, owner)[:, None]).astype(np.float32)
    return Segments(parts.astype(np.float32), usual, masks)


def _samples(marks: np.ndarray, start_s: float) -> np.ndarray:
    return np.asarray(np.rint((marks - start_s) * FS))


def _inside(at: np.ndarray) -> np.ndarray:
    return np.asarray((at >= 0) & (at < N_SAMPLES))


def _centres(marks: np.ndarray, beats: np.ndarray) -> np.ndarray:
    """Return R of each row; of a P wave that no QRS complex follows, where R would follow it."""
    peaks = marks[:, QRS, PEAK]
    if len(beats):
        near = beats[np.abs(np.nan_to_num(peaks)[:, None] - beats).argmin(axis=1)]
        peaks = np.where(np.abs(near - peaks) <= _SAME, near, peaks)
    ahead = peaks - marks[:, P, PEAK]
    usual = median(ahead[np.isfinite(ahead)]) if np.isfinite(ahead).any() else np.nan
    return np.where(np.isnan(peaks), np.rint(marks[:, P, PEAK] + usual), peaks)


def _paint(labels: np.ndarray, owner: np.ndarray, marks: np.ndarray, centres: np.ndarray) -> None:
    """Write the wave of each sample of one lead, and R of its beat; QRS complexes over all else."""
    order: tuple[SegmentWave, ...] = ("p", "pr", "st", "t", "qrs")
    for wave in order:
        for row, centre in zip(marks, centres, strict=True):
            begin, end = _stretch(wave, row)
            if begin < end:
                span = slice(max(int(begin), 0), max(int(end), 0))
                labels[span] = WAVES.index(wave)
                owner[span] = -N_SAMPLES if np.isnan(centre) else int(centre)


def _stretch(wave: SegmentWave, row: np.ndarray) -> tuple[float, float]:
    """Return the samples [begin, end) of a wave of one beat; none where it is absent."""
    none = (0.0, 0.0)
    if wave in ("p", "qrs", "t"):
        onset, _, end = row[("p", "qrs", "t").index(wave)]
        return none if np.isnan(onset) else (onset, end + 1)
    if wave == "pr":
        begin, end = row[P, END] + 1, row[QRS, ONSET]
        return (begin, end) if 0 < end - begin <= _LONGEST_PR else none
    begin = row[QRS, END] + 1
    if np.isnan(begin):
        return none
    return begin, begin + _SHORTEST_ST if np.isnan(row[T, ONSET]) else row[T, ONSET]


def _paint_unmarked(labels: np.ndarray, owner: np.ndarray, marks: np.ndarray, beats: np.ndarray) -> None:
    """Write QRS complexes where beats are that no mark tells of, as at the ends of a recording."""
    peaks = marks[:, QRS, PEAK]
    known = peaks[~np.isnan(peaks)]
    for beat in beats[_inside(beats)].astype(np.int64).tolist():
        if not (np.abs(known - beat) <= _SAME).any():
            span = slice(max(beat - _HALF_QRS, 0), beat + _HALF_QRS + 1)
            labels[span], owner[span] = WAVES.index("qrs"), beat


def _isoelectric(signal: np.ndarray, onsets: np.ndarray) -> np.ndarray:
    """Return the line through the levels before the QRS complexes, for each lead: (8, 1000) to (8, 1000)."""
    at = np.unique(onsets.astype(np.int64))
    at = at[at + _LEVEL.start >= 0]
    if not len(at):
        return np.zeros_like(signal)
    around = at[:, None] + np.arange(_LEVEL.start, _LEVEL.stop)
    levels = np.median(signal[:, around], axis=2)
    middle = around.mean(axis=1)
    return np.stack([np.interp(np.arange(N_SAMPLES), middle, level) for level in levels])


def _faded(labels: np.ndarray) -> np.ndarray:
    hard = (labels[:, None] == np.arange(len(WAVES))[:, None]).astype(np.float64)
    padded = np.pad(hard, ((0, 0), (0, 0), (1, 1)), mode="edge")
    return np.asarray(_FADE[0] * padded[..., :-2] + _FADE[1] * padded[..., 1:-1] + _FADE[2] * padded[..., 2:])


def _dominant(context: Context, beats: np.ndarray) -> np.ndarray:
    """Return the samples of the beats of the commonest class that a median beat can be made of."""
    classes = np.array(context.classes.classes)
    known = len(classes) == len(beats)
    whole = (beats >= _BEFORE) & (beats < N_SAMPLES - _AFTER)
    inside = beats[whole].astype(np.int64)
    if not known or not len(inside):
        return inside
    names, counts = np.unique(classes[whole], return_counts=True)
    return np.asarray(inside[classes[whole] == names[counts.argmax()]])


def _median_beat(away: np.ndarray, centres: np.ndarray) -> np.ndarray | None:
    """Return the median beat, shape (8, _BEFORE + _AFTER), of the signal less its isoelectric line."""
    if len(centres) < _LEAST_BEATS:
        return None
    windows = away[:, centres[:, None] + np.arange(-_BEFORE, _AFTER)]
    return np.asarray(np.median(windows, axis=1))


def _placed(typical: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """Return the median beat at each beat, shape (8, 1000); 0 where it does not reach."""
    offset = np.arange(N_SAMPLES) - owner + _BEFORE
    reached = (offset >= 0) & (offset < _BEFORE + _AFTER)
    found = np.take_along_axis(typical, np.clip(offset, 0, _BEFORE + _AFTER - 1), axis=1)
    return np.where(reached, found, 0.0)
