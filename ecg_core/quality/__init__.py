"""Signal quality: of each lead by rules, of a 12-lead recording by a model, when to abstain, and exchanged electrodes.

>>> from ecg_core.quality import assess_quality
>>> quality = assess_quality(recording)
>>> quality.verdict, quality.leads["V2"].reasons, quality.refusal(("II",))
>>> from ecg_core.quality import suspect_reversals
>>> suspect_reversals(recording, beats).suspected
"""

from ecg_core.quality.assess import Quality, assess_quality
from ecg_core.quality.figures import LeadFigures, measure_leads
from ecg_core.quality.reversals import Reversals, Suspicion, suspect_reversals
from ecg_core.quality.rules import LeadQuality, Verdict

__all__ = [
    "LeadFigures",
    "LeadQuality",
    "Quality",
    "Reversals",
    "Suspicion",
    "Verdict",
    "assess_quality",
    "measure_leads",
    "suspect_reversals",
]
