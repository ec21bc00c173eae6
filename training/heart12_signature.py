"""The table behind `ecg_core.risk.signature`: scores of tracings without AF, and what they were measured to tell.

The truth is PTB-XL's ``af_elsewhere.csv``: tracings without AF of patients who have AF in another record, mostly within
days. There are few, so nothing is trained or chosen on them. The set at hand names no patients: intervals resample
records as if each were of another patient, which makes them too narrow where a patient has several.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ecg_core.errors import InvalidValue
from ecg_core.evaluation.bootstrap import RESAMPLES, Score, measure
from ecg_core.evaluation.classification import auc
from ecg_core.risk.signature import PROBABILITY, QUANTILES, TREES

SOURCE = "PTB-XL 1.0.3, af_elsewhere.csv"
GROUPING = "by record: the copy at hand names no patients, so intervals are too narrow where one has several records"
_DIGITS = 4
_SCORES = {
    TREES: "log odds of AFIB by the boosted trees on measured figures, all leads read",
    PROBABILITY: "logit of the calibrated probability of AFIB, all leads read",
}


def signature_table(
    scores: np.ndarray,
    elsewhere: np.ndarray,
    ages: np.ndarray,
    *,
    records: Sequence[str],
    fold: str,
    ranked: np.ndarray | None = None,
    score_of: str = TREES,
    source: str = SOURCE,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> dict[str, Any]:
    """Return the content of ``signature.json`` from scores of tracings without AF.

    Parameters
    ----------
    scores
        Of AF, from a model that has not seen the tracing; shape (n,).
    elsewhere
        1 where the patient has AF in another record, 0 where not, NaN where it is not known; shape (n,).
    ages
        Years, NaN where unknown; shape (n,).
    records
        Their names.
    fold
        How it was seen to that the model has not seen them, in words.
    ranked
        Scores of tracings without AF by the model as it is served, which has not seen them: the ones that others are
        ranked among. Without them, ``scores``.
    score_of
        What they are: ``"trees"``, log odds by the boosted trees alone, or ``"probability"``, the logit of the
        calibrated probability. The served model is asked for the same.
    source
        Where the truth is from.
    seed, resamples
        Of the intervals.
    """
    if not (len(scores) == len(elsewhere) == len(ages) == len(records)) or not np.isfinite(scores).all():
        raise InvalidValue(
            "one finite score, truth, age and name a record",
            field="scores",
            found=f"{len(scores)}, {len(elsewhere)}, {len(ages)}, {len(records)}",
        )
    judged = ~np.isnan(elsewhere)
    truth = elsewhere[judged] == 1
    if not truth.any() or truth.all():
        raise InvalidValue(
            "only one of the two classes", field="elsewhere", found=f"{int(truth.sum())} of {len(truth)}"
        )
    names = [name for name, kept in zip(records, judged, strict=True) if kept]
    score = _score(truth, scores[judged], ages[judged])
    checks = measure(score, names, seed=seed, resamples=resamples)
    whole, among = checks["score"], scores if ranked is None else ranked
    return {
        "score_quantiles": np.quantile(among, np.linspace(0, 1, QUANTILES)).round(_DIGITS).tolist(),
        "score_of": score_of,
        "score": _SCORES[score_of],
        "source": source,
        "fold": fold,
        "n": len(among),
        "n_judged": len(truth),
        "n_positive": int(truth.sum()),
        "auroc": whole.value,
        "low": whole.low,
        "high": whole.high,
        "age_auroc": checks["age"].value,
        "grouping": GROUPING,
        "checks": {name: metric.to_dict() for name, metric in checks.items()},
        "says": "AF-like traits in a tracing without AF, as a rank among such tracings; no risk over years is claimed",
    }


def _score(truth: np.ndarray, scores: np.ndarray, ages: np.ndarray) -> Score:
    """Return AUROC of the score, of age, of both, of the score at the same age, and score less age.

    Those with age leave out records whose age is not known.
    """
    aged = ~np.isnan(ages)
    rank, years = _standard(scores), _standard(np.where(aged, ages, np.nanmean(ages)))
    both = _cross_fitted(truth[aged], np.column_stack([rank, years])[aged])
    slope = np.polyfit(years[aged & ~truth], rank[aged & ~truth], 1)
    residual = rank - np.polyval(slope, years)

    def score(weights: np.ndarray) -> dict[str, np.ndarray]:
        known = weights[:, aged]
        of_age = auc(truth[aged], years[aged], known)
        of_score = auc(truth[aged], rank[aged], known)
        return {
            "score": auc(truth, rank, weights),
            "age": of_age,
            "score_and_age": auc(truth[aged], both, known),
            "score_at_same_age": auc(truth[aged], residual[aged], known),
            "score_less_age": of_score - of_age,
        }

    return score


def _standard(values: np.ndarray) -> np.ndarray:
    spread = float(values.std())
    return np.asarray((values - values.mean()) / (spread or 1.0))


def _cross_fitted(truth: np.ndarray, columns: np.ndarray, k: int = 5) -> np.ndarray:
    """Return the score of a logistic model of the columns, each record scored by a model fitted without it.

    The folds take positives and negatives in turn, and what they say is ranked within the fold's own scale, so the
    columns have to be standardised.
    """
    order = np.lexsort((np.arange(len(truth)), truth))
    fold = np.empty(len(truth), np.int64)
    fold[order] = np.arange(len(truth)) % k
    found = np.empty(len(truth))
    for held in range(k):
        inside = fold != held
        weights = _logistic(truth[inside], columns[inside])
        found[~inside] = np.column_stack([columns[~inside], np.ones((~inside).sum())]) @ weights
    return found


def _logistic(truth: np.ndarray, columns: np.ndarray, ridge: float = 1e-2, steps: int = 50) -> np.ndarray:
    """Return weights, the intercept last, by Newton's method with a little ridge."""
    x = np.column_stack([columns, np.ones(len(columns))])
    penalty = ridge * np.diag([*np.ones(columns.shape[1]), 0.0])
    weights = np.zeros(x.shape[1])
    for _ in range(steps):
        probability = 1 / (1 + np.exp(-x @ weights))
        gradient = x.T @ (truth - probability) - penalty @ weights
        curvature = (x * (probability * (1 - probability))[:, None]).T @ x + penalty
        step = np.linalg.solve(curvature, gradient)
        weights = weights + step
        if np.abs(step).max() < 1e-8:
            break
    return weights
