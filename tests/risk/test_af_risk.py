"""What is said of the risk of AF: AF that is there, then the best basis at hand, or the facts that it would take."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from ecg_core.errors import UnknownName
from ecg_core.leads import STANDARD_12
from ecg_core.predictors.value import Curve, Identity, LabelAnswer, Prediction, Quantity
from ecg_core.recording import Recording, Subject
from ecg_core.rhythm import Rhythm
from ecg_core.risk import af_risk, charge_af
from tests.predictors.heart12_model import context_of

MODULE = sys.modules["ecg_core.risk.af_risk"]
BODY = {"height_cm": 170.0, "weight_kg": 75.0, "systolic_mmhg": 140.0, "diastolic_mmhg": 80.0}
HEART12, ECG2AF = Identity("heart12", "1.0.0", "1" * 64), Identity("ecg2af", "2021", "2" * 64)
TABLE = {
    "score_quantiles": np.linspace(-8, 2, 101).tolist(),
    "source": "toy",
    "n": 1000,
    "n_positive": 20,
    "auroc": 0.8,
    "low": 0.7,
    "high": 0.9,
    "age_auroc": 0.65,
}


@pytest.fixture(autouse=True)
def _heart12_with_a_table(monkeypatch):
    model = SimpleNamespace(files={"signature.json": b""}, json=lambda _: TABLE)
    monkeypatch.setattr(MODULE, "load_model", lambda _: model)


def context(facts=None, *, age=65.0, sex="male", rhythm=None, **parts):
    signal = np.zeros((12, 1000), np.float32)
    recording = Recording(signal, 100.0, STANDARD_12, Subject(age=age, sex=sex, facts=facts or {}))
    made = context_of(recording, **parts)
    return replace(made, rhythm=rhythm) if rhythm else made


def heart12(af=0.02, *, positive=False, flutter=False, paced=False, **changes) -> Prediction:
    rhythm = {"AFLT": LabelAnswer(0.9, 0.5, flutter), "PACE": LabelAnswer(0.9, 0.5, paced)}
    heads = {"af": {"AFIB": LabelAnswer(af, 0.4, positive)}, "rhythm": rhythm}
    return Prediction(HEART12, heads, **{"view": "full", **changes})


def ecg2af(risk=0.07) -> Prediction:
    curve = Curve((73.0, 146.0), (0.99, 1 - risk), "days")
    return Prediction(ECG2AF, {"af_risk_5y": Quantity(risk), "af_survival": curve}, cautions=("c",))


# --- which basis ----------------------------------------------------------------------------------------------------


def test_without_facts_or_weights_there_is_no_figure_but_what_it_would_take_and_what_others_had():
    found = af_risk(context(), {"heart12": heart12()})
    assert (found.value_5y, found.basis, found.present) == (None, None, None)
    assert found.needs == ("height_cm", "weight_kg", "systolic_mmhg", "diastolic_mmhg")
    assert "height, weight, systolic blood pressure" in found.reason
    assert found.reference.value == pytest.approx(1 - np.exp(-0.088))
    assert found.signature.percentile is not None


def test_an_age_that_nobody_stated_is_asked_for_and_never_estimated():
    found = af_risk(context(BODY, age=None), {"heart12": heart12()})
    assert (found.value_5y, found.needs) == (None, ("age",))
    assert found.reference.value is None


def test_with_facts_the_equation_answers_and_names_itself():
    found = af_risk(context(BODY), {"heart12": heart12()})
    assert found.basis == "charge_af"
    assert found.value_5y == charge_af(65, BODY).value
    assert found.would_narrow.fact == "heart_failure"
    assert (found.reason, found.needs, found.others) == (None, (), ())


def test_stated_facts_count_instead_of_those_of_the_file():
    found = af_risk(context({"height_cm": 150}), {}, facts=BODY)
    assert found.value_5y == charge_af(65, BODY).value


def test_the_published_network_goes_before_the_equation_and_neither_is_averaged():
    found = af_risk(context(BODY), {"heart12": heart12(), "ecg2af": ecg2af()})
    assert (found.basis, found.value_5y) == ("ecg2af", 0.07)
    assert found.curve.values == pytest.approx((0.01, 0.07))
    assert "ecg2af 2021" in found.estimate.source
    assert [other.basis for other in found.others] == ["charge_af"]
    assert found.others[0].value == charge_af(65, BODY).value


def test_where_the_network_declines_the_equation_answers_and_the_reason_stays():
    silent = Prediction(ECG2AF, out_of_scope=("it reads 10 s; 8 s were recorded",))
    found = af_risk(context(BODY), {"ecg2af": silent})
    assert found.basis == "charge_af"
    assert (found.others[0].basis, found.others[0].reason) == ("ecg2af", "it reads 10 s; 8 s were recorded")
    nobody = af_risk(context(), {"ecg2af": silent})
    assert nobody.reason.startswith("ecg2af: it reads 10 s; 8 s were recorded; charge_af: it needs facts")


# --- when the question is moot --------------------------------------------------------------------------------------


def alone(label="A"):
    probabilities = {"N": 0.05, "A": 0.9, "O": 0.04, "~": 0.01}
    return Rhythm(label, probabilities, "II")


@pytest.mark.parametrize(
    ("given", "predictions", "says"),
    [
        ({}, {"heart12": heart12(0.97, positive=True)}, "fibrillation in this tracing (heart12, probability 0.97)"),
        ({}, {"heart12": heart12(flutter=True)}, "atrial flutter in this tracing (heart12, probability 0.90)"),
        ({"rhythm": alone()}, {}, "atrial fibrillation in this tracing (lead II, probability 0.90)"),
        ({"facts": {**BODY, "atrial_fibrillation": True}}, {"heart12": heart12()}, "fibrillation or flutter is known"),
    ],
)  # fmt: skip
def test_af_that_is_there_or_known_is_said_first_and_nothing_else(given, predictions, says):
    found = af_risk(context(**{"facts": BODY, **given}), {**predictions, "ecg2af": ecg2af()})
    assert says in found.present
    assert says in found.reason
    assert (found.value_5y, found.basis, found.needs, found.others) == (None, None, (), ())
    assert found.reference.value is None
    assert found.signature.percentile is None
    assert says in found.signature.reason


def test_one_lead_against_the_twelve_is_noted_and_does_not_decide():
    found = af_risk(context(BODY, rhythm=alone()), {"heart12": heart12()})
    assert found.present is None
    assert found.value_5y is not None
    assert "the 12-lead network sees no atrial fibrillation in this tracing (lead II" in found.notes[0]


@pytest.mark.parametrize(
    ("given", "predictions", "says"),
    [
        ({"pacing": SimpleNamespace(paced=True, reason=None)}, {}, "pacemaker"),
        ({}, {"heart12": heart12(paced=True)}, "pacemaker"),
        ({"age": 17.0}, {}, "under 18 years; stated: 17"),
    ],
)
def test_paced_people_and_children_get_no_risk(given, predictions, says):
    found = af_risk(context(**{"facts": BODY, **given}), {"ecg2af": ecg2af(), **predictions})
    assert found.value_5y is None
    assert says in found.reason
    assert found.signature.percentile is None


# --- the signature --------------------------------------------------------------------------------------------------


def test_every_readable_tracing_gets_its_percentile_with_the_evidence():
    low, high = (af_risk(context(), {"heart12": heart12(af)}).signature for af in (0.005, 0.3))
    assert low.percentile < high.percentile
    assert high.evidence["auroc"] == 0.8


@pytest.mark.parametrize(
    ("given", "predictions", "says"),
    [
        ({"verdict": "poor"}, {"heart12": heart12()}, "the signal is poor"),
        ({}, {"heart12": Prediction(HEART12, out_of_scope=("no lead",))}, "no lead"),
        ({}, {"heart12": heart12(view="limb", leads=("I", "II"))}, "on all twelve leads; I, II were read"),
        ({}, {}, "the model heart12 was not asked"),
    ],
)
def test_without_a_whole_good_tracing_there_is_no_percentile(given, predictions, says):
    found = af_risk(context(**given), predictions).signature
    assert found.percentile is None
    assert says in found.reason


def test_a_percentile_is_of_the_score_that_the_table_is_of(monkeypatch):
    model = SimpleNamespace(files={"signature.json": b""}, json=lambda _: TABLE | {"score_of": "trees"})
    monkeypatch.setattr(MODULE, "load_model", lambda _: model)
    monkeypatch.setattr(MODULE, "tree_score", lambda _context, _model: -3.0)
    assert af_risk(context(), {"heart12": heart12(0.9)}).signature.percentile == pytest.approx(50)


def test_without_the_model_there_is_no_percentile(monkeypatch):
    def none(_name):
        raise UnknownName("no such model")

    monkeypatch.setattr(MODULE, "load_model", none)
    assert "is not installed" in af_risk(context(), {"heart12": heart12()}).signature.reason


# --- as JSON --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("facts", [{}, BODY, {**BODY, "atrial_fibrillation": True}])
def test_it_goes_into_json_with_the_same_fields_whatever_is_said(facts):
    found = json.loads(json.dumps(af_risk(context(facts), {"heart12": heart12()}).to_dict(), allow_nan=False))
    assert {
        "present", "value_5y", "reason", "needs", "low", "high", "basis", "curve", "would_narrow", "reference_risk",
        "signature", "others", "notes", "cautions", "averaged_over",
    } <= set(found)  # fmt: skip
    assert (found["value_5y"] is None) == bool(found["reason"])


def test_facts_of_a_file_that_cannot_be_are_noted():
    found = af_risk(context({**BODY, "weight_kg": 7}), {})
    assert found.needs == ("weight_kg",)
    assert "weight_kg: not a plausible value" in found.notes[0]
