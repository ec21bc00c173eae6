"""What an explanation is, whatever method it was made by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, Literal, get_args

import numpy as np

from ecg_core.predictors.value import Identity

Method = Literal["shap", "occlusion", "gradients", "activation"]
METHODS: tuple[Method, ...] = get_args(Method)
"""The most faithful first, as was measured; see `ecg_core.evaluation.faithfulness`."""
SegmentWave = Literal["p", "pr", "qrs", "st", "t", "rest"]
WAVES: tuple[SegmentWave, ...] = get_args(SegmentWave)
"""Stretches of a beat: the P wave, from its end to the QRS complex, that, from its end to the T wave, that, and all
between the beats."""


@dataclass(frozen=True, eq=False)
class Heat:
    """What stretches of the tracing add to an answer: for it above zero, against it below."""

    start_s: float
    """Where the first stretch begins, seconds from the first sample of the recording."""
    step_s: float
    """Seconds of a stretch."""
    leads: Mapping[str, np.ndarray]
    """By lead, shape (n_stretches,), in the unit of the explanation; all leads alike where a method tells of time
    alone."""

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        leads = {lead: [float(f"{value:.4g}") for value in values.tolist()] for lead, values in self.leads.items()}
        return {"start_s": self.start_s, "step_s": self.step_s, "leads": leads}


@dataclass(frozen=True)
class Segment:
    """What one kind of stretch of one lead, over all beats, adds to an answer."""

    lead: str | None
    """None: all leads that are read together."""
    wave: SegmentWave | None
    """None: all waves together."""
    value: float
    """In the unit of the explanation: added where positive."""
    share: float | None = None
    """Its part of all that speaks for the answer, 0 to 1; None where it does not, or parts do not add up."""
    without: float | None = None
    """The probability with this stretch as a straight line, where the method replaces it."""
    usual: float | None = None
    """The probability with this stretch as in the person's own median beat, where the method replaces it."""
    error: float | None = None
    """Standard error of ``value``, where the method samples."""

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {item.name: getattr(self, item.name) for item in fields(self)}


@dataclass(frozen=True)
class Figure:
    """What a measured or stated figure adds to an answer of a model that reads figures."""

    name: str
    """In words, with its lead."""
    value: float | None
    """As measured; None where it is missing, which counts as well."""
    added: float
    unit: str | None = None
    """Of ``value``; None of a plain number."""

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {item.name: getattr(self, item.name) for item in fields(self)}


@dataclass(frozen=True, eq=False)
class Explanation:
    """Why a model answers as it does, as far as its method can tell.

    The answer in its unit is ``base``, and all of ``heat`` (or of ``segments``, or of ``figures``), and ``trees``, and
    ``residual``, added up, where ``adds_up``.
    """

    model: Identity
    label: str
    """Head and label, ``"superclass.MI"``."""
    title: str
    """The label in words."""
    method: Method
    probability: float | None
    """Of the label; None of a number."""
    answer: float
    """What is explained, in ``unit``: log odds of the probability, or years."""
    unit: Literal["log odds", "years"]
    base: float
    """The answer to a tracing of straight lines, or, of a model of figures, where nothing is known."""
    trees: float
    """What boosted trees on measured figures add beside the network."""
    residual: float
    """What the method leaves unexplained."""
    adds_up: bool
    """Whether the parts sum to the answer; the parts of an occlusion do not."""
    start_s: float
    end_s: float
    """The part of the recording that was explained, seconds from its first sample."""
    leads: tuple[str, ...]
    """Leads that the model read; others follow from them."""
    sentence: str
    """The explanation in words."""
    heat: Heat | None = None
    segments: tuple[Segment, ...] = ()
    """Those that add or take off most first."""
    figures: tuple[Figure, ...] = ()
    """Those that add or take off most first."""
    cautions: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    """What the method was run with: steps, baseline, budget."""

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON-ready form."""
        return {
            "model": {"name": self.model.name, "version": self.model.version, "sha256": self.model.sha256},
            "label": self.label,
            "title": self.title,
            "method": self.method,
            "probability": self.probability,
            "answer": self.answer,
            "unit": self.unit,
            "base": self.base,
            "trees": self.trees,
            "residual": self.residual,
            "adds_up": self.adds_up,
            "start_s": self.start_s,
            "end_s": self.end_s,
            "leads": list(self.leads),
            "sentence": self.sentence,
            "heat": None if self.heat is None else self.heat.to_dict(),
            "segments": [segment.to_dict() for segment in self.segments],
            "figures": [figure.to_dict() for figure in self.figures],
            "cautions": list(self.cautions),
            "settings": dict(self.settings),
        }
