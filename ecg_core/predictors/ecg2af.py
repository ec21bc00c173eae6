"""ECG2AF, where its weights were added (``ecg models add ecg2af PATH``): risk of AF over time, sex, age, AF now.

What its outputs mean stands in `ecg_core.guests.ecg2af`. Its risk is meant for people without AF: where its own AF head
calls AF, that is said, and no risk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ecg_core.guests.ecg2af import TASK
from ecg_core.predictors.base import PREDICTORS, Context
from ecg_core.predictors.plugin import PluginPredictor
from ecg_core.predictors.value import DEFAULT_POINT, OperatingPoint, Prediction

RISK, SURVIVAL = "af_risk_5y", "af_survival"
IN_READ, YES = "af_in_read", "yes"


class Ecg2afPredictor(PluginPredictor):
    """ECG2AF, ready to answer."""

    def predict(self, contexts: Sequence[Context], operating_point: OperatingPoint = DEFAULT_POINT) -> list[Prediction]:
        """Answer for each recording, in order."""
        return [_without_moot_risk(prediction) for prediction in super().predict(contexts, operating_point)]


def _without_moot_risk(prediction: Prediction) -> Prediction:
    present = prediction.labels(IN_READ).get(YES)
    if present is None or not present.positive:
        return prediction
    reason = f"the model sees AF in this very tracing (probability {present.probability:.2f})"
    return replace(
        prediction,
        heads={name: head for name, head in prediction.heads.items() if name not in (RISK, SURVIVAL)},
        withheld={**prediction.withheld, RISK: reason, SURVIVAL: reason},
    )


PREDICTORS.register(TASK, Ecg2afPredictor)
