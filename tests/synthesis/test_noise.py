"""Noise at a stated SNR, swapped electrodes, and leads that come off."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecg_core.errors import InvalidValue
from ecg_core.leads import INDEPENDENT_8, STANDARD_12
from ecg_core.synthesis import NOISES, synthesize
from ecg_core.synthesis.electrodes import RAIL_MV

ADDITIVE = [name for name, kind in NOISES.items() if kind.make]


def parts(**arguments) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return the clean leads and the noise of one synthesis, by running it with and without noise."""
    noisy = synthesize(**arguments).recording.signal.astype(np.float64)
    quiet = {key: value for key, value in arguments.items() if key not in ("noise", "snr_db")}
    clean = synthesize(**quiet).recording.signal.astype(np.float64)
    return dict(zip(STANDARD_12, clean, strict=True)), dict(zip(STANDARD_12, noisy - clean, strict=True))


@settings(max_examples=12, deadline=None)
@given(
    names=st.lists(st.sampled_from(ADDITIVE), min_size=1, unique=True),
    snr=st.floats(-10, 40),
    fs=st.sampled_from([120.0, 257.0, 500.0]),
    seed=st.integers(0, 99),
)
def test_recorded_leads_have_exactly_the_stated_snr_and_the_others_what_truth_says(names, snr, fs, seed):
    arguments = {"noise": names, "snr_db": snr, "fs": fs, "seed": seed, "duration_s": 3.0}
    clean, noise = parts(**arguments)
    truth = synthesize(**arguments).truth
    for lead in STANDARD_12:
        measured = 10 * np.log10(clean[lead].var() / noise[lead].var())
        assert truth.snr_db[lead] == pytest.approx(measured, abs=0.02)
        if lead in INDEPENDENT_8:
            assert measured == pytest.approx(snr, abs=0.02)


def test_each_noise_can_have_a_level_of_its_own():
    wanted = {"baseline": 6.0, "muscle": 20.0}
    together = synthesize(noise=wanted).recording.signal - synthesize().recording.signal
    alone = sum(
        synthesize(noise={name: level}).recording.signal - synthesize().recording.signal
        for name, level in wanted.items()
    )
    np.testing.assert_allclose(together, alone, atol=1e-5)
    assert synthesize(noise=wanted).truth.noise == wanted


def band_share(noise: np.ndarray, fs: float, low: float, high: float) -> float:
    spectrum = np.abs(np.fft.rfft(noise)) ** 2
    frequency = np.fft.rfftfreq(len(noise), 1 / fs)
    return float(spectrum[(frequency >= low) & (frequency <= high)].sum() / spectrum.sum())


@pytest.mark.parametrize(
    ("name", "low", "high", "share", "options"),
    [
        ("baseline", 0.0, 0.6, 0.98, {}),
        ("muscle", 18, 160, 0.95, {}),
        ("mains", 49, 51, 0.85, {}),
        ("mains", 59, 61, 0.85, {"mains_hz": 60.0}),
        ("motion", 0.0, 5, 0.9, {}),
    ],
)
def test_noise_lives_in_its_band(name, low, high, share, options):
    _, noise = parts(noise=name, snr_db=10, duration_s=30.0, **options)
    for lead in INDEPENDENT_8:
        assert band_share(noise[lead], 500, low, high) > share


def test_electrode_pops_jump_and_decay():
    _, noise = parts(noise="electrode_pop", snr_db=5, fs=1000.0)
    step = np.abs(np.diff(noise["V3"]))
    assert step.max() > 20 * np.median(step)


def test_noise_does_not_move_the_heart():
    clean, noisy = synthesize("af", seed=4), synthesize("af", seed=4, noise=ADDITIVE, snr_db=0)
    np.testing.assert_array_equal(clean.truth.qrs.onset_s, noisy.truth.qrs.onset_s)


