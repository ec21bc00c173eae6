"""What may be said of which recording: when a model of 12-lead diagnosis abstains, and what it holds back.

The rules: under 18 nothing is said, since the models learned from adults; of unknown age an adult is assumed, and that
is said. Under pacing, infarction, hypertrophy and QT are not judged. "Normal" is never said of a poor, incomplete,
reversed or paced recording.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from ecg_core.predictors.base import Context

LEAST_AGE = 18
LEAST_NORMAL_S = 8.0
"""A shorter recording is not called normal."""

Topic = Literal["normal", "infarct", "hypertrophy", "qt"]

_INFARCT = ("IMI", "ASMI", "AMI", "ALMI", "LMI", "ILMI", "IPMI", "IPLMI", "PMI")
_INJURY = ("INJAS", "INJAL", "INJIN", "INJLA", "INJIL")
"""Subendocardial injury, which PTB-XL counts among infarction."""
_HYPERTROPHY = ("LVH", "RVH", "SEHYP", "LAO/LAE", "RAO/RAE")

_LABELS: Mapping[Topic, tuple[str, ...]] = {
    "infarct": (*_INFARCT, *_INJURY, "MI"),
    "hypertrophy": (*_HYPERTROPHY, "VCLVH", "HYP"),
    "qt": ("LNGQT",),
    "normal": ("NORM",),
}
TOPICS: Mapping[str, Topic] = {label: topic for topic, labels in _LABELS.items() for label in labels}
"""Labels (statements, subclasses and superclasses, whose names mean the same) that some recordings say nothing of."""

_PACED_TOPICS: Mapping[Topic, str] = {
    "normal": "the rhythm is paced",
    "infarct": "infarction is not judged in a paced rhythm",
    "hypertrophy": "hypertrophy is not judged in a paced rhythm",
    "qt": "QT is not judged in a paced rhythm",
}


@dataclass(frozen=True)
class Scope:
    """What may be said of one recording."""

    refusals: tuple[str, ...]
    """Why nothing may be said; empty where something may."""
    withheld: Mapping[Topic, str]
    """Topics of which nothing is said, and why."""
    cautions: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "withheld", MappingProxyType(dict(self.withheld)))

    def reason(self, label: str) -> str | None:
        """Return why nothing is said of a label, or None."""
        topic = TOPICS.get(label)
        return None if topic is None else self.withheld.get(topic)


def judge(context: Context, *, incomplete: str | None = None, looks_paced: str | None = None) -> Scope:
    """Say what may be said of a recording.

    Parameters
    ----------
    context
        The recording and what is known of it.
    incomplete
        What of the twelve leads is not read, in words; None where all are.
    looks_paced
        Why the tracing seems paced although no spikes were found; None where it does not.
    """
    paced = _spikes(context) or looks_paced
    withheld: dict[Topic, str] = {}
    if paced:
        withheld |= {topic: f"{said} ({paced})" for topic, said in _PACED_TOPICS.items()}
    elif not_normal := _not_normal(context, incomplete):
        withheld["normal"] = f"a recording is not called normal where {not_normal}"
    return Scope(refusals(context), withheld, cautions(context, paced))


def refusals(context: Context) -> tuple[str, ...]:
    """Return why nothing may be said of a recording, whatever its leads; empty where something may."""
    found = []
    age = context.subject.age
    if age is not None and age < LEAST_AGE:
        found.append(f"the person is {age:g} years old; the model learned from adults, {LEAST_AGE} years and over")
    quality = context.quality
    if quality.verdict == "poor" and not quality.rest_is_good:
        found.append(quality.refusal() or "the signal is poor")
    return tuple(found)


def cautions(context: Context, paced: str | None = None) -> tuple[str, ...]:
    """Return what to bear in mind with anything that is said of a recording."""
    found = []
    if context.subject.age is None and "age" not in context.subject.facts:
        found.append("the age is not stated: an adult is assumed")
    if paced:
        found.append(f"paced rhythm ({paced}): statements on infarction, hypertrophy and QT are withheld")
    elif context.pacing.paced is None:
        found.append(f"a pacemaker could not be looked for: {context.pacing.reason}")
    for suspicion in context.reversals.suspected[:1]:
        found.append(
            f"electrodes may be exchanged ({suspicion.title}): what is said may come from that; "
            "check the cables and record again"
        )
    quality = context.quality
    poor = [name for name in quality.leads if name not in quality.trusted_leads]
    if poor and quality.trusted_leads:
        found.append(f"poor leads are left out: {', '.join(poor)}")
    if quality.verdict == "poor":
        found.append("the signal is poor")
    elif doubtful := [name for name, lead in quality.leads.items() if lead.verdict == "usable"]:
        found.append(f"the signal is to be used with care in {', '.join(doubtful)}")
    return tuple(found)


def _spikes(context: Context) -> str | None:
    return "spikes of a pacemaker are seen" if context.pacing.paced else None


def _not_normal(context: Context, incomplete: str | None) -> str | None:
    """Return why a recording may not be called normal, or None."""
    if context.quality.verdict == "poor":
        return "the signal is poor"
    if context.reversals.suspected:
        return f"electrodes may be exchanged ({context.reversals.suspected[0].title})"
    if incomplete:
        return incomplete
    if context.recording.duration_s < LEAST_NORMAL_S:
        return f"only {context.recording.duration_s:.1f} s were recorded"
    return None
