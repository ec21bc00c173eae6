"""Each shape shows what a textbook asks of it, measured on the signal."""

import numpy as np
import pytest

from ecg_core.synthesis import SHAPES, Synthetic, synthesize


class Beat:
    """One beat of a heart that does not breathe, and what can be read off it."""

    def __init__(self, made: Synthetic) -> None:
        self.truth = made.truth
        self.leads = {name: made.recording.lead(name).astype(np.float64) for name in made.recording.leads}
        self.fs = made.recording.fs
        self.i = 2

    def part(self, wave: str, lead: str) -> np.ndarray:
        times = getattr(self.truth, wave)
        first, last = int(np.ceil(times.onset_s[self.i] * self.fs)), int(times.end_s[self.i] * self.fs)
        return self.leads[lead][first : last + 1]

    def r(self, lead: str) -> float:
        return float(max(self.part("qrs", lead).max(), 0))

    def s(self, lead: str) -> float:
        """Depth of the deepest point after R, taken as the highest of the first three quarters."""
        qrs = self.part("qrs", lead)
        return float(max(-qrs[qrs[: 3 * len(qrs) // 4].argmax() :].min(), 0))

    def q_ms(self, lead: str) -> float:
        """Length of an initial negative part deeper than 0.1 mV."""
        qrs = self.part("qrs", lead)
        positive = np.flatnonzero(qrs > 0.03)
        q = qrs[: positive[0]] if len(positive) else qrs
        return 1000 * len(q) / self.fs if len(q) and q.min() < -0.1 else 0.0

    def st(self, lead: str, after_ms: float = 60) -> float:
        return float(self.leads[lead][round((self.truth.qrs.end_s[self.i] + after_ms / 1000) * self.fs)])

    def t(self, lead: str) -> float:
        values = self.part("t", lead)
        return float(values[np.abs(values).argmax()])


def beat(shape: str, **options) -> Beat:
    return Beat(synthesize(shape=shape, fs=1000, duration_s=5, variability=0, **options))


def peaks_above(values: np.ndarray, level: float) -> int:
    """Count local maxima above ``level``."""
    return int(((values[1:-1] > values[:-2]) & (values[1:-1] >= values[2:]) & (values[1:-1] > level)).sum())


def test_normal_has_usual_amplitudes_and_r_progression():
    b = beat("normal")
    assert 0.8 < b.r("II") < 1.5
    assert 0.1 <= b.part("p", "II").max() <= 0.2
    assert b.s("V1") > 2 * b.r("V1") > 0.2
    assert b.r("V2") < b.s("V2")
    assert b.r("V4") > b.s("V4")
    assert b.r("V1") < b.r("V2") < b.r("V3") < b.r("V4")
    assert max(b.r("V4"), b.r("V5")) < 2.5
    assert all(b.t(lead) > 0.05 for lead in ("I", "II", "V2", "V3", "V4", "V5", "V6"))
    assert b.t("aVR") < -0.05
    assert all(abs(b.st(lead)) < 0.1 for lead in b.leads)
    p = b.part("p", "V1")
    assert p[: len(p) // 2].max() > 0.01
    assert p[len(p) // 2 :].min() < -0.01
    assert b.truth.interval_ms("qrs") < 110
    assert -30 < b.truth.axis_deg("qrs") < 90
    assert b.truth.statements == ("NORM", "SR")


def test_acute_inferior_infarction_lifts_st_in_ii_iii_avf_and_mirrors_it_in_i_avl():
    b = beat("inferior_mi_acute")
    assert b.st("III") > b.st("II") > 0.1
    assert b.st("aVF") > 0.1
    assert b.st("I") < -0.05
    assert b.st("aVL") < -0.1
    assert all(b.t(lead) > 0 for lead in ("II", "III", "aVF"))


def test_old_inferior_infarction_has_q_waves_and_inverted_t_without_st_elevation():
    b = beat("inferior_mi_old")
    for lead in ("II", "III", "aVF"):
        assert b.q_ms(lead) >= 30, lead
        assert b.t(lead) < -0.05, lead
        assert abs(b.st(lead)) < 0.05, lead
    assert b.part("qrs", "III").min() < -0.25 * b.r("III")


def test_acute_anterior_infarction_lifts_st_in_v1_to_v4():
    b = beat("anterior_mi_acute")
    assert all(b.st(lead) > 0.15 for lead in ("V1", "V2", "V3", "V4"))
    assert b.st("V2") > 0.25
    assert b.st("III") < 0
    assert all(b.t(lead) > 0.2 for lead in ("V2", "V3", "V4"))


def test_old_anterior_infarction_has_qs_waves_and_inverted_t_in_the_right_chest_leads():
    b = beat("anterior_mi_old")
    for lead in ("V1", "V2", "V3"):
        assert b.q_ms(lead) >= 40, lead
        assert b.r(lead) < 0.1, lead
        assert b.t(lead) < -0.1, lead
    assert b.q_ms("V4") > 0
    assert b.t("V4") < 0
    assert b.r("V5") > 0.5


def test_left_bundle_branch_block_is_broad_notched_and_discordant():
    b = beat("lbbb")
    assert b.truth.interval_ms("qrs") >= 130
    for lead in ("I", "V5", "V6"):
        assert peaks_above(b.part("qrs", lead), 0.7 * b.r(lead)) >= 2, lead
        assert b.part("qrs", lead).min() > -0.02 - abs(b.st(lead, 0)), lead
        assert b.st(lead) < 0, lead
        assert b.t(lead) < -0.1, lead
    assert b.r("V1") < 0.15
    assert b.s("V1") > 0.8
    assert b.st("V1") > 0.1
    assert b.t("V1") > 0.2


def test_right_bundle_branch_block_has_rsr_in_v1_and_a_broad_s_in_i_and_v6():
    b = beat("rbbb")
    assert b.truth.interval_ms("qrs") >= 120
    v1 = b.part("qrs", "V1")
    dip = int(v1.argmin())
    assert v1[:dip].max() > 0.1
    assert v1[dip:].max() > v1[:dip].max()
    assert v1[dip] < -0.2
    for lead in ("I", "V6"):
        late = b.part("qrs", lead)[60:]
        assert (late < -0.05).sum() >= 40, lead
    assert b.t("V1") < 0


def test_left_ventricular_hypertrophy_meets_sokolow_lyon_with_strain():
    b = beat("lvh")
    assert b.s("V1") + max(b.r("V5"), b.r("V6")) > 3.5
    for lead in ("I", "V5", "V6"):
        assert b.st(lead) < -0.04, lead
        assert b.t(lead) < -0.1, lead
    normal = beat("normal")
    assert normal.s("V1") + max(normal.r("V5"), normal.r("V6")) < 3.5


def test_ischaemia_depresses_st_horizontally_in_v4_to_v6_and_ii():
    b = beat("ischaemia")
    for lead in ("II", "V4", "V5", "V6"):
        assert b.st(lead, 20) < -0.09, lead
        assert b.st(lead, 60) < -0.09, lead
    assert b.st("aVR") > 0.05


@pytest.mark.parametrize("rate", [50, 70, 95])
def test_long_qt_exceeds_500_ms_by_every_formula_in_its_range(rate):
    truth = synthesize(shape="long_qt", rate_bpm=rate).truth
    rr = 60 / truth.heart_rate_bpm
    assert truth.interval_ms("qt") / np.sqrt(rr) > 500
    assert truth.interval_ms("qt") / np.cbrt(rr) > 500


def test_pre_excitation_has_short_pr_and_a_slurred_upstroke():
    b, normal = beat("wpw"), beat("normal")
    assert b.truth.interval_ms("pr") < 120
    assert b.truth.interval_ms("qrs") > 110

    def rise_ms(one: Beat) -> float:
        qrs = one.part("qrs", "II")
        return 1000 * (int((qrs > 0.7 * qrs.max()).argmax()) - int((qrs > 0.03).argmax())) / one.fs

    assert rise_ms(b) > 35 > 2 * rise_ms(normal)
    assert b.part("qrs", "V4").min() > -0.5
    assert b.q_ms("II") == b.q_ms("V5") == 0


@pytest.mark.parametrize("shape", SHAPES)
def test_left_and_right_axis_can_be_had_in_every_shape(shape):
    left, right = beat(shape, qrs_axis_deg=-60), beat(shape, qrs_axis_deg=120)
    assert left.part("qrs", "aVF").sum() < 0 < left.part("qrs", "I").sum()
    assert right.part("qrs", "I").sum() < 0 < right.part("qrs", "aVF").sum()
