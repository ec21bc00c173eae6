"""What the network says about a recording: how likely each wave and each mark is, 125 times a second.

A long recording is read in blocks of windows that overlap, so that memory stays constant.
"""

from __future__ import annotations

from collections.abc import Iterator
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
    """Probability of none, P, QRS and T, float32, shape (n_leads + 1, n_bins, 4); the last row is all leads'."""
    marks: np.ndarray
    """Height of the bell of each mark (onset, peak, end of P, of QRS, of T), shape (n_leads + 1, n_bins, 9)."""
    recorded: np.ndarray
    """Bool, shape (n_leads + 1, n_bins)."""


def read_scores(network: Network, recording: Recording) -> Iterator[Block]:
    """Yield the scores of a recording, block by block in order of time."""
    per_block = max(1, _ROWS // recording.n_leads)
    n_bins = -(-int(np.ceil(recording.n_samples * INPUT_FS / recording.fs)) // 2)
    n_windows = 1 if n_bins <= _BINS else 1 + -(-(n_bins - _BINS) // _HOP)
    source = _Resampled(recording)
    for window in range(0, n_windows, per_block):
        count = min(per_block, n_windows - window)
        first, stop = window * _HOP, (window + count - 1) * _HOP + _BINS
        core = (first + _MARGIN if window else 0, stop - _MARGIN if window + count < n_windows else n_bins)
        yield _block(network, source.between(2 * first, 2 * stop), first, core, count)


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


def _block(network: Network, signal: np.ndarray, first: int, core: tuple[int, int], count: int) -> Block:
    """Read ``count`` windows that begin ``_HOP`` scores after each other."""
    n_leads = len(signal)
    rows = np.concatenate([signal[:, 2 * k * _HOP : 2 * k * _HOP + WINDOW] for k in range(count)])
    values, recorded = network_windows(rows)
    record = np.repeat(np.arange(count, dtype=np.float32), n_leads)[:, None]
    logits = network({"signal": values, "recorded": recorded, "record": record})["logits"]
    logits = logits.reshape(count, n_leads, _BINS, 2, N_CLASSES + N_MARKS)
    logits = _join(np.concatenate([logits[:, :, :, 0], logits[:, :1, :, 1]], axis=1))
    heard = recorded.reshape(count, n_leads, _BINS, 2).max(axis=3) > 0
    heard = np.concatenate([heard, heard.any(axis=1, keepdims=True)], axis=1)
    classes = np.exp(logits[..., :N_CLASSES] - logits[..., :N_CLASSES].max(axis=2, keepdims=True))
    classes /= classes.sum(axis=2, keepdims=True)
    return Block(first, core, classes, 1 / (1 + np.exp(-logits[..., N_CLASSES:])), _join(heard))


def _join(windows: np.ndarray) -> np.ndarray:
    """Lay windows (count, n_rows, n_bins, ...) end to end, each up to amid its overlap with the next."""
    count = len(windows)
    parts = []
    for k in range(count):
        start = _MARGIN if k else 0
        stop = _BINS - _MARGIN if k < count - 1 else _BINS
        parts.append(windows[k, :, start:stop])
    return np.concatenate(parts, axis=1) if count > 1 else windows[0]
