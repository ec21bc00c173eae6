"""Faults put on strips in training."""

from __future__ import annotations

import os
from dataclasses import fields

import numpy as np
import pytest

from training.noise import Faults, NoiseBank, add_faults, crop, load_noise, signal_size

FS = 250.0
NONE = Faults(**{field.name: 0.0 for field in fields(Faults) if field.name != "snr_db"})


@pytest.fixture
def bank() -> NoiseBank:
    rng = np.random.default_rng(3)
    return NoiseBank({kind: rng.standard_normal((2, 10_000)).astype(np.float32) for kind in ("bw", "em", "ma")})


@pytest.fixture
def strip() -> np.ndarray:
    beats = np.zeros(2500, np.float32)
    beats[100::200] = 1.0
    return np.convolve(beats, np.hanning(25), "same").astype(np.float32)


def test_without_faults_a_strip_stays_as_it_is(strip, bank):
    np.testing.assert_array_equal(add_faults(strip, FS, np.random.default_rng(0), bank, NONE), strip)


@pytest.mark.parametrize("fault", [field.name for field in fields(Faults) if field.name != "snr_db"])
def test_each_fault_changes_the_strip_and_leaves_it_finite(strip, bank, fault):
    faults = Faults(**{**{name.name: 0.0 for name in fields(Faults)}, "snr_db": (0.0, 0.0), fault: 1.0})
    if fault == "patchy":
        faults = Faults(**{**faults.__dict__, "noise": 1.0})
    before = strip.copy()
    changed = 0
    for seed in range(8):
        found = add_faults(strip, FS, np.random.default_rng(seed), bank, faults)
        assert found.shape == strip.shape
        assert found.dtype == np.float32
        assert np.isfinite(found).all()
        changed += not np.array_equal(found, strip)
    # A gain step may fall behind the last beat, and a range that ends at 1.5 times the beats clips nothing.
    assert changed >= 3
    np.testing.assert_array_equal(strip, before)


def test_noise_has_the_stated_level(strip, bank):
    levels = []
    for seed in range(30):
        faults = Faults(**{**NONE.__dict__, "noise": 1.0, "snr_db": (6.0, 6.0)})
        noise = add_faults(strip, FS, np.random.default_rng(seed), bank, faults) - strip
        levels.append(20 * np.log10(0.25 * signal_size(strip, FS) / noise.std()))
    assert np.mean(levels) == pytest.approx(6.0, abs=0.5)


def test_the_same_seed_gives_the_same_faults(strip, bank):
    first, second = (add_faults(strip, FS, np.random.default_rng(9), bank) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_a_mark_moves_with_the_crop_as_stated():
    lead = np.zeros(3000, np.float32)
    lead[1400] = 1.0
    lead = np.convolve(lead, np.hanning(41), "same").astype(np.float32)
    for start, stretch in ((1000, 1.0), (1200.5, 1.3), (900, 0.7)):
        found = crop(lead, start, 700, stretch)
        assert np.nanargmax(found) == pytest.approx((1400 - start) * stretch, abs=1)


def test_what_lies_outside_the_lead_is_missing():
    found = crop(np.ones(100, np.float32), -10, 200)
    assert np.isnan(found[:10]).all()
    assert np.isnan(found[110:]).all()
    assert (found[10:110] == 1).all()


@pytest.mark.skipif("EINTHOVEN_DATA_DIR" not in os.environ, reason="EINTHOVEN_DATA_DIR names no folder")
def test_parts_of_the_recorded_noise_are_apart():
    train, rest = (load_noise(None, 90.0, part) for part in ((0.0, 0.7), (0.7, 1.0)))
    assert set(train.kinds) == {"bw", "em", "ma"}
    for kind, rows in train.kinds.items():
        assert rows.shape[1] + rest.kinds[kind].shape[1] == pytest.approx(30 * 60 * 90, rel=0.01)
        assert rows.std() > 0
