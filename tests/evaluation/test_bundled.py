"""The models on the bundled set, grade by grade."""

from __future__ import annotations

import numpy as np
import pytest

from ecg_core.datasets import DATASETS, Item
from ecg_core.datasets.bundled import GRADES, HEARTS
from ecg_core.evaluation import EXAMS, Evaluation, evaluate
from ecg_core.evaluation.bundled import score_bundled_waves, score_by_grade, tally_bundled_waves
from ecg_core.evaluation.exams import bundled as exams
from ecg_core.evaluation.strips import POINTS

EXAMINED = {"beats", "beats_fast", "waves", "beat_classes", "rhythm", "pacing"}


@pytest.fixture(scope="module")
def beats() -> Evaluation:
    return evaluate("beats", "bundled", resamples=50)


def item(name: str) -> Item:
    return next(
        Item(entry.name, entry.load(), entry.truth()) for entry in DATASETS["bundled"].listing() if entry.name == name
    )


def answer(model: str, *names: str):
    exam = EXAMS[model]["bundled"]
    return exam.score([exam.answer(item(name)) for name in names])(np.ones((1, len(names))))


def test_models_whose_truth_is_known_are_examined():
    assert {model for model, sets in EXAMS.items() if "bundled" in sets} == EXAMINED


def test_the_detector_finds_the_beats_overall_and_in_every_grade(beats):
    assert beats.n == len(HEARTS) * len(GRADES)
    assert not beats.unreadable
    value = {name: metric.value for name, metric in beats.metrics.items()}
    assert value["hr_official"] >= 0.995
    assert value["f1_150ms"] >= 0.995
    assert value["qrs_official"] >= 0.89
    assert value["clean.f1_150ms"] == 1.0
    assert value["-6dB.f1_150ms"] >= 0.985
    metric = beats.metrics["6dB.qrs_official"]
    assert metric.low <= metric.value <= metric.high


def test_figures_over_all_are_the_mean_of_the_grades(beats):
    for name in POINTS:
        of_grades = [beats.metrics[f"{grade}.{name}"].value for grade in GRADES]
        assert beats.metrics[name].value == pytest.approx(np.mean(of_grades))


def test_one_grade_alone_has_no_figures_by_grade(beats):
    alone = evaluate("beats", "bundled", split="0dB", resamples=0)
    assert alone.n == len(HEARTS)
    assert not any("." in name for name in alone.metrics)
    for name, metric in alone.metrics.items():
        assert metric.value == beats.metrics[f"0dB.{name}"].value


def test_records_that_lost_points_say_what_was_lost(beats):
    for name, figures in beats.records.items():
        lost = beats.lost.get(name)
        assert (lost is not None) == any(figures[point] < 1 for point in POINTS)
        if lost is None:
            continue
        assert name.endswith(lost["grade"])
        assert lost["cost"] == {point: pytest.approx(1 - figures[point]) for point in POINTS}
        assert set(lost["missed_s"]) <= set(lost["reference_s"])
        assert set(lost["extra_s"]) <= set(lost["found_s"])
        assert (lost["missed"], lost["extra"]) == (len(lost["missed_s"]), len(lost["extra_s"]))
        if lost["cost"]["qrs_strict"]:
            assert lost["missed"] + lost["extra"] > 0
    assert 0 < len(beats.lost) < 30


def test_the_classical_detector_loses_more_as_noise_grows():
    found = evaluate("beats_fast", "bundled", resamples=0).metrics
    assert found["24dB.f1_150ms"].value > 0.98
    assert found["-6dB.f1_150ms"].value < found["24dB.f1_150ms"].value


def test_waves_of_clean_records_are_found_near_their_place():
    found = answer("waves", "sinus_12leads_clean", "sinus_II_clean", "af_12leads_clean", "paced_12leads_24dB")
    assert found["f1_qrs"][0] == 1.0
    assert found["f1_t"][0] >= 0.99
    assert found["f1_p"][0] >= 0.95
    assert abs(found["mean_qrs_on"][0]) < 15
    assert "clean.f1_t" in found
    assert not any("lead_" in name or "global" in name for name in found)


def test_p_waves_under_ventricular_pacing_count_neither_way():
    figures = EXAMS["waves"]["bundled"].answer(item("paced_12leads_clean"))[1]
    assert not any(".p_" in name and value for name, value in figures.items())


def test_beat_classes_tell_ventricular_and_paced_beats():
    found = answer("beat_classes", "pvc_12leads_clean", "paced_12leads_clean", "bigeminy_II_24dB")
    assert found["v_se"][0] == found["v_ppv"][0] == 1.0
    assert found["q_se"][0] == 1.0


def test_rhythm_is_scored_where_its_label_is_known():
    found = answer("rhythm", "af_12leads_clean", "af_II_clean", "sinus_II_clean", "bradycardia_I_clean")
    assert found["f1_a"][0] == 1.0
    assert "f1_noise" not in found
    assert EXAMS["rhythm"]["bundled"].answer(item("bradycardia_I_clean"))[1] == {}


def test_pacing_is_found_without_noise_and_never_where_there_is_none():
    found = answer("pacing", "paced_12leads_clean", "sinus_12leads_clean", "af_V1_-6dB")
    assert found["se_recordings"][0] == found["sp_recordings"][0] == 1.0


def test_labels_are_of_rhythms_that_occur():
    assert set(exams._LABELS) <= {heart.rhythm for heart in HEARTS.values()}


def test_waves_missed_and_invented_are_counted():
    truth = {
        "p": np.array([[1.0, 1.05, 1.1]]),
        "qrs": np.array([[1.2, 1.24, 1.3], [2.2, 2.24, 2.3]]),
        "t": np.empty((0, 3)),
    }
    found = {"p": np.empty((0, 3)), "qrs": np.array([[1.2, 1.24, 1.31], [1.6, 1.64, 1.7]]), "t": np.empty((0, 3))}
    metrics = score_bundled_waves([tally_bundled_waves(truth, found)])(np.ones((1, 1)))
    assert metrics["se_p"][0] == 0.0
    assert metrics["se_qrs"][0] == metrics["ppv_qrs"][0] == 0.5
    assert metrics["mean_qrs_off"][0] == pytest.approx(10)


def test_a_grade_without_records_has_no_figures():
    def count(answers):
        return lambda weights: {"n": weights.sum(axis=1), "sum": weights @ np.array(answers, float)}

    found = score_by_grade(count, [("clean", 1), ("6dB", 5), ("clean", 2)], ["clean", "12dB", "6dB"])(np.ones((1, 3)))
    assert {name: values[0] for name, values in found.items()} == {
        "n": 3, "sum": 8, "clean.n": 2, "clean.sum": 3, "6dB.n": 1, "6dB.sum": 5,
    }  # fmt: skip
