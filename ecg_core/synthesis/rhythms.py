"""When the waves come: a `Rhythm` plans the atrial and ventricular events of a stretch of time."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import numpy as np

from ecg_core.errors import InvalidValue
from ecg_core.registry import Registry

PKind = Literal["sinus", "ectopic"]
QrsKind = Literal["conducted", "premature", "paced"]

MARGIN_S = 4.0
"""Events are planned this long before and after the recording, so that it begins and ends amid a running rhythm."""


@dataclass(frozen=True)
class Pace:
    """What a rhythm is told: its rate, its span and how lively it is."""

    rate_bpm: float
    """Ventricular beats per minute, on average."""
    duration_s: float
    pr_s: float
    variability: float
    """1 is the usual beat-to-beat variation of RR, 0 none."""
    respiration_hz: float
    respiration_phase: float
    """Radians at time zero."""

    @property
    def rr_s(self) -> float:
        """Mean time between beats."""
        return 60.0 / self.rate_bpm

    @property
    def stop_s(self) -> float:
        """When planning ends."""
        return self.duration_s + MARGIN_S

    def start_s(self, rng: np.random.Generator, step_s: float) -> float:
        """Return a random instant to begin planning at, for events ``step_s`` apart."""
        return -MARGIN_S - step_s * float(rng.random())

    def breath(self, time_s: np.ndarray | float) -> Any:
        """Return the phase of respiration as a sine, -1..1."""
        return np.sin(2 * math.pi * self.respiration_hz * np.asarray(time_s) + self.respiration_phase)

    def sinus_rr(self, rng: np.random.Generator, mean_s: float, swing: float = 0.03) -> Callable[[float], float]:
        """Return a function from the time of a beat to the RR after it: respiratory swing and a little chance."""

        def rr_after(at: float) -> float:
            chance = 0.008 * float(rng.standard_normal())
            return mean_s * (1 + self.variability * (swing * float(self.breath(at)) + chance))

        return rr_after


@dataclass
class Plan:
    """Atrial and ventricular events, each in order of time; seconds from the first sample."""

    p_s: list[float] = field(default_factory=list)
    p_kind: list[PKind] = field(default_factory=list)
    qrs_s: list[float] = field(default_factory=list)
    """Onset of each QRS."""
    qrs_kind: list[QrsKind] = field(default_factory=list)
    symbol: list[str] = field(default_factory=list)
    """AAMI class of each QRS."""
    p_of_qrs: list[int] = field(default_factory=list)
    """Number of the P wave that each QRS follows, -1 for none."""
    spikes_s: list[float] = field(default_factory=list)
    """Onsets of pacing spikes."""
    atrial: Callable[[np.ndarray], np.ndarray] | None = None
    """Atrial activity that never rests: times (n,) in s to dipole (3, n) in mV."""

    def beat(
        self, at: float, kind: QrsKind = "conducted", symbol: str = "N", pr_s: float | None = None, p: PKind = "sinus"
    ) -> None:
        """Add a QRS with onset ``at``, after a P wave ``pr_s`` earlier where one is given."""
        if pr_s is not None:
            self.p_s.append(at - pr_s)
            self.p_kind.append(p)
        self.p_of_qrs.append(-1 if pr_s is None else len(self.p_s) - 1)
        self.qrs_s.append(at)
        self.qrs_kind.append(kind)
        self.symbol.append(symbol)


Planner = Callable[[np.random.Generator, Pace, Mapping[str, Any]], Plan]


@dataclass(frozen=True)
class Rhythm:
    """A rhythm, its usual rate, and how it is planned."""

    title: str
    statements: tuple[str, ...]
    """SCP-ECG statement codes as PTB-XL uses them; SR, SBRAD or STACH follow from a sinus rate."""
    rate_bpm: float
    plan: Planner
    options: Mapping[str, Any] = field(default_factory=dict)
    """Settings of its own, with their defaults."""
    sinus_waves_per_beat: int = 1
    """Sinus P waves for each beat; 0 where the sinus node does not lead."""
    pr_ms: float | None = None
    """PR where the rhythm, and not the shape, sets it."""


def plan_sinus(rng: np.random.Generator, pace: Pace, options: Mapping[str, Any]) -> Plan:
    """Plan regular sinus beats; ``respiratory_swing`` is the relative RR change between breaths."""
    plan, at = Plan(), pace.start_s(rng, pace.rr_s)
    rr_after = pace.sinus_rr(rng, pace.rr_s, options["respiratory_swing"])
    while at < pace.stop_s:
        plan.beat(at, pr_s=pace.pr_s)
        at += rr_after(at)
    return plan


def plan_premature(rng: np.random.Generator, pace: Pace, options: Mapping[str, Any], *, ventricular: bool) -> Plan:
    """Plan sinus beats with an extrasystole after every few.

    A supraventricular one resets the sinus node: the pause after it is little longer than a normal RR. A ventricular
    one leaves the sinus node alone: the RR before and after it sum to two normal ones.
    """
    shortest, longest = options["every"]
    plan, at = Plan(), pace.start_s(rng, pace.rr_s)
    left = int(rng.integers(shortest, longest + 1))
    rr_after = pace.sinus_rr(rng, pace.rr_s)
    while at < pace.stop_s:
        plan.beat(at, pr_s=pace.pr_s)
        left -= 1
        rr = rr_after(at)
        if left:
            at += rr
            continue
        left = int(rng.integers(shortest, longest + 1))
        early = at + rr * options["prematurity"]
        if ventricular:
            plan.beat(early, "premature", "V")
            at += 2 * rr
        else:
            plan.beat(early, symbol="S", pr_s=pace.pr_s, p="ectopic")
            at = early + 1.12 * rr
    return plan


def plan_fibrillation(rng: np.random.Generator, pace: Pace, options: Mapping[str, Any]) -> Plan:
    """Plan RR intervals drawn independently from a shifted gamma law, over a fibrillating baseline."""
    shortest = 0.52 * pace.rr_s
    spread = options["irregularity"] * pace.rr_s
    mean = pace.rr_s - shortest
    plan, at = Plan(), pace.start_s(rng, pace.rr_s)
    while at < pace.stop_s:
        plan.beat(at)
        at += shortest + (float(rng.gamma((mean / spread) ** 2, spread**2 / mean)) if spread else mean)
    rates = rng.uniform(5.2, 7.2, 2)
    phases = rng.uniform(0, 2 * math.pi, (2, 4))
    size = options["f_wave_mv"]

    def atrial(time_s: np.ndarray) -> np.ndarray:
        waves = []
        for rate, phase in zip(rates, phases, strict=True):
            angle = 2 * math.pi * rate * time_s + 2.2 * np.sin(2 * math.pi * 0.31 * time_s + phase[0])
            angle += 1.1 * np.sin(2 * math.pi * 0.83 * time_s + phase[1])
            swell = 0.75 + 0.25 * np.sin(2 * math.pi * 0.19 * time_s + phase[2])
            waves.append(swell * (np.sin(angle) + 0.35 * np.sin(2 * angle + phase[3])))
        front, down = waves
        return np.asarray(size * np.stack([0.1 * down - 0.4 * front, 0.5 * down, -0.65 * front]))

    plan.atrial = atrial if size else None
    return plan


def plan_flutter(rng: np.random.Generator, pace: Pace, options: Mapping[str, Any]) -> Plan:
    """Plan typical flutter: a sawtooth, negative in II, III and aVF, with every 2nd, 3rd or 4th wave conducted."""
    ratios = {"2:1": (2,), "3:1": (3,), "4:1": (4,), "variable": (2, 2, 3, 4)}
    conduction = options["conduction"]
    if conduction not in ratios:
        raise InvalidValue("unknown conduction", field="conduction", found=repr(conduction), options=ratios)
    choices = np.array(ratios[conduction])
    cycle = pace.rr_s / float(choices.mean())
    plan, origin = Plan(), pace.start_s(rng, pace.rr_s)
    at = origin
    while at < pace.stop_s:
        plan.beat(at)
        at += cycle * int(rng.choice(choices))
    size = options["f_wave_mv"]

    def atrial(time_s: np.ndarray) -> np.ndarray:
        # A slow descent and a quick return, band-limited so that it can be sampled at any rate.
        angle = 2 * math.pi * ((time_s - origin) / cycle + 0.30)
        tooth = sum(np.sin(k * angle) * math.exp(-0.22 * k) / k for k in range(1, 7))
        return np.asarray(size * np.stack([-0.15 * tooth, tooth, -0.30 * tooth]))

    plan.atrial = atrial if size else None
    return plan


def plan_two_to_one(rng: np.random.Generator, pace: Pace, options: Mapping[str, Any]) -> Plan:
    """Plan sinus P waves at twice the ventricular rate, of which every second is conducted."""
    plan, at = Plan(), pace.start_s(rng, pace.rr_s)
    rr_after = pace.sinus_rr(rng, pace.rr_s / 2, options["respiratory_swing"])
    while at < pace.stop_s:
        plan.beat(at, pr_s=pace.pr_s)
        at += rr_after(at)
        plan.p_s.append(at - pace.pr_s)
        plan.p_kind.append("sinus")
        at += rr_after(at)
    return plan


def plan_paced(rng: np.random.Generator, pace: Pace, options: Mapping[str, Any]) -> Plan:
    """Plan ventricular pacing at a fixed rate, over P waves of their own rate or none."""
    plan, at = Plan(), pace.start_s(rng, pace.rr_s)
    while at < pace.stop_s:
        plan.spikes_s.append(at - options["spike_to_qrs_ms"] / 1000)
        plan.beat(at, "paced", "Q")
        at += pace.rr_s
    if rate := options["p_rate_bpm"]:
        at = pace.start_s(rng, 60 / rate)
        rr_after = pace.sinus_rr(rng, 60 / rate)
        while at < pace.stop_s:
            plan.p_s.append(at)
            plan.p_kind.append("sinus")
            at += rr_after(at)
    return plan


_SWING = {"respiratory_swing": 0.03}
_plan_pac = partial(plan_premature, ventricular=False)
_plan_pvc = partial(plan_premature, ventricular=True)

RHYTHMS: Registry[Rhythm] = Registry("rhythm")
for _name, _rhythm in {
    "sinus": Rhythm("Sinus rhythm", (), 68.0, plan_sinus, _SWING),
    "bradycardia": Rhythm("Sinus bradycardia", (), 44.0, plan_sinus, _SWING),
    "tachycardia": Rhythm("Sinus tachycardia", (), 122.0, plan_sinus, {"respiratory_swing": 0.012}),
    "af": Rhythm(
        "Atrial fibrillation",
        ("AFIB",),
        88.0,
        plan_fibrillation,
        {"irregularity": 0.22, "f_wave_mv": 0.09},
        sinus_waves_per_beat=0,
    ),
    "flutter": Rhythm(
        "Atrial flutter",
        ("AFLT",),
        75.0,
        plan_flutter,
        {"conduction": "4:1", "f_wave_mv": 0.15},
        sinus_waves_per_beat=0,
    ),
    "pac": Rhythm(
        "Supraventricular extrasystoles",
        ("PAC",),
        70.0,
        _plan_pac,
        {"prematurity": 0.66, "every": (3, 5)},
    ),
    "pvc": Rhythm("Ventricular extrasystoles", ("PVC",), 70.0, _plan_pvc, {"prematurity": 0.62, "every": (3, 5)}),
    "bigeminy": Rhythm(
        "Ventricular bigeminy", ("PVC", "BIGU"), 72.0, _plan_pvc, {"prematurity": 0.62, "every": (1, 1)}
    ),
    "first_degree_block": Rhythm("First-degree AV block", ("1AVB",), 64.0, plan_sinus, _SWING, pr_ms=260.0),
    "block_2_to_1": Rhythm(
        "Second-degree AV block, 2:1", ("2AVB",), 40.0, plan_two_to_one, _SWING, sinus_waves_per_beat=2
    ),
    "paced": Rhythm(
        "Ventricular pacing",
        ("PACE",),
        70.0,
        plan_paced,
        {"p_rate_bpm": 84.0, "spike_to_qrs_ms": 4.0},
        sinus_waves_per_beat=0,
    ),
}.items():
    RHYTHMS.register(_name, _rhythm)
