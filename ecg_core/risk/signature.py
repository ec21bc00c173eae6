"""`find_signature`: how AF-like a tracing without AF is, among such tracings.

A network that learned to tell AF gives tracings without AF a probability too, and it is higher in patients who have AF
at another time. That is all this says: a percentile, with the evidence measured for it, and nothing of years. The
table is made by ``training/heart12_signature.py`` and travels with the model as `SIGNATURE`. It names the score that it
is of (``score_of``), and a tracing is given the same: a percentile among scores of another kind would mean nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np

from ecg_core.artefacts import Artefact
from ecg_core.engine import network_of
from ecg_core.errors import ModelError
from ecg_core.predictors.base import Context
from ecg_core.predictors.figures import row_of
from ecg_core.predictors.heads import Heads
from ecg_core.predictors.value import Prediction
from ecg_core.predictors.views import FULL

SIGNATURE = "signature.json"
HEAD, LABEL = "af", "AFIB"
"""Whose probability is the score."""
PROBABILITY, TREES = "probability", "trees"
"""What a score is of: the logit of the calibrated probability, or the log odds by the trees alone, which can be had for
every record at hand by trees that have not seen it."""
QUANTILES = 101
_CLOSEST = 1e-9
"""A probability is kept this far from 0 and 1."""
_REQUIRED = ("score_quantiles", "source", "n", "n_positive", "auroc", "low", "high", "age_auroc")


@dataclass(frozen=True)
class Signature:
    """AF-like traits of a tracing without AF, as a rank; no risk and no time are claimed."""

    percentile: float | None
    """Share of tracings without AF, in percent, that are less AF-like."""
    reason: str | None = None
    """Why there is none, where there is none."""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    """What the score was measured to tell, JSON-ready; also where there is no percentile."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "evidence", MappingProxyType(dict(self.evidence)))

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {"percentile": self.percentile, "reason": self.reason, "evidence": dict(self.evidence)}


def af_score(prediction: Prediction) -> float | None:
    """Return the score of a tracing: the logit of its calibrated probability of AF; None where there is none."""
    answer = prediction.labels(HEAD).get(LABEL)
    if answer is None or answer.probability is None:
        return None
    probability = min(max(answer.probability, _CLOSEST), 1 - _CLOSEST)
    return math.log(probability / (1 - probability))


def tree_score(context: Context, artefact: Artefact) -> float | None:
    """Return the log odds of AF by the model's trees alone; None where they have nothing to read."""
    heads = _heads(artefact)
    view = heads.views[FULL]
    column = int(view.tree_columns[heads.heads[HEAD][LABEL]])
    if view.trees is None or column < 0:
        return None
    row = row_of(context.figures, heads.features[view.trees])
    if not np.isfinite(row).any():
        return None
    (said,) = network_of(artefact, view.trees)(row[None]).values()
    return float(said[0, column])


@lru_cache(2)
def _heads(artefact: Artefact) -> Heads:
    return Heads(artefact)


def find_signature(score: float | None, table: Mapping[str, Any], reasons: Sequence[str] = ()) -> Signature:
    """Return where a score stands among those of tracings without AF.

    Parameters
    ----------
    score
        Of the kind that the table states, from `af_score` or `tree_score`; None where there is none.
    table
        The content of `SIGNATURE`: 101 ``score_quantiles`` and the evidence.
    reasons
        Why nothing is to be said of this tracing; the first one is given.
    """
    if missing := [name for name in _REQUIRED if name not in table]:
        raise ModelError("the table of scores is incomplete", file=SIGNATURE, expected=", ".join(missing))
    quantiles = np.asarray(table["score_quantiles"], np.float64)
    if quantiles.shape != (QUANTILES,) or not (np.diff(quantiles) >= 0).all():
        raise ModelError(
            "not a table of scores", file=SIGNATURE, field="score_quantiles", expected=f"{QUANTILES} rising numbers"
        )
    evidence = {name: value for name, value in table.items() if name != "score_quantiles"}
    if reasons:
        return Signature(None, reasons[0], evidence)
    if score is None:
        return Signature(None, "the model gave no score of AF", evidence)
    return Signature(_percentile(score, quantiles), None, evidence)


def _percentile(score: float, quantiles: np.ndarray) -> float:
    """Return the percentile of a score; of one that several quantiles share, the middle."""
    low, high = np.searchsorted(quantiles, score, "left"), np.searchsorted(quantiles, score, "right")
    if high > low:
        return float(low + high - 1) / 2
    if low in (0, QUANTILES):
        return 0.0 if low == 0 else 100.0
    part = (score - quantiles[low - 1]) / (quantiles[low] - quantiles[low - 1])
    return round(float(low - 1 + part), 1)
