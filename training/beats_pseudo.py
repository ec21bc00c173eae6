"""Beats of unlabelled 12-lead recordings, by agreement: where the classical detector finds one in most leads.

Leads fail independently, so that what most of them show is a beat and what few show is none. What lies between is
left open: nothing is learnt there. One lead of such a recording, with noise added, is then a hard example with a sure
answer.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from ecg_core.artefacts import record_hash
from ecg_core.datasets import DATASETS
from ecg_core.preprocess.resampling import resample_array
from ecg_core.qrs import find_qrs
from ecg_core.recording import Recording
from ecg_core.robust.inputs import FS
from training.beats_examples import Example, Span

logger = logging.getLogger(__name__)

LEADS = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
_TOGETHER_S = 0.09
"""Detections of different leads this close are one beat."""
_MOST, _FEW = 6, 2
"""A beat is seen by so many leads at least; what so few see is none."""
_DOUBT_S = 0.2
"""What is known ends this far from a doubtful beat, and from the ends of a recording `_EDGE_S`."""
_EDGE_S = 0.1
_LEAST_BEATS = 4
_MOST_DOUBTFUL = 3


def agreed_beats(found: Sequence[np.ndarray], n: int, fs: float) -> tuple[np.ndarray, list[Span]] | None:
    """Return the beats that leads agree on and the spans in which all are known, or None where they agree too little.

    Parameters
    ----------
    found
        Sample numbers of each lead's beats.
    n, fs
        Samples, and samples per second.
    """
    at = np.concatenate([*found])
    order = np.argsort(at, kind="stable")
    at, lead = at[order], np.concatenate([np.full(len(row), i) for i, row in enumerate(found)])[order]
    if not len(at):
        return None
    clusters = np.split(np.arange(len(at)), np.flatnonzero(np.diff(at) > _TOGETHER_S * fs / 2) + 1)
    beats, doubtful = [], []
    for members in clusters:
        votes = len(set(lead[members].tolist()))
        if votes >= _MOST and np.ptp(at[members]) <= 2 * _TOGETHER_S * fs:
            beats.append(float(np.median(at[members])))
        elif votes > _FEW or np.ptp(at[members]) > 2 * _TOGETHER_S * fs:
            doubtful.append((float(at[members[0]]), float(at[members[-1]])))
    if len(beats) < _LEAST_BEATS or len(doubtful) > _MOST_DOUBTFUL:
        return None
    reach = _DOUBT_S * fs
    edges = [_EDGE_S * fs, *(edge for a, b in doubtful for edge in (a - reach, b + reach)), n - _EDGE_S * fs]
    pairs = np.array(edges).reshape(-1, 2)
    return np.array(beats, np.float32), [(float(a), float(b)) for a, b in pairs if b > a]


def read_agreed(data: str, root: Path | None, split: str | None) -> Iterator[Example]:
    """Yield the recordings of a 12-lead set on whose beats the leads agree."""
    if data == "ptbxl":
        stack = DATASETS["ptbxl"].stack(root, split)  # type: ignore[attr-defined]
        recordings: Iterator[tuple[str, str, Recording]] = (
            (name, f"ptbxl:{name}", Recording(signal, stack.fs, _standard()))
            for name, signal in zip(stack.names, stack.signal, strict=True)
        )
    else:
        entries = DATASETS[data].choose(DATASETS[data].listing(root).entries, split)
        recordings = ((entry.name, entry.group, entry.load()) for entry in entries)
    kept = total = 0
    for name, group, recording in recordings:
        total += 1
        rows = np.stack([recording.lead(lead) for lead in LEADS])
        if np.isnan(rows).any():
            continue
        agreed = agreed_beats([find_qrs(row, recording.fs) for row in rows], rows.shape[1], recording.fs)
        if agreed is None:
            continue
        beats, known = agreed
        scale = FS / recording.fs
        signal = resample_array(rows, recording.fs, FS).astype(np.float16)
        kept += 1
        yield Example(
            data,
            name,
            group,
            record_hash(recording),
            signal,
            (beats * np.float32(scale),) * len(LEADS),
            ([(a * scale, b * scale) for a, b in known],) * len(LEADS),
        )
    logger.info("%s: the leads agree in %d of %d records", data, kept, total)


def _standard() -> tuple[str, ...]:
    from ecg_core.leads import STANDARD_12

    return STANDARD_12
