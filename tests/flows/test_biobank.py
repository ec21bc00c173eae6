"""`.hd5` as UK Biobank lays it out in; AF risk, sex, age and AF in the read out. The typed client."""

from __future__ import annotations

import io

import h5py
import numpy as np
import pytest

from ecg_core.leads import STANDARD_12
from ecg_core.recording import Recording
from ecg_core.synthesis import synthesize

COUNT_MV = 0.005
FACTS = {
    "height_cm": 178, "weight_kg": 84, "systolic_mmhg": 142, "diastolic_mmhg": 85, "race": "white", "smoker": False,
    "antihypertensives": True, "diabetes": False, "heart_failure": False, "myocardial_infarction": False,
}  # fmt: skip
RISK = 0.05264
"""CHARGE-AF of a man of 67 with these facts, worked out by hand from the equation."""


def hd5(recording: Recording, leads: tuple[str, ...] = STANDARD_12) -> dict[str, bytes]:
    """Return the strips of twelve leads as raw counts of 5 uV, the leads in this order."""
    file = io.BytesIO()
    with h5py.File(file, "w") as out:
        group = out.create_group("ukb_ecg_rest", track_order=True)
        group.attrs["date"] = 1_262_304_000
        for name in leads:
            counts = np.round(recording.lead(name) / COUNT_MV).astype(np.float32)
            group.create_dataset(f"strip_{name}/instance_0", data=counts, compression="gzip")
            group.create_dataset(f"median_{name}/instance_0", data=counts[:600], compression="gzip")
    return {"1000001.hd5": file.getvalue()}


@pytest.fixture(scope="module")
def sinus():
    return synthesize(seed=7).recording


def test_risk_needs_the_facts_and_sex_age_and_af_are_read_from_the_tracing(ecg, sinus):
    found = ecg.predict(hd5(sinus), age=67, sex="male", facts=FACTS)
    assert found.af_risk.value_5y == pytest.approx(RISK, abs=5e-5)
    assert (found.af_risk.basis, found.af_risk.reason, found.af_risk.present) == ("charge_af", None, None)
    heart = found.predictions["heart12"]
    sex = heart.labels("sex")
    assert set(sex) == {"female", "male"}
    assert sum(label.probability for label in sex.values()) == pytest.approx(1)
    age = heart.quantity("age")
    assert age.unit == "years"
    assert 18 < age.low < age.value < age.high < 110
    assert heart.labels("af")["AFIB"].positive is False
    assert 0 <= found.af_risk.signature.percentile <= 100


def test_without_the_facts_there_is_no_figure_but_a_reason(ecg, sinus):
    found = ecg.predict(hd5(sinus)).af_risk
    assert found.value_5y is found.low is found.high is None
    assert found.needs == ["age", "height_cm", "weight_kg", "systolic_mmhg", "diastolic_mmhg"]
    assert "blood pressure" in found.reason
    # The age that the network estimates is no stated one.
    assert found.reference_risk.value_5y is None


def test_af_in_the_read_is_found_and_ends_the_question_of_risk(ecg):
    found = ecg.predict(hd5(synthesize("af", seed=4).recording), age=67, sex="male", facts=FACTS)
    assert found.predictions["heart12"].labels("af")["AFIB"].positive is True
    assert found.af_risk.present
    assert found.af_risk.value_5y is None
    assert found.af_risk.reason


def test_counts_become_millivolts_and_every_assumption_is_said(ecg, sinus):
    kept = ecg.recordings.upload(hd5(sinus))
    assert (kept.format, kept.fs, kept.leads) == ("hdf5", 500, list(STANDARD_12))
    assert any("5 uV" in warning for warning in kept.warnings)
    window = ecg.recordings.signal(kept.id)
    assert window.unit == "mV"
    for name, values in zip(window.leads, window.values, strict=True):
        assert values == pytest.approx(sinus.lead(name).tolist(), abs=COUNT_MV), name


def test_the_order_of_the_leads_in_the_file_changes_nothing(ecg, sinus):
    given = ecg.predict(hd5(sinus), store=False)
    turned = ecg.predict(hd5(sinus, STANDARD_12[::-1]), store=False)
    assert turned.predictions == given.predictions
    assert turned.measurements == given.measurements


def test_exchanged_leads_are_another_recording(ecg, sinus):
    exchanged = dict(zip(STANDARD_12, ("V6", *STANDARD_12[1:11], "I"), strict=True))
    signal = np.stack([sinus.lead(exchanged[name]) for name in STANDARD_12])
    given = ecg.predict(hd5(sinus), store=False)
    other = ecg.predict(hd5(Recording(signal, sinus.fs, STANDARD_12)), store=False)
    assert other.predictions != given.predictions


def test_the_same_tracing_twice_has_the_same_answer(ecg, sinus):
    answers = [ecg.predict(hd5(sinus), store=False) for _ in range(2)]
    assert answers[0].predictions == answers[1].predictions
    assert answers[0].af_risk == answers[1].af_risk
