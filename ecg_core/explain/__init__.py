"""Why a model answers as it does: parts of the tracing, or measured figures, and what each adds to the answer.

====================  ==================================================================================================
``shap``              Shapley values of lead x wave (network) or of figures (trees); the parts sum to the answer
``occlusion``         what becomes of the answer when P, QRS, ST or T is made straight, or the person's usual one
``gradients``         integrated gradients from straight lines: by lead and time; the parts sum to the answer
``activation``        class activation: by time alone, all leads together, exact, at the price of one prediction
====================  ==================================================================================================

Why these: ``docs/decisions/0013-explanations.md``. How faithful each is was measured: ``metrics.json`` of the model.
"""

from ecg_core.explain.asking import explain, explain_recording, explainable, most_notable
from ecg_core.explain.value import METHODS, Explanation, Figure, Heat, Method, Segment

__all__ = [
    "METHODS",
    "Explanation",
    "Figure",
    "Heat",
    "Method",
    "Segment",
    "explain",
    "explain_recording",
    "explainable",
    "most_notable",
]
