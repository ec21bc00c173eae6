"""What the network says about a recording: how likely each wave and each mark is, 125 times a second.

A long recording is read in blocks of windows that overlap, so that memory stays constant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ecg_core.delineation.inputs import FS as INPUT_FS
from ecg_core.delineation.inputs import WINDOW, network_windows
from ecg_core.engine import Network
from ecg_core.preprocess import resample_array
from ecg_core.recording import Recording

FS = INPUT_FS / 2
"""Of the scores."""
BIN_S = 0.25 / FS
"""The first score stands for this instant, amid the two samples that it covers."""
N_CLASSES = 4  # none, P, QRS, T
N_MARKS = 9  # onset, peak and end of each

_BINS = WINDOW // 2
_MARGIN = 128
"""Scores of a window that lie this close to its ends, where the recording goes on, are not used."""
_HOP = _BINS - 2 * _MARGIN
_ROWS = 96
"""Windows of one lead that are read at a time, at least one window of each."""
_CHUNK_S = 3600.0
"""A recording is brought to the network's rate by so much at a time."""
_CHUNK_MARGIN_S = 2.0


@dataclass(frozen=True, eq=False)
class Block:
    """The scores of a part of a recording."""

    first: int
    """Number of the first score, counted from the start of the recording."""
    core: tuple[int, int]
    """From and to which score this block speaks; beyond, for a second, is context."""
    classes: np.ndarray
    """Probability of none, P, QRS and T, float32, shape (4, n_leads + 1, n_bins); the last row is all leads'."""
    marks: np.ndarray
    """Log odds that are the bell of each mark (onset, peak, end of P, of QRS, of T), (9, n_leads + 1, n_bins)."""
    recorded: np.ndarray
    """Bool, shape (n_leads + 1, n_bins)."""


def read_scores(network: Network, recording: Recording) -> Iterator[Block]:
    """Yield the scores of a recording, block by block in order of time."""
    for part in _parts(recording):
        yield part.block(network(part.inputs))


def start_scores(network: Network, recording: Recording) -> Iterator[Block]:
    """Do as `read_scores`, with the network at work on the first block from now on, in the background."""
    parts = _parts(recording)
    first = next(parts)
    outputs = network.start(first.inputs)

    def blocks() -> Iterator[Block]:
        yield first.block(outputs.result())
        for part in parts:
            yield part.block(network(part.inputs))

    return blocks()


def _parts(recording: Recording) -> Iterator[_Part]:
    per_block = max(1, _ROWS // recording.n_leads)
    n_bins = -(-int(np.ceil(recording.n_samples * INPUT_FS / recording.fs)) // 2)
    n_windows = 1 if n_bins <= _BINS else 1 + -(-(n_bins - _BINS) // _HOP)
    source = _Resampled(recording)
    for window in range(0, n_windows, per_block):
        count = min(per_block, n_windows - window)
        first, stop = window * _HOP, (window + count - 1) * _HOP + _BINS
        core = (first + _MARGIN if window else 0, stop - _MARGIN if window + count < n_windows else n_bins)
        yield _Part(source.between(2 * first, 2 * stop), first, core, count)


class _Part:
    """``count`` windows that begin ``_HOP`` scores after each other."""

    def __init__(self, signal: np.ndarray, first: int, core: tuple[int, int], count: int) -> None:
        self._n_leads, self._first, self._core, self._count = len(signal), first, core, count
        starts = range(0, 2 * count * _HOP, 2 * _HOP)
        rows = signal if count == 1 else np.concatenate([signal[:, start : start + WINDOW] for start in starts])
        values, recorded = network_windows(rows)
        record = np.repeat(np.arange(count, dtype=np.float32), len(signal))[:, None]
        self.inputs = {"signal": values, "recorded": recorded, "record": record}

    def block(self, outputs: Mapping[str, np.ndarray]) -> Block:
        """Return the block, given what the network says of `inputs`."""
        logits, recorded, count, n_leads = outputs["logits"], self.inputs["recorded"], self._count, self._n_leads
        scores = np.empty((N_CLASSES + N_MARKS, n_leads + 1, _HOP * (count - 1) + _BINS), np.float32)
        heard = np.empty(scores.shape[1:], bool)
        pairs = recorded[:, ::2, 0] + recorded[:, 1::2, 0] > 0
        for k in range(count):
            # Each window speaks up to amid its overlap with the next.
            own = slice(_MARGIN if k else 0, _BINS - _MARGIN if k < count - 1 else _BINS)
            to = slice(k * _HOP + own.start, k * _HOP + own.stop)
            rows = slice(k * n_leads, (k + 1) * n_leads)
            window = logits[rows, own].transpose(2, 0, 1)
            scores[:, :-1, to], scores[:, -1, to] = window[: len(scores)], window[len(scores) :, 0]
            heard[:-1, to] = pairs[rows, own]
        heard[:-1].any(axis=0, out=heard[-1])
        classes = scores[:N_CLASSES]
        classes -= classes.max(axis=0)
        np.exp(classes, out=classes)
        classes /= classes.sum(axis=0)
        return Block(self._first, self._core, classes, scores[N_CLASSES:], heard)


class _Resampled:
    """A recording at the network's rate, of which an hour at a time is held."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._held = np.empty((recording.n_leads, 0), np.float32)
        self._first = 0

    def between(self, start: int, stop: int) -> np.ndarray:
        """Return the samples [start, stop), mV, shape (n_leads, stop - start); NaN outside the recording."""
        if start < self._first or stop > self._first + self._held.shape[1]:
            whole = int(np.ceil(self._recording.duration_s * INPUT_FS))
            self._load(start, max(stop, min(start + round(_CHUNK_S * INPUT_FS), whole)))
        part = self._held[:, start - self._first : stop - self._first]
        short = stop - start - part.shape[1]
        return np.pad(part, ((0, 0), (0, short)), constant_values=np.nan) if short else part

    def _load(self, start: int, stop: int) -> None:
        """Hold the samples [start, stop), those of them that there are."""
        recording = self._recording
        ratio = recording.fs / INPUT_FS
        # A whole number of seconds before the start, so that both rates have a sample there.
        origin_s = max(0, int(start / INPUT_FS - _CHUNK_MARGIN_S))
        last = min(recording.n_samples, int(np.ceil((stop / INPUT_FS + _CHUNK_MARGIN_S) * recording.fs)))
        first = round(origin_s * recording.fs)
        found = resample_array(recording.signal[:, first:last], recording.fs, INPUT_FS)
        skipped = start - round(first / ratio)
        self._held, self._first = found[:, skipped : skipped + stop - start], start
