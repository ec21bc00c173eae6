"""The curated cases, each analysed live: what was planted is found, and nothing is made up. The typed client."""

from __future__ import annotations

import pytest

from ecg_core.synthesis import bundled_cases

NAMES = list(bundled_cases())
FOUND = {
    "normal": {"SR", "NORM"},
    "inferior_infarction": {"st_elevation"},
    "anterior_infarction": {"st_elevation", "AMI"},
    "atrial_fibrillation": {"AFIB"},
    "left_bundle_branch_block": {"CLBBB"},
    "left_ventricular_hypertrophy": {"LVH"},
    "ischaemia": {"ISCIN"},
    "poor_quality": {"poor_signal"},
    "paced": {"paced"},
    "long_qt": {"long_qtc"},
    "pre_excitation": {"pr_ms_low", "qrs_ms_high"},
    "second_degree_block": {"slow_rate"},
    "swapped_arms": {"reversal"},
}
"""Codes of findings that a case is there to show."""
LEVELS = {
    "normal": "normal", "poor_quality": "undetermined", "inferior_infarction": "urgent",
    "anterior_infarction": "urgent", "long_qt": "urgent", "second_degree_block": "urgent",
}  # fmt: skip
ST_LEADS = ("I", "II", "III", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")


@pytest.fixture(scope="module", params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_every_case_is_listed_and_has_an_expectation(ecg):
    listed = [case.name for case in ecg.cases.list()]
    assert listed == NAMES
    assert len(listed) >= 7
    assert set(FOUND) == set(NAMES)


def test_a_case_is_analysed_and_what_it_shows_is_found(ecg, name):
    planted = ecg.cases.get(name).planted
    found = ecg.predict(case=name)
    assert {item.code for item in found.findings} >= FOUND[name]
    assert found.summary.score.level == LEVELS.get(name, "abnormal")
    assert found.beats.heart_rate.mean_bpm == pytest.approx(planted.heart_rate_bpm, abs=1)
    assert found.stored is None
    if name == "poor_quality":
        assert found.measurements.qrs_ms.value is None
        assert found.measurements.qrs_ms.reason
        return
    assert found.measurements.qrs_ms.value == pytest.approx(planted.qrs_ms, abs=8)
    for lead in ST_LEADS if name not in ("paced", "swapped_arms", "atrial_fibrillation") else ():
        measured = found.measurements.leads[lead]["st_j60_mv"].value
        assert measured == pytest.approx(planted.st_mv["J+60"][lead], abs=0.03), lead


@pytest.mark.parametrize("name", ["normal", "anterior_infarction"])
def test_a_case_that_is_downloaded_and_sent_is_read_alike(ecg, name):
    case = ecg.predict(case=name)
    file = ecg.cases.file(name, "dicom")
    sent = ecg.predict({file.name: file.content}, age=case.subject.age, sex=case.subject.sex, store=False)
    assert sent.summary.score.level == case.summary.score.level
    assert {item.code for item in sent.findings} == {item.code for item in case.findings}
    said, again = (found.predictions["heart12"].labels("superclass") for found in (case, sent))
    for label, answer in said.items():
        assert again[label].probability == pytest.approx(answer.probability, abs=0.02), label
    assert ecg.cases.plot_svg(name).content.startswith(b"<svg")


def test_the_models_show_what_was_measured_of_them_and_on_what(ecg):
    heart = ecg.models.get("heart12", parts=("card", "metrics", "curves"))
    assert heart.measured_on.n > 1000
    auc = heart.metrics["superclass.MI.auc"]
    # An infarct read from its own label would have an AUC near 1.
    assert 0.85 < auc.low < auc.value < auc.high < 0.97
    assert {"roc", "precision_recall", "reliability"} <= set(heart.curves)
    assert heart.card.startswith("#")
