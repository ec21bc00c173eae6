"""Other rhythms out of the beats of a record: what a person's heart would look like if it fibrillated or ran.

The few records with annotated beats hold few supraventricular beats, most of them in five people, and fibrillation in
three. Here the normal and ventricular beats of a record, each with its own noise, are put at new times. Sinus
arrhythmia and fibrillation (P waves taken out, f waves put in) make irregular beats that are normal all the same;
extrasystoles and runs of early beats, with P waves that are changed, shifted or taken out, make supraventricular ones.
Ventricular beats keep the intervals that they had.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ecg_core.beat_classes.families import FS

_BEFORE, _AFTER = 85, 155
"""Samples of a beat that move with it, unless a neighbour is nearer."""
_EDGE = 4
_P_STOP = 16
"""Samples before the centre of the QRS complex where the P wave has ended."""
_LEAST_RR = 75
_MARGIN = 500


@dataclass(frozen=True)
class Beatwise:
    """A record taken to pieces; samples at `FS`."""

    beats: np.ndarray
    """Millivolts without the P wave, shape (n_beats, n_leads, n_window)."""
    p: np.ndarray
    """The P waves alone, likewise."""
    rr: np.ndarray
    """Samples since the beat before, shape (n_beats,)."""
    usable: np.ndarray
    """Numbers of the beats that may be put elsewhere, in order."""
    ventricular: np.ndarray
    """Whether each beat is ventricular, shape (n_beats,)."""

    @property
    def usual(self) -> float:
        """Median interval in samples."""
        return float(np.median(self.rr[1:]))


@dataclass
class Score:
    """What is to be played: a beat of the record at a time, with its class and what becomes of its P wave."""

    source: list[int] = field(default_factory=list)
    at: list[float] = field(default_factory=list)
    label: list[str] = field(default_factory=list)
    p_gain: list[float] = field(default_factory=list)
    p_early: list[int] = field(default_factory=list)
    fibrillating: list[tuple[float, float]] = field(default_factory=list)
    """Start and stop of each episode."""

    def add(self, source: int, at: float, label: str, p_gain: float = 1.0, p_early: int = 0) -> None:
        """Add a beat."""
        self.source.append(source)
        self.at.append(at)
        self.label.append(label)
        self.p_gain.append(p_gain)
        self.p_early.append(p_early)


Composer = Callable[[Beatwise, float, np.random.Generator], Score]


def take_apart(signal: np.ndarray, sample: np.ndarray, label: np.ndarray) -> Beatwise:
    """Return the beats of a record, each without the level it stands on.

    Parameters
    ----------
    signal
        Millivolts at `FS`, shape (n_leads, n_samples), without gaps.
    sample, label
        Place and class of every beat, shape (n_beats,).
    """
    reach = _BEFORE + _AFTER
    padded = np.pad(signal.astype(np.float64), ((0, 0), (reach, reach)), mode="edge")
    t = np.arange(-_BEFORE, _AFTER)
    windows = np.moveaxis(padded[:, sample[:, None] + reach + t], 0, 1)
    rr = np.diff(sample, prepend=sample[0] - 200)
    start = -np.minimum(_BEFORE - _EDGE, 0.40 * rr).astype(np.int64)
    stop = np.minimum(_AFTER - _EDGE, 0.60 * np.append(rr[1:], 200)).astype(np.int64)
    row = np.arange(len(sample))
    part = np.clip((t - start[:, None]) / (stop - start)[:, None], 0, 1)[:, None]
    first, last = windows[row, :, start + _BEFORE, None], windows[row, :, stop + _BEFORE, None]
    fade = np.clip((t - start[:, None]) / 10 + 0.5, 0, 1) * np.clip((stop[:, None] - t) / 10 + 0.5, 0, 1)
    windows = (windows - first * (1 - part) - last * part) * fade[:, None]
    before_qrs = np.clip((t - start[:, None]) / 5, 0, 1) * np.clip((-_P_STOP - t) / 4 + 0.5, 0, 1)
    slope = np.clip((t - start[:, None]) / (-_P_STOP - 1 - start)[:, None], 0, 1)[:, None]
    foot = windows[row, :, _BEFORE - _P_STOP - 1, None]
    p = (windows - foot * slope) * before_qrs[:, None]
    usable = row[np.isin(label, ("N", "V")) & (row > 1) & (row < len(row) - 2)]
    return Beatwise(windows - p, p, rr, usable, label == "V")


def play(pieces: Beatwise, score: Score, n_samples: int, rng: np.random.Generator) -> np.ndarray:
    """Return the signal, millivolts, shape (n_leads, n_samples)."""
    from scipy.ndimage import gaussian_filter1d

    n_leads, width = pieces.beats.shape[1:]
    signal = gaussian_filter1d(rng.normal(0, 1, (n_leads, n_samples + 2 * _MARGIN)), 2.0, axis=1)
    signal *= 0.01 * rng.uniform(0.3, 2.0)
    for source, at, gain, early in zip(score.source, score.at, score.p_gain, score.p_early, strict=True):
        first = int(at) - _BEFORE + _MARGIN
        signal[:, first : first + width] += pieces.beats[source]
        if gain:
            signal[:, first - early : first - early + width] += gain * pieces.p[source]
    signal = signal[:, _MARGIN:-_MARGIN]
    for start, stop in score.fibrillating:
        span = np.arange(int(start), min(int(stop), n_samples))
        time_s = span / FS
        angle = 2 * np.pi * rng.uniform(4.5, 8.0) * time_s + 2.0 * np.sin(2 * np.pi * 0.3 * time_s)
        angle += 1.1 * np.sin(2 * np.pi * 0.8 * time_s)
        size = rng.choice((0.0, 0.02, 0.05, 0.1))
        for lead in range(n_leads):
            phase, second = rng.uniform(0, 2 * np.pi, 2)
            wave = np.sin(angle + phase) + 0.35 * np.sin(2 * angle + second)
            signal[lead, span] += size * rng.uniform(0.3, 1.3) * wave
    return signal


def compose_sinus(pieces: Beatwise, n_samples: float, rng: np.random.Generator) -> Score:
    """Return sinus arrhythmia with a pause now and then: irregular, and yet all normal."""
    score, at = Score(), 300.0
    swing, period = rng.uniform(0.05, 0.2), rng.uniform(3, 6) * FS
    mean = pieces.usual * rng.uniform(0.8, 1.15)
    for place, source in enumerate(pieces.usable):
        if at > n_samples - 400:
            break
        score.add(source, at, "V" if pieces.ventricular[source] else "N")
        kept = _kept(pieces, place)
        if kept is None:
            kept = mean * (1 + swing * np.sin(2 * np.pi * at / period) + 0.01 * rng.normal())
            kept *= rng.choice((1.4, 1.8)) if rng.random() < 0.004 else 1.0
        at += kept
    return score


def compose_fibrillation(pieces: Beatwise, n_samples: float, rng: np.random.Generator) -> Score:
    """Return fibrillation, lasting or in episodes between sinus rhythm."""
    score, at = Score(), 300.0
    lasting = rng.random() < 0.4
    fibrillates, until = True, np.inf if lasting else rng.uniform(20, 300) * FS
    if not lasting and rng.random() < 0.5:
        fibrillates = False
    began = 0.0
    mean, spread = rng.uniform(0.55, 1.0) * FS, rng.uniform(0.12, 0.3)
    for place, source in enumerate(pieces.usable):
        if at > n_samples - 400:
            break
        if at > until:
            if fibrillates:
                score.fibrillating.append((began, at - 40))
            fibrillates, began, until = not fibrillates, at - 40, at + rng.uniform(20, 300) * FS
            mean, spread = rng.uniform(0.55, 1.0) * FS, rng.uniform(0.12, 0.3)
        score.add(source, at, "V" if pieces.ventricular[source] else "N", 0.0 if fibrillates else 1.0)
        if fibrillates:
            least, width = 0.5 * mean, spread * mean
            rr = least + rng.gamma(((mean - least) / width) ** 2, width**2 / (mean - least))
        else:
            kept = _kept(pieces, place)
            rr = pieces.usual * (1 + 0.03 * rng.normal()) if kept is None else kept
        at += max(_LEAST_RR, rr)
    if fibrillates:
        score.fibrillating.append((began, n_samples))
    return score


def compose_ectopy(
    pieces: Beatwise, n_samples: float, rng: np.random.Generator, *, most_apart: int = 40, frequent: bool = False
) -> Score:
    """Return early supraventricular beats alone and in runs, with up to ``most_apart`` beats between."""
    score, at = Score(), 300.0
    left, gain, early = int(rng.integers(1, most_apart)), *_focus(rng)
    run, step, pause = 0, 0.0, 0.0
    for place, source in enumerate(pieces.usable):
        if at > n_samples - 400:
            break
        if pieces.ventricular[source]:
            score.add(source, at, "V")
            at += max(_LEAST_RR, _kept(pieces, place) or pieces.usual)
            continue
        if run:
            score.add(source, at, "S", gain, early)
            run -= 1
            at += pause if not run else step * (1 + 0.02 * rng.normal())
            continue
        score.add(source, at, "N")
        left -= 1
        kept = _kept(pieces, place)
        own = pieces.rr[source]
        usual = own if 0.7 * pieces.usual < own < 1.4 * pieces.usual else pieces.usual
        if left > 0 or kept is not None:
            at += usual if kept is None else max(_LEAST_RR, kept)
            continue
        left = int(rng.integers(1, most_apart))
        if rng.random() < 0.5:
            gain, early = _focus(rng)
        run, share, p_gain = _run(rng, frequent)
        gain = gain if p_gain is None else p_gain
        step = max(_LEAST_RR, share * usual)
        pause = usual * rng.uniform(0.95, 1.8 if frequent else 1.35)
        at += step
    return score


def compose_frequent_ectopy(pieces: Beatwise, n_samples: float, rng: np.random.Generator) -> Score:
    """Return so many early supraventricular beats that the usual beat is one of them."""
    return compose_ectopy(pieces, n_samples, rng, most_apart=4, frequent=True)


COMPOSERS: dict[str, Composer] = {
    "sinus": compose_sinus,
    "fibrillation": compose_fibrillation,
    "ectopy": compose_ectopy,
    "frequent_ectopy": compose_frequent_ectopy,
}


def _kept(pieces: Beatwise, place: int) -> float | None:
    """Return the interval after a beat where it or the next one is ventricular: these stay as they were."""
    source = pieces.usable[place]
    following = pieces.usable[place + 1] if place + 1 < len(pieces.usable) else source
    if pieces.ventricular[following]:
        return float(max(_LEAST_RR, pieces.rr[following]))
    if pieces.ventricular[source]:
        return float(max(_LEAST_RR, pieces.rr[min(source + 1, len(pieces.rr) - 1)]))
    return None


def _focus(rng: np.random.Generator) -> tuple[float, int]:
    """Return what another focus makes of the P wave: its gain, and by how many samples it comes early."""
    return (float(rng.uniform(-1.2, 1.5)) if rng.random() < 0.75 else 0.0), int(rng.integers(-8, 10))


def _run(rng: np.random.Generator, frequent: bool) -> tuple[int, float, float | None]:
    """Return beats of a run, their interval as a part of the usual one, and the gain of P where it is given."""
    kind = rng.random()
    if frequent:
        return int(rng.integers(1, 7)), float(rng.uniform(0.5, 0.85)), None
    if kind < 0.72:
        return 1, float(rng.uniform(0.5, 0.9)), None
    if kind < 0.90:
        return int(rng.integers(2, 12)), float(rng.uniform(0.42, 0.8)), None
    if kind < 0.96:
        return int(rng.integers(12, 80)), float(rng.uniform(0.4, 0.75)), None
    return int(rng.integers(3, 30)), float(rng.uniform(0.8, 0.93)), 0.0
