"""`find_pacing`: whether a pacemaker was at work, by its spikes in the samples as they were recorded.

A stimulus of 0.5 to 2 ms is an abrupt, narrow deflection out of a quiet baseline that many leads see at once
(`ecg_core.spikes`) and that comes back at the same distance before beat after beat. Each part of that tells it from
something else: from the steep part of a QRS complex, which rises out of its own beginning; from tremor, which is not
quiet; from a glitch, which one lead has alone; from a step or a saturated amplifier, which no beats follow.

On slow recordings spikes are blurred: on the tapes of the MIT-BIH database they are some 10 ms wide, a small peak at
the foot of the complex, much like the r wave of V1. There they count only where a broad complex follows, as after
ventricular pacing. Resampling and filters blur as well, so the recording should be as it was read. Under `LEAST_FS`
nothing is said.

What ``ecg evaluate pacing`` measures, on records that were looked at while the rules were set (nothing is trained):

- LUDB, 500 Hz, 12 leads of 10 s: 7 of 7 recordings with an entry under "Cardiac pacing", 0 of 143 others.
- MIT-BIH, 360 Hz, 2 leads: 4 of 4 paced recordings, 0 of 22 others; cut into strips of 10 s, 647 of 703 strips with
  three paced beats or more, 0 of 3,967 without any. Of the paced beats 87 % have a spike, and 99.97 % of the spikes
  lie at an annotated paced beat.

It is made to miss rather than to cry wolf: tremor hides spikes, and of those seven recordings lead II alone shows four,
V5 alone five. A low-pass filter at 40 Hz takes all spikes away.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from ecg_core.beats import Beats, detect_beats
from ecg_core.leads import LIMB
from ecg_core.recording import Recording
from ecg_core.spikes import Spikes, find_spikes

Chamber = Literal["atrial", "ventricular"]

LEAST_FS = 250.0
"""Samples per second under which a spike is one sample among others, or none."""
LEAST_S = 3.0
"""Seconds that hold enough beats for spikes to come back before them."""
LEAST_SPIKES = 3
"""Spikes at the same distance from a beat that make pacing."""
LEAST_SHARE = 0.25
"""They stand before at least this part of the beats of a piece of the recording, or ..."""
LEAST_SHARE_BLUNT = 0.4
"""... this part where they are blurred, and much else looks like them ..."""
LEAST_ALIKE = 0.5
"""... and are at least this part of all spikes in it: noise makes some anywhere."""
WINDOW_S = 30.0
"""Longer recordings are searched in pieces of about this length."""

_BLURRING = ("resample", "bandpass", "monitor_view", "normalise")
"""Steps after which a spike is no longer what it was."""
_BEFORE_BEAT_S = (-0.040, 0.350)
"""How long before the R peak a spike may lie: a detector can take the spike itself for the peak."""
_SAME_S = 0.040
"""Spikes whose distances to their beats lie within this are of one kind."""
_OVER_S, _ENDED_S, _CONDUCTED_BY_S = 0.014, 0.170, 0.350
"""After a spike: it is over; a complex that it triggered has ended; a conducted one has come."""
_TRIGGERED_S = 0.150
"""Half of the energy of the slopes until then lies sooner than this where the ventricles were paced. Else the atria
were, and the R peak is yet to come."""
_CONDUCTED_S = 0.100
"""It comes no sooner after a spike in the atria. Glitches that a detector took for beats fall between the two."""
_BROAD_S = 0.080
"""Half of the ups and downs of a broad complex come later than this, for one beat in four at least: fusion beats are
narrow."""
_SHOWS = 0.5
"""A lead shows the spikes where it shows this part of them."""
_MOST_LOOKED_AT = 100


@dataclass(frozen=True, eq=False)
class Pacing:
    """Whether a pacemaker was at work, as its spikes show."""

    paced: bool | None
    """None where it cannot be judged. False says that no spikes were found: those of bipolar leads can be too small,
    and a pacemaker that only watches gives none."""
    times_s: np.ndarray
    """Seconds of the spikes from the first sample, float64, increasing, shape (n_spikes,); read-only."""
    chambers: tuple[Chamber, ...]
    """What each spike paces, guessed from what comes after it."""
    leads: tuple[str, ...]
    """Leads that show at least half of the spikes."""
    evidence: tuple[str, ...]
    """What speaks for pacing, in words; empty without."""
    reason: str | None = None
    """Why it cannot be judged, where it cannot."""

    def __post_init__(self) -> None:
        times_s = np.array(self.times_s, np.float64)
        times_s.setflags(write=False)
        object.__setattr__(self, "times_s", times_s)

    def __len__(self) -> int:
        return len(self.times_s)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {
            "paced": self.paced,
            "times_s": self.times_s.tolist(),
            "chambers": list(self.chambers),
            "leads": list(self.leads),
            "evidence": list(self.evidence),
            "reason": self.reason,
        }


def find_pacing(recording: Recording, beats: Beats | None = None) -> Pacing:
    """Look for the spikes of a pacemaker.

    Parameters
    ----------
    recording
        As it was recorded, at any rate from `LEAST_FS`; of any length from `LEAST_S`.
    beats
        Its beats; without them, those that the classical detector finds.
    """
    if reason := _declines(recording):
        return _unjudged(reason)
    rows = _searched(recording)
    if not rows:
        return _unjudged("no lead holds a signal as it was recorded")
    beats = detect_beats(recording, method="fast") if beats is None else beats
    if len(beats) < LEAST_SPIKES:
        return _unjudged(beats.reason or f"only {len(beats)} beats were found; spikes have to come back before beats")
    chosen: list[tuple[Chamber, np.ndarray, np.ndarray]] = []
    for start_s, stop_s in pairwise(_pieces(recording.duration_s)):
        spikes = find_spikes(recording, rows, start_s, stop_s)
        n_beats = int(np.count_nonzero((beats.times_s >= start_s) & (beats.times_s < stop_s)))
        for at, distance_s in _before_beats(spikes, beats.times_s, n_beats):
            chamber = _chamber(recording, rows, spikes, at)
            if chamber == "ventricular" or (chamber == "atrial" and distance_s >= _CONDUCTED_S):
                chosen.append((chamber, spikes.time_s[at], spikes.height_mv[at]))
    if not chosen:
        return Pacing(False, np.empty(0), (), (), ())
    time_s = np.concatenate([times for _, times, _ in chosen])
    height_mv = np.abs(np.concatenate([heights for *_, heights in chosen]))
    chambers = [kind for kind, times, _ in chosen for _ in times]
    showing = (~np.isnan(height_mv)).mean(axis=0) >= _SHOWS
    leads = tuple(recording.leads[row] for row, shows in zip(rows, showing, strict=True) if shows)
    seen = f", in {', '.join(leads)}" if leads else ""
    highest = float(np.median(np.nanmax(height_mv, axis=1)))
    evidence = (*_relations(time_s, chambers, beats), f"{highest:.2f} mV high{seen}")
    order = np.argsort(time_s, kind="stable")
    return Pacing(True, time_s[order], tuple(chambers[at] for at in order), leads, evidence)


def _declines(recording: Recording) -> str | None:
    """Return why spikes cannot be looked for in such a recording, or None."""
    if recording.fs < LEAST_FS:
        return f"{recording.fs:g} Hz is too slow: spikes last 0.5 to 2 ms; {LEAST_FS:g} Hz or more are needed"
    if recording.duration_s < LEAST_S:
        return f"{recording.duration_s:.1f} s are too short to see spikes come back; {LEAST_S:g} s are needed"
    changed = [step.name for step in recording.history if step.name in _BLURRING and "leads" not in step.parameters]
    if changed:
        return f"the samples are not those recorded: {', '.join(dict.fromkeys(changed))} can take spikes away"
    return None


def _searched(recording: Recording) -> list[int]:
    """Return the rows of the leads to search: alive, at their own rate, and no limb leads that follow from two."""
    resampled = {name for step in recording.history if step.name in _BLURRING for name in step.parameters["leads"]}
    rows: list[int] = []
    limb = 0
    for row, name in enumerate(recording.leads):
        values = recording.signal[row]
        if name in resampled or (name in LIMB and limb == 2) or not np.fmax.reduce(values) > np.fmin.reduce(values):
            continue
        limb += name in LIMB
        rows.append(row)
    return rows


def _pieces(duration_s: float) -> list[float]:
    """Return where the pieces begin, and where the last one ends."""
    edges: list[float] = np.linspace(0, duration_s, max(1, round(duration_s / WINDOW_S)) + 1).tolist()
    return edges


def _before_beats(spikes: Spikes, beats_s: np.ndarray, n_beats: int) -> list[tuple[np.ndarray, float]]:
    """Return the spikes that come back at one distance before beats: for each distance their numbers, and it in s."""
    early, late = _BEFORE_BEAT_S
    following = np.searchsorted(beats_s, spikes.time_s + early)
    distance_s = np.append(beats_s, np.inf)[following] - spikes.time_s
    height = np.nanmax(np.abs(spikes.height_mv), axis=1, initial=0)
    left = np.flatnonzero(distance_s <= late)
    least = max(LEAST_SPIKES, LEAST_SHARE * n_beats)
    groups: list[tuple[np.ndarray, float]] = []
    accounted = 0
    while len(groups) < len(("atrial", "ventricular")) and len(left) >= least:
        left = left[np.argsort(distance_s[left], kind="stable")]
        ordered = distance_s[left]
        count = np.searchsorted(ordered, ordered + _SAME_S, side="right") - np.arange(len(left))
        first = int(count.argmax())
        group = left[first : first + int(count[first])]
        left, accounted = np.setdiff1d(left, group), accounted + len(group)
        # The two sides of one spike can both stand out: the higher one is kept.
        group = group[np.lexsort((-height[group], following[group]))]
        group = group[np.unique(following[group], return_index=True)[1]]
        sharp = spikes.sharp[group].mean() >= _SHOWS
        if len(group) < (least if sharp else max(least, LEAST_SHARE_BLUNT * n_beats)):
            break
        groups.append((group, float(np.median(distance_s[group]))))
    return groups if accounted >= LEAST_ALIKE * len(spikes.time_s) else []


def _chamber(recording: Recording, rows: list[int], spikes: Spikes, at: np.ndarray) -> Chamber | None:
    """Return what the spikes numbered ``at`` pace, or None where they may be no spikes: blunt, and no broad complex."""
    over, ended, last = (round(time * recording.fs) for time in (_OVER_S, _ENDED_S, _CONDUCTED_BY_S))
    sample = np.rint(spikes.time_s[at] * recording.fs).astype(np.int64)
    sample = sample[sample + last + 1 < recording.n_samples][:_MOST_LOOKED_AT]
    if not len(sample):
        return None
    after = recording.signal[rows][:, sample[:, None] + np.arange(over, last + 2)].astype(np.float64)
    slope = np.nan_to_num(np.abs(np.diff(after, axis=2)))
    if spikes.sharp[at].mean() < _SHOWS:
        half_s = _OVER_S + _half(slope[:, :, : ended - over]) / recording.fs
        if np.percentile(half_s, 75, axis=1).max() < _BROAD_S:
            return None
    half_s = _OVER_S + _half((slope**2).sum(axis=0)) / recording.fs
    return "ventricular" if np.median(half_s) < _TRIGGERED_S else "atrial"


def _half(values: np.ndarray) -> np.ndarray:
    """Return how many samples of the last axis hold half of its sum."""
    running = values.cumsum(axis=-1)
    return np.asarray((running < running[..., -1:] / 2).sum(axis=-1))


def _relations(time_s: np.ndarray, chambers: list[Chamber], beats: Beats) -> list[str]:
    """Say for each chamber how many spikes stand how long before how many beats."""
    said = []
    for chamber in ("atrial", "ventricular"):
        at = time_s[[name == chamber for name in chambers]]
        if len(at):
            following = np.searchsorted(beats.times_s, at + _BEFORE_BEAT_S[0])
            before_ms = 1000 * float(np.median(beats.times_s[following] - at))
            said.append(
                f"{len(at)} spikes, {before_ms:.0f} ms before {len(np.unique(following))} of {len(beats)} R peaks, "
                f"as of {chamber} pacing"
            )
    return said


def _unjudged(reason: str) -> Pacing:
    return Pacing(None, np.empty(0), (), (), (), reason)
