"""Two recordings beside one another: what changed, what is noise, and what cannot be told."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any

import pytest

from ecg_core.comparison import FATES, VERDICTS, Comparison, compare_analyses, shipped_noise
from ecg_core.measurements import VALUES
from ecg_core.pipeline import analyze
from ecg_core.recording import Subject
from ecg_core.synthesis import synthesize

QT_MS = 390.0
PERSON = Subject("P-1", 60.0, "female")


@lru_cache
def analysed(qt_ms: float = QT_MS, *, rhythm: str = "sinus", shape: str = "normal", seed: int = 1) -> dict[str, Any]:
    """Return the analysis of a synthetic recording with some muscle noise."""
    made = synthesize(rhythm=rhythm, shape=shape, qt_ms=qt_ms, noise="muscle", snr_db=26.0, seed=seed)
    recording = replace(made.recording, subject=PERSON, start=datetime(2026, 5, 1, 9, seed))
    return analyze(recording).to_dict()


@pytest.fixture
def before() -> dict[str, Any]:
    return copy.deepcopy(analysed())


@pytest.fixture
def after() -> dict[str, Any]:
    """Another recording of the same heart."""
    return copy.deepcopy(analysed(seed=2))


def verdicts(found: Comparison) -> set[str]:
    rows = [found.measurements, *found.leads.values(), *found.labels.values(), {"age": found.age}]
    return {item.verdict for row in rows for item in row.values()}


def fates(found: Comparison) -> dict[str, str]:
    return {item.code: item.fate for item in found.statements}


def test_the_same_recording_twice_has_not_changed(before):
    found = compare_analyses(before, before)
    assert "changed" not in verdicts(found)
    assert set(fates(found).values()) == {"stays"}
    assert found.changed == ()
    assert "both are the same recording" in found.warnings
    assert "None of the 18 measurements" in found.summary


def test_another_recording_of_an_unchanged_heart_stays_within_the_noise(before, after):
    found = compare_analyses(before, after)
    assert found.changed == ()
    assert found.warnings == ()
    assert found.elapsed_s == 60.0


def test_a_longer_qt_is_a_change_and_what_did_not_change_is_none(before):
    found = compare_analyses(before, analysed(QT_MS + 60, seed=2))
    change = found.measurements["qt_ms"]
    assert change.verdict == "changed"
    assert change.difference == pytest.approx(60, abs=10)
    assert change.noise.limit < 30
    assert {"qt_ms", "qtc_fridericia_ms"} <= set(found.changed)
    assert not {"hr_bpm", "pr_ms", "qrs_ms", "qrs_axis_deg"} & set(found.changed)
    assert "QT +" in found.summary
    assert "QTc (Bazett)" not in found.summary


def test_the_farthest_beyond_its_limit_stands_first(before):
    found = compare_analyses(before, analysed(shape="lbbb", seed=2))
    sizes = [abs(item.difference) / item.noise.limit for item in map(found.measurements.__getitem__, found.changed)]
    assert len(sizes) > 3
    assert sizes == sorted(sizes, reverse=True)


def test_an_axis_turns_the_shorter_way_round(before):
    after = copy.deepcopy(before)
    for told, degrees in ((before, 175.0), (after, -178.0)):
        told["measurements"]["qrs_axis_deg"]["value"] = degrees
    found = compare_analyses(before, after).measurements["qrs_axis_deg"]
    assert found.difference == pytest.approx(7)
    assert found.verdict == "within noise"


def test_a_statement_appears_with_its_probabilities_beyond_its_noise(before):
    found = compare_analyses(before, analysed(shape="lbbb", seed=2))
    block = next(item for item in found.statements if item.code == "CLBBB")
    assert (block.fate, block.beyond_noise) == ("appeared", True)
    assert block.before < 0.1 < 0.5 < block.after
    assert "Appeared: complete left bundle branch block" in found.summary
    back = compare_analyses(analysed(shape="lbbb", seed=2), before)
    assert fates(back)["CLBBB"] == "disappeared"


def test_a_statement_that_crossed_a_threshold_it_lay_close_to_is_within_noise(before):
    after = copy.deepcopy(before)
    for told, probability in ((before, 0.33), (after, 0.35)):
        answer = told["predictions"]["heart12"]["statements"]["LVH"]
        answer |= {"probability": probability, "threshold": 0.34, "positive": probability > 0.34}
    model = {"name": "heart12", "version": "1.0.0", "sha256": "0"}
    after["findings"].append(
        {"code": "LVH", "text": "Left ventricular hypertrophy pattern", "kind": "hypertrophy", "confidence": 0.35,
         "values": {}, "model": model}
    )  # fmt: skip
    found = next(item for item in compare_analyses(before, after).statements if item.code == "LVH")
    assert (found.fate, found.beyond_noise, found.before, found.after) == ("appeared", False, 0.33, 0.35)


def test_a_flag_that_another_statement_took_over_is_not_gone(before):
    after = copy.deepcopy(before)
    for told in (before, after):
        told["measurements"]["pr_ms"] |= {"value": 230.0, "flag": "high"}
    long = {"code": "pr_ms_high", "text": "PR interval prolonged: 230 ms", "kind": "measurement", "confidence": None,
            "values": {"pr_ms": 230.0}, "model": None}  # fmt: skip
    before["findings"].append(long)
    assert fates(compare_analyses(before, after))["pr_ms_high"] == "stays"


def test_in_fibrillation_rates_and_qt_cannot_be_told_and_p_is_missing(before):
    found = compare_analyses(before, analysed(rhythm="af", seed=2))
    for name in ("hr_bpm", "qt_ms", "qtc_fridericia_ms"):
        assert found.measurements[name].verdict == "cannot be told"
        assert "fibrillation" in found.measurements[name].reason
    assert found.measurements["pr_ms"].difference is None
    assert found.measurements["pr_ms"].reason.startswith("no value in the second recording")
    assert found.measurements["qrs_ms"].verdict == "within noise"
    assert fates(found)["AFIB"] == "appeared"


def test_of_a_poor_signal_nothing_is_told_and_no_statement_is_gone(before, after):
    after["quality"]["verdict"] = "poor"
    after["findings"] = []
    found = compare_analyses(before, after)
    assert {item.verdict for item in found.measurements.values()} == {"cannot be told"}
    assert set(fates(found).values()) == {"cannot be told"}
    assert found.statements[0].reason == "the signal of the second recording is poor"
    assert "No measurement can be compared." in found.summary


def test_under_pacing_only_rates_are_compared(before, after):
    after["pacing"]["chambers"] = ["ventricular"]
    found = compare_analyses(before, after).measurements
    assert found["hr_bpm"].verdict == "within noise"
    assert found["qrs_ms"].reason == "the ventricles are paced in the second recording"


def test_voltages_of_exchanged_electrodes_cannot_be_told(before, after):
    before["quality"]["suspected"] = [{"title": "left and right arm exchanged"}]
    found = compare_analyses(before, after)
    assert "exchanged in the first recording" in found.measurements["qrs_axis_deg"].reason
    assert "exchanged" in found.leads["I"]["r_mv"].reason
    assert found.measurements["pr_ms"].verdict == "within noise"


def test_intervals_of_other_leads_cannot_be_told(before):
    made = synthesize(qt_ms=QT_MS, noise="muscle", snr_db=26.0, seed=2).recording.select(("I", "II"))
    two = analyze(replace(made, subject=PERSON, start=datetime(2026, 5, 1, 9, 2))).to_dict()
    found = compare_analyses(before, two)
    assert found.measurements["qrs_ms"].reason == "other leads were recorded, from which intervals are measured"
    assert found.measurements["hr_bpm"].verdict == "within noise"
    assert any("V1" in warning for warning in found.warnings)
    assert found.labels["superclass"]["MI"].verdict == "cannot be told"
    assert found.leads["V1"]["r_mv"].reason == "no value in the second recording: the lead was not recorded"
    both = compare_analyses(two, two).measurements["qt_ms"].noise
    assert both.source == "minutes"
    assert both.limit > found.measurements["qt_ms"].noise.limit or both == found.measurements["qt_ms"].noise


def test_the_shortest_rr_of_a_longer_recording_is_no_news(before, after):
    after["recording"]["duration_s"] = 60.0
    found = compare_analyses(before, after).measurements
    assert "longer" in found["rr_min_ms"].reason
    assert found["hr_bpm"].verdict == "within noise"


def test_statements_of_two_versions_of_a_model_cannot_be_compared(before, after):
    after["predictions"]["heart12"]["version"] = "2.0.0"
    found = compare_analyses(before, after)
    assert found.labels["superclass"]["MI"].reason == "two versions of the model spoke: 1.0.0 and 2.0.0"
    assert found.age.verdict == "cannot be told"


def test_without_the_12_lead_model_measurements_are_still_compared(before, after):
    before["predictions"] = after["predictions"] = {}
    found = compare_analyses(before, after)
    assert found.labels == {}
    assert found.measurements["qt_ms"].verdict == "within noise"


@pytest.mark.parametrize(
    ("change", "warning"),
    [
        ({"id": "P-2"}, "named as of two people: P-1 and P-2"),
        ({"id": None}, "not stated"),
        ({"sex": "male"}, "sexes stated contradict each other: female and male"),
        ({"age": 75.0}, "do not fit the time between"),
    ],
)
def test_another_person_is_warned_of(before, after, change, warning):
    after["subject"] |= change
    assert any(warning in text for text in compare_analyses(before, after).warnings)


def test_the_order_of_time_is_checked(before, after):
    assert "the second was recorded before the first" in compare_analyses(after, before).warnings
    after["recording"]["start"] = None
    after["subject"]["age"] = 50.0
    found = compare_analyses(before, after)
    assert found.elapsed_s is None
    assert any("not both say when" in text for text in found.warnings)
    assert any("younger in the second" in text for text in found.warnings)


def test_a_time_with_a_zone_is_not_set_against_one_without(before, after):
    after["recording"]["start"] = "2026-05-01T09:02:00+00:00"
    assert compare_analyses(before, after).elapsed_s is None


def test_all_of_it_is_json_and_every_measurement_is_in_it(before, after):
    found = compare_analyses(before, after)
    told = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert tuple(told["measurements"]) == VALUES
    assert set(told["leads"]) == set(before["recording"]["leads"])
    assert verdicts(found) <= set(VERDICTS)
    assert {item["fate"] for item in told["statements"]} <= set(FATES)
    assert told["noise"]["sources"] == {name: dict(item) for name, item in shipped_noise().sources.items()}


def test_nothing_is_called_better_or_worse(before):
    for after in (analysed(shape="lbbb", seed=2), analysed(rhythm="af", seed=2)):
        text = json.dumps(compare_analyses(before, after).to_dict()).lower()
        assert not any(word in text for word in ("worse", "better", "improve", "deteriorat", "progress"))


def test_analyses_as_values_are_compared_like_their_json():
    recording = synthesize(seed=3).recording
    found = analyze(recording, models=())
    assert compare_analyses(found, found).to_dict() == compare_analyses(found.to_dict(), found.to_dict()).to_dict()
