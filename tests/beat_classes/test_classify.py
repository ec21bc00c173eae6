"""Classing beats: what is found, in which leads, and when nothing is said."""

from __future__ import annotations

import os

import numpy as np
import pytest

from ecg_core.artefacts import load_model
from ecg_core.beat_classes import CLASSES, classify, classify_beats
from ecg_core.beat_classes.inputs import choose_leads, spikes_before
from ecg_core.beats import Beats, detect_beats
from ecg_core.datasets import DATASETS
from ecg_core.evaluation.beat_classes import aami_class, score_classes, tally_classes
from ecg_core.evaluation.beats import pair_beats
from ecg_core.pacing import Pacing
from ecg_core.recording import Recording
from ecg_core.synthesis import synthesize

RATCHET = {"V": (0.95, 0.95), "S": (0.63, 0.9), "Q": (0.95, 0.95)}
"""Least sensitivity and predictivity on recordings of half a minute."""
NOT_PACED = Pacing(False, np.empty(0), (), (), ())


def at(times_s, **more) -> Beats:
    return Beats(np.array(times_s, float), np.zeros(len(times_s)), "reference", (), **more)


def classed(made, leads=None):
    """Return the classes at the true beats, and the true classes."""
    recording = made.recording if leads is None else made.recording.select(leads)
    inside = (made.truth.r_s > 0.3) & (made.truth.r_s < recording.duration_s - 0.4)
    found = classify_beats(recording, at(made.truth.r_s[inside]))
    return found, [name for name, kept in zip(made.truth.symbol, inside, strict=True) if kept]


@pytest.mark.parametrize(("rhythm", "name"), [("pvc", "V"), ("pac", "S"), ("paced", "Q")])
def test_ratchet_on_synthetic_recordings(rhythm, name):
    tallies = []
    for seed in range(6):
        made = synthesize(rhythm, ("normal", "lbbb", "lvh")[seed % 3], duration_s=30, seed=seed, noise={"muscle": 20})
        found, truth = classed(made)
        everything = np.arange(len(truth))
        pairing = pair_beats(everything, everything, 0.1)
        tallies.append(tally_classes(pairing, truth, found.classes))
    scored = {key: float(value[0]) for key, value in score_classes(tallies)(np.ones((1, len(tallies)))).items()}
    assert scored[f"{name.lower()}_se"] >= RATCHET[name][0]
    assert scored[f"{name.lower()}_ppv"] >= RATCHET[name][1]


@pytest.mark.parametrize("rhythm", ["sinus", "bradycardia", "first_degree_block"])
@pytest.mark.parametrize("shape", ["normal", "lbbb", "rbbb"])
def test_sinus_beats_are_normal_whatever_their_shape(rhythm, shape):
    found, _ = classed(synthesize(rhythm, shape, seed=3))
    assert set(found.classes) == {"N"}


def test_sinus_tachycardia_is_normal():
    assert set(classed(synthesize("tachycardia", seed=3))[0].classes) == {"N"}


def test_fibrillation_makes_no_supraventricular_beats_of_most():
    found, truth = classed(synthesize("af", duration_s=60, seed=1))
    assert found.counts["N"] >= 0.9 * len(truth)


@pytest.mark.parametrize("fs", [100, 128.2, 360, 1000])
def test_any_rate_gives_the_same_classes(fs):
    made = synthesize("pvc", fs=fs, seed=5)
    found, truth = classed(made)
    assert [name == "V" for name in found.classes] == [name == "V" for name in truth]


@pytest.mark.parametrize("leads", [("II",), ("I",), ("V5",), ("V1", "II"), ("V1", "V5", "aVF")])
def test_one_lead_is_enough_and_names_do_not_have_to_be_in_order(leads):
    found, truth = classed(synthesize("pvc", seed=6), leads)
    assert [name == "V" for name in found.classes] == [name == "V" for name in truth]
    assert set(found.leads) <= set(leads)
    assert len(found.leads) == min(2, len(leads))


def test_probabilities_are_those_of_the_classes():
    found, truth = classed(synthesize("pvc", seed=2))
    assert found.probabilities.shape == (len(truth), len(CLASSES))
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1)
    assert not found.probabilities.flags.writeable
    assert sum(found.counts.values()) == len(found) == len(truth)
    assert found.to_dict()["classes"] == list(found.classes)
    assert found.model["name"] == "beat_classes"


