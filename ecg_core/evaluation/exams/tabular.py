"""``tabular`` on PTB-XL: each record with the age and sex that its table states.

What is scored is what the model makes of every record that can be measured at all, as calibrated, by the conventions of
the published benchmark: a record without any diagnostic statement is left out of the superclasses, one without any
rhythm statement out of AFIB. ``abstains`` is the share of records of which it would say nothing; they are left out of
the other figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ecg_core.artefacts import Artefact, load_model
from ecg_core.datasets import Item
from ecg_core.datasets.ptbxl import SUPERCLASSES, PtbXlTruth
from ecg_core.evaluation.bootstrap import Score, ratio
from ecg_core.evaluation.calibration import calibration_error, calibration_line
from ecg_core.evaluation.classification import auc, average_precision, score_labels
from ecg_core.evaluation.exams.base import Exam, register
from ecg_core.evaluation.operating_points import sensitivity_at_specificity
from ecg_core.evaluation.outcomes import Outcomes
from ecg_core.evaluation.statements import CLASSES, RHYTHMS, TELLING, outcomes_of, score_brief
from ecg_core.predictors import DEFAULT_POINT
from ecg_core.predictors.chain import examine
from ecg_core.predictors.tabular import MODEL, Tabular

STATEMENTS, AF = "statements", "AFIB"
MAIN = (
    "superclass.macro_auc",
    "superclass.ece",
    "AFIB.auc",
    *(f"superclass.{label}.auc" for label in SUPERCLASSES),
)


@dataclass(frozen=True, eq=False)
class Answer:
    """What the model made of one record."""

    truth: PtbXlTruth
    probability: np.ndarray
    """Calibrated, shape (n_outputs,); NaN where it could not be measured."""
    abstains: bool


def score_tabular(
    classes: Sequence[frozenset[str]],
    statements: Sequence[frozenset[str]],
    probability: np.ndarray,
    heads: Mapping[str, Mapping[str, int]],
) -> Score:
    """Return ``superclass.macro_auc``, ``superclass.NORM.auc``, ``AFIB.auc``, ``statements.LVH.auc`` and so on.

    Parameters
    ----------
    classes, statements
        Superclasses and SCP codes of each record.
    probability
        Shape (n_records, n_outputs).
    heads
        Head to label to column.
    """
    ranks = {"auc": auc, "auprc": average_precision, "se_at_sp90": sensitivity_at_specificity(0.9)}
    of_class, of_statement = heads[CLASSES], heads[STATEMENTS]
    truth = _truth(classes, [*of_class])
    said = probability[:, list(of_class.values())]
    by_class = score_labels(truth, said, [*of_class], ranks)
    # A record without any of the statements is one without them, not one that nothing is known of.
    others = np.column_stack([_truth(statements, [*of_statement]), np.ones(len(statements), bool)])
    by_statement = score_labels(
        others,
        np.column_stack([probability[:, list(of_statement.values())], np.zeros(len(others))]),
        [*of_statement, ""],
    )
    rhythmic = np.array([bool(codes & RHYTHMS) for codes in statements])
    fibrillates = np.array([AF in codes for codes in statements])
    of_af = probability[:, heads["af"][AF]]
    kept = truth.any(axis=1)

    def score(weights: np.ndarray) -> dict[str, np.ndarray]:
        figures = {f"{CLASSES}.{name}": values for name, values in by_class(weights).items()}
        figures |= {
            f"{AF}.{name}": metric(fibrillates[rhythmic], of_af[rhythmic], weights[:, rhythmic])
            for name, metric in ranks.items()
        }
        figures |= {
            f"{STATEMENTS}.{name}": values for name, values in by_statement(weights).items() if not name.startswith(".")
        }
        errors = []
        for at, label in enumerate(of_class):
            line = calibration_line(truth[kept, at], said[kept, at], weights[:, kept])
            errors.append(calibration_error(truth[kept, at], said[kept, at], weights[:, kept]))
            found = zip(("ece", "slope", "intercept"), (errors[-1], *line), strict=True)
            figures |= {f"{CLASSES}.{label}.{name}": values for name, values in found}
        return figures | {f"{CLASSES}.ece": np.mean(errors, axis=0)}

    return score


def _truth(has: Sequence[frozenset[str]], labels: Sequence[str]) -> np.ndarray:
    """Return which record has which label, bool, shape (n_records, n_labels)."""
    return np.array([[label in of_record for label in labels] for of_record in has], bool).reshape(-1, len(labels))


def _answer_many(items: Sequence[Item[PtbXlTruth]]) -> list[Answer]:
    model = _model(load_model(MODEL))
    contexts = [examine(item.recording) for item in items]
    found = []
    for item, context, prediction in zip(items, contexts, model.predict(contexts), strict=True):
        unread = bool(model.refusals(context))
        said = np.full(len(model.outputs), np.nan) if unread else model.probabilities([context])[0]
        found.append(Answer(item.truth, said, prediction.abstains))
    return found


def _answer(item: Item[PtbXlTruth]) -> Answer:
    return _answer_many([item])[0]


def _score(answers: Sequence[Answer]) -> Score:
    said = np.stack([answer.probability for answer in answers])
    abstains = np.array([answer.abstains for answer in answers], np.float64)
    kept = np.flatnonzero(np.isfinite(said).all(axis=1))
    truths = [answers[at].truth for at in kept.tolist()]
    scored = score_tabular(
        [truth.superclasses for truth in truths],
        [frozenset(truth.statements) for truth in truths],
        said[kept],
        _model(load_model(MODEL)).heads,
    )

    def score(weights: np.ndarray) -> dict[str, np.ndarray]:
        return {**scored(weights[:, kept]), "abstains": ratio(weights @ abstains, weights.sum(axis=1))}

    return score


def _outcomes(answers: Sequence[Answer]) -> Outcomes:
    artefact = load_model(MODEL)
    outputs, points = _model(artefact).outputs, artefact.manifest["thresholds"]
    limits = np.array([points[output].get(DEFAULT_POINT, np.nan) for output in outputs], np.float64)
    said = np.stack([answer.probability for answer in answers])
    return outcomes_of([answer.truth for answer in answers], outputs, said, limits)


@lru_cache(2)
def _model(artefact: Artefact) -> Tabular:
    return Tabular(artefact)


register(
    MODEL,
    "ptbxl",
    Exam(
        lambda: load_model(MODEL).version,
        _answer,
        _score,
        trained_on=lambda: load_model(MODEL).trained_on("ptbxl"),
        answer_many=_answer_many,
        main=MAIN,
        brief=lambda answers: score_brief(_outcomes(answers)),
        outcomes=_outcomes,
        telling=TELLING,
    ),
)
