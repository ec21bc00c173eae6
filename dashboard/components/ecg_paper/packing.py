"""What Python sends to the ECG paper in the browser: samples, and what is marked within them."""

from __future__ import annotations

import base64
import math
import sys
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from api.schemas import Beats, Quality, Signal, Waves


@dataclass(frozen=True)
class Heat:
    """How much each stretch of each lead weighed for what a model says; below zero, it spoke against it."""

    step_s: float
    """Seconds that one weight stands for."""
    leads: Mapping[str, Sequence[float]]
    """Weights of each lead, in any unit, one after another."""
    start_s: float = 0.0
    """Seconds from the first sample of the recording to where the weights begin."""
    label: str = ""
    """What the model said."""


@dataclass(frozen=True)
class Span:
    """A stretch of a recording: seconds from its first sample."""

    start_s: float
    end_s: float

    def has(self, time_s: float) -> bool:
        """Return whether an instant lies within."""
        return self.start_s <= time_s < self.end_s

    def within(self, times_s: Iterable[float]) -> list[float]:
        """Return the instants that lie within."""
        return [time_s for time_s in times_s if self.has(time_s)]


@dataclass(frozen=True)
class ShownBeats:
    """The beats of a span."""

    times_s: list[float] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)
    offset: int = 0
    """How many come before, in the whole recording."""


def span_of(signal: Signal) -> Span:
    """Return which stretch of a recording a signal holds."""
    n_samples = len(signal.values[0]) if signal.values else 0
    return Span(signal.start_s, signal.start_s + n_samples / signal.fs)


def beats_in(beats: Beats | None, span: Span) -> ShownBeats:
    """Return the beats of a span."""
    shown = [i for i, time_s in enumerate(beats.times_s) if span.has(time_s)] if beats else []
    if beats is None or not shown:
        return ShownBeats()
    classes: list[str] = [beats.classes[i] for i in shown] if beats.classes else []
    return ShownBeats([beats.times_s[i] for i in shown], classes, shown[0])


def bands(waves: Waves | None, span: Span) -> dict[str, list[tuple[str, float, float]]]:
    """Return kind, onset and end (s) of the waves in each lead that reach into a span."""
    return {
        lead: [
            (kind, wave.onset_s, wave.end_s)
            for beat in beats
            for kind, wave in beat.items()
            if wave.end_s > span.start_s and wave.onset_s < span.end_s
        ]
        for lead, beats in (waves.leads if waves else {}).items()
    }


def pack_quality(quality: Quality | None) -> dict[str, dict[str, Any]]:
    """Return verdict and reasons of each lead."""
    leads = quality.leads if quality else {}
    return {name: {"verdict": lead.verdict, "reasons": lead.reasons} for name, lead in leads.items()}


def pack_heat(heat: Heat | None) -> dict[str, Any] | None:
    """Return the weights as JSON takes them."""
    if heat is None:
        return None
    leads = {lead: [float(weight) for weight in weights] for lead, weights in heat.leads.items()}
    return {"start_s": heat.start_s, "step_s": heat.step_s, "leads": leads, "label": heat.label}


def encode_samples(values: list[list[float | None]]) -> str:
    """Return samples as little-endian float32 in base64, lead after lead, NaN where nothing was recorded."""
    packed = array("f", (math.nan if value is None else value for row in values for value in row))
    if sys.byteorder == "big":
        packed.byteswap()
    return base64.b64encode(packed.tobytes()).decode("ascii")


def describe(signal: Signal, beats: ShownBeats) -> str:
    """Return what the drawing shows, for those who cannot see it."""
    span = span_of(signal)
    leads = "lead" if len(signal.leads) == 1 else "leads"
    others = {letter: beats.classes.count(letter) for letter in sorted(set(beats.classes) - {"N"})}
    found = "".join(f", {count} of class {letter}" for letter, count in others.items())
    seconds = f"{span.end_s - span.start_s:.1f} seconds"
    start = f" from {span.start_s:.1f} s on" if span.start_s else ""
    return f"ECG, {leads} {', '.join(signal.leads)}, {seconds}{start}, {len(beats.times_s)} beats marked{found}"
