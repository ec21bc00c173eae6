"""`af_risk`: what can be said of atrial fibrillation in the next five years, on a stated basis, or why nothing can.

AF in the tracing comes first: then the question is moot. Else the published network ECG2AF answers where its weights
are installed, else the published equation CHARGE-AF on stated facts, else nobody, and the facts that it would take are
named. Two estimates are never averaged; the one that was not chosen stands in ``others``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ecg_core.artefacts import Artefact, load_model
from ecg_core.errors import UnknownName
from ecg_core.predictors.base import Context
from ecg_core.predictors.value import Curve, Prediction
from ecg_core.predictors.views import FULL
from ecg_core.risk.charge_af import charge_af
from ecg_core.risk.facts import known_facts
from ecg_core.risk.reference import reference_risk
from ecg_core.risk.signature import (
    HEAD,
    LABEL,
    SIGNATURE,
    TREES,
    Signature,
    af_score,
    find_signature,
    tree_score,
)
from ecg_core.risk.value import Estimate, Narrowing, ReferenceRisk

NETWORK = "heart12"
ECG2AF = "ecg2af"
RISK_HEAD, SURVIVAL_HEAD = "af_risk_5y", "af_survival"
"""Heads of a model that predicts AF: its risk within five years, and the share that stays free of AF over time."""
ADULT = 18.0
_RHYTHM, _FLUTTER, _PACED = "rhythm", "AFLT", "PACE"


@dataclass(frozen=True)
class AfRisk:
    """What is said of the risk of AF."""

    present: str | None
    """AF or flutter in this very tracing, or known, in words; None where neither was found."""
    estimate: Estimate | None
    """The one that is given; None where there is none."""
    reason: str | None
    """Why there is none, where there is none."""
    needs: tuple[str, ...]
    """Facts (and ``"age"``) that would make one possible."""
    others: tuple[Estimate, ...]
    """Further estimates, in order of preference, with a value or with the reason why they have none."""
    reference: ReferenceRisk
    signature: Signature
    notes: tuple[str, ...] = ()
    """Facts in the file that cannot be and were left out."""

    @property
    def value_5y(self) -> float | None:
        """The five-year risk, 0 to 1."""
        return self.estimate.value if self.estimate else None

    @property
    def basis(self) -> str | None:
        """What the value rests on."""
        return self.estimate.basis if self.estimate else None

    @property
    def curve(self) -> Curve | None:
        """Risk over time, where the basis gives it."""
        return self.estimate.curve if self.estimate else None

    @property
    def would_narrow(self) -> Narrowing | None:
        """The fact that would narrow the value most."""
        return self.estimate.would_narrow if self.estimate else None

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        estimate = self.estimate or Estimate("", None, self.reason, self.needs)
        return {
            "present": self.present,
            **estimate.to_dict(),
            "basis": self.basis,
            "notes": list(self.notes),
            "others": [other.to_dict() for other in self.others],
            "reference_risk": self.reference.to_dict(),
            "signature": self.signature.to_dict(),
        }


def af_risk(context: Context, predictions: Mapping[str, Prediction], facts: Mapping[str, Any] | None = None) -> AfRisk:
    """Say what can be said of the risk of AF.

    Parameters
    ----------
    context
        The recording and what earlier steps know of it.
    predictions
        What the models say, by name.
    facts
        As stated, from `parse_facts`; None for those that the recording's subject carries.
    """
    subject = context.subject
    known, notes = known_facts(subject.facts if facts is None else facts)
    present = _af_present(context, predictions, known)
    if not present and (alone := _one_lead(context)):
        notes = (*notes, f"the 12-lead network sees no {alone}; if it is there, no risk is to be read here")
    moot = _why_moot(context, predictions.get(NETWORK), present)
    equation = charge_af(subject.age, known)
    estimates = (*_by_network(predictions), equation)
    chosen = None if moot else next((found for found in estimates if found.value is not None), None)
    return AfRisk(
        present=present,
        estimate=chosen,
        reason=None if chosen else moot or "; ".join(f"{found.basis}: {found.reason}" for found in estimates),
        needs=() if chosen or moot else equation.needs,
        others=() if moot else tuple(found for found in estimates if found is not chosen),
        reference=ReferenceRisk(None, moot) if moot else reference_risk(subject.age, subject.sex),
        signature=_signature(context, predictions.get(NETWORK), moot),
        notes=notes,
    )


def _af_present(context: Context, predictions: Mapping[str, Prediction], facts: Mapping[str, Any]) -> str | None:
    """Return in words that there is AF or flutter, and who says so.

    One lead alone is heard only where the network of twelve is silent.
    """
    said = []
    network = predictions.get(NETWORK)
    if network is not None:
        for head, label, words in ((HEAD, LABEL, "atrial fibrillation"), (_RHYTHM, _FLUTTER, "atrial flutter")):
            answer = network.labels(head).get(label)
            if answer is not None and answer.positive:
                said.append(f"{words} in this tracing ({NETWORK}, probability {answer.probability:.2f})")
    if _silent(network) and (alone := _one_lead(context)):
        said.append(alone)
    if facts.get("atrial_fibrillation"):
        said.append("atrial fibrillation or flutter is known")
    return "; ".join(said) or None


def _one_lead(context: Context) -> str | None:
    rhythm = context.rhythm
    if rhythm is None or rhythm.label != "A":
        return None
    return f"atrial fibrillation in this tracing (lead {rhythm.lead}, probability {rhythm.probability:.2f})"


def _silent(network: Prediction | None) -> bool:
    return network is None or af_score(network) is None


def _why_moot(context: Context, network: Prediction | None, present: str | None) -> str | None:
    """Return why no risk is to be stated at all, if so."""
    if present:
        return f"the risk of what is there already is no question: {present}"
    paced = network.labels(_RHYTHM).get(_PACED) if network else None
    if context.pacing.paced or (paced and paced.positive):
        return "a pacemaker is at work; neither basis was made for paced people"
    age = context.subject.age
    if age is not None and age < ADULT:
        return f"under {ADULT:g} years; stated: {age:g}"
    return None


def _by_network(predictions: Mapping[str, Prediction]) -> tuple[Estimate, ...]:
    """Return the estimate of every installed model that predicts AF: ECG2AF first."""
    found = []
    for name, prediction in sorted(predictions.items(), key=lambda item: item[0] != ECG2AF):
        risk = prediction.quantity(RISK_HEAD)
        if risk is None or risk.value is None:
            if name == ECG2AF:
                reason = "; ".join(prediction.out_of_scope) or (risk.reason if risk else None) or "it gave no risk"
                found.append(Estimate(name, None, reason))
            continue
        survival = prediction.heads.get(SURVIVAL_HEAD)
        curve = (
            Curve(survival.at, tuple(1 - value for value in survival.values), survival.at_unit)
            if isinstance(survival, Curve)
            else None
        )
        model = f"{prediction.model.name} {prediction.model.version} ({prediction.model.sha256[:12]})"
        found.append(
            Estimate(
                name, risk.value, low=risk.low, high=risk.high, curve=curve, cautions=prediction.cautions, source=model
            )
        )
    return tuple(found)


def _signature(context: Context, prediction: Prediction | None, moot: str | None) -> Signature:
    model = _model()
    if model is None or SIGNATURE not in model.files:
        return Signature(None, f"the model {NETWORK} with its table of scores is not installed")
    table = model.json(SIGNATURE)
    if prediction is None:
        return find_signature(None, table, (moot or f"the model {NETWORK} was not asked",))
    reasons = [
        reason
        for reason in (moot, context.quality.refusal(), *prediction.out_of_scope, _other_view(prediction))
        if reason
    ]
    if reasons:
        return find_signature(None, table, reasons)
    by_trees = table.get("score_of") == TREES
    return find_signature(tree_score(context, model) if by_trees else af_score(prediction), table)


def _other_view(prediction: Prediction) -> str | None:
    if prediction.view in (None, FULL):
        return None
    leads: Sequence[str] = prediction.leads
    return f"it was validated on all twelve leads; {', '.join(leads) or prediction.view} were read"


def _model() -> Artefact | None:
    try:
        return load_model(NETWORK)
    except UnknownName:
        return None
