"""How ``heart12`` is examined: the figures, their conventions, and the way from a folder to them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ecg_core.datasets import DATASETS, Item
from ecg_core.datasets.ptbxl import PtbXlTruth
from ecg_core.errors import InvalidValue
from ecg_core.evaluation import EXAMS, Exam, evaluate
from ecg_core.evaluation.exams import base
from ecg_core.evaluation.heart12 import Said, score_heart12
from ecg_core.readers import READERS
from ecg_core.recording import Recording
from tests.predictors.heart12_model import HEADS, LABELS, a_recording, make_model

PROMISED = (
    *("superclass.macro_auc", *(f"superclass.{name}.auc" for name in ("NORM", "MI", "STTC", "CD", "HYP"))),
    *(
        "statements.macro_auc",
        "statements.macro_auc_10",
        "subclass.macro_auc",
        "rhythm.macro_auc",
        "rhythm.macro_auc_10",
    ),
    *("AFIB.auc", "sex.auc", "age.mae", "superclass.ece", "superclass.slope", "superclass.intercept"),
    *("superclass.MI.se_at_sp90", "superclass.MI.ece", "lead_I.AFIB.auc", "lead_I.superclass.macro_auc"),
    *("abstains", "lead_I.abstains", "unread"),
)
COLUMNS = {head: {label: LABELS.index(name) for label, name in labels.items()} for head, labels in HEADS.items()}


def truth_of(*codes: str, superclasses: str = "", age: float | None = 60, sex: str | None = "male", n: int = 1):
    return PtbXlTruth(
        ecg_id=n,
        age=age,
        over_89=False,
        sex=sex,
        statements=dict.fromkeys(codes, 100.0),
        superclasses=frozenset(superclasses.split()),
        subclasses=frozenset(code for code in codes if code in ("NORM", "IMI", "LVH")),
        fold=10,
        patient_id=None,
        af_elsewhere=None,
    )


def said_of(truths, probability=None, **changes) -> Said:
    """Return answers that are right with a probability of 0.9 throughout, unless changed."""
    right = np.full((len(truths), len(LABELS)), 0.1)
    for row, truth in zip(right, truths, strict=True):
        for name in LABELS:
            head, label = name.split(".")
            has = {
                "statements": set(truth.statements),
                "subclass": truth.subclasses,
                "superclass": truth.superclasses,
                "sex": {truth.sex},
            }
            row[LABELS.index(name)] = 0.9 if label in has[head] else 0.1
    found = right if probability is None else probability
    ages = np.array([60.0 if truth.age is None else truth.age for truth in truths])
    given = {
        "heads": COLUMNS,
        "probability": found,
        "called": found >= 0.5,
        "years": np.stack([ages, ages - 5, ages + 5], axis=1),
        "abstains": np.zeros(len(truths), bool),
    }
    return Said(**(given | changes))


def figures(truths, said: Said) -> dict[str, float]:
    return {name: float(values[0]) for name, values in score_heart12(truths, said)(np.ones((1, len(truths)))).items()}


SOME = [
    truth_of("NORM", "SR", superclasses="NORM", sex="female"),
    truth_of("IMI", "SR", superclasses="MI"),
    truth_of("IMI", "LVH", "AFIB", superclasses="MI HYP", age=70),
    truth_of("CLBBB", "AFIB", superclasses="CD", age=None, sex=None),
    truth_of("PACE"),
]


# --- conventions ----------------------------------------------------------------------------------------------------


def test_right_answers_score_full_marks():
    found = figures(SOME, said_of(SOME))
    for name in ("superclass.macro_auc", "statements.macro_auc", "subclass.macro_auc", "rhythm.macro_auc", "AFIB.auc"):
        assert found[name] == 1.0, name
    assert found["sex.auc"] == found["superclass.MI.f1"] == found["superclass.MI.se_at_sp90"] == 1.0
    assert found["age.mae"] == 0.0
    assert found["age.coverage"] == 1.0
    assert found["abstains"] == found["unread"] == 0.0


def test_records_without_a_label_of_a_task_are_left_out_of_that_task():
    said = said_of(SOME)
    wrong = said.probability.copy()
    wrong[4, [COLUMNS["superclass"][label] for label in COLUMNS["superclass"]]] = 1.0
    assert figures(SOME, said_of(SOME, wrong))["superclass.macro_auc"] == 1.0
    truths = [*SOME, truth_of("NORM", superclasses="NORM")]
    silent = np.vstack([said_of(truths).probability[:-1], said_of(truths).probability[-1:]])
    silent[-1, COLUMNS["statements"]["AFIB"]] = 1.0
    found = figures(truths, said_of(truths, silent))
    assert found["AFIB.auc"] == 1.0
    assert found["statements.AFIB.auc"] < 1.0


def test_a_label_counts_in_a_mean_where_both_classes_occur():
    found = figures(SOME, said_of(SOME))
    assert np.isnan(found["superclass.STTC.auc"])
    assert np.isnan(found["rhythm.TRIGU.auc"])
    assert np.isnan(found["statements.macro_auc_10"])
    many = SOME * 5
    flipped = 1 - said_of(many).probability
    found = figures(many, said_of(many, flipped))
    assert found["statements.IMI.auc"] == 0.0
    assert found["statements.macro_auc_10"] == found["statements.macro_auc"] == 0.0


def test_unknown_ages_and_sexes_are_left_out():
    said = said_of(SOME)
    years = said.years.copy()
    years[3] = 5.0, 4.0, 6.0
    years[2] += 8.0
    found = figures(SOME, said_of(SOME, years=years))
    assert found["age.mae"] == pytest.approx(8 / 4)
    assert found["age.coverage"] == pytest.approx(3 / 4)
    other = said.probability.copy()
    other[3, COLUMNS["sex"]["female"]] = 1.0
    assert figures(SOME, said_of(SOME, other))["sex.auc"] == 1.0


def test_what_could_not_be_read_is_counted_and_left_out_of_all_else():
    said = said_of(SOME)
    blank = said.probability.copy()
    blank[1] = np.nan
    found = figures(SOME, said_of(SOME, blank, abstains=np.array([0, 1, 0, 0, 1], bool)))
    assert found["superclass.macro_auc"] == 1.0
    assert found["unread"] == pytest.approx(1 / 5)
    assert found["abstains"] == pytest.approx(2 / 5)


def test_chance_scores_a_half():
    rng = np.random.default_rng(0)
    truths = [SOME[at] for at in rng.integers(0, 4, 1200)]
    found = figures(truths, said_of(truths, rng.random((1200, len(LABELS)))))
    assert found["superclass.macro_auc"] == pytest.approx(0.5, abs=0.03)
    assert found["statements.macro_auc"] == pytest.approx(0.5, abs=0.03)


def test_calibration_is_told_from_miscalibration():
    rng = np.random.default_rng(1)
    probability = rng.uniform(0.05, 0.95, (4000, len(LABELS)))
    labels = np.array([*COLUMNS["superclass"]])
    drawn = rng.random((4000, 5)) < probability[:, list(COLUMNS["superclass"].values())]
    truths = [truth_of("SR", superclasses=" ".join(labels[row])) for row in drawn]
    honest = figures(truths, said_of(truths, probability))
    extreme = 1 / (1 + ((1 - probability) / probability) ** 3)
    bold = figures(truths, said_of(truths, extreme))
    assert honest["superclass.slope"] == pytest.approx(1.0, abs=0.1)
    assert bold["superclass.ece"] > honest["superclass.ece"] + 0.05
    assert bold["superclass.slope"] == pytest.approx(honest["superclass.slope"] / 3, rel=1e-3)


def test_answers_and_truths_must_be_as_many():
    with pytest.raises(InvalidValue, match="one truth a record"):
        score_heart12(SOME, said_of(SOME[:-1]))


# --- from a folder --------------------------------------------------------------------------------------------------

TABLE = """ecg_id,age,sex,scp_codes,strat_fold,filename_lr,filename_hr
1,56.0,1,"{'NORM': 100.0, 'SR': 0.0}",10,records100/1_lr,
2,15.0,0,"{'IMI': 100.0, 'SR': 0.0}",10,records100/2_lr,
3,80.0,0,"{'AFIB': 0.0}",10,records100/3_lr,
4,300.0,1,"{'IMI': 50.0, 'AFIB': 0.0}",10,records100/4_lr,
5,44.0,1,"{'NORM': 100.0}",9,records100/5_lr,
"""
STATEMENTS = """,description,diagnostic,form,rhythm,diagnostic_class,diagnostic_subclass
NORM,normal ECG,1.0,,,NORM,NORM
IMI,inferior myocardial infarction,1.0,,,MI,IMI
SR,sinus rhythm,,,1.0,,
AFIB,atrial fibrillation,,,1.0,,
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("sets") / "ptbxl"
    (folder / "records100").mkdir(parents=True)
    (folder / "ptbxl_database.csv").write_text(TABLE)
    (folder / "scp_statements.csv").write_text(STATEMENTS)
    for number in range(1, 6):
        made = a_recording(fs=100.0, seed=number)
        signal = made.signal.copy()
        if number == 3:
            signal[made.leads.index("I")] = 0
        recording = Recording(signal, 100.0, made.leads)
        for name, content in READERS["wfdb"].write(recording, f"{number}_lr").items():
            (folder / "records100" / name).write_bytes(content)
    return folder.parent


