"""`assess_quality`: what a recording is good for, lead by lead and as a whole, before anything is concluded from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

from ecg_core.quality.figures import measure_leads
from ecg_core.quality.rules import LeadQuality, Verdict, judge_leads
from ecg_core.quality.unacceptable import quality_model
from ecg_core.recording import Recording

MOST_POOR = 0.5
"""A recording of which this part of the leads, or more, is poor is poor."""
LEAST_GOOD = 0.75
"""A recording is good when no lead is poor and at least this part of the leads is good."""


@dataclass(frozen=True)
class Quality:
    """The quality of a recording."""

    verdict: Verdict
    reasons: tuple[str, ...]
    """Why it is not good; empty where it is."""
    unacceptable_probability: float | None
    """That an expert would call the twelve leads unacceptable, where about 23 of 100 recordings are."""
    unacceptable_reason: str | None
    """Why there is no such probability, where there is none."""
    model: Mapping[str, str] | None
    """Name, version and sha256 of the model that gave it."""
    leads: Mapping[str, LeadQuality]

    def __post_init__(self) -> None:
        object.__setattr__(self, "leads", MappingProxyType(dict(self.leads)))

    @cached_property
    def trusted_leads(self) -> tuple[str, ...]:
        """Leads that are not poor."""
        return tuple(name for name, lead in self.leads.items() if lead.verdict != "poor")

    @cached_property
    def rest_is_good(self) -> bool:
        """Whether what is wrong lies in the poor leads alone, so that the others can be read without them."""
        good = sum(lead.verdict == "good" for lead in self.leads.values())
        trusted = len(self.trusted_leads)
        return 0 < trusted < len(self.leads) and good >= LEAST_GOOD * trusted

    def refusal(self, leads: Sequence[str] | None = None) -> str | None:
        """Return why an analysis must abstain, or None where it may go ahead.

        Parameters
        ----------
        leads
            The leads that it reads: it abstains when one of them is poor. None for an analysis of the whole recording,
            which abstains when the recording is poor.
        """
        if leads is None:
            return f"the signal is poor: {'; '.join(self.reasons)}" if self.verdict == "poor" else None
        poor = [name for name in leads if name in self.leads and name not in self.trusted_leads]
        if not poor:
            return None
        return "the signal is poor in " + "; ".join(f"{name} ({', '.join(self.leads[name].reasons)})" for name in poor)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {
            "verdict": self.verdict,
            "reasons": list(self.reasons),
            "unacceptable_probability": self.unacceptable_probability,
            "unacceptable_reason": self.unacceptable_reason,
            "model": dict(self.model) if self.model else None,
            "leads": {name: lead.to_dict() for name, lead in self.leads.items()},
        }


def assess_quality(recording: Recording) -> Quality:
    """Judge a recording, of any length, rate and number of leads.

    The verdict is ``poor`` where the model of "unacceptable" says so at its threshold, or half of the leads or more are
    poor; ``good`` where no lead is poor and three quarters are good; else ``usable``.
    """
    figures = measure_leads(recording)
    leads = dict(zip(recording.leads, judge_leads(figures, recording.duration_s), strict=True))
    model = quality_model()
    estimate = model.estimate(recording, figures)
    probability = estimate.probability
    poor, good = ([name for name, lead in leads.items() if lead.verdict == wanted] for wanted in ("poor", "good"))
    reasons = []
    if probability is not None and probability >= model.threshold:
        reasons.append(
            f"an expert would call it unacceptable with probability {probability:.2f} (limit {model.threshold:.2f})"
        )
    if poor:
        reasons.append(f"poor: {', '.join(poor)}")
    is_poor = len(poor) >= MOST_POOR * len(leads) or (probability is not None and probability >= model.threshold)
    is_good = not is_poor and not poor and len(good) >= LEAST_GOOD * len(leads)
    if not is_good and (doubtful := [name for name in leads if name not in poor and name not in good]):
        reasons.append(f"usable with care: {', '.join(doubtful)}")
    artefact = model.artefact
    return Quality(
        verdict="poor" if is_poor else "good" if is_good else "usable",
        reasons=tuple(reasons),
        unacceptable_probability=probability,
        unacceptable_reason=estimate.reason,
        model=None
        if probability is None
        else {"name": artefact.name, "version": artefact.version, "sha256": artefact.sha256},
        leads=leads,
    )
