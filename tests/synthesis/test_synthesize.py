"""The call itself: determinism, what is recorded about it, what it refuses, and the demo cases."""

import hashlib

import numpy as np
import pytest

from ecg_core.errors import EcgError, InvalidValue, UnknownName
from ecg_core.recording import Subject
from ecg_core.synthesis import NOISES, RHYTHMS, SHAPES, bundled_cases, synthesize
from ecg_core.validate import check


def test_the_same_arguments_give_the_same_ecg_and_another_seed_another():
    arguments = {"rhythm": "af", "shape": "lvh", "noise": ("baseline", "muscle"), "snr_db": 12.0}
    first, again, other = (synthesize(**arguments, seed=seed) for seed in (7, 7, 8))
    np.testing.assert_array_equal(first.recording.signal, again.recording.signal)
    assert first.truth.to_dict() == again.truth.to_dict()
    assert first.recording.source == again.recording.source
    assert not np.array_equal(first.recording.signal, other.recording.signal)
    assert not np.array_equal(first.truth.r_s, other.truth.r_s)


def test_a_recording_can_be_made_again_from_its_history():
    made = synthesize("pvc", "rbbb", fs=257, rate_bpm=80, noise={"mains": 20}, seed=3, qrs_axis_deg=-40, lead_off="V3")
    (step,) = made.recording.history
    again = synthesize(**step.parameters)
    assert step.name == "synthesize"
    assert again.recording.source == made.recording.source
    bare = synthesize(noise=("baseline", "motion"), snr_db=9)
    assert synthesize(**bare.recording.history[0].parameters).recording.source == bare.recording.source


def test_source_names_the_signal_by_its_sha256():
    recording = synthesize(subject=Subject(id="a", age=50)).recording
    assert recording.source.format == "synthetic"
    assert recording.source.sha256 == hashlib.sha256(recording.signal.tobytes()).hexdigest()
    assert recording.subject.id == "a"


def test_leads_come_in_the_order_asked_for():
    whole, some = synthesize(noise="muscle", snr_db=10), synthesize(leads=("V4", "aVL"), noise="muscle", snr_db=10)
    assert some.recording.leads == ("V4", "aVL")
    np.testing.assert_allclose(some.recording.lead("aVL"), whole.recording.lead("aVL"), atol=1e-7)
    assert some.truth.qrs.lead_peak_s.shape[1] == 2
    np.testing.assert_allclose(some.truth.st_level_mv()["V4"], whole.truth.st_level_mv()["V4"])


@pytest.mark.parametrize("rhythm", RHYTHMS)
@pytest.mark.parametrize("shape", SHAPES)
def test_nothing_about_a_clean_ecg_looks_wrong_to_the_checks_on_reading(rhythm, shape):
    assert check(synthesize(rhythm, shape).recording) == ()


def test_respiration_changes_size_and_axis_a_little():
    truth = synthesize(duration_s=30).truth
    assert 1 < np.ptp(truth.qrs_axis_deg) < 4
    assert np.ptp(synthesize(duration_s=30, variability=0).truth.qrs_axis_deg) < 1e-9


@pytest.mark.parametrize(
    ("registry", "arguments"),
    [
        (RHYTHMS, {"rhythm": "sinos"}),
        (SHAPES, {"shape": "lbb"}),
        (NOISES, {"noise": "musle", "snr_db": 3}),
    ],
)
def test_an_unknown_name_lists_the_choices(registry, arguments):
    with pytest.raises(UnknownName) as caught:
        synthesize(**arguments)
    assert caught.value.options == tuple(sorted(registry))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"axis": 30}, ("axis", "qrs_axis_deg")),
        ({"conduction": "2:1"}, ("conduction", "no such option")),
        ({"rhythm": "flutter", "conduction": "5:1"}, ("5:1", "4:1")),
        ({"qrs_axis_deg": 200}, ("qrs_axis_deg", "200", "180")),
        ({"pr_ms": float("nan")}, ("pr_ms", "nan")),
        ({"rate_bpm": 0}, ("rate_bpm", "20 to 300")),
        ({"seed": -1}, ("seed", "-1")),
        ({"fs": 10}, ("fs", "50")),
        ({"duration_s": 0}, ("duration_s",)),
        ({"duration_s": float("inf")}, ("duration_s", "inf")),
        ({"leads": ("X",)}, ("X", "aVR")),
        ({"leads": ()}, ("none",)),
        ({"leads": ("II", "II")}, ("II, II", "each once")),
        ({"pr_ms": 80, "p_ms": 120}, ("p_ms", "80 or less")),
        ({"qrs_ms": 200, "qt_ms": 250}, ("qt_ms", "300 or more")),
    ],
)
def test_what_cannot_be_done_is_said(arguments, words):
    with pytest.raises(InvalidValue) as caught:
        synthesize(**arguments)
    assert all(word in str(caught.value) for word in words)


@pytest.mark.parametrize("name", bundled_cases())
def test_every_demo_case_can_be_made(name):
    case = bundled_cases()[name]
    made = case.synthesize()
    assert case.title
    assert case.description.endswith(".")
    assert made.recording.subject == case.subject
    assert made.recording.signal.shape == (12, 5000)
    assert 4 < len(made.truth.symbol) < 25
    shorter = case.synthesize(fs=250.0)
    np.testing.assert_array_equal(shorter.truth.r_s, made.truth.r_s)


def test_the_demo_cases_cover_what_a_visitor_asks_for():
    statements = {name: set(case.synthesize().truth.statements) for name, case in bundled_cases().items()}
    expected = {
        "normal": "NORM",
        "inferior_infarction": "IMI",
        "anterior_infarction": "AMI",
        "atrial_fibrillation": "AFIB",
        "left_bundle_branch_block": "CLBBB",
        "left_ventricular_hypertrophy": "LVH",
        "ischaemia": "ISC_",
        "paced": "PACE",
        "long_qt": "LNGQT",
    }
    assert all(code in statements[name] for name, code in expected.items())
    assert min(bundled_cases()["poor_quality"].synthesize().truth.snr_db.values()) < -5


def test_an_unknown_case_lists_the_choices():
    with pytest.raises(EcgError, match="options: anterior_infarction"):
        bundled_cases()["norml"]