@pytest.mark.parametrize(
    ("pair", "same"),
    [
        ("RA-LA", {"I": "-I", "II": "III", "III": "II", "aVR": "aVL", "aVL": "aVR", "aVF": "aVF"}),
        ("RA-LL", {"I": "-III", "II": "-II", "III": "-I", "aVR": "aVF", "aVF": "aVR", "aVL": "aVL"}),
        ("LA-LL", {"I": "II", "II": "I", "III": "-III", "aVL": "aVF", "aVF": "aVL", "aVR": "aVR"}),
    ],
)
def test_swapped_limb_cables_exchange_limb_leads_and_spare_the_chest(pair, same):
    right, wrong = synthesize().recording, synthesize(lead_reversal=pair)
    for lead, source in same.items():
        sign = -1 if source.startswith("-") else 1
        np.testing.assert_allclose(wrong.recording.lead(lead), sign * right.lead(source.lstrip("-")), atol=1e-6)
    for lead in ("V1", "V2", "V3", "V4", "V5", "V6"):
        np.testing.assert_allclose(wrong.recording.lead(lead), right.lead(lead), atol=1e-6)
    assert wrong.truth.reversal == (pair,)


def test_right_arm_on_the_right_leg_flattens_ii_and_moves_wilsons_terminal():
    right, wrong = synthesize().recording, synthesize(lead_reversal="RA-RL").recording
    np.testing.assert_allclose(wrong.lead("II"), 0, atol=1e-6)
    np.testing.assert_allclose(wrong.lead("I"), -right.lead("III"), atol=1e-6)
    np.testing.assert_allclose(wrong.lead("V2"), right.lead("V2") - right.lead("II") / 3, atol=1e-6)


def test_swapped_chest_cables_exchange_their_leads():
    right, wrong = synthesize().recording, synthesize(lead_reversal=("V1-V2", "V5-V6")).recording
    for lead, source in {"V1": "V2", "V2": "V1", "V5": "V6", "V6": "V5", "V3": "V3", "I": "I"}.items():
        np.testing.assert_allclose(wrong.lead(lead), right.lead(source), atol=1e-6)


def test_a_flat_lead_still_gets_noise_and_says_that_no_signal_is_there():
    made = synthesize(lead_reversal="RA-RL", noise="muscle", snr_db=10)
    assert made.recording.lead("II").std() > 0.01
    assert made.truth.snr_db["II"] < -60
    assert made.truth.snr_db["I"] == pytest.approx(10, abs=1e-6)


@pytest.mark.parametrize("mode", ["nan", "flat", "rail"])
def test_a_lead_comes_off_for_a_while(mode):
    made = synthesize(lead_off={"V2": (2.0, 5.0)}, lead_off_mode=mode, fs=250)
    off, clean = made.recording.lead("V2"), synthesize(fs=250).recording.lead("V2")
    np.testing.assert_array_equal(off[500:1250], np.float32({"nan": np.nan, "flat": 0.0, "rail": RAIL_MV}[mode]))
    np.testing.assert_array_equal(np.delete(off, slice(500, 1250)), np.delete(clean, slice(500, 1250)))
    assert made.truth.leads_off == {"V2": (2.0, 5.0)}
    assert np.isfinite(np.delete(made.recording.signal, 7, axis=0)).all()


def test_faults_by_their_bare_names_use_their_defaults():
    made = synthesize(noise=("lead_off", "lead_reversal"))
    assert np.isnan(made.recording.lead("V6")).all()
    assert made.truth.reversal == ("RA-LA",)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"noise": "mains"}, ("snr_db", "decibels")),
        ({"snr_db": 10.0}, ("snr_db", "muscle")),
        ({"noise": {"mains": 3.0}, "snr_db": 10.0}, ("snr_db", "already")),
        ({"noise": "mains", "snr_db": 5.0, "duration_s": 0.5, "rate_bpm": 20.0, "seed": 1}, ("duration_s", "no wave")),
        ({"noise": {"mains": float("nan")}}, ("mains", "nan")),
        ({"noise": "mains", "snr_db": 5.0, "fs": 80.0}, ("mains_hz", "40")),
        ({"lead_reversal": "RA-XX"}, ("RA-XX", "LL")),
        ({"lead_reversal": "V1-V1"}, ("V1-V1",)),
        ({"lead_off": "V9"}, ("V9", "V6")),
        ({"lead_off": {"V1": (3.0, 11.0)}}, ("lead_off.V1", "11")),
        ({"lead_off": "V1", "lead_off_mode": "gone"}, ("gone", "rail")),
    ],
)
def test_what_cannot_be_done_is_said(arguments, words):
    with pytest.raises(InvalidValue) as caught:
        synthesize(**arguments)
    assert all(word in str(caught.value) for word in words)
