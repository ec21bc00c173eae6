"""How much what is said differs between two looks at one heart that did not change.

Looks are made of recordings at hand, in three ways:

- ``halves``: the two halves of 5 s of a recording of 10 s. They differ by noise, by breathing and from beat to beat.
  Electrodes, recorder, filters and person are the same.
- ``next``: 10 s and the 10 s that follow, of a long recording.
- ``minutes``: 10 s, and 10 s `APART_S` later in the same recording: what changes within minutes in somebody who is up
  and about is in it too. Electrodes are the same.

No set at hand has two recordings of one person on different days, or with electrodes that were placed anew.

Of each figure: ``sd``, which two of three looks (68.3 %) do not exceed; ``limit``, which 95 % do not exceed, in
either direction; ``n``, the pairs that it rests on. Both are read off the differences as they are, since a few
outliers (a wave marked elsewhere) make them anything but normal.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

import numpy as np

from ecg_core.evaluation.bootstrap import Score
from ecg_core.preprocess import crop
from ecg_core.recording import Recording

Kind = Literal["halves", "next", "minutes"]
STRIP_S, HALF_S, APART_S = 10.0, 5.0, 300.0
SHARES: Mapping[str, float] = {"sd": math.erf(1 / math.sqrt(2)), "limit": 0.95}
"""Share of pairs that differ by no more."""
_SHORTER_S = 0.1
"""What a recording may lack of 10 s: formats round lengths."""

Pair = tuple[Kind, Recording, Recording]
Differences = Mapping[str, Sequence[float]]
"""Figure (``"halves.qt_ms"``) to the differences that one record gave, in order."""


def halves(recording: Recording) -> Iterator[Pair]:
    """Yield the halves of a recording of 10 s or more; none of a shorter one."""
    if recording.duration_s >= STRIP_S - _SHORTER_S:
        middle = min(HALF_S, recording.duration_s / 2)
        yield "halves", crop(recording, 0.0, middle), crop(recording, middle, 2 * middle)


def looks(recording: Recording) -> Iterator[Pair]:
    """Yield pairs of all kinds out of a long recording, one of each every `APART_S` where there is room."""
    last: Recording | None = None
    for start in np.arange(0.0, recording.duration_s - 2 * STRIP_S, APART_S).tolist():
        strip = crop(recording, start, start + STRIP_S)
        yield from halves(strip)
        yield "next", strip, crop(recording, start + STRIP_S, start + 2 * STRIP_S)
        if last is not None:
            yield "minutes", last, strip
        last = strip


def score_differences(answers: Sequence[Differences], totals: Iterable[str] = ()) -> Score:
    """Return ``<figure>.sd``, ``.limit`` and ``.n`` of each figure, and the mean of each of ``totals``."""
    totals = tuple(totals)
    names = dict.fromkeys(name for answer in answers for name in answer)
    columns = {}
    for name in names:
        rows = np.array([row for row, answer in enumerate(answers) for _ in answer.get(name, ())], np.int64)
        sizes = np.array([value for answer in answers for value in answer.get(name, ())], np.float64)
        order = np.argsort(np.abs(sizes), kind="stable")
        columns[name] = rows[order], sizes[order]

    def score(weights: np.ndarray) -> dict[str, np.ndarray]:
        found: dict[str, np.ndarray] = {}
        for name, (rows, sizes) in columns.items():
            drawn = weights[:, rows]
            reached = np.cumsum(drawn, axis=1)
            n = reached[:, -1]
            if name in totals:
                with np.errstate(invalid="ignore"):
                    found[name] = (drawn @ sizes) / n
            else:
                for figure, share in SHARES.items():
                    at = (reached < share * n[:, None]).sum(axis=1).clip(max=len(sizes) - 1)
                    found[f"{name}.{figure}"] = np.where(n > 0, np.abs(sizes)[at], np.nan)
            found[f"{name}.n"] = n
        return found

    return score
