"""What an examination tells beside its metrics: the same form for every model."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from ecg_core.datasets import Item
from ecg_core.datasets.base import Entry
from ecg_core.evaluation import EXAMS, evaluate
from ecg_core.evaluation.bootstrap import Tally, ratio
from ecg_core.evaluation.conditions import Trial
from ecg_core.evaluation.exams.analysis import Answer, score_against, tally
from ecg_core.evaluation.exams.base import Exam
from ecg_core.evaluation.exams.parts import PARTS, Scored, measure_robustness, tell_parts
from ecg_core.evaluation.exams.rhythm import AF
from ecg_core.evaluation.exams.rhythm import Answer as Rhythm
from ecg_core.evaluation.gallery import write_gallery
from ecg_core.evaluation.outcomes import Outcomes
from ecg_core.evaluation.subgroups import groups_of
from ecg_core.recording import Recording, Subject
from ecg_core.synthesis import synthesize

N = 60
LARGE = 0.5


def recording(number: int) -> Recording:
    """Return a flat lead of 1 mV, or of 0.1 mV where the number is odd."""
    return Recording(np.full((1, 100), 0.1 if number % 2 else 1.0), 100, ("II",))


def score(answers: list[tuple[bool, float]]):
    sums_of = Tally([{"n": 1.0, "right": float(truth == (said >= LARGE))} for truth, said in answers])
    return lambda weights: {"right": ratio((sums := sums_of(weights))["right"], sums["n"])}


def outcomes(answers: list[tuple[bool, float]]) -> Outcomes:
    truth, said = np.array(answers).T[:, :, None]
    known = np.ones_like(truth, bool)
    return Outcomes(("large",), truth > 0, known, said, said >= LARGE, {"large": LARGE}, [("x",)] * len(answers))


@pytest.fixture
def scored() -> Scored:
    """Return a model that tells large signals, and is wrong in women over 75."""
    exam = Exam(
        lambda: "1",
        lambda item: (item.truth, float(np.abs(item.recording.signal).max())),
        score,
        main=("right",),
        outcomes=outcomes,
    )
    entries = [Entry(f"r{at}", lambda at=at: recording(at), lambda at=at: at % 2 == 0) for at in range(N)]
    people = [Subject(age=80.0 if at < 30 else 30.0, sex="female" if at < 30 else "male") for at in range(N)]
    answers = [(at % 2 == 0, 0.9 - 0.8 * ((at % 2 == 0) == (at < 30))) for at in range(N)]
    names = [entry.name for entry in entries]
    return Scored(exam, "made", None, None, entries, answers, people, names, names)


def test_groups_carry_their_difference_and_what_is_not_known_is_named(scored):
    found = tell_parts(scored, ["subgroups"], resamples=50)
    women = found["subgroups"]["sex"]["female"]["metrics"]
    assert (women["right"]["value"], women["right.difference"]["value"]) == (0.0, -1.0)
    assert set(found["subgroups"]["age"]) == {"under 40", "75 and over"}
    assert set(found["subgroups_unknown"]) == {"device", "site"}


def test_devices_and_sites_are_groups_where_they_are_named():
    groups, unknown = groups_of([Subject(facts={"device": name, "site": "1"}) for name in "AABBB"])
    assert list(groups["device"]) == ["B", "A"]
    assert groups["device"]["A"].tolist() == [True, True, False, False, False]
    assert set(unknown) == {"sex", "age"}


def test_failures_and_curves_follow_from_what_was_said_of_labels(scored):
    found = tell_parts(scored, ["curves", "failures"], resamples=50)
    assert list(found["curves"]["decision"]) == ["large"]
    assert found["failures"]["labels"]["large"]["false_negatives"]["n"] == 15
    json.dumps(found, allow_nan=False)


def test_condition_is_compared_with_the_same_records_as_they_were(scored):
    answers = [(at % 2 == 0, 1.0 if at % 2 == 0 else 0.1) for at in range(N)]

    def damp(one: Recording, _rng: np.random.Generator) -> Recording:
        return replace(one, signal=one.signal * 0.2)

    tried = (
        Trial("amplitude", "times 0.2", 0.2, damp),
        Trial("amplitude", "times 1", 1.0, lambda one, _rng: one),
        Trial("leads lost", "V1", 1, damp, ("V1",)),
    )
    found = measure_robustness(replace(scored, answers=answers), tried, "none", sample=20, resamples=50)
    assert (found["n"], found["records"]) == (20, "one in 3")
    assert found["as recorded"]["right"]["value"] == 1.0
    assert [row["metrics"]["right.difference"]["value"] for row in found["conditions"]] == [-0.5, 0.0]


def test_every_exam_that_names_main_figures_has_them():
    for model in ("beats", "waves", "rhythm", "beat_classes"):
        exam = EXAMS[model]["bundled"]
        assert exam.main
        assert set(exam.main) <= set((exam.brief or exam.score)(_some_answers(model))(np.ones((1, 2))))


def _some_answers(model: str) -> list:
    from ecg_core.datasets import DATASETS

    entries = DATASETS["bundled"].listing(None).entries[:2]
    return list(EXAMS[model]["bundled"].answers([Item(e.name, e.load(), e.truth()) for e in entries]))


def test_evaluating_the_bundled_set_tells_all_that_applies():
    found = evaluate(
        "rhythm", "bundled", parts=[part for part in PARTS if part != "robustness"], resamples=10
    ).to_dict()
    assert "sex" in found["subgroups_unknown"]
    assert "failures" not in found


def test_flutter_counts_neither_way_in_what_is_said_of_af():
    exam = EXAMS["rhythm"]["ptbxl"]
    answers = [
        Rhythm(frozenset(("AFIB",)), "A", {"A": 0.9}),
        Rhythm(frozenset(("AFLT",)), "A", {"A": 0.9}),
        Rhythm(frozenset(("SR",)), None, {}),
    ]
    of = exam.outcomes(answers)
    assert of.labels == (AF,)
    assert of.known[:, 0].tolist() == [True, False, False]
    found = exam.score(answers)(np.ones((1, 3)))
    assert (found["AFIB.specificity"], found["AFIB.sensitivity"]) == (1.0, 1.0)
    assert found["abstains"] == pytest.approx(1 / 3)


# --- the whole analysis ---------------------------------------------------------------------------------------------


def said(**changes) -> Answer:
    values = {"hr_bpm": 60.0, "pr_ms": 160.0, "qrs_ms": 90.0, "qt_ms": 400.0}
    plain = Answer(frozenset(("MI",)), "good", np.arange(1.0, 9.0), values, frozenset(("MI",)), "N")
    return replace(plain, **changes)


def test_silence_is_no_error_and_what_is_wrong_and_called_good_is_told_apart():
    silent = said(verdict="poor", beats_s=None, values=dict.fromkeys(said().values), classes=None, rhythm=None)
    wrong = said(values={**said().values, "hr_bpm": 120.0, "qrs_ms": 140.0}, classes=frozenset(("NORM",)))
    found = score_against([said(), silent, wrong], [said()] * 3)(np.ones((1, 3)))
    value = {name: float(values[0]) for name, values in found.items()}
    assert value["heart_rate.given"] == pytest.approx(2 / 3)
    assert value["heart_rate.wrong"] == pytest.approx(1 / 2)
    assert value["heart_rate.wrong_called_good"] == pytest.approx(1 / 3)
    assert (value["qrs_ms.wrong"], value["qt_ms.wrong"]) == (0.5, 0.0)
    assert (value["superclass.changed"], value["normal.wrong"]) == (0.5, pytest.approx(1 / 3))
    assert value["superclass.right"] == pytest.approx((5 + 3) / 10)


def test_beats_are_compared_where_they_were_looked_for():
    figures = tally(said(beats_s=np.arange(1.0, 8.0) + 0.3), said())
    assert (figures["hits"], figures["missed"], figures["extra"]) == (0.0, 8, 7)
    assert "hits" not in tally(said(beats_s=None), said())


# --- drawings -------------------------------------------------------------------------------------------------------


def test_gallery_draws_each_record_once_and_lists_it_by_label(tmp_path):
    case = {"record": "a/<1>", "probability": 0.97, "truth": ["NORM"], "age": 61.0, "sex": "male"}
    row = {"false_positives": {"n": 3, "worst": [case]}, "false_negatives": {"n": 0, "worst": []}}
    failures = {"data": "made", "split": "9", "n": 5, "labels": {"MI": row, "CD": row}}
    loaded = []

    def load(name: str) -> Recording:
        loaded.append(name)
        return synthesize(seed=1, duration_s=5).recording

    page = write_gallery(tmp_path / "out", "m on made", failures, load, {})
    text = page.read_text("utf-8")
    assert loaded == ["a/<1>"]
    assert [path.suffix for path in sorted(page.parent.iterdir())] == [".svg", ".html"]
    assert "MI 0.970; people said NORM; male, 61 years" in text
    assert "<1>" not in text
    assert text.count("<img") == 2


def test_gallery_of_worst_records_begins_shortly_before_what_was_lost(tmp_path):
    failures = {
        "data": "made",
        "split": None,
        "n": 5,
        "metric": "f1",
        "worst": [{"record": "r", "figures": {"f1": 0.5, "se": None}}],
    }
    long = synthesize(seed=1, duration_s=40, leads=("II",)).recording
    page = write_gallery(tmp_path, "m", failures, lambda _: long, {"r": 24.0})
    assert "20.0 to 30.0 s of 40.0 s" in next(tmp_path.glob("*.svg")).read_text("utf-8")
    assert "r: f1 0.500" in page.read_text("utf-8")
