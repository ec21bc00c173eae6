"""Waves: when P, QRS and T of each beat begin, peak and end, over all leads together and in each lead."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

import numpy as np

from ecg_core.errors import InvalidValue

KINDS = ("p", "qrs", "t")
P, QRS, T = range(3)
ONSET, PEAK, END = range(3)
"""Axes of an array of marks."""


@dataclass(frozen=True)
class Wave:
    """One wave, seen whole: instants in seconds from the first sample."""

    onset_s: float
    peak_s: float
    end_s: float

    def __post_init__(self) -> None:
        found = (self.onset_s, self.peak_s, self.end_s)
        if not (all(map(math.isfinite, found)) and self.onset_s <= self.peak_s <= self.end_s):
            raise InvalidValue("not a wave", field="wave", found=found, expected="onset <= peak <= end, in seconds")


@dataclass(frozen=True)
class BeatWaves:
    """The waves of one beat; None where a wave is absent or the recording does not hold all of it.

    A P wave that no QRS follows stands without one.
    """

    p: Wave | None = None
    qrs: Wave | None = None
    t: Wave | None = None


class WaveTable(Sequence[BeatWaves]):
    """The waves of one lead, or of all together, beat by beat: an array that reads as a sequence of `BeatWaves`."""

    def __init__(self, beats: np.ndarray | Iterable[BeatWaves] = ()) -> None:
        """Take marks as in `marks`, or beats."""
        if isinstance(beats, np.ndarray):
            marks = np.array(beats, np.float64)
        else:
            marks = np.array([_marks_of(beat) for beat in beats], np.float64).reshape(-1, 3, 3)
        if marks.ndim != 3 or marks.shape[1:] != (3, 3):
            raise InvalidValue("not marks", field="waves", found=f"shape {marks.shape}", expected="(n_beats, 3, 3)")
        absent = np.isnan(marks)
        partial = (absent != absent[:, :, :1]).any()
        if partial or (marks[:, :, 1:] < marks[:, :, :-1]).any() or np.isinf(marks).any():
            raise InvalidValue(
                "not waves", field="waves", expected="onset <= peak <= end, in seconds, or NaN for all three"
            )
        marks.setflags(write=False)
        self.marks: np.ndarray = marks
        """Seconds from the first sample, float64, shape (n_beats, 3 waves, 3 instants), NaN for an absent wave."""

    def __len__(self) -> int:
        return len(self.marks)

    @overload
    def __getitem__(self, at: int) -> BeatWaves: ...
    @overload
    def __getitem__(self, at: slice) -> WaveTable: ...
    def __getitem__(self, at: int | slice) -> BeatWaves | WaveTable:
        if isinstance(at, slice):
            return WaveTable(self.marks[at])
        return BeatWaves(*(None if math.isnan(row[0]) else Wave(*row) for row in self.marks[at].tolist()))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, tuple):
            return tuple(self) == other
        return isinstance(other, WaveTable) and np.array_equal(self.marks, other.marks, equal_nan=True)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        counts = ", ".join(f"{np.count_nonzero(~np.isnan(self.marks[:, k, 0]))} {kind}" for k, kind in enumerate(KINDS))
        return f"WaveTable({len(self)} rows: {counts})"

    def to_dicts(self) -> list[dict[str, dict[str, float]]]:
        """Return the JSON-ready form of every beat; absent waves are absent."""
        return [
            {
                kind: {"onset_s": onset, "peak_s": peak, "end_s": end}
                for kind, (onset, peak, end) in zip(KINDS, beat, strict=True)
                if not math.isnan(onset)
            }
            for beat in self.marks.tolist()
        ]

    def of(self, kind: str) -> np.ndarray:
        """Return the waves of one kind (``"p"``, ``"qrs"``, ``"t"``): onset, peak, end in s, shape (n_waves, 3)."""
        rows = self.marks[:, KINDS.index(kind)]
        return np.asarray(rows[~np.isnan(rows[:, ONSET])])


@dataclass(frozen=True)
class Waves:
    """The waves of a recording, beat by beat in order of time."""

    global_: WaveTable
    """From the earliest onset to the latest end in any lead."""
    per_lead: Mapping[str, WaveTable] = field(default_factory=dict)
    """Row by row the same beats as ``global_``, where `delineate_waves` found them."""
    reason: str | None = None
    """Why there are no waves, where there are none."""

    def __init__(
        self,
        global_: WaveTable | Iterable[BeatWaves],
        per_lead: Mapping[str, WaveTable | Iterable[BeatWaves]] | None = None,
        reason: str | None = None,
    ) -> None:
        object.__setattr__(self, "global_", _table(global_))
        object.__setattr__(self, "per_lead", {lead: _table(rows) for lead, rows in (per_lead or {}).items()})
        object.__setattr__(self, "reason", reason)

    def masks(self, lead: str | None, fs: float, n_samples: int) -> np.ndarray:
        """Return which samples lie within P, within QRS and within QT (QRS onset to T end).

        Parameters
        ----------
        lead
            A lead of ``per_lead``; None for the global waves.
        fs, n_samples
            Rate and length of the recording.

        Returns
        -------
        Bool, shape (n_samples, 3): (5000, 3) for 10 s at 500 Hz.
        """
        if lead is not None and lead not in self.per_lead:
            raise InvalidValue("no waves of such a lead", field="lead", found=lead, options=self.per_lead)
        marks = (self.global_ if lead is None else self.per_lead[lead]).marks
        spans = (marks[:, P][:, [ONSET, END]], marks[:, QRS][:, [ONSET, END]])
        qt = np.stack([marks[:, QRS, ONSET], marks[:, T, END]], axis=1)
        change = np.zeros((n_samples + 1, 3), np.int32)
        for column, span in enumerate((*spans, qt)):
            whole = span[~np.isnan(span).any(axis=1)] * fs
            np.add.at(change[:, column], np.clip(np.ceil(whole[:, 0]).astype(np.int64), 0, n_samples), 1)
            np.add.at(change[:, column], np.clip(np.floor(whole[:, 1]).astype(np.int64) + 1, 0, n_samples), -1)
        return np.asarray(np.cumsum(change[:-1], axis=0) > 0)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {
            "global": self.global_.to_dicts(),
            "leads": {lead: table.to_dicts() for lead, table in self.per_lead.items()},
        }


def _table(beats: WaveTable | Iterable[BeatWaves]) -> WaveTable:
    return beats if isinstance(beats, WaveTable) else WaveTable(beats)


def _marks_of(beat: BeatWaves) -> list[tuple[float, float, float]]:
    waves = (getattr(beat, kind) for kind in KINDS)
    return [(w.onset_s, w.peak_s, w.end_s) if w else (math.nan,) * 3 for w in waves]
