import os
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from ecg_core.leads import INDEPENDENT_8, LIMB, STANDARD_12
from ecg_core.recording import Recording
from ecg_core.validate import check
from tests.helpers import make_recording, with_gap

SIBLING_ORDER = ("I", "II", "III", "V1", "V2", "V3", "V4", "V5", "V6", "aVF", "aVL", "aVR")


def changed(recording=None, leads=None, **rows):
    """Return a 12-lead recording with some rows replaced."""
    recording = recording or make_recording()
    signal = recording.signal.copy()
    for name, values in rows.items():
        signal[recording.leads.index(name)] = values
    return Recording(signal, recording.fs, leads or recording.leads)


def mislabelled(order, fs=500.0, seed=0):
    """Return rows in ``order``, labelled as if they were in standard order."""
    return Recording(make_recording(order, fs=fs, seed=seed).signal, fs, STANDARD_12)


@pytest.mark.parametrize("leads", [STANDARD_12, INDEPENDENT_8, ("II",), ("I", "II", "III"), ("ECG1", "ECG2")])
@pytest.mark.parametrize("seed", range(4))
def test_plausible_recording_is_not_warned_of(leads, seed):
    expected = ("leads: III, aVR, aVL, aVF missing from a standard 12-lead recording",)
    assert check(make_recording(leads, seed=seed)) == (expected if leads == INDEPENDENT_8 else ())


def test_gaps_offsets_and_rounding_are_not_warned_of():
    recording = with_gap(make_recording(), lead=2)
    offsets = np.linspace(-3, 3, 12)[:, None]
    rounded = np.round((recording.signal + offsets) / 0.005) * 0.005
    assert check(Recording(rounded, 500.0, STANDARD_12)) == ()


@pytest.mark.parametrize(("fs", "warned"), [(10, True), (49, True), (50, False), (100, False), (60_000, True)])
def test_implausible_rate(fs, warned):
    notes = check(make_recording(fs=float(fs), n_samples=fs * 4))
    assert any(note.startswith(f"rate: {fs:g} Hz is implausible") for note in notes) == warned


def test_flat_lead():
    assert check(changed(V3=0.25)) == ("flat: V3: one value throughout",)


def test_missing_lead():
    assert check(changed(V3=np.nan, V4=np.nan)) == ("missing: V3, V4: nothing was recorded",)


def test_limb_lead_that_was_not_recorded_is_no_violation():
    assert check(changed(I=np.nan)) == ("missing: I: nothing was recorded",)


def test_leads_absent_from_a_nearly_complete_set():
    kept = tuple(name for name in STANDARD_12 if name not in ("aVL", "V6"))
    assert check(make_recording(kept)) == ("leads: aVL, V6 missing from a standard 12-lead recording",)


def test_duplicate_lead():
    recording = make_recording()
    assert check(changed(recording, V5=recording.lead("V4"))) == ("duplicate: V4 and V5 hold the same samples",)


def test_two_flat_leads_are_flat_and_not_duplicates():
    assert check(changed(V1=0, V2=0)) == ("flat: V1, V2: one value throughout",)


@pytest.mark.parametrize(("scale", "word"), [(1000, "implausibly much"), (1e-3, "implausibly little")])
def test_amplitude_of_the_wrong_unit(scale, word):
    notes = check(make_recording(scale=scale))
    assert len(notes) == 1
    assert word in notes[0]
    assert all(name in notes[0] for name in STANDARD_12)


@pytest.mark.parametrize("per_lead", [np.ptp, np.std], ids=["range", "deviation"])
def test_leads_scaled_one_by_one_are_named_as_such_and_not_as_permuted(per_lead):
    recording = make_recording()
    notes = check(Recording(recording.signal / per_lead(recording.signal, axis=1)[:, None], 500.0, STANDARD_12))
    assert len(notes) == 1
    assert "scaled lead by lead" in notes[0]


