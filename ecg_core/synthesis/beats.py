"""From planned events to placed waves: what each beat is made of, where, how large and how it is turned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np

from ecg_core.synthesis.rhythms import Pace, Plan
from ecg_core.synthesis.shapes import ECTOPIC_P, PACED, PREMATURE, ST_FALL, ST_RISE, Shape, Ventricles
from ecg_core.synthesis.truth import ST_OFFSETS_MS, WaveTimes
from ecg_core.synthesis.vcg import Wave, ease, frontal_axis, lead_matrix, rotate, samples_within

BREATH_GAIN = 0.03
BREATH_TURN_DEG = 1.5
"""How far respiration changes the size of the dipole (relative), and turns it in the frontal plane."""

BATCH = 512
"""Waves worked on at once: a day of beats must not need a day of intermediate samples."""

RR_MEMORY = 0.85
"""QT follows an exponential mean of the RR intervals with this weight on the past."""


@dataclass(frozen=True)
class Placed:
    """Waves of one template at n places; instants in seconds, arrays of shape (n,)."""

    wave: Wave
    onset_s: np.ndarray
    end_s: np.ndarray
    gain: np.ndarray
    turn_deg: np.ndarray

    def dipole(self, time_s: np.ndarray, row: np.ndarray) -> np.ndarray:
        """Return the dipole (mV, shape (3, k)) of the waves numbered ``row`` (k,) at ``time_s`` (k,)."""
        start, length = self.wave.place(self.onset_s, self.end_s)
        turned = rotate(self.wave.dipole((time_s - start[row]) / length[row]), self.turn_deg[row])
        return np.asarray(self.gain[row] * turned)

    def support(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the instants outside which each wave is exactly zero."""
        start, length = self.wave.place(self.onset_s, self.end_s)
        return start, start + length

    def times(self, leads: tuple[str, ...]) -> WaveTimes:
        """Return the instants of each wave, in space and in each of ``leads``."""
        start, length = self.wave.place(self.onset_s, self.end_s)
        u = np.linspace(0.0, 1.0, 601)
        path, matrix = self.wave.dipole(u), lead_matrix(leads)
        lead_peak = np.empty((len(start), len(leads)))
        for first in range(0, len(start), BATCH):
            rows = slice(first, first + BATCH)
            turned = rotate(
                np.broadcast_to(matrix.T[:, None], (3, len(start[rows]), len(leads))), -self.turn_deg[rows, None]
            )
            lead_peak[rows] = u[np.abs(np.tensordot(turned, path, (0, 0))).argmax(axis=2)]
        return WaveTimes(
            self.onset_s,
            start + self.wave.marks[1] * length,
            self.end_s,
            start[:, None] + lead_peak * length[:, None],
        )

    def axis_deg(self, area: np.ndarray) -> np.ndarray:
        """Return each wave's frontal axis, given the net ``area`` (3,) of the template."""
        return np.asarray(180.0 - (180.0 - (float(frontal_axis(area)) + self.turn_deg)) % 360.0)


