"""The noise that ships: what it is of, that it holds together, and what it is worth where the data are."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest

from ecg_core.artefacts import load_model
from ecg_core.comparison import shipped_noise
from ecg_core.comparison.differences import INTERVALS, LEAD_VALUES, RATES
from ecg_core.datasets import DATASETS
from ecg_core.evaluation import EXAMS, Evaluation, Metric
from ecg_core.evaluation.repeatability import halves, looks, score_differences
from ecg_core.leads import STANDARD_12
from ecg_core.measurements import VALUES
from ecg_core.predictors.heart12 import MODEL
from ecg_core.preprocess import crop
from ecg_core.synthesis import synthesize
from training.comparison_noise import level

ROOT = os.environ.get("EINTHOVEN_DATA_DIR")
NOISE = shipped_noise()


def test_every_measurement_has_its_noise():
    assert set(NOISE.measurements) == {*VALUES, *(f"{lead}.{name}" for lead in STANDARD_12 for name in LEAD_VALUES)}
    assert set(NOISE.few_leads) == set(INTERVALS)


def test_the_noise_of_statements_is_of_the_model_that_ships():
    model = load_model(MODEL)
    assert dict(NOISE.model) == {"name": model.name, "version": model.version}
    labels = model.manifest["labels"]
    wanted = {
        f"{head}.{label}" for head in ("superclass", "subclass", "statements", "rhythm", "af") for label in labels[head]
    }
    assert set(NOISE.labels) == wanted


@pytest.mark.parametrize("part", ["measurements", "few_leads", "labels"])
def test_levels_hold_together(part):
    for name, found in getattr(NOISE, part).items():
        assert 0 <= found.sd <= found.limit, name
        assert found.limit_low <= found.limit <= found.limit_high, name
        assert found.limit > 0, name
        assert found.n > 50, name
        assert found.source in NOISE.sources


def test_rates_are_those_of_minutes_and_few_leads_scatter_more():
    assert {NOISE.measurements[name].source for name in RATES} == {"minutes"}
    for name in INTERVALS:
        assert NOISE.of(name, 2) == NOISE.few_leads[name]
        assert NOISE.of(name, 12) == NOISE.measurements[name]
        assert NOISE.of(name, 2).limit > NOISE.of(name, 12).limit


def test_every_source_says_what_it_leaves_out_and_how_it_is_measured_again():
    for source in NOISE.sources.values():
        assert "placed anew" in source["leaves_out"]
        assert re.fullmatch(r"ecg evaluate repeatability --data \w+( --split \w+)?", source["command"])


def test_on_sets_that_no_limit_was_taken_from_about_one_in_twenty_lies_beyond():
    assert set(NOISE.checks) == {"ludb", "cinc2011"}
    for found in NOISE.checks.values():
        for name in ("beyond", "beyond_leads"):
            assert 0.02 < found[name]["value"] < 0.08
        assert found["any_beyond"]["value"] < 0.35


def test_a_recording_of_10_s_has_two_halves_and_a_shorter_one_none():
    recording = synthesize(duration_s=10.0, seed=1).recording
    ((kind, first, second),) = halves(recording)
    assert kind == "halves"
    assert (first.duration_s, second.duration_s) == (5.0, 5.0)
    np.testing.assert_array_equal(np.concatenate([first.signal, second.signal], axis=1), recording.signal)
    assert list(halves(crop(recording, 0, 8))) == []


def test_a_long_recording_is_looked_at_in_three_ways():
    recording = synthesize(duration_s=640.0, seed=1, fs=100.0).recording
    found = list(looks(recording))
    assert [kind for kind, *_ in found] == ["halves", "next", "halves", "next", "minutes", "halves", "next", "minutes"]
    _, early, late = found[4]
    np.testing.assert_array_equal(late.signal, crop(recording, 300, 310).signal)
    assert early.duration_s == late.duration_s == 10.0


def test_limits_are_what_so_many_pairs_do_not_exceed():
    sizes = np.random.default_rng(0).normal(0, 10, 4000)
    answers = [{"halves.x": [value], "halves.share": [float(value > 0)]} for value in sizes.tolist()]
    found = {
        name: float(row[0]) for name, row in score_differences(answers, ["halves.share"])(np.ones((1, 4000))).items()
    }
    assert found["halves.x.sd"] == pytest.approx(10, rel=0.05)
    assert found["halves.x.limit"] == pytest.approx(19.6, rel=0.05)
    assert (np.abs(sizes) > found["halves.x.limit"]).mean() == pytest.approx(0.05, abs=0.001)
    assert found["halves.share"] == pytest.approx(0.5, abs=0.05)
    assert found["halves.x.n"] == found["halves.share.n"] == 4000


def test_a_record_that_is_drawn_twice_counts_twice_and_one_not_drawn_not_at_all():
    answers = [{"halves.x": [1.0]}, {"halves.x": [2.0, -3.0]}, {}]
    found = score_differences(answers)(np.array([[1.0, 0, 5], [0, 2, 0], [0, 0, 1]]))
    assert found["halves.x.limit"][:2].tolist() == [1.0, 3.0]
    assert found["halves.x.n"].tolist() == [1.0, 4.0, 0.0]
    assert np.isnan(found["halves.x.limit"][2])


@pytest.mark.skipif(ROOT is None, reason="EINTHOVEN_DATA_DIR does not name a folder of data sets")
def test_the_limits_hold_on_some_of_the_records_that_they_were_measured_on():
    exam, data = EXAMS["repeatability"]["ptbxl"], DATASETS["ptbxl"]
    answers = exam.answers(list(data.iterate(Path(ROOT or ""), split="9", limit=30)))
    found = {name: float(row[0]) for name, row in exam.score(answers)(np.ones((1, 30))).items()}
    assert found["halves.beyond"] < 0.12
    assert found["halves.beyond_leads"] < 0.12
    for name in ("pr_ms", "qrs_ms", "qt_ms", "qrs_axis_deg"):
        assert 0.4 * NOISE.measurements[name].sd < found[f"halves.{name}.sd"] < 2 * NOISE.measurements[name].sd


@pytest.mark.skipif(ROOT is None, reason="EINTHOVEN_DATA_DIR does not name a folder of data sets")
def test_the_levels_of_minutes_are_measured_again_to_the_same_figures():
    exam, data = EXAMS["repeatability"]["mitdb"], DATASETS["mitdb"]
    listing = data.listing(Path(ROOT or ""))
    answers = exam.answers(list(data.read_entries(listing, None, None)))
    found = exam.score(answers)(np.ones((1, len(answers))))
    for name in RATES:
        shipped = NOISE.measurements[name]
        assert found[f"minutes.{name}.limit"][0] == pytest.approx(shipped.limit, rel=1e-3), name
        assert found[f"minutes.{name}.n"][0] == shipped.n
    for name, shipped in NOISE.few_leads.items():
        assert found[f"minutes.{name}.limit"][0] == pytest.approx(shipped.limit, rel=1e-3), name


def test_a_height_that_is_no_wave_is_no_change():
    figures = {"sd": 0.0, "limit": 0.0, "n": 100.0}
    metrics = {f"halves.V2.q_mv.{name}": Metric(value, value, value) for name, value in figures.items()}
    found = Evaluation(model="repeatability", version="1", data="ptbxl", n=100, metrics=metrics)
    assert level(found, "halves.V2.q_mv", "halves") == {
        "sd": 0.0, "limit": 0.05, "limit_low": 0.05, "limit_high": 0.05, "n": 100, "source": "halves"
    }  # fmt: skip
