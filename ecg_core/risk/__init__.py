"""The risk of atrial fibrillation in the years to come, and where each figure is from.

>>> from ecg_core.risk import af_risk
>>> risk = af_risk(context, predictions)
>>> risk.value_5y, risk.basis, risk.would_narrow, risk.signature.percentile
"""

from ecg_core.risk.af_risk import AfRisk, af_risk
from ecg_core.risk.charge_af import charge_af, charge_af_risk
from ecg_core.risk.facts import FACTS, Fact, known_facts, parse_facts
from ecg_core.risk.reference import reference_risk
from ecg_core.risk.signature import SIGNATURE, Signature, af_score, find_signature, tree_score
from ecg_core.risk.value import Estimate, Narrowing, ReferenceRisk

__all__ = [
    "FACTS",
    "SIGNATURE",
    "AfRisk",
    "Estimate",
    "Fact",
    "Narrowing",
    "ReferenceRisk",
    "Signature",
    "af_risk",
    "af_score",
    "charge_af",
    "charge_af_risk",
    "find_signature",
    "known_facts",
    "parse_facts",
    "reference_risk",
    "tree_score",
]