@dataclass(frozen=True)
class PlacedVentricles:
    """Ventricular complexes of one kind: QRS, ST deviation and T, row by row."""

    kind: Ventricles
    qrs: Placed
    t: Placed

    def dipole(self, time_s: np.ndarray, row: np.ndarray) -> np.ndarray:
        """Return the dipole (mV, shape (3, k)) of the complexes numbered ``row`` (k,) at ``time_s`` (k,)."""
        total = self.qrs.dipole(time_s, row) + self.t.dipole(time_s, row)
        if any(self.kind.st):
            onset, j = self.qrs.onset_s[row], self.qrs.end_s[row]
            t_onset, t_end = self.t.onset_s[row], self.t.end_s[row]
            grown = ease(((time_s - onset) / (j - onset) - ST_RISE) / (1 - ST_RISE))
            sloped = 1 + (self.kind.st_slope - 1) * ease((time_s - j) / (t_onset - j))
            left = 1 - ease((time_s - t_onset) / (t_end - t_onset) / ST_FALL)
            st = np.array(self.kind.st)[:, None] * (grown * sloped * left)
            total = total + self.qrs.gain[row] * rotate(st, self.qrs.turn_deg[row])
        return np.asarray(total)

    def support(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the instants outside which each complex is exactly zero."""
        return self.qrs.support()[0], self.t.support()[1]

    def st_mv(self, leads: tuple[str, ...]) -> np.ndarray:
        """Return the level at each of `ST_OFFSETS_MS` after J, shape (n, offsets, n_leads)."""
        offsets = np.array(ST_OFFSETS_MS) / 1000
        row = np.repeat(np.arange(len(self.qrs.end_s)), len(offsets))
        levels = lead_matrix(leads) @ self.dipole(self.qrs.end_s[row] + np.tile(offsets, len(self.qrs.end_s)), row)
        return np.asarray(levels.T.reshape(-1, len(offsets), len(leads)))


Item = TypeVar("Item", Placed, PlacedVentricles)


@dataclass(frozen=True)
class Group(Generic[Item]):
    """Placed P waves of one template, or ventricles of one kind, and the numbers of their events in the plan."""

    events: np.ndarray
    item: Item

    def render(self, dipole: np.ndarray, fs: float) -> None:
        """Add the waves to ``dipole`` (mV, shape (3, n_samples))."""
        start, stop = self.item.support()
        for first in range(0, len(start), BATCH):
            some = slice(first, first + BATCH)
            sample, row = samples_within(start[some], stop[some], fs, dipole.shape[1])
            values = self.item.dipole(sample / fs, first + row)
            for axis in range(3):
                np.add.at(dipole[axis], sample, values[axis])


def place_p(plan: Plan, pace: Pace, wave: Wave, p_s: float, gain: float) -> list[Group[Placed]]:
    """Place the P waves of a plan, ``p_s`` seconds long."""
    onset, kinds = np.array(plan.p_s), np.array(plan.p_kind)
    groups = []
    for name, template in (("sinus", wave), ("ectopic", ECTOPIC_P)):
        events = np.flatnonzero(kinds == name)
        if len(events):
            groups.append(Group(events, _placed(template, onset[events], onset[events] + p_s, pace, gain)))
    return groups


def place_ventricles(plan: Plan, pace: Pace, shape: Shape, options: Mapping[str, Any]) -> list[Group[PlacedVentricles]]:
    """Place the ventricular complexes of a plan. Stated intervals and axes are those of all but premature ones."""
    onset, kinds = np.array(plan.qrs_s), np.array(plan.qrs_kind)
    steady_rr = _smooth(np.diff(onset, prepend=onset[0] - pace.rr_s), pace.rr_s)
    next_wave = _next_wave(plan)
    groups = []
    for name, usual in (("conducted", shape.ventricles), ("premature", PREMATURE), ("paced", PACED)):
        events = np.flatnonzero(kinds == name)
        if not len(events):
            continue
        stated = {} if name == "premature" else options
        kind = usual.turned(stated.get("qrs_axis_deg"), stated.get("t_axis_deg"))
        qrs_s = (stated.get("qrs_ms") or kind.qrs_ms) / 1000
        at = onset[events]
        if stated.get("qt_ms"):
            qt = np.full(len(events), stated["qt_ms"] / 1000)
        else:
            qt = (stated.get("qtc_ms") or kind.qtc_ms) / 1000 * np.cbrt(steady_rr[events])
            if not stated.get("qtc_ms") and "LNGQT" not in shape.statements:
                # At high rates T would run into the next P wave; hearts shorten QT beyond the cube root.
                qt = np.minimum(qt, np.maximum(next_wave[events] - at - 0.015, 0.78 * qt))
            qt = np.maximum(qt, qrs_s + 0.06)
        j, t_end = at + qrs_s, at + qt
        t_onset = j + kind.t_onset * (t_end - j)
        qrs = _placed(kind.qrs, at, j, pace, options["gain"])
        t = Placed(kind.t, t_onset, t_end, qrs.gain, qrs.turn_deg)
        groups.append(Group(events, PlacedVentricles(kind, qrs, t)))
    return groups


def gather(groups: Sequence[Group[Item]], values: Sequence[np.ndarray], n: int) -> np.ndarray:
    """Put the values (k, ...) of each group back into the order of the plan's n events."""
    ordered = np.full((n, *(values[0].shape[1:] if values else ())), np.nan)
    for group, rows in zip(groups, values, strict=True):
        ordered[group.events] = rows
    return ordered


def gather_times(groups: Sequence[Group[Item]], times: Sequence[WaveTimes], n: int, n_leads: int) -> WaveTimes:
    """Put the instants of each group back into the order of the plan's n events."""
    if not groups:
        return WaveTimes(np.empty(0), np.empty(0), np.empty(0), np.empty((0, n_leads)))
    return WaveTimes(
        *(
            gather(groups, [getattr(t, name) for t in times], n)
            for name in ("onset_s", "peak_s", "end_s", "lead_peak_s")
        )
    )


def _placed(wave: Wave, onset_s: np.ndarray, end_s: np.ndarray, pace: Pace, gain: float) -> Placed:
    breath = pace.variability * pace.breath(onset_s)
    return Placed(wave, onset_s, end_s, gain * (1 + BREATH_GAIN * breath), BREATH_TURN_DEG * breath)


def _smooth(rr_s: np.ndarray, start_s: float) -> np.ndarray:
    """Return the exponential mean of the RR intervals up to each beat."""
    smooth, level = np.empty_like(rr_s), start_s
    for i, rr in enumerate(rr_s):
        level = smooth[i] = RR_MEMORY * level + (1 - RR_MEMORY) * rr
    return smooth


def _next_wave(plan: Plan) -> np.ndarray:
    """Return the onset of the P wave or QRS that begins the beat after each one."""
    begins = np.array([at if p < 0 else plan.p_s[p] for at, p in zip(plan.qrs_s, plan.p_of_qrs, strict=True)])
    return np.append(begins[1:], np.inf)
