"""Recordings and comparisons that several tests share."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from ecg_core.leads import LIMB_FROM_I_II, STANDARD_12
from ecg_core.recording import Recording, Subject

SUBJECT = Subject(id="P-0042", age=63.0, sex="female")
START = datetime(2021, 3, 4, 5, 6, 7)


def make_recording(
    leads: tuple[str, ...] = STANDARD_12, *, fs: float = 500.0, n_samples: int = 2000, seed: int = 0, scale: float = 1.0
) -> Recording:
    """Return beats of a different size in each lead, limb leads consistent, with a subject and a start."""
    rng = np.random.default_rng(seed)
    t = np.arange(n_samples) / fs
    names = ("I", "II", *(name for name in leads if name not in LIMB_FROM_I_II))
    rows = {}
    for name in names:
        beat = np.zeros(n_samples)
        for centre in np.arange(0.3, n_samples / fs, 0.8):
            for offset, width, size in ((-0.16, 0.02, 0.12), (0.0, 0.012, 1.0), (0.03, 0.012, -0.3), (0.28, 0.05, 0.3)):
                height = size * rng.uniform(0.6, 1.4)
                beat += height * np.exp(-0.5 * ((t - centre - offset) / width) ** 2)
        rows[name] = beat * rng.uniform(0.4, 1.6) + 0.02 * rng.standard_normal(n_samples)
    signal = [
        LIMB_FROM_I_II[name][0] * rows["I"] + LIMB_FROM_I_II[name][1] * rows["II"]
        if name in LIMB_FROM_I_II
        else rows[name]
        for name in leads
    ]
    return Recording(np.stack(signal) * scale, fs, leads, SUBJECT, START)


def with_gap(recording: Recording, lead: int = 0, start: float = 0.25, stop: float = 0.5) -> Recording:
    """Return ``recording`` with one lead not recorded between two fractions of its length."""
    signal = recording.signal.copy()
    signal[lead, int(start * recording.n_samples) : int(stop * recording.n_samples)] = np.nan
    return Recording(signal, recording.fs, recording.leads, recording.subject, recording.start)


def assert_same_signal(found: Recording, expected: Recording, tolerance_mv: float | None = None) -> None:
    """Assert that every lead of ``expected`` is in ``found`` with the same samples, and the rate is the same.

    The tolerance, unless given, is one step of a 16-bit converter that just spans each lead.
    """
    assert set(found.leads) == set(expected.leads)
    assert found.fs == expected.fs
    assert found.n_samples == expected.n_samples
    for name in expected.leads:
        want, got = expected.lead(name), found.lead(name)
        assert np.array_equal(np.isnan(got), np.isnan(want)), name
        step = (np.nanmax(np.abs(want)) * 2 / 65_000) if tolerance_mv is None else tolerance_mv
        assert np.nanmax(np.abs(got - want)) <= max(step, 1e-6 if tolerance_mv is None else 0) + 1e-7, name
