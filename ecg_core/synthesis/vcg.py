"""The heart as one moving dipole: its projection on the twelve leads, and the bumps its waves are made of.

The lead vectors are Dower's (Dower, Machado, Osborne, "On deriving the electrocardiogram from vectorcardiographic
leads", Clin Cardiol 1980;3:87-95), in Frank's axes X left, Y down, Z back. Departures from the paper:

- only I, II and V1..V6 are taken from the matrix; III, aVR, aVL and aVF follow from I and II, so that Einthoven's and
  Goldberger's identities hold exactly (the published limb rows break them by 0.001);
- the dipole is written as ``(I, F, Z)`` with ``I`` = lead I and ``F = 2 aVF / sqrt(3)`` instead of ``(X, Y, Z)``: a
  linear change of axes in which the frontal plane is what the limb leads see. A rotation of ``(I, F)`` by an angle
  turns the frontal axis, as ``atan2(2 aVF / sqrt(3), I)``, by exactly that angle.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ecg_core.leads import CHEST, LIMB_FROM_I_II

Vector = tuple[float, float, float]
"""Millivolts along I, F and Z (back)."""

DOWER: dict[str, Vector] = {
    "I": (0.632, -0.235, 0.059),
    "II": (0.235, 1.066, -0.132),
    "V1": (-0.515, 0.157, -0.917),
    "V2": (0.044, 0.164, -1.387),
    "V3": (0.882, 0.098, -1.277),
    "V4": (1.213, 0.127, -0.601),
    "V5": (1.125, 0.127, -0.086),
    "V6": (0.831, 0.076, 0.230),
}
"""Lead vectors over Frank's X, Y, Z."""

EDGE = 0.6
"""Default edge exponent of a bump: near its edge it grows as (distance from the edge)^(2 * EDGE)."""

_GRID = np.linspace(0.0, 1.0, 8001)


def lead_matrix(leads: tuple[str, ...]) -> np.ndarray:
    """Return the matrix (len(leads), 3) that turns a dipole (I, F, Z) in mV into leads in mV."""
    to_i = np.array(DOWER["I"])
    to_f = (2 * np.array(DOWER["II"]) - to_i) / math.sqrt(3)
    from_ifz = np.linalg.inv(np.stack([to_i, to_f, (0.0, 0.0, 1.0)]))
    first, second = np.array([1.0, 0.0, 0.0]), np.array([0.5, math.sqrt(3) / 2, 0.0])
    rows = {name: a * first + b * second for name, (a, b) in LIMB_FROM_I_II.items()}
    rows |= {name: np.array(DOWER[name]) @ from_ifz for name in CHEST}
    return np.stack([rows[name] for name in leads])


def frontal_axis(vector: np.ndarray) -> np.ndarray:
    """Return the frontal axis in degrees, in (-180, 180], of dipoles or net areas of shape (3, ...)."""
    return np.asarray(np.degrees(np.arctan2(vector[1], vector[0])))


def rotate(vector: np.ndarray, angle_deg: np.ndarray | float) -> np.ndarray:
    """Turn dipoles of shape (3, ...) in the frontal plane by ``angle_deg`` (a number, or one per column)."""
    angle = np.radians(angle_deg)
    cos, sin = np.cos(angle), np.sin(angle)
    return np.stack([cos * vector[0] - sin * vector[1], sin * vector[0] + cos * vector[1], vector[2]])


def ease(x: np.ndarray) -> np.ndarray:
    """Return the raised-cosine step: 0 for x <= 0, 1 for x >= 1, slope zero at both ends."""
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.clip(x, 0.0, 1.0)))


