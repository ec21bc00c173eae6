"""What is said of which recording, with a network that says what each test needs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ecg_core.findings import KINDS, state_findings, summarise
from ecg_core.pipeline import Analysis
from ecg_core.recording import Recording, Subject
from ecg_core.synthesis import synthesize
from tests.findings.voices import analysed, case, say


def found(name: str, called: dict[str, float] | None = None, **more) -> Analysis:
    """Return the analysis of a demo case with the network calling something, or without the network."""
    return analysed(case(name), None if called is None else say(called, **more))


def of_kind(analysis: Analysis, kind: str) -> dict:
    return {finding.code: finding for finding in analysis.findings if finding.kind == kind}


def restated(analysis: Analysis, **changes) -> Analysis:
    changed = replace(analysis, **changes)
    findings = state_findings(changed)
    return replace(changed, findings=findings, summary=summarise(changed, findings))


def test_a_called_statement_is_a_finding_with_its_probability_model_and_what_was_measured():
    block = of_kind(found("left_bundle_branch_block", {"SR": 0.95, "CLBBB": 0.97}), "conduction")["CLBBB"]
    assert block.text == "Complete left bundle branch block"
    assert block.confidence == 0.97
    assert block.model.name == "heart12"
    assert block.evidence[0].startswith("QRS 15")
    assert block.against == ()


def test_a_measurement_that_contradicts_the_network_is_shown_and_changes_no_number():
    analysis = found("normal", {"SR": 0.95, "CLBBB": 0.81})
    block = of_kind(analysis, "conduction")["CLBBB"]
    assert block.confidence == 0.81
    assert block.against == ("QRS 92 ms measured",)
    assert "complete left bundle branch block (disputed)" in analysis.summary.diagnosis
    assert "is disputed: QRS 92 ms measured" in analysis.summary.notes


def test_what_is_measured_and_not_called_is_a_finding_that_says_so():
    wide = of_kind(found("left_bundle_branch_block", {"SR": 0.95, "CLBBB": 0.2}), "measurement")["qrs_ms_high"]
    assert wide.confidence is None
    assert wide.rule.startswith("AHA")
    assert any("does not call complete left bundle branch block (0.20)" in text for text in wide.against)
    assert "QRS complex wide: 151 ms" in found("left_bundle_branch_block", {"SR": 0.95}).summary.diagnosis


def test_what_bears_out_a_statement_is_no_second_finding():
    assert "qrs_ms_high" not in of_kind(found("left_bundle_branch_block", {"CLBBB": 0.97}), "measurement")
    assert "qrs_ms_high" in of_kind(found("left_bundle_branch_block"), "measurement")


def test_another_model_is_heard_beside_the_network_and_nothing_is_averaged():
    base = found("left_bundle_branch_block", {"CLBBB": 0.97})
    other = replace(say({"CLBBB": 0.2}), model=replace(base.predictions["heart12"].model, name="tabular"))
    block = of_kind(restated(base, predictions={**base.predictions, "tabular": other}), "conduction")["CLBBB"]
    assert block.confidence == 0.97
    assert "tabular gives it 0.20, and does not call it" in block.evidence
    assert block.against == ()


def test_an_infarct_is_a_pattern_of_undetermined_age_and_a_left_bundle_branch_block_speaks_against_it():
    old = of_kind(found("normal", {"IMI": 0.8, "ILMI": 0.5}), "infarct")
    assert list(old) == ["IMI"]
    assert old["IMI"].text == "Inferior infarct pattern, age undetermined"
    assert "also called: Inferolateral infarct pattern, age undetermined (0.50)" in old["IMI"].evidence
    blocked = of_kind(found("left_bundle_branch_block", {"CLBBB": 0.97, "ASMI": 0.45}), "infarct")["ASMI"]
    assert "left bundle branch block" in blocked.against[0]


def test_a_superclass_without_any_of_its_statements_is_told_without_a_site():
    called = of_kind(found("normal", {"SR": 0.9}, superclass={"MI": 0.9}), "infarct")
    assert called["MI"].text == "Infarct pattern, age undetermined, site not told"
    assert not of_kind(found("normal", {"SR": 0.9, "INJAL": 0.6}, superclass={"MI": 0.9}), "infarct")


def test_normal_is_said_where_all_was_read_and_nothing_stands_against_it():
    analysis = found("normal", {"SR": 0.97, "NORM": 0.93})
    assert analysis.summary.score.level == "normal"
    assert analysis.summary.score.confidence == 0.93
    assert "does not exclude an acute infarction" in analysis.summary.diagnosis
    assert "93 were labelled so" in analysis.summary.score.means


@pytest.mark.parametrize("name", ["poor_quality", "swapped_arms", "paced", "long_qt", "anterior_infarction"])
def test_normal_is_never_said_of_what_is_poor_reversed_paced_or_critical(name):
    analysis = found(name, {"SR": 0.97, "NORM": 0.99})
    assert not of_kind(analysis, "normal")
    assert "normal limits" not in analysis.summary.diagnosis
    assert analysis.summary.score.level != "normal"


def test_normal_is_never_said_beside_a_finding_or_of_part_of_the_leads_or_of_a_child():
    whole = found("normal", {"SR": 0.97, "NORM": 0.93})
    assert not of_kind(found("normal", {"SR": 0.97, "NORM": 0.93, "IVCD": 0.5}), "normal")
    assert not of_kind(found("normal", {"NORM": 0.93}, view="limb"), "normal")
    assert not of_kind(restated(whole, subject=Subject(age=12)), "normal")
    leads = tuple(lead for lead in whole.recording.leads if lead not in ("V3", "V4"))
    some = analysed(whole.recording.select(leads), say({"SR": 0.97, "NORM": 0.93}))
    assert "without V3, V4" in of_kind(some, "quality")["incomplete"].text
    assert not of_kind(some, "normal")


def test_a_sinus_rhythm_out_of_the_usual_rates_leaves_the_rest_normal():
    slow = analysed(synthesize(rate_bpm=47, seed=1).recording, say({"SBRAD": 0.9, "NORM": 0.93}))
    assert of_kind(slow, "normal")["NORM"].text.startswith("Otherwise within normal limits")
    assert slow.summary.diagnosis.startswith("Sinus bradycardia, 47/min; otherwise within normal limits")
    # A rate of 68 contradicts the statement, and what is disputed leaves nothing normal.
    assert not of_kind(found("normal", {"SBRAD": 0.9, "NORM": 0.93}), "normal")


def test_without_a_network_measurements_and_rhythm_speak_and_nothing_is_called_normal():
    analysis = found("normal")
    assert analysis.summary.score.level == "undetermined"
    assert analysis.summary.score.confidence is None
    assert analysis.summary.diagnosis.startswith("Normal rhythm, 68/min; nothing abnormal was found")
    assert of_kind(found("left_ventricular_hypertrophy"), "hypertrophy")["sokolow_lyon_mv_high"].confidence is None
    assert "st_depression" in of_kind(found("ischaemia"), "ischaemia")


def test_pacing_suppresses_infarction_hypertrophy_st_t_bundle_branches_and_qt():
    called = {"PACE": 0.9, "IMI": 0.8, "LVH": 0.8, "ISC_": 0.8, "CLBBB": 0.8, "LNGQT": 0.8}
    analysis = found("paced", called, superclass={"MI": 0.9, "HYP": 0.9, "STTC": 0.9, "CD": 0.9})
    assert set(KINDS) & {item.kind for item in analysis.findings} == {"rhythm"}
    assert analysis.summary.diagnosis.startswith("Pacing (ventricular), ")
    assert "withheld" in analysis.summary.notes


def test_of_a_poor_signal_nothing_is_said_of_the_heart_but_what_rules_find():
    analysis = found("poor_quality", {"AFIB": 0.9, "IMI": 0.8})
    assert {item.kind for item in analysis.findings} <= {"quality", "urgent"}
    assert analysis.summary.diagnosis.startswith("Not interpreted: the signal is poor")


def test_a_critical_finding_comes_first_and_the_network_can_not_silence_it():
    analysis = found("long_qt", {"SR": 0.97, "NORM": 0.9, "LNGQT": 0.05})
    assert analysis.findings[0].code == "long_qtc"
    assert analysis.findings[0].against == ("the 12-lead network gives Long QT interval 0.05",)
    assert analysis.summary.score.level == "urgent"
    assert analysis.summary.score.confidence is None
    assert analysis.summary.diagnosis.startswith("QTc 5")


def test_exchanged_electrodes_are_told_before_the_heart():
    analysis = found("swapped_arms", {"SR": 0.97})
    assert analysis.findings[0].code == "reversal"
    assert analysis.summary.diagnosis.startswith("Electrodes may be exchanged: right arm and left arm")


def test_the_surest_abnormal_statement_gives_the_score():
    score = found("left_bundle_branch_block", {"SR": 0.99, "ASMI": 0.45, "CLBBB": 0.97}).summary.score
    assert (score.level, score.confidence, score.of) == ("abnormal", 0.97, "Complete left bundle branch block")
    assert "not the probability of a disease" in score.means


def test_atrial_enlargement_and_pr_are_not_told_in_fibrillation():
    analysis = found("atrial_fibrillation", {"AFIB": 0.98, "1AVB": 0.8, "LAO/LAE": 0.8})
    assert not of_kind(analysis, "conduction")
    assert not of_kind(analysis, "hypertrophy")


def test_under_18_years_what_is_withheld_is_said():
    child = restated(found("normal"), subject=Subject(age=12))
    assert "child" in of_kind(child, "quality")
    assert "girl" not in child.summary.notes
    assert "a child of 12" in child.summary.notes


def test_why_the_network_says_nothing_is_told():
    analysis = found("normal")
    silent = replace(say({}), heads={}, out_of_scope=("it was recorded at 50 Hz",))
    told = of_kind(restated(analysis, predictions={"heart12": silent}), "quality")
    assert told["out_of_scope"].evidence == ("it was recorded at 50 Hz",)


def test_low_voltages_and_q_waves_are_measured_signs():
    base = case("normal")
    small = Recording(base.signal * 0.15, base.fs, base.leads, base.subject)
    analysis = analysed(small, say({"SR": 0.9, "LVOLT": 0.7}))
    assert any("largest QRS" in text for text in of_kind(analysis, "measurement")["LVOLT"].evidence)
    disputed = of_kind(found("normal", {"LVOLT": 0.7}), "measurement")["LVOLT"]
    assert any("largest QRS" in text for text in disputed.against)
    infarct = of_kind(found("inferior_infarction", {"IMI": 0.8}), "infarct")["IMI"]
    assert infarct.evidence[0].startswith("Q waves measured: ")


def test_early_beats_that_were_classed_are_found_without_the_network():
    analysis = found("normal", {"SR": 0.9})
    classes = replace(analysis.classes, classes=("V", "V", *analysis.classes.classes[2:]))
    early = of_kind(restated(analysis, classes=classes), "rhythm")["beats_V"]
    assert early.text == "Ventricular premature beats"
    assert early.evidence[0].startswith("2 of ")
    assert "does not call" in early.against[0]


def test_every_finding_can_be_told_apart_and_is_json_ready():
    analysis = found("left_bundle_branch_block", {"SR": 0.95, "CLBBB": 0.97, "ASMI": 0.45, "NDT": 0.5})
    codes = [finding.code for finding in analysis.findings]
    assert len(set(codes)) == len(codes)
    assert [KINDS.index(finding.kind) for finding in analysis.findings] == sorted(
        KINDS.index(finding.kind) for finding in analysis.findings
    )
    for finding in analysis.findings:
        assert (finding.model is None) != (finding.rule is None)
        assert set(finding.to_dict()) >= {"text", "kind", "confidence", "evidence"}


def test_a_recording_of_nothing_gives_a_sentence_and_no_finding_of_the_heart():
    nothing = Recording(np.full((2, 900), np.nan), 500, ("I", "II"))
    analysis = analysed(nothing, None)
    assert analysis.summary.score.level == "undetermined"
    assert {item.kind for item in analysis.findings} == {"quality"}