@pytest.fixture
def _installed(tmp_path, monkeypatch):
    monkeypatch.setenv("EINTHOVEN_MODELS", str(tmp_path))
    make_model(tmp_path)


@pytest.mark.usefixtures("_installed")
def test_exam_reads_a_split_whole_and_gives_the_promised_figures(root):
    result = evaluate("heart12", "ptbxl", root, split="10", resamples=20)
    assert (result.model, result.version, result.n) == ("heart12", "9.0.0", 4)
    assert set(PROMISED) <= set(result.metrics)
    for name in ("superclass.macro_auc", "AFIB.auc", "sex.auc", "lead_I.superclass.macro_auc"):
        assert 0 <= result.metrics[name].value <= 1, name
    assert result.metrics["age.mae"].value > 0


@pytest.mark.usefixtures("_installed")
def test_those_of_whom_nothing_would_be_said_are_scored_and_counted(root):
    """One record is of a child; the lead I of another is off."""
    metrics = evaluate("heart12", "ptbxl", root, split="10", resamples=0).metrics
    assert metrics["abstains"].value == pytest.approx(1 / 4)
    assert metrics["lead_I.abstains"].value == pytest.approx(2 / 4)
    assert metrics["unread"].value == metrics["lead_I.unread"].value == 0.0


@pytest.mark.usefixtures("_installed")
def test_records_answer_together_as_each_alone(root):
    exam = EXAMS["heart12"]["ptbxl"]
    items = list(DATASETS["ptbxl"].iterate(root))[:3]
    for item, together in zip(items, exam.answers(items), strict=True):
        alone = exam.answer(item)
        for found, expected in ((together.whole, alone.whole), (together.one, alone.one)):
            np.testing.assert_allclose(found.probability, expected.probability, atol=1e-6)
        assert together.truth == item.truth


def test_a_model_that_reads_several_records_together_gets_all_of_them_in_order(root, monkeypatch):
    monkeypatch.setattr(base, "_TOGETHER", 2)
    asked: list[list[str]] = []

    def many(items: list[Item]) -> list[str]:
        asked.append([item.name for item in items])
        return asked[-1]

    def score(answers: list[str]):
        return lambda weights: {"n": np.full(len(weights), float(len(answers)))}

    exam = Exam(lambda: "1", lambda _: pytest.fail("one by one"), score, answer_many=many)
    monkeypatch.setitem(EXAMS["heart12"]._items, "ptbxl", exam)
    assert evaluate("heart12", "ptbxl", root).metrics["n"].value == 5.0
    assert asked == [["1_lr", "2_lr"], ["3_lr", "4_lr"], ["5_lr"]]