@dataclass(frozen=True)
class Bump:
    """A hump that is exactly zero outside (start, end) and ``vector`` at ``peak``.

    Each side is ``cos(pi x / 2) ** (2 p)``, x running from 0 at the peak to 1 at the edge: p = 0.5 is a half sine,
    p = 1 a raised cosine. For p > 0.5 it is continuously differentiable; at p = 0.6 the edge is so steep that 5 % of
    the peak is reached within 5.3 % of the side's length.
    """

    start: float
    peak: float
    end: float
    """Fractions of the wave's length."""
    vector: Vector
    rise: float = EDGE
    fall: float = EDGE
    """The exponents p of the two sides."""

    def __call__(self, u: np.ndarray) -> np.ndarray:
        """Return the height (0..1) at the fractions ``u`` of the wave's length."""
        before = u < self.peak
        x = np.where(before, (self.peak - u) / (self.peak - self.start), (u - self.peak) / (self.end - self.peak))
        height = np.cos(np.minimum(x, 1.0) * (np.pi / 2))
        # cos(pi/2) is 6e-17 in floating point; outside its support a bump is exactly zero.
        return np.where(x < 1.0, height, 0.0) ** np.where(before, 2 * self.rise, 2 * self.fall)


@dataclass(frozen=True)
class Wave:
    """A P, QRS or T wave as a sum of bumps, over a length of its own, and where it is said to begin and end."""

    bumps: tuple[Bump, ...]
    threshold: float
    """The wave begins and ends where its spatial magnitude |(I, F, Z)| passes this fraction of its largest."""

    def dipole(self, u: np.ndarray) -> np.ndarray:
        """Return the dipole (mV, shape (3, n)) at the fractions ``u`` (n,) of the whole length."""
        total = np.zeros((3, *u.shape))
        for bump in self.bumps:
            height = bump(u)
            for axis, value in enumerate(bump.vector):
                if value:
                    total[axis] += value * height
        return total

    @cached_property
    def marks(self) -> tuple[float, float, float]:
        """Onset, peak and end as fractions of the whole length.

        The peak is the instant of the largest spatial magnitude. A rotation in the frontal plane, a gain and a change
        of length leave all three where they are.
        """
        size = np.linalg.norm(self.dipole(_GRID), axis=0)
        limit = self.threshold * size.max()
        above = np.flatnonzero(size > limit)
        first, last = int(above[0]), int(above[-1])
        onset = np.interp(limit, size[first - 1 : first + 1], _GRID[first - 1 : first + 1])
        end = np.interp(limit, size[[last + 1, last]], _GRID[[last + 1, last]])
        return float(onset), float(_GRID[size.argmax()]), float(end)

    @cached_property
    def area(self) -> np.ndarray:
        """Net area (mV, shape (3,)) between onset and end, in units of the time between them."""
        onset, _, end = self.marks
        u = np.linspace(onset, end, 8001)
        return np.asarray(np.trapezoid(self.dipole(u), dx=1 / 8000, axis=1))

    def rotated(self, angle_deg: float) -> Wave:
        """Return the wave turned by ``angle_deg`` in the frontal plane."""
        turn = [rotate(np.array(bump.vector), angle_deg) for bump in self.bumps]
        return replace(
            self, bumps=tuple(replace(b, vector=tuple(v.tolist())) for b, v in zip(self.bumps, turn, strict=True))
        )

    def place(self, onset_s: np.ndarray, end_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return start and length (s, shape (n,)) of the whole wave for given instants of onset and end (n,)."""
        first, _, last = self.marks
        length = (end_s - onset_s) / (last - first)
        return onset_s - first * length, length


def samples_within(start_s: np.ndarray, end_s: np.ndarray, fs: float, n_samples: int) -> tuple[np.ndarray, np.ndarray]:
    """List the samples within each of n spans, one span after the other.

    Returns
    -------
    Sample numbers, and for each the number of its span; both int64 of shape (total,).
    """
    first = np.clip(np.ceil(start_s * fs), 0, n_samples).astype(np.int64)
    count = np.clip(np.floor(end_s * fs).astype(np.int64) + 1, first, n_samples) - first
    span = np.repeat(np.arange(len(first)), count)
    within = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return first[span] + within, span
