"""Beats found against beats annotated, and beat classes."""

from __future__ import annotations

import numpy as np
import pytest

from ecg_core.datasets.marks import BEAT_SYMBOLS
from ecg_core.errors import InvalidValue
from ecg_core.evaluation.beat_classes import AAMI, CLASSES, aami_class, score_classes, tally_classes
from ecg_core.evaluation.beats import flutter_spans, pair_beats, score_beats, tally_beats
from ecg_core.evaluation.bootstrap import measure

EVERY_SECOND = np.arange(1.0, 1000.0)


def values(score, n: int) -> dict[str, float | None]:
    return {
        name: metric.value for name, metric in measure(score, [str(i) for i in range(n)], resamples=1 + (n > 1)).items()
    }


def test_gross_counts_beats_and_average_counts_records():
    long = tally_beats(EVERY_SECOND, EVERY_SECOND)
    short = tally_beats(np.array([1.0, 2.0]), np.array([1.0, 1.5, 1.6]))
    found = values(score_beats([long, short]), 2)
    assert found["se_150ms"] == pytest.approx(1000 / 1001)
    assert found["ppv_150ms"] == pytest.approx(1000 / 1002)
    assert found["f1_150ms"] == pytest.approx(2000 / 2003)
    assert found["average.se_150ms"] == pytest.approx((1 + 1 / 2) / 2)
    assert found["average.ppv_150ms"] == pytest.approx((1 + 1 / 3) / 2)


def test_each_tolerance_counts_on_its_own():
    found = values(score_beats([tally_beats(EVERY_SECOND, EVERY_SECOND + np.where(EVERY_SECOND % 2, 0.05, 0.12))]), 1)
    assert found["f1_150ms"] == 1.0
    assert found["f1_75ms"] == pytest.approx(500 / 999)


def test_ec57_leaves_out_the_first_five_minutes_and_paced_records():
    found_s = np.concatenate((EVERY_SECOND[EVERY_SECOND >= 300] + 0.1, [100.5, 700.5]))
    record = tally_beats(EVERY_SECOND, np.sort(found_s), ec57=True)
    paced = tally_beats(EVERY_SECOND, np.empty(0), ec57=True, paced=True)
    found = values(score_beats([record, paced], ec57=True), 2)
    assert found["ec57.se_150ms"] == found["ec57.average.se_150ms"] == 1.0
    assert found["ec57.ppv_150ms"] == pytest.approx(700 / 701)
    assert found["se_150ms"] == pytest.approx(700 / 1998)
    assert found["ppv_150ms"] == pytest.approx(700 / 702)


def test_a_beat_just_after_the_fifth_minute_keeps_its_partner_before_it():
    pairing = pair_beats(np.array([300.01]), np.array([299.95]), 0.15, start_s=300.0)
    assert (len(pairing.reference), len(pairing.missed), len(pairing.extra)) == (1, 0, 0)
    pairing = pair_beats(np.array([299.95]), np.array([300.01]), 0.15, start_s=300.0)
    assert (len(pairing.reference), len(pairing.missed), len(pairing.extra)) == (0, 0, 0)


def test_answers_in_flutter_are_neither_right_nor_wrong():
    reference = EVERY_SECOND[(EVERY_SECOND < 400) | (EVERY_SECOND > 500)]
    spans = flutter_spans(np.array([10.0, 400.5, 402.0, 499.5]), ["N", "[", "!", "]"], 1000.0)
    assert spans == [(400.5, 499.5)]
    found = values(score_beats([tally_beats(reference, EVERY_SECOND, left_out=spans, ec57=True)], ec57=True), 1)
    assert found["ppv_150ms"] == pytest.approx(898 / 900)  # 400 and 500 s lie outside the marks
    assert found["ec57.ppv_150ms"] == pytest.approx(599 / 601)


@pytest.mark.parametrize(
    ("marks", "spans"),
    [
        ([], []),
        ([(5, "[")], [(5, 60)]),
        ([(5, "]")], [(0, 5)]),
        ([(5, "["), (6, "]"), (8, "["), (9, "]")], [(5, 6), (8, 9)]),
    ],
)
def test_flutter_without_end_lasts_to_the_end_and_without_start_from_the_start(marks, spans):
    assert flutter_spans(np.array([at for at, _ in marks], float), [mark for _, mark in marks], 60.0) == spans


def test_metrics_of_a_record_without_beats_are_undefined():
    found = values(score_beats([tally_beats(np.empty(0), np.empty(0))]), 1)
    assert set(found.values()) == {None}


# --- classes --------------------------------------------------------------------------------------------------------


def test_every_beat_symbol_has_a_class():
    assert set(AAMI) == BEAT_SYMBOLS
    groups = {name: "".join(sorted(symbol for symbol in AAMI if aami_class(symbol) == name)) for name in CLASSES}
    assert groups == {"N": "BLNRejn", "S": "AJSa", "V": "EVr", "F": "F", "Q": "/?Qf"}
    with pytest.raises(InvalidValue, match="not a beat annotation"):
        aami_class("+")


def matrix(counts: dict[str, int]) -> dict[str, float | None]:
    return values(score_classes([{pair: float(count) for pair, count in counts.items()}]), 1)


def test_sensitivity_counts_missed_beats_of_the_class():
    found = matrix({"VV": 90, "VN": 4, "VS": 1, "VF": 2, "VQ": 1, "VO": 2, "SS": 3, "SN": 1, "SO": 4})
    assert found["v_se"] == pytest.approx(0.9)
    assert found["s_se"] == pytest.approx(3 / 8)


def test_predictivity_forgives_fusion_and_unclassifiable_beats_as_ec57_does():
    found = matrix({"VV": 90, "NV": 5, "SV": 3, "OV": 2, "FV": 50, "QV": 50, "SS": 6, "NS": 1, "VS": 1, "FS": 1})
    assert found["v_ppv"] == pytest.approx(0.9)
    assert found["s_ppv"] == pytest.approx(6 / 9)
    assert matrix({"SS": 6, "OS": 2, "QS": 50})["s_ppv"] == pytest.approx(6 / 8)
    assert matrix({"FF": 1, "QF": 1})["f_ppv"] == 0.5


def test_classes_follow_the_pairing_of_beats():
    reference_s, found_s = np.array([1.0, 2.0, 3.0]), np.array([1.02, 2.5, 3.01])
    pairing = pair_beats(reference_s, found_s, 0.15)
    figures = tally_classes(pairing, ["N", "V", "S"], ["N", "V", "V"])
    assert figures == {"NN": 1.0, "SV": 1.0, "VO": 1.0, "OV": 1.0}


def test_unknown_class_is_refused():
    pairing = pair_beats(np.array([1.0]), np.array([1.0]), 0.15)
    with pytest.raises(InvalidValue, match="X as N"):
        tally_classes(pairing, ["X"], ["N"])


def test_class_that_does_not_occur_is_undefined():
    found = matrix({"NN": 5})
    assert (found["n_se"], found["s_se"], found["s_ppv"]) == (1.0, None, None)
