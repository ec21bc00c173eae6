"""What the network ``waves`` is asked for: truth of a strip, what of it is unknown, and the picture of both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ecg_core.delineation.inputs import FS as INPUT_FS
from ecg_core.delineation.inputs import WINDOW

FS = INPUT_FS / 2
"""Of the outputs."""
N_BINS = WINDOW // 2
BIN_S = (np.arange(N_BINS) + 0.25) / FS
"""The instant that each output stands for: amid the two samples that it covers."""

KINDS = ("p", "qrs", "t")
CLASSES = ("none", *KINDS)
MARKS = tuple(f"{kind}_{place}" for kind in KINDS for place in ("on", "peak", "off"))
WIDTH = 2 + 2 * len(MARKS)
"""Channels of a picture."""

WIDTH_S = 0.012
"""SD of the bell that is drawn around a mark, about that of the referees."""
_REACH = 5
CLASS = -1
"""Stands for the classes where a channel of what is unknown is named; other numbers are those of `MARKS`."""
ALL = (CLASS, *range(len(MARKS)))

Hole = tuple[float, float, Sequence[int]]
"""Seconds from and to which channels are unknown, and their numbers."""


@dataclass(frozen=True, eq=False)
class Strip:
    """The truth of one lead, or of a recording as a whole, in seconds."""

    waves: Mapping[str, np.ndarray]
    """Onset, peak and end of each kind of wave, shape (n_waves, 3); NaN where unknown."""
    known: np.ndarray
    """Spans in which every wave is marked, shape (n_spans, 2)."""
    holes: tuple[Hole, ...] = ()
    """What is unknown all the same."""

    def moved(self, start_s: float, stretch: float) -> Strip:
        """Return the truth of a window that begins at ``start_s``, in which time runs ``stretch`` times as long."""
        return Strip(
            {kind: (marks - start_s) * stretch for kind, marks in self.waves.items()},
            (self.known - start_s) * stretch,
            tuple(((a - start_s) * stretch, (b - start_s) * stretch, channels) for a, b, channels in self.holes),
        )

    def without(self, *holes: Hole) -> Strip:
        """Return the same truth with more of it unknown."""
        return replace(self, holes=(*self.holes, *holes))


def render(strip: Strip) -> np.ndarray:
    """Return the targets of a window.

    Returns
    -------
    float32, shape (`N_BINS`, `WIDTH`): the number of the class, how much it counts, the height of each mark's bell, and
    how much that counts.
    """
    n = len(MARKS)
    drawn = np.zeros((N_BINS, WIDTH), np.float32)
    for start, stop in strip.known:
        part = _slice(start, stop)
        drawn[part, 1] = 1.0
        drawn[part, 2 + n :] = 1.0
    for start, stop, channels in strip.holes:
        part = _slice(start, stop)
        for channel in channels:
            drawn[part, 1 if channel == CLASS else 2 + n + channel] = 0.0
    for number, kind in enumerate(KINDS):
        marks = strip.waves[kind]
        for onset, end in zip(np.fmin(marks[:, 0], marks[:, 1]), np.fmax(marks[:, 2], marks[:, 1]), strict=True):
            drawn[_slice(onset, end), 0] = number + 1
        for place in range(3):
            times = marks[:, place]
            times = times[~np.isnan(times)]
            nearest = np.rint(times * FS - 0.25).astype(np.int64)
            at = nearest[:, None] + np.arange(-_REACH, _REACH + 1)
            bell = np.exp(-0.5 * (((at + 0.25) / FS - times[:, None]) / WIDTH_S) ** 2)
            inside = (at >= 0) & (at < N_BINS)
            np.maximum.at(drawn[:, 2 + 3 * number + place], at[inside], bell[inside].astype(np.float32))
    return drawn


def _slice(start: float, stop: float) -> slice:
    """Return the bins from ``start`` to ``stop`` (s)."""
    first, last = np.clip(np.ceil(np.array([start, stop]) * FS - 0.25), 0, N_BINS).astype(np.int64).tolist()
    return slice(first, max(first, last))
