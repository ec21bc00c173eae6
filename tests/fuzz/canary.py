"""A folder that no file may lead to: what lies in it must never turn up in a recording."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np

from ecg_core.recording import Recording

CANARY_MV = 3.140625
"""Of every other sample there; the rest are 0."""
CANARY_TEXT = "Canaria"


class Canary:
    """The folder, and the tests whether something has been there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.trace = folder / "ran"
        """A file that only code from a recording's file could make."""
        samples = np.tile([0.0, CANARY_MV], 1000)
        (folder / "secret.csv").write_text(f"{CANARY_TEXT}\n" + "\n".join(map(str, samples)))
        (folder / "secret.hea").write_text(f"secret 1 500 2000\nsecret.dat 16 64/mV 16 0 0 0 0 II\n# {CANARY_TEXT}\n")
        (folder / "secret.dat").write_bytes((samples * 64).astype("<i2").tobytes())
        (folder / "secret.raw").write_bytes(samples.astype("<f4").tobytes())
        with h5py.File(folder / "secret.h5", "w") as file:
            file.create_dataset("ecg", data=samples[None, :]).attrs["fs"] = 500.0
            file.attrs["text"] = CANARY_TEXT

    def is_in(self, recording: Recording) -> bool:
        """Return whether a recording holds what lies in the folder."""
        if CANARY_TEXT in json.dumps(recording.summary(), default=str):
            return True
        zeros, others = recording.signal[:, 0:1000:2], recording.signal[:, 1:1000:2]
        # Whatever unit it is taken to be in.
        alike = (zeros == 0).all(axis=1) & (others != 0).all(axis=1) & (others == others[:, :1]).all(axis=1)
        return recording.n_samples >= 100 and bool(alike.any())
