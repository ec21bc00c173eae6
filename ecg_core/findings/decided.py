"""Which of two networks decides the rhythm: the one that reads twelve leads where there are eight or more.

The other is heard: where it says something else that is shown, and nothing is averaged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ecg_core.findings.statements import RHYTHMS, STATEMENTS
from ecg_core.predictors.value import Identity, Prediction
from ecg_core.rhythm import Rhythm
from ecg_core.rhythm.value import TITLES, Label

FULL = "full"
"""The view of the 12-lead network that has eight leads."""
RHYTHM_HEAD = "rhythm"

_LABELS: Mapping[str, Label] = {"SR": "N", "SARRH": "N", "AFIB": "A"}
"""The four-letter label of a statement; O for every other."""
_SAME: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("SR", "SARRH", "SBRAD", "STACH"), frozenset("NO")),
    "AFIB": frozenset("A"),
    "AFLT": frozenset("AO"),
}
"""Labels of the single-lead network that say no other thing than the statement; O for every other. In sinus rhythm it
calls early beats and bundle branch blocks 'other' too, which the 12-lead network tells beside the rhythm."""
_FIBRILLATING = frozenset(("AFIB", "AFLT"))


@dataclass(frozen=True, eq=False)
class DecidedRhythm:
    """The rhythm, and who decided it."""

    single: Rhythm
    """What the single-lead network says, with its episodes."""
    code: str | None = None
    """The SCP code of the rhythm, where the 12-lead network decided."""
    called: float | None = None
    """Its calibrated probability."""
    by: Identity | None = None
    """The 12-lead network, where it decided."""

    @property
    def label(self) -> Label | None:
        """N normal, A atrial fibrillation, O another rhythm, ~ too noisy; None where none was told."""
        return self.single.label if self.code is None else _LABELS.get(self.code, "O")

    @property
    def title(self) -> str | None:
        """The rhythm in words."""
        return self.single.title if self.code is None else STATEMENTS[self.code].title.lower()

    @property
    def probability(self) -> float | None:
        """Of the rhythm."""
        return self.single.probability if self.code is None else self.called

    @property
    def reason(self) -> str | None:
        """Why there is none, where there is none."""
        return self.single.reason if self.code is None else None

    @property
    def decided_by(self) -> Identity | None:
        """The model that decided; None where none did."""
        if self.by is not None or self.single.label is None or self.single.model is None:
            return self.by
        return Identity(**self.single.model)

    @property
    def fibrillates(self) -> bool:
        """Whether the atria fibrillate or flutter, so that there is no P wave to measure."""
        return self.label == "A" or self.code in _FIBRILLATING

    @property
    def other_voice(self) -> str | None:
        """What the network that did not decide says, where it says something else."""
        if self.code is None or self.single.label in _SAME.get(self.code, frozenset("O")):
            return None
        return self.single_voice

    @property
    def single_voice(self) -> str | None:
        """What the network that reads one lead says, in words; None where it says nothing."""
        if self.single.label is None or self.single.probability is None:
            return None
        title, probability = TITLES[self.single.label], self.single.probability
        return f"lead {self.single.lead} alone is read as {title} (probability {probability:.2f})"

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form: what was decided, and under it the single-lead network's own answer."""
        single = self.single.to_dict()
        own = {name: single.pop(name) for name in ("label", "title", "probability", "reason")}
        return {
            "label": self.label,
            "title": self.title,
            "code": self.code,
            "probability": self.probability,
            "decided_by": self.decided_by.to_dict() if self.decided_by else None,
            "reason": self.reason,
            **single,
            "single_lead": own,
        }


def decide_rhythm(single: Rhythm, twelve: Prediction | None) -> DecidedRhythm:
    """Return the rhythm that is stated: the most probable one that the 12-lead network calls, else the other's."""
    if twelve is None or twelve.abstains or twelve.view != FULL:
        return DecidedRhythm(single)
    called = {code: found for code, found in twelve.positives(RHYTHM_HEAD).items() if code in RHYTHMS}
    if not called:
        return DecidedRhythm(single)
    code, answer = next(iter(called.items()))
    return DecidedRhythm(single, code, answer.probability, twelve.model)
