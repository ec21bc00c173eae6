"""Signal quality: of each lead by stated rules, of a 12-lead recording by a model, and when to abstain.

>>> from ecg_core.quality import assess_quality
>>> quality = assess_quality(recording)
>>> quality.verdict, quality.leads["V2"].reasons, quality.refusal(("II",))
"""

from ecg_core.quality.assess import Quality, assess_quality
from ecg_core.quality.figures import LeadFigures, measure_leads
from ecg_core.quality.rules import LeadQuality, Verdict

__all__ = ["LeadFigures", "LeadQuality", "Quality", "Verdict", "assess_quality", "measure_leads"]
