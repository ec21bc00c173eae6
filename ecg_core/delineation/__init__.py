"""Wave delineation: onset, peak and end of P, QRS and T.

>>> from ecg_core.beats import detect_beats
>>> from ecg_core.delineation import delineate_waves
>>> waves = delineate_waves(recording, detect_beats(recording))
>>> waves.per_lead["II"][0].p, waves.global_[0].qrs, waves.masks("II", recording.fs, recording.n_samples)
"""

from ecg_core.delineation.delineate import MODEL, delineate_waves, start_waves

__all__ = ["MODEL", "delineate_waves", "start_waves"]
