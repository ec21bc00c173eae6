"""The shipped heart12: what it says of ECGs whose truth is known, made and real."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ecg_core.artefacts import load_model
from ecg_core.datasets import DATASETS
from ecg_core.evaluation.classification import auc
from ecg_core.leads import STANDARD_12
from ecg_core.predictors import Prediction, predictors
from ecg_core.predictors.chain import examine
from ecg_core.predictors.heart12_estimates import Estimator
from ecg_core.recording import Recording, Subject
from ecg_core.synthesis.cases import bundled_cases

ROOT = os.environ.get("EINTHOVEN_DATA_DIR")


def said_of(recording: Recording) -> Prediction:
    return predictors()["heart12"].predict([examine(recording)])[0]


@pytest.fixture(scope="module")
def cases() -> dict[str, Prediction]:
    return {name: said_of(case.synthesize().recording) for name, case in bundled_cases().items()}


@pytest.mark.parametrize(
    ("case", "head", "label"),
    [
        ("normal", "superclass", "NORM"),
        ("normal", "rhythm", "SR"),
        ("atrial_fibrillation", "af", "AFIB"),
        ("left_bundle_branch_block", "statements", "CLBBB"),
        ("left_bundle_branch_block", "superclass", "CD"),
        ("left_ventricular_hypertrophy", "statements", "LVH"),
        ("left_ventricular_hypertrophy", "superclass", "HYP"),
        ("ischaemia", "superclass", "STTC"),
        ("paced", "rhythm", "PACE"),
    ],
)
def test_made_ecgs_are_told_for_what_they_are(cases, case, head, label):
    answers = cases[case].labels(head)
    assert answers[label].positive
    assert answers[label].probability > 0.5


@pytest.mark.parametrize("case", ["normal", "left_bundle_branch_block", "left_ventricular_hypertrophy", "ischaemia"])
def test_made_sinus_rhythm_is_no_fibrillation(cases, case):
    assert cases[case].labels("af")["AFIB"].probability < 0.05


def test_what_pacing_and_poor_signals_forbid_is_withheld(cases):
    for label in ("MI", "HYP"):
        assert cases["paced"].labels("superclass")[label].probability is None
    assert cases["poor_quality"].out_of_scope[0].startswith("the signal is poor")
    for case in ("paced", "swapped_arms"):
        answer = cases[case].labels("superclass")["NORM"]
        assert answer.probability is None
        assert answer.reason


def test_fibrillation_is_told_from_one_lead():
    af = bundled_cases()["atrial_fibrillation"].synthesize().recording
    normal = bundled_cases()["normal"].synthesize().recording
    for lead in ("I", "II"):
        assert said_of(af.select((lead,))).labels("af")["AFIB"].probability > 0.5
        assert said_of(normal.select((lead,))).labels("af")["AFIB"].probability < 0.1


def test_a_lead_that_was_read_says_so_and_others_are_declined():
    recording = bundled_cases()["normal"].synthesize().recording
    assert said_of(recording.select(("I", "II"))).view == "limb"
    assert said_of(recording.select(("V3", "V4"))).abstains


def test_what_is_stated_about_the_person_changes_no_probability():
    plain = bundled_cases()["ischaemia"].synthesize()
    named = said_of(plain.recording)
    other = said_of(replace(plain.recording, subject=Subject("x", 88, "male", {"atrial_fibrillation": True})))
    for head in ("superclass", "statements", "sex"):
        assert [answer.probability for answer in named.labels(head).values()] == [
            answer.probability for answer in other.labels(head).values()
        ]
    assert named.quantity("age").value == other.quantity("age").value


@pytest.mark.skipif(ROOT is None, reason="needs PTB-XL: EINTHOVEN_DATA_DIR is not set")
def test_network_alone_ranks_the_records_of_the_fold_that_it_did_not_learn_from():
    """Without the trees, which need the whole chain; that takes minutes and is `ecg evaluate heart12`."""
    stack = DATASETS["ptbxl"].stack(Path(ROOT), "9", fs=100.0)
    estimator = Estimator(load_model("heart12"))
    leads = [STANDARD_12.index(lead) for lead in estimator.views["full"].leads]
    strips = stack.signal[::3, leads].transpose(0, 2, 1)
    strips = strips - np.median(strips, axis=1, keepdims=True)
    logits = np.concatenate([estimator.network(strips[at : at + 64])["logits"] for at in range(0, len(strips), 64)])
    truths = stack.truths[::3]
    column = {name: at for at, name in enumerate(estimator.heads.outputs)}
    diagnosed = np.array([bool(truth.superclasses) for truth in truths])
    areas = {
        name: auc(
            np.array([name in truth.superclasses for truth in truths])[diagnosed],
            logits[diagnosed, column[f"superclass.{name}"]],
        )
        for name in ("NORM", "MI", "STTC", "CD", "HYP")
    }
    assert np.mean([*areas.values()]) >= 0.92
    fibrillates = np.array(["AFIB" in truth.statements for truth in truths])
    assert auc(fibrillates, logits[:, column["statements.AFIB"]]) >= 0.98
    known = np.array([truth.age is not None for truth in truths])
    years = np.array([truth.age or 0.0 for truth in truths])
    assert np.abs(60 + 17 * logits[:, column["age.median"]] - years)[known].mean() <= 7.8
