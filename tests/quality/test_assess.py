"""Verdicts: what is said, about which lead, and when a later step is told to abstain."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from ecg_core.leads import INDEPENDENT_8, STANDARD_12
from ecg_core.quality import assess_quality
from ecg_core.recording import Recording
from ecg_core.synthesis import bundled_cases, synthesize


def made(**options) -> Recording:
    return synthesize(seed=3, **options).recording


@pytest.mark.parametrize("rhythm", ["sinus", "af", "flutter", "bigeminy", "paced"])
@pytest.mark.parametrize("fs", [100, 500])
def test_clean_recordings_are_good(rhythm, fs):
    quality = assess_quality(made(rhythm=rhythm, fs=fs))
    assert (quality.verdict, quality.reasons) == ("good", ())
    assert quality.unacceptable_probability < 0.25


@pytest.mark.parametrize(
    ("options", "lead", "reason", "verdict"),
    [
        ({"lead_off": ("V2",), "lead_off_mode": "nan"}, "V2", "missing", "poor"),
        ({"lead_off": ("V2",), "lead_off_mode": "flat"}, "V2", "lead off", "poor"),
        ({"lead_off": ("V2",), "lead_off_mode": "rail"}, "V2", "lead off", "poor"),
        ({"lead_off": {"V2": (4.0, 10.0)}, "lead_off_mode": "flat"}, "V2", "flat", "poor"),
        ({"lead_off": {"V2": (7.0, 10.0)}, "lead_off_mode": "flat"}, "V2", "flat", "usable"),
        ({"lead_off": {"V2": (7.0, 10.0)}, "lead_off_mode": "nan"}, "V2", "missing", "usable"),
        ({"noise": {"mains": 5}}, "II", "mains", "usable"),
        ({"noise": {"mains": -15}}, "II", "mains", "poor"),
        ({"noise": {"muscle": 0}}, "II", "muscle", "usable"),
        ({"noise": {"muscle": -12}}, "II", "muscle", "poor"),
        ({"noise": {"baseline": -8}}, "II", "baseline", "usable"),
        ({"noise": {"baseline": -25}}, "II", "baseline", "poor"),
    ],
)
def test_what_was_put_in_is_named(options, lead, reason, verdict):
    found = assess_quality(made(**options)).leads[lead]
    assert found.verdict == verdict
    assert reason in [text.split(":")[0] for text in found.reasons]


def test_saturation_is_named():
    base = made()
    clipped = replace(base, signal=np.clip(base.signal, -0.05, 0.05))
    assert any(text.startswith("saturated") for text in assess_quality(clipped).leads["II"].reasons)


def test_a_lead_of_noise_among_good_ones_is_named():
    base = made()
    signal = np.array(base.signal)
    signal[4] = 0.1 * np.random.default_rng(0).standard_normal(base.n_samples)
    leads = assess_quality(replace(base, signal=signal)).leads
    assert any(text.startswith("unlike") for text in leads["aVL"].reasons)
    assert leads["V5"].verdict == "good"


def test_leads_that_are_off_spoil_the_recording_but_not_an_analysis_of_the_others():
    quality = assess_quality(made(lead_off=("V1", "V2", "V3"), lead_off_mode="rail"))
    assert quality.verdict == "poor"
    assert quality.unacceptable_probability > 0.5
    assert "poor: V1, V2, V3" in quality.refusal()
    assert quality.refusal(("II", "V5")) is None
    assert quality.refusal(("II", "V2")) == "the signal is poor in V2 (lead off: no signal, one level throughout)"
    assert quality.trusted_leads == tuple(name for name in STANDARD_12 if name not in ("V1", "V2", "V3"))
    assert quality.rest_is_good


def test_where_noise_spoils_some_leads_the_others_are_no_better_for_it():
    quality = assess_quality(made(noise=("baseline", "motion", "muscle"), snr_db=-6.0))
    assert quality.verdict == "poor"
    assert 0 < len(quality.trusted_leads) < 12
    assert not quality.rest_is_good


def test_a_good_recording_refuses_nothing():
    quality = assess_quality(made())
    assert quality.refusal() is None
    assert quality.refusal(STANDARD_12) is None


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"leads": ("II",)}, "twelve leads"),
        ({"leads": ("I", "V1", "V2", "V3", "V4", "V5", "V6")}, "II, III, aVR, aVL, aVF not recorded"),
        ({"fs": 80}, "80 Hz is too slow"),
        ({"duration_s": 4}, "4.0 s"),
        ({"duration_s": 31}, "31.0 s"),
        ({"lead_off": {"V6": (0.0, 3.0)}}, "30% of a lead was not recorded"),
    ],
)
def test_where_the_model_does_not_apply_there_is_a_reason_and_no_probability(options, reason):
    quality = assess_quality(made(**options))
    assert quality.unacceptable_probability is None
    assert quality.model is None
    assert reason in quality.unacceptable_reason
    assert quality.verdict in ("good", "usable")


def test_eight_leads_give_what_the_twelve_they_determine_give():
    twelve, eight = assess_quality(made()), assess_quality(made(leads=INDEPENDENT_8))
    assert eight.unacceptable_probability == pytest.approx(twelve.unacceptable_probability, rel=1e-3)


def test_order_of_the_leads_does_not_matter():
    base = made(noise="motion", snr_db=0)
    turned = base.select(tuple(reversed(base.leads)))
    assert assess_quality(turned).unacceptable_probability == pytest.approx(
        assess_quality(base).unacceptable_probability, rel=1e-4
    )


@pytest.mark.parametrize("signal", [np.zeros((12, 5000)), np.full((12, 5000), np.nan), np.zeros((1, 1))])
def test_nothing_recorded_is_poor_in_every_lead(signal):
    leads = STANDARD_12[: len(signal)]
    quality = assess_quality(Recording(signal, 500.0, leads))
    assert quality.verdict == "poor"
    assert {lead.verdict for lead in quality.leads.values()} == {"poor"}
    assert quality.refusal(leads[:1]) is not None


def test_json_form_has_the_names_of_the_analysis():
    found = json.loads(json.dumps(assess_quality(made(lead_off=("V2",))).to_dict(), allow_nan=False))
    assert found["verdict"] == "usable"
    assert found["leads"]["I"] == {"verdict": "good", "reasons": []}
    assert found["leads"]["V2"]["verdict"] == "poor"
    assert found["unacceptable_probability"] is None
    assert "not recorded" in found["unacceptable_reason"]


def test_model_is_named_with_its_hash():
    model = assess_quality(made()).to_dict()["model"]
    assert set(model) == {"name", "version", "sha256"}
    assert model["name"] == "quality"


def test_of_the_demo_cases_the_poor_one_is_poor():
    verdicts = {name: assess_quality(case.synthesize().recording).verdict for name, case in bundled_cases().items()}
    assert verdicts.pop("poor_quality") == "poor"
    assert set(verdicts.values()) == {"good"}
