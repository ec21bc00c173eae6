"""Curves, rates and failures of labels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ecg_core.datasets.ptbxl import SUPERCLASSES, PtbXlTruth
from ecg_core.evaluation.bootstrap import measure
from ecg_core.evaluation.exams.tabular import score_tabular
from ecg_core.evaluation.outcomes import Outcomes, draw_curves, score_outcomes, worst_cases, worst_records
from ecg_core.evaluation.statements import outcomes_of, score_brief
from ecg_core.recording import Subject


def outcomes(n: int = 40) -> Outcomes:
    """Return a label that is mostly told, one that is never called, and one that is never so."""
    said = np.linspace(0, 1, n)
    truth = np.stack([said > 0.5, said > 0.3, np.zeros(n, bool)], axis=1)
    truth[0, 0], truth[-1, 0] = True, False
    known = np.ones((n, 3), bool)
    known[1, 0] = False
    probability = np.stack([said, said, said / 9], axis=1)
    called = known & (probability >= 0.5)
    called[:, 1] = False
    return Outcomes(("a", "b", "c"), truth, known, probability, called, {"a": 0.5, "c": 0.5}, [("SR",)] * n)


def test_most_confident_errors_come_first_with_what_people_said():
    people = [Subject(age=50.0, sex="male")] * 40
    found = worst_cases(outcomes(), [f"r{row}" for row in range(40)], people)
    assert set(found) == {"a"}
    assert found["a"]["threshold"] == 0.5
    assert found["a"]["false_positives"] == {
        "n": 1,
        "worst": [{"record": "r39", "probability": 1.0, "truth": ["SR"], "age": 50.0, "sex": "male"}],
    }
    assert [case["record"] for case in found["a"]["false_negatives"]["worst"]] == ["r0"]


def test_records_whose_truth_is_not_known_are_no_failures_and_do_not_count():
    found = worst_cases(outcomes(), [str(row) for row in range(40)], [Subject()] * 40)["a"]
    assert found["n"] == 39
    assert all(
        case["record"] != "1" for kind in ("false_positives", "false_negatives") for case in found[kind]["worst"]
    )


def test_rates_are_of_labels_that_are_called_and_occur():
    found = measure(score_outcomes(outcomes(), ["a"]), [str(row) for row in range(40)], resamples=0)
    assert {name.partition(".")[0] for name in found} == {"a"}
    assert found["a.sensitivity"].value == pytest.approx(19 / 20)
    assert found["a.specificity"].value == pytest.approx(18 / 19)
    assert 0.8 < found["a.auc"].value < 1
    assert "a.auc" not in measure(score_outcomes(outcomes()), ["x"] * 40, resamples=0)


def test_curves_are_of_labels_with_enough_of_both_classes():
    found = draw_curves(outcomes(), decided=lambda label: label == "a")
    assert list(found["roc"]) == list(found["reliability"]) == ["a", "b"]
    assert list(found["decision"]) == ["a"]


def test_records_read_worst_are_those_that_lost_something():
    each = {"good": {"f1": 1.0}, "bad": {"f1": 0.5}, "none": {"f1": None}, "worse": {"f1": 0.1234567}}
    assert [case["record"] for case in worst_records(each, "f1")] == ["worse", "bad"]
    assert worst_records(each, "f1")[0]["figures"] == {"f1": 0.12346}


# --- statements of PTB-XL -------------------------------------------------------------------------------------------


def truth_of(number: int, rng: np.random.Generator) -> PtbXlTruth:
    classes = frozenset(label for label in SUPERCLASSES if rng.random() < 0.3)
    codes = dict.fromkeys(["AFIB"] if number % 4 == 0 else ["SR"] if number % 4 < 3 else [], 100.0)
    sex = ("male", "female", None)[number % 3]
    return PtbXlTruth(number, 60.0, False, sex, codes, classes, frozenset(), 9, None, None)


def test_brief_figures_of_statements_are_those_of_the_whole_exam():
    rng = np.random.default_rng(0)
    truths = [truth_of(number, rng) for number in range(200)]
    outputs = (*(f"superclass.{label}" for label in SUPERCLASSES), "statements.AFIB")
    said = rng.random((200, len(outputs)))
    of = outcomes_of(truths, outputs, said, np.full(len(outputs), 0.5))
    heads = {
        "superclass": {label: at for at, label in enumerate(SUPERCLASSES)},
        "statements": {"AFIB": 5},
        "af": {"AFIB": 5},
    }
    codes = [frozenset(truth.statements) for truth in truths]
    whole = score_tabular([truth.superclasses for truth in truths], codes, said, heads)
    weights = rng.integers(0, 3, (4, 200)).astype(float)
    expected = whole(weights)
    for name, values in score_brief(of)(weights).items():
        np.testing.assert_allclose(values, expected[name], err_msg=name)


def test_record_without_a_diagnosis_is_not_known_and_one_without_a_statement_is_without_it():
    rng = np.random.default_rng(1)
    truth = replace(truth_of(1, rng), superclasses=frozenset())
    of = outcomes_of(
        [truth], ("superclass.MI", "statements.AFIB", "sex.female"), np.ones((1, 3)), np.array([0.5, np.nan, 0.5])
    )
    assert of.known.tolist() == [[False, True, True]]
    assert of.called.tolist() == [[False, False, True]]
    assert set(of.thresholds) == {"superclass.MI", "sex.female"}