@pytest.mark.parametrize(
    ("recording", "beats", "reason"),
    [
        (synthesize(seed=0).recording, at([], reason="nobody looked"), "nobody looked"),
        (synthesize(seed=0).recording, at([1.0, 2.0]), "only 2 beats were found"),
        (synthesize(seed=0, fs=60).recording, at([1.0, 2.0, 3.0]), "60 Hz is too slow"),
        (Recording(np.zeros((1, 2500)), 250.0, ("II",)), at([1.0, 2.0, 3.0]), "no lead holds a signal"),
        (Recording(np.full((1, 2500), np.nan), 250.0, ("II",)), at([1.0, 2.0, 3.0]), "no lead holds a signal"),
    ],
)
def test_nothing_is_said_where_there_is_too_little_to_go_by(recording, beats, reason):
    found = classify_beats(recording, beats)
    assert reason in found.reason
    assert found.classes == ()
    assert found.probabilities.shape == (0, 5)


def test_beats_at_the_very_ends_and_across_gaps_are_classed():
    made = synthesize("pvc", leads=("II", "V1"), duration_s=20, seed=4)
    signal = made.recording.signal.copy()
    signal[:, 4000:5200] = np.nan
    signal[0, :300] = np.nan
    recording = Recording(signal, made.recording.fs, made.recording.leads)
    times = np.append(0.0, np.append(made.truth.r_s[(made.truth.r_s > 0.1)], recording.duration_s - 1e-3))
    times = np.unique(times[(times < 8) | (times > 10.4)])
    beats = Beats(times, (times > 9).astype(int), "reference", ("II",))
    found = classify_beats(recording, beats)
    assert len(found) == len(times)
    assert np.isfinite(found.probabilities).all()


def test_leads_are_the_best_placed_of_those_that_show_the_beats():
    made = synthesize(seed=1)
    beats = detect_beats(made.recording, method="fast")
    assert choose_leads(made.recording, beats) == ("II", "V1")
    signal = made.recording.signal.copy()
    signal[made.recording.leads.index("II"), 1250:] = np.nan
    signal[made.recording.leads.index("V1")] = 0.5
    printed = Recording(signal, 500.0, made.recording.leads)
    assert choose_leads(printed, beats) == ("I", "V2")
    assert choose_leads(printed.select(("II",)), beats) == ("II",)


def test_a_spike_drives_the_beat_that_follows_it_at_once():
    pacing = Pacing(True, np.array([0.95, 1.5, 2.2]), ("ventricular", "atrial", "ventricular"), ("II",), ("spikes",))
    np.testing.assert_array_equal(spikes_before(np.array([1.0, 1.6, 2.19, 3.0]), pacing), [1, 0, 1, 0])
    unknown = Pacing(None, np.empty(0), (), (), (), "too slow")
    assert np.isnan(spikes_before(np.array([1.0, 2.0]), unknown)).all()


def test_pieces_of_a_long_recording_are_put_together_in_order(monkeypatch):
    made = synthesize("pvc", leads=("II",), fs=250, duration_s=180, seed=8)
    whole, truth = classed(made)
    monkeypatch.setattr(classify, "_PIECE_S", 40.0)
    pieces, _ = classed(made)
    assert len(pieces) == len(whole) == len(truth)
    same = np.mean([a == b for a, b in zip(pieces.classes, whole.classes, strict=True)])
    assert same > 0.97


def test_known_pacing_is_not_looked_for_again(monkeypatch):
    made = synthesize(seed=0)
    monkeypatch.setattr(classify, "find_pacing", None)
    assert len(classify_beats(made.recording, at(made.truth.r_s[1:-1]), NOT_PACED)) == len(made.truth.r_s) - 2


def test_figures_out_of_fold_are_no_worse_than_they_were():
    metrics = load_model("beat_classes").json("metrics.json")["metrics"]
    for name, least in (("v_se", 0.93), ("v_ppv", 0.91), ("s_se", 0.74), ("s_ppv", 0.41)):
        assert metrics[name]["value"] >= least, name


@pytest.mark.skipif("EINTHOVEN_DATA_DIR" not in os.environ, reason="EINTHOVEN_DATA_DIR does not name the real data")
@pytest.mark.parametrize("record", ["119", "220", "107"])
def test_real_records_that_were_trained_on_are_classed_as_they_were_learnt(record):
    entry = next(entry for entry in DATASETS["mitdb"].listing() if entry.name == record)
    recording, truth = entry.load(), entry.truth()
    found = classify_beats(recording, at(truth.beat_sample / recording.fs))
    right = np.mean([a == aami_class(b) for a, b in zip(found.classes, truth.beat_symbol, strict=True)])
    assert right > 0.98
