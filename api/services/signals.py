"""The samples of recordings: read again from what was sent, a few of them kept at hand, and cut to what is asked."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from threading import Lock

import numpy as np

from api import tables
from api.schemas import Signal
from api.settings import Settings
from api.storage import BlobStore
from ecg_core.isolation import ReadPool
from ecg_core.readers import ReadOptions
from ecg_core.recording import Recording, Subject

_AT_HAND_BYTES = 64 * 1024**2


class Signals:
    """Reads recordings that are kept.

    Parameters
    ----------
    store, pool, settings
        Where their files are, who reads them, and within which limits.
    """

    def __init__(self, store: BlobStore, pool: ReadPool, settings: Settings) -> None:
        self._store, self._pool, self._settings = store, pool, settings
        self._at_hand: OrderedDict[str, Recording] = OrderedDict()
        self._lock = Lock()
        self._forgotten = 0
        """How often anything was: what was read before that is not kept at hand after it."""

    def load(self, row: tables.Recording) -> Recording:
        """Return a recording with its samples, and with what is now stated of the person."""
        with self._lock:
            forgotten = self._forgotten
            recording = self._at_hand.get(row.fingerprint)
            if recording is not None:
                self._at_hand.move_to_end(row.fingerprint)
        if recording is None:
            files = {file.name: self._store.get(file.blob.key) for file in row.files}
            options = ReadOptions(**row.options, limits=self._settings.limits())
            recording = self._pool.read(files, options)
            if forgotten == self._forgotten:
                self.put(row.fingerprint, recording)
        return replace(recording, subject=Subject(**row.subject), warnings=tuple(row.warnings))

    def put(self, fingerprint: str, recording: Recording) -> None:
        """Keep a recording at hand that was just read; the longest unused ones make room."""
        with self._lock:
            self._at_hand[fingerprint] = recording
            self._at_hand.move_to_end(fingerprint)
            while sum(item.signal.nbytes for item in self._at_hand.values()) > _AT_HAND_BYTES:
                self._at_hand.popitem(last=False)

    def at_hand(self) -> list[str]:
        """Return the fingerprints of the recordings at hand."""
        with self._lock:
            return list(self._at_hand)

    def forget(self, fingerprint: str) -> None:
        """Keep a recording at hand no longer."""
        with self._lock:
            self._forgotten += 1
            self._at_hand.pop(fingerprint, None)


def cut_signal(recording: Recording, start_s: float, window_s: float, max_values: int) -> Signal:
    """Return ``window_s`` seconds of every lead, or less where that is more than ``max_values`` samples."""
    n_samples = max(1, min(round(window_s * recording.fs), max_values // recording.n_leads))
    first = min(round(start_s * recording.fs), recording.n_samples - 1)
    window = np.round(recording.signal[:, first : first + n_samples].astype(np.float64), 4)
    values = window.astype(object)
    values[np.isnan(window)] = None
    return Signal(fs=recording.fs, start_s=first / recording.fs, leads=list(recording.leads), values=values.tolist())