@pytest.mark.parametrize("order", [p for p in permutations(LIMB[:3]) if p != LIMB[:3]], ids="-".join)
def test_any_permutation_of_the_first_three_rows_of_twelve_is_reported(order):
    notes = check(mislabelled((*order, *STANDARD_12[3:])))
    assert notes[0].startswith("limb leads:")
    moved = [name for name, stands in zip(LIMB, order, strict=False) if name != stands]
    if len(moved) == 2:
        assert notes[1] == f"limb leads: everything would hold with {moved[0]} and {moved[1]} exchanged"


@pytest.mark.parametrize(
    ("order", "reported"),
    [
        (("I", "III", "II"), True),
        (("II", "I", "III"), True),
        (("II", "III", "I"), True),
        (("III", "I", "II"), True),
        (("III", "II", "I"), False),
    ],
)
def test_three_limb_leads_alone_show_a_permutation_unless_i_and_iii_changed_places(order, reported):
    """I + III = II holds as well for III + I = II: with three leads nobody can tell."""
    notes = check(Recording(make_recording(order).signal, 500.0, LIMB[:3]))
    assert any(note.startswith("limb leads:") for note in notes) == reported


@pytest.mark.parametrize(("first", "second"), [("aVR", "aVL"), ("aVR", "aVF"), ("aVL", "aVF")])
def test_exchanged_augmented_leads_are_named(first, second):
    order = list(STANDARD_12)
    i, j = order.index(first), order.index(second)
    order[i], order[j] = second, first
    assert check(mislabelled(tuple(order)))[1] == (
        f"limb leads: everything would hold with {first} and {second} exchanged"
    )


@pytest.mark.parametrize("fs", [100.0, 500.0])
def test_sibling_order_labelled_as_standard_order_is_reported_with_the_places(fs):
    notes = check(mislabelled(SIBLING_ORDER, fs))
    assert notes[0].startswith("limb leads: aVR = -(I + II)/2, aVL = I - II/2, aVF = II - I/2 does not hold")
    assert "limb leads: what aVF should be stands under V4: the lead order looks permuted" in notes
    assert "limb leads: what aVL should be stands under V5: the lead order looks permuted" in notes
    assert "limb leads: what aVR should be stands under V6: the lead order looks permuted" in notes


def test_limb_lead_upside_down_is_reported():
    recording = make_recording()
    assert check(changed(recording, aVR=-recording.lead("aVR")))[0].startswith("limb leads: aVR = -(I + II)/2")


def test_long_recording_is_judged_on_a_part_of_its_samples_with_the_same_result():
    recording = Recording(np.tile(make_recording(("I", "II", "III")).signal, 225), 250.0, ("I", "II", "III"))
    assert check(recording) == ()
    assert check(Recording(recording.signal[[1, 0, 2]], 250.0, recording.leads))[0].startswith("limb leads:")


from_outside = pytest.mark.filterwarnings("ignore:The inplace keyword")
"""wfdb reads headers through a part of pandas that is going away."""


def real_records(folder, pattern, count):
    root = os.environ.get("EINTHOVEN_DATA_DIR")
    if root is None:
        pytest.skip("needs the public data sets: EINTHOVEN_DATA_DIR names no folder")
    records = sorted(Path(root, folder).glob(pattern))
    if not records:
        pytest.skip(f"{folder} is not in the folder that EINTHOVEN_DATA_DIR names")
    return records[:: max(1, len(records) // count)]


def from_wfdb(header):
    import wfdb

    record = wfdb.rdrecord(str(header.with_suffix("")))
    return Recording(record.p_signal.T, record.fs, tuple(record.sig_name))


@from_outside
def test_real_clean_records_are_rarely_warned_of():
    """1 of 1,600 records of PTB-XL warns, of a V5 that is flat indeed."""
    warned = [
        notes for header in real_records("ptbxl", "records*/**/*.hea", 150) if (notes := check(from_wfdb(header)))
    ]
    assert [note for notes in warned for note in notes if not note.startswith("flat:")] == []
    assert len(warned) <= 2


@from_outside
def test_real_records_whose_leads_were_scaled_one_by_one_are_recognised():
    """In LUDB every lead spans 1 mV."""
    for header in real_records("ludb", "data/*.hea", 20):
        notes = check(from_wfdb(header))
        assert len(notes) == 1
        assert "every lead spans 1 mV: scaled lead by lead" in notes[0]
