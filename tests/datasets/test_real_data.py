"""The real sets, where EINTHOVEN_DATA_DIR names a folder that holds them: counts, and a few records of each."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from ecg_core.datasets import DATASETS, folds

ROOT = os.environ.get("EINTHOVEN_DATA_DIR")
pytestmark = pytest.mark.skipif(ROOT is None, reason="EINTHOVEN_DATA_DIR does not name a folder of data sets")

COUNTS = {
    "ptbxl": 19_601,
    "cpsc2019": 70,
    "mitdb": 26,
    "cinc2017": 3_896,
    "ludb": 150,
    "qtdb": 80,
    "cinc2011": 300,
    "leadi": 4_620,
    "nstdb": 3,
}
LOOKS = {
    "ptbxl": (100, 12, 1_000),
    "cpsc2019": (500, 1, 5_000),
    "mitdb": (360, 2, 650_000),
    "cinc2017": (300, 1, None),
    "ludb": (500, 12, 5_000),
    "qtdb": (250, 2, None),
    "cinc2011": (500, 12, 5_000),
    "leadi": (125, 1, 1_250),
    "nstdb": (360, 2, 650_000),
}


@pytest.fixture
def root() -> Path:
    assert ROOT is not None
    return Path(ROOT)


@pytest.mark.parametrize("name", sorted(COUNTS))
def test_every_record_is_listed(root: Path, name: str) -> None:
    assert len(DATASETS[name].listing(root)) == COUNTS[name]


@pytest.mark.parametrize("name", sorted(LOOKS))
def test_first_records_read_with_the_published_rate_and_leads(root: Path, name: str) -> None:
    fs, n_leads, n_samples = LOOKS[name]
    for item in DATASETS[name].iterate(root, limit=3):
        assert (item.recording.fs, item.recording.n_leads) == (fs, n_leads)
        assert n_samples in (None, item.recording.n_samples)
        assert 0.01 < float(np.nanstd(item.recording.signal)) < 100


def test_ptbxl_folds_statements_and_either_rate(root: Path) -> None:
    ptbxl = DATASETS["ptbxl"]
    listing = ptbxl.listing(root)
    assert {entry.fold for entry in listing} == set(range(1, 10))
    truths = [entry.truth() for entry in listing]
    assert len(ptbxl.statements(root)) == 71
    assert all((truth.age is None) or truth.age < 90 for truth in truths)
    assert sum(truth.over_89 for truth in truths) > 0
    assert set().union(*(truth.superclasses for truth in truths)) == {"NORM", "MI", "STTC", "CD", "HYP"}
    fast = ptbxl.listing(root, fs=500)
    assert (len(fast), len(fast.missing)) == (100, 19_501)
    slow, quick = next(ptbxl.iterate(root)), next(ptbxl.iterate(root, fs=500))
    assert slow.truth == quick.truth
    assert np.corrcoef(slow.recording.lead("V2"), quick.recording.lead("V2")[::5])[0, 1] > 0.95


def test_ptbxl_stack_equals_the_reader(root: Path) -> None:
    ptbxl = DATASETS["ptbxl"]
    for split in ("1", "9"):
        stack = ptbxl.stack(root, split, fs=500)
        for row, item in enumerate(ptbxl.iterate(root, split, 5, fs=500)):
            np.testing.assert_array_equal(stack.signal[row], item.recording.signal)


def test_mitdb_halves_here(root: Path) -> None:
    mitdb = DATASETS["mitdb"]
    entries = mitdb.listing(root).entries
    sizes = {split: len(mitdb.choose(entries, split)) for split in mitdb.splits}
    assert sizes == {"ds1": 22, "ds2": 0, "paced": 4}
    truth = next(entry for entry in entries if entry.name == "201").truth()
    assert Counter(truth.beat_symbol) == Counter(N=1625, V=198, a=97, A=30, j=10, F=2, J=1)
    assert "AFIB" in truth.rhythm


def test_cpsc2019_peaks_sit_on_the_steep_part(root: Path) -> None:
    sharp = []
    for item in DATASETS["cpsc2019"].iterate(root, limit=10):
        slope = np.abs(np.diff(item.recording.signal[0]))
        near = [slope[max(0, peak - 25) : peak + 25].max() for peak in item.truth.r_peaks]
        sharp.append(np.median(near) / np.median(slope))
    assert np.median(sharp) > 5


def test_cinc2017_labels(root: Path) -> None:
    labels = Counter(entry.truth().label for entry in DATASETS["cinc2017"].listing(root))
    assert labels == {"N": 1500, "A": 647, "O": 1500, "~": 249}


def test_cinc2011_labels_are_half_and_half(root: Path) -> None:
    labels = Counter(entry.truth().acceptable for entry in DATASETS["cinc2011"].listing(root))
    assert labels[True] + labels[False] == 300


def test_waves_are_in_order_where_both_ends_are_marked(root: Path) -> None:
    for entry in DATASETS["ludb"].listing(root).entries[:5]:
        for lead in entry.truth().waves.values():
            for rows in lead.values():
                whole = rows[(rows >= 0).all(axis=1)]
                assert (np.diff(whole, axis=1) >= 0).all()
    for entry in DATASETS["qtdb"].listing(root).entries:
        rows = entry.truth().waves["qrs"]
        assert (np.diff(rows[(rows >= 0).all(axis=1)], axis=1) >= 0).all()


def test_leadi_people_stay_on_one_side(root: Path) -> None:
    entries = DATASETS["leadi"].listing(root).entries
    assert len({entry.group for entry in entries}) == 462
    sides = [{entry.group for entry in fold} for fold in folds(entries, 5)]
    assert sum(map(len, sides)) == 462
