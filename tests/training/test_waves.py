"""What the wave network is asked for, what it is fed, and that it is never asked about what it has seen."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from ecg_core.artefacts import load_model
from ecg_core.delineation.inputs import WINDOW
from ecg_core.engine import network_of
from ecg_core.synthesis import synthesize
from training import Recipe, waves_fit
from training.noise import NoiseBank
from training.waves_batches import batches
from training.waves_data import LudbExample, QtdbExample
from training.waves_synthetic import SyntheticExample, make_examples
from training.waves_targets import BIN_S, CLASS, MARKS, N_BINS, WIDTH, Strip, render

NONE = np.empty((0, 3))
QUIET = {"share": 0.0, "stretch": 1.25, "missing": 0.0}


def strip(known=((0.0, 10.24),), holes=(), **kinds) -> Strip:
    waves = {kind: np.array(kinds.get(kind, NONE), np.float64).reshape(-1, 3) for kind in ("p", "qrs", "t")}
    return Strip(waves, np.array(known, np.float64), tuple(holes))


def at(seconds: float) -> int:
    return int(np.abs(BIN_S - seconds).argmin())


def counts(drawn: np.ndarray, mark: str) -> np.ndarray:
    return drawn[:, 2 + len(MARKS) + MARKS.index(mark)] > 0


# --- targets --------------------------------------------------------------------------------------------------------


def test_classes_fill_waves_and_bells_are_centred_on_marks():
    drawn = render(strip(p=(1.0, 1.05, 1.1), qrs=(1.2, 1.25, 1.3)))
    assert drawn.shape == (N_BINS, WIDTH)
    assert set(drawn[:, 0]) == {0, 1, 2}
    np.testing.assert_allclose(BIN_S[drawn[:, 0] == 2][[0, -1]], [1.2, 1.3], atol=0.008)
    for number, mark_s in enumerate((1.0, 1.05, 1.1, 1.2, 1.25, 1.3)):
        bell = drawn[:, 2 + number]
        assert (bell * BIN_S).sum() / bell.sum() == pytest.approx(mark_s, abs=0.001)
    assert not drawn[:, 8 : 2 + len(MARKS)].any()


def test_what_is_unknown_does_not_count():
    drawn = render(strip(known=((2.0, 4.0),), holes=[(3.0, 3.2, (CLASS, MARKS.index("t_on")))], t=(1.0, 1.1, 1.2)))
    assert not drawn[at(1.1), 1]
    assert drawn[at(2.5), 1]
    assert not drawn[at(3.1), 1]
    assert not counts(drawn, "t_on")[at(3.1)]
    assert counts(drawn, "t_off")[at(3.1)]


def test_truth_moves_with_the_window():
    moved = strip(known=((1.0, 5.0),), qrs=(2.0, 2.1, 2.2)).moved(1.0, 2.0)
    np.testing.assert_allclose(moved.waves["qrs"], [[2.0, 2.2, 2.4]])
    np.testing.assert_allclose(moved.known, [[0.0, 8.0]])


# --- sets -----------------------------------------------------------------------------------------------------------


def ludb(onsets: list[int]) -> LudbExample:
    """Return a record of four leads, of two beats, whose QRS complexes begin at these samples in the first beat."""
    leads = {}
    for number, onset in enumerate(onsets):
        qrs = [[onset, 540, 570], [onset + 1000, 1540, 1570]]
        leads[f"V{number + 1}"] = {"p": NONE, "qrs": np.array(qrs), "t": np.array([[700, 750, 800]])}
    return LudbExample(np.zeros((len(onsets), 2500), np.float32), leads, 500.0)


def test_ludb_is_known_between_the_first_and_the_last_mark_of_a_lead():
    drawn = render(ludb([520, 521, 522, 500]).lead(3))
    inside = BIN_S[drawn[:, 1] > 0]
    assert inside.min() == pytest.approx(1.0 - 0.04, abs=0.01)
    assert inside.max() == pytest.approx(3.14 + 0.04, abs=0.01)


def test_the_whole_begins_where_three_leads_agree():
    example = ludb([520, 521, 522, 500])
    assert example.whole(range(4)).waves["qrs"][0, 0] == pytest.approx(1.04)
    assert example.whole([0, 3]).waves["qrs"][0, 0] == pytest.approx(1.0)
    assert example.whole([3]).waves["qrs"][0, 0] == pytest.approx(1.0)
    assert not example.has_p


def test_where_no_three_leads_agree_the_whole_is_unknown():
    drawn = render(ludb([480, 500, 520, 530]).whole(range(4)))
    assert not counts(drawn, "qrs_on")[at(1.02)]
    assert counts(drawn, "qrs_off")[at(1.02)]


def test_qtdb_is_known_around_and_between_marked_beats_alone():
    beats = np.array([500, 750, 1000, 2000])
    marks = {
        "p": beats[[0, 1, 3], None] + np.array([-50, -40, -30]),
        "qrs": beats[:, None] + np.array([-10, 0, 15]),
        "t": beats[:, None] + np.array([0, 80, 110]),
    }
    marks["t"][:, 0] = -1
    drawn = render(QtdbExample(np.zeros((2, 2560), np.float32), marks, 250.0).lead(0))
    known = drawn[:, 1] > 0
    assert known[at(2.55)], "between two marked beats, the second with a P wave"
    assert not known[at(3.6)], "before a beat whose P wave was not marked"
    assert not known[at(6.0)], "where a beat is missing"
    assert not known[at(2.1)], "where T has no onset"
    assert not counts(drawn, "t_on")[at(2.1)]
    assert drawn[at(2.4), 0] == 3
    assert not known[: at(1.75)].any()


def test_t_waves_of_two_peaks_are_one():
    t = np.array([[600, 620, -1], [-1, 650, 680]])
    qrs = np.array([[490, 500, 515]])
    example = QtdbExample(np.zeros((2, 2560), np.float32), {"p": NONE, "qrs": qrs, "t": t}, 250.0)
    np.testing.assert_allclose(example.lead(0).waves["t"], [[2.4, 2.48, 2.72]])


def test_a_synthetic_lead_is_sure_of_its_peaks_and_the_whole_of_its_edges():
    made = synthesize(fs=250, duration_s=10.24, rate_bpm=60, seed=1)
    example = SyntheticExample(np.asarray(made.recording.signal), made.truth)
    whole, lead = example.whole(range(12)), example.lead(1)
    onset = float(made.truth.qrs.onset_s[3])
    assert counts(render(whole), "qrs_on")[at(onset)]
    assert not counts(render(lead), "qrs_on")[at(onset)]
    assert not counts(render(example.whole([1])), "qrs_on")[at(onset)]
    assert counts(render(lead), "qrs_peak")[at(onset)]
    np.testing.assert_allclose(
        lead.waves["t"][3, 1], made.truth.t.lead_peak_s[:, 1][~np.isnan(made.truth.t.onset_s)][3]
    )


def test_fibrillation_is_known_to_have_no_p():
    made = synthesize("af", fs=250, duration_s=10.24, seed=1)
    drawn = render(SyntheticExample(np.asarray(made.recording.signal), made.truth).whole(range(12)))
    assert drawn[:, 1].mean() > 0.8
    assert not (drawn[:, 0] == 1).any()


def test_synthetic_examples_are_the_same_for_the_same_seed():
    first, again, other = (make_examples(3, seed) for seed in (1, 1, 2))
    for one, same in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.signal, same.signal)
    assert not np.array_equal(first[0].signal[:, :100], other[0].signal[:, :100])


# --- batches --------------------------------------------------------------------------------------------------------


def stream(leads: int, count: int, seed: int = 0):
    groups = [{"leads": leads, "count": count, "from": {"synthetic": 1.0}}]
    bank = NoiseBank({})
    return batches({"synthetic": make_examples(6, 0)}, groups, QUIET, bank, seed)


def test_a_batch_holds_whole_recordings_and_their_numbers():
    inputs, targets = next(stream(3, 2))
    assert inputs["signal"].shape == inputs["recorded"].shape == (6, WINDOW, 1)
    np.testing.assert_array_equal(inputs["record"][:, 0], [0, 0, 0, 1, 1, 1])
    assert targets.shape == (6, N_BINS, 2 * WIDTH)
    np.testing.assert_array_equal(targets[0, :, WIDTH:], targets[2, :, WIDTH:])


def test_targets_follow_the_signal_however_it_was_cut_and_stretched():
    source = stream(1, 8)
    misses = []
    for _ in range(3):
        inputs, targets = next(source)
        for signal, drawn in zip(inputs["signal"][:, :, 0], targets, strict=True):
            peaks = np.flatnonzero(drawn[:, 2 + MARKS.index("qrs_peak")] > 0.97)
            peaks = peaks[(peaks > 30) & (peaks < N_BINS - 30) & (drawn[peaks, 1] > 0)]
            for peak in peaks:
                around = np.abs(
                    signal[2 * peak - 30 : 2 * peak + 30] - np.median(signal[2 * peak - 60 : 2 * peak - 30])
                )
                misses.append(abs(int(around.argmax()) - 30))
    assert len(misses) > 50
    assert np.quantile(misses, 0.9) <= 4


# --- the network ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def graph():
    return network_of(load_model("waves"))


def ask(graph, signal: np.ndarray, record: list[int], recorded: np.ndarray | None = None) -> np.ndarray:
    recorded = np.ones_like(signal) if recorded is None else recorded
    return graph({"signal": signal, "recorded": recorded, "record": np.array(record)[:, None]})["logits"]


def test_leads_hear_those_of_their_own_recording_alone(graph):
    signal = np.random.default_rng(0).standard_normal((5, WINDOW, 1)).astype(np.float32)
    together = ask(graph, signal, [0, 0, 0, 1, 1])
    np.testing.assert_allclose(ask(graph, signal[:3], [4, 4, 4]), together[:3], atol=1e-4)
    np.testing.assert_allclose(ask(graph, signal[[2, 0, 1]], [0, 0, 0]), together[[2, 0, 1]], atol=1e-4)
    assert np.abs(ask(graph, signal[:1], [0]) - together[:1]).max() > 1e-3


def test_what_a_lead_did_not_record_does_not_reach_the_others(graph):
    signal = np.random.default_rng(0).standard_normal((3, WINDOW, 1)).astype(np.float32)
    recorded = np.ones_like(signal)
    signal[2] = recorded[2] = 0.0
    np.testing.assert_allclose(ask(graph, signal, [0, 0, 0], recorded)[:2], ask(graph, signal[:2], [0, 0]), atol=1e-4)


# --- cross-validation -----------------------------------------------------------------------------------------------


def test_no_record_is_answered_by_a_network_that_has_seen_it(monkeypatch, tmp_path):
    monkeypatch.setenv("EINTHOVEN_CHECKPOINTS", str(tmp_path))
    sets = {}
    for data in ("ludb", "qtdb"):
        names = [f"{data}{number}" for number in range(10)]
        entries = [SimpleNamespace(name=name, group=name) for name in names]
        examples = [SimpleNamespace(name=name, has_p=number % 5 > 0) for number, name in enumerate(names)]
        sets[data] = SimpleNamespace(entries=entries, examples=examples, hashes=names)
    material = waves_fit.Material(Recipe.named("waves"), None, sets)
    seen: list[set[str]] = []

    def fit(_material, sources, folder):
        seen.append({example.name for examples in sources.values() for example in examples})
        folder.mkdir(parents=True)
        return b"graph"

    monkeypatch.setattr(waves_fit, "_fit", fit)
    parts = material.dealt(5)
    for part in parts:
        waves_fit.fitted(material, part)
        out = {entry.name for entries in part.values() for entry in entries}
        assert not out & seen[-1]
        assert len(out | seen[-1]) == 20
        for data, known in sets.items():
            without = {example.name for example in known.examples if not example.has_p}
            assert len(without & {entry.name for entry in part[data]}) <= 1
    waves_fit.fitted(material, parts[0])
    assert len(seen) == 5, "a fit that was made is not made again"
