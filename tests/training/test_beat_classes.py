"""Training the beat classes: from a copy of the set to an artefact, without a look at what is tested."""

from __future__ import annotations

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("xgboost")
pytest.importorskip("onnx")

from ecg_core.artefacts import load_artefact
from ecg_core.beat_classes.families import FS
from ecg_core.errors import DataSetError
from ecg_core.readers import READERS
from ecg_core.synthesis import synthesize
from training import beat_classes, beat_classes_fit
from training.beat_classes_data import read_examples
from training.beat_classes_fit import corrected, decision_of, prior_of
from training.beat_classes_rhythms import COMPOSERS, play, take_apart
from training.recipe import Recipe

RECORDS = {"101": "pvc", "106": "pvc", "109": "pvc", "201": "pac", "208": "pvc", "102": "paced", "100": "pvc"}
"""100 is of DS2, which must not be read."""
DURATION_S = 32.0


def write_mitdb(folder: Path) -> None:
    """Write synthetic recordings under the names of the set, with the true beats as annotations."""
    folder.mkdir(parents=True)
    for seed, (name, rhythm) in enumerate(RECORDS.items()):
        made = synthesize(rhythm, fs=360, leads=("II", "V1"), duration_s=DURATION_S, noise={"muscle": 25}, seed=seed)
        for file, content in READERS["wfdb"].write(made.recording, name).items():
            (folder / file).write_bytes(content)
        inside = (made.truth.r_s > 0) & (made.truth.r_s < DURATION_S)
        symbols = [{"S": "A", "Q": "/"}.get(made.truth.symbol[i], made.truth.symbol[i]) for i in np.flatnonzero(inside)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import wfdb

            samples = np.rint(made.truth.r_s[inside] * 360).astype(int)
            wfdb.wrann(name, "atr", samples, symbol=symbols, write_dir=str(folder))


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("sets")
    write_mitdb(folder / "mitdb")
    return folder


@pytest.fixture(autouse=True)
def fresh(tmp_path, monkeypatch):
    monkeypatch.setenv("EINTHOVEN_CHECKPOINTS", str(tmp_path / "checkpoints"))


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    """The recipe that ships, with fewer trees and folds."""
    full = Recipe.named("beat_classes")
    settings = dict(full.settings)
    settings["boosting"] = {
        **full["boosting"],
        "rounds": 6,
        "parameters": {**full["boosting"]["parameters"], "min_child_weight": 0.1, "colsample_bytree": 1.0},
    }
    settings["cv"] = {"folds": 3, "repeats": 1}
    recorded = {key: {**how, "n": 1.0, "other": 1.0} for key, how in full["examples"]["recorded"].items()}
    recorded = {key: recorded[key] for key in ("whole_two", "ten_one")}
    settings["decision"] = {**full["decision"], "views": {"ten_one": 30.0, "whole_two": 0.0}}
    composed = {**full["examples"]["composed"], "rhythms": ["fibrillation", "ectopy"]}
    settings["examples"] = {"recorded": recorded, "composed": composed}
    return replace(full, settings=settings)


def test_artefact_states_what_it_learnt_from_and_how_well_out_of_fold(recipe, root, tmp_path):
    made = load_artefact(beat_classes.train(recipe, root, tmp_path / "models"))
    assert len(made.trained_on("mitdb")) == len(RECORDS) - 1
    metrics = made.json("metrics.json")
    assert metrics["n"] == 5
    assert metrics["split"].startswith("ds1 out of fold (3 folds by tape, dealt 1 times)")
    assert metrics["metrics"]["v_se"]["value"] > 0.3  # six trees have not learnt much
    assert set(metrics["views"]) == {"whole_two", "ten_one", "found"}
    assert set(metrics["records"]) == {"101", "106", "109", "201", "208"}
    assert metrics["checks"] == {"ptbxl": {"n": 0}}
    card = made.files["card.md"].decode()
    assert "PTB-XL was not at hand" in card
    assert "DS2 is\nkept aside" in card


def test_training_twice_gives_the_same_bytes_with_and_without_what_was_kept(recipe, root, tmp_path, monkeypatch):
    first = beat_classes.train(recipe, root, tmp_path / "a")
    again = beat_classes.train(recipe, root, tmp_path / "b")
    monkeypatch.setenv("EINTHOVEN_CHECKPOINTS", str(tmp_path / "others"))
    anew = beat_classes.train(recipe, root, tmp_path / "c")
    for path in first.iterdir():
        assert (again / path.name).read_bytes() == path.read_bytes(), path.name
        assert (anew / path.name).read_bytes() == path.read_bytes(), path.name


def test_no_record_is_answered_by_trees_or_thresholds_that_have_seen_it(recipe, root, monkeypatch):
    learnt: list[set[str]] = []
    fit, predict, decide = beat_classes.fit, beat_classes.predict, beat_classes.decision_of
    examples = {example.entry.name: example for example in read_examples(recipe, root)}
    owner = {id(rows.features): name for name, example in examples.items() for rows in example.views.values()}
    settled_on = []

    def watch_fit(recipe, parts):
        learnt.append({part.entry.name for part in parts})
        return fit(recipe, parts)

    def watch_predict(booster, features):
        assert owner[id(features)] not in learnt[-1]
        return predict(booster, features)

    def watch_decide(settings, probability, label):
        settled_on.append(len(label))
        return decide(settings, probability, label)

    monkeypatch.setattr(beat_classes, "read_examples", lambda *_: list(examples.values()))
    monkeypatch.setattr(beat_classes, "fit", watch_fit)
    monkeypatch.setattr(beat_classes, "predict", watch_predict)
    monkeypatch.setattr(beat_classes, "decision_of", watch_decide)
    beat_classes.cross_validate(recipe, root, 3)
    assert len(learnt) == 3
    beats = {
        (view, name): len(example.views[view].label)
        for view in ("whole_two", "ten_one")
        for name, example in examples.items()
    }
    expected = [sum(beats[view, name] for name in names) for names in learnt for view in ("whole_two", "ten_one")]
    assert sorted(settled_on) == sorted(expected)


def test_kept_trees_are_those_of_the_same_records(recipe, root, monkeypatch):
    examples = read_examples(recipe, root)
    first = beat_classes_fit.fit(recipe, examples[:3])
    monkeypatch.setattr(beat_classes_fit, "learnt_from", None)
    kept = beat_classes_fit.fit(recipe, examples[:3])
    rows = examples[4].views["whole_two"].features
    np.testing.assert_array_equal(beat_classes_fit.predict(kept, rows), beat_classes_fit.predict(first, rows))
    with pytest.raises(TypeError):
        beat_classes_fit.fit(recipe, examples[1:4])


def test_a_copy_without_the_records_that_are_scored_cannot_be_trained_on(recipe, root, tmp_path):
    for path in (root / "mitdb").glob("102.*"):
        (tmp_path / "mitdb").mkdir(exist_ok=True)
        (tmp_path / "mitdb" / path.name).write_bytes(path.read_bytes())
    with pytest.raises(DataSetError, match="no record of ds1"):
        beat_classes.cross_validate(recipe, tmp_path, 2)


def test_prior_undoes_how_classes_were_chosen_and_weighed(recipe, root):
    examples = read_examples(recipe, root)
    prior = prior_of(recipe, examples)
    label = np.concatenate([beat_classes_fit.label_of(example) for example in examples])
    learnt = np.concatenate([beat_classes_fit.learnt_from(recipe, example)[1] for example in examples])
    said = np.bincount(learnt, minlength=5) ** 0.5
    shares = np.bincount(label, minlength=5) / len(label)
    np.testing.assert_allclose(corrected(said[None] / said.sum(), prior)[0], shares)


def test_s_is_called_as_readily_as_its_predictivity_allows():
    rng = np.random.default_rng(1)
    label = rng.choice(3, 5000, p=(0.9, 0.05, 0.05))
    probability = np.zeros((5000, 5)) + 0.01
    probability[np.arange(5000), label] += 1.0
    probability[:, :3] += rng.exponential(0.35, (5000, 3))
    settings = {"s_factors": [0.3, 1.0, 3.0], "v_factors": [0.3, 1.0], "least_s_ppv": 0.5}
    strict = decision_of({**settings, "least_s_ppv": 0.9}, probability, label)
    lenient = decision_of({**settings, "least_s_ppv": 0.2}, probability, label)
    assert strict[1] < lenient[1]
    assert decision_of({**settings, "least_s_ppv": 1.1}, probability, label)[1] in settings["s_factors"]


@pytest.fixture(scope="module")
def pieces():
    made = synthesize("pvc", fs=FS, leads=("II", "V1"), duration_s=120, seed=1)
    inside = (made.truth.r_s > 1) & (made.truth.r_s < 119)
    sample = np.rint(made.truth.r_s[inside] * FS).astype(int)
    label = np.array([name for name, kept in zip(made.truth.symbol, inside, strict=True) if kept])
    return take_apart(made.recording.signal, sample, label)


@pytest.mark.parametrize("rhythm", COMPOSERS)
def test_composed_rhythms_are_in_order_and_the_same_each_time(pieces, rhythm):
    first, second = (COMPOSERS[rhythm](pieces, 25000, np.random.default_rng(5)) for _ in range(2))
    assert first == second
    assert (np.diff(first.at) >= 74).all()
    assert set(first.label) <= {"N", "S", "V"}
    assert [name == "V" for name in first.label] == [bool(pieces.ventricular[source]) for source in first.source]
    signal = play(pieces, first, 25000, np.random.default_rng(0))
    assert signal.shape == (2, 25000)
    assert np.isfinite(signal).all()


def test_early_beats_are_supraventricular_and_irregular_ones_are_not(pieces):
    ectopy = COMPOSERS["ectopy"](pieces, 25000, np.random.default_rng(2))
    before = np.diff(ectopy.at, prepend=np.nan)
    s = np.array(ectopy.label) == "S"
    assert 0 < s.mean() < 0.5
    assert np.nanmax(before[s]) < 1.02 * pieces.usual
    often = COMPOSERS["frequent_ectopy"](pieces, 25000, np.random.default_rng(2))
    assert often.label.count("S") > 0.4 * len(often.label)
    af = COMPOSERS["fibrillation"](pieces, 25000, np.random.default_rng(2))
    assert "S" not in af.label
    assert af.fibrillating


def test_a_p_wave_that_is_taken_out_is_gone():
    made = synthesize("sinus", fs=FS, leads=("II",), duration_s=30, seed=1)
    times = made.truth.r_s[(made.truth.r_s > 1) & (made.truth.r_s < 29)]
    sample = np.rint(times * FS).astype(int)
    pieces = take_apart(made.recording.signal, sample, np.array(["N"] * len(sample)))
    p_part = slice(85 - 45, 85 - 22)
    assert np.abs(pieces.p[3, 0, p_part]).max() > 5 * np.abs(pieces.beats[3, 0, p_part]).max()
