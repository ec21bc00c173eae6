"""What the waves look like: one `Shape` a condition, drawn as paths of the dipole.

Vectors are (I, F, Z) in mV as in `vcg`: I to the left, F down, Z to the back. To read them: V1 is about
-0.8 I - 0.9 Z, V2 -1.4 Z, V3 1.4 I + 0.3 F - 1.3 Z, V4 2.0 I + 0.4 F - 0.6 Z,
V5 1.8 I + 0.4 F, V6 1.4 I + 0.3 F + 0.2 Z.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ecg_core.errors import InvalidValue
from ecg_core.registry import Registry
from ecg_core.synthesis.vcg import Bump, Vector, Wave, frontal_axis, rotate

QRS_THRESHOLD = 0.01
"""QRS onset and end: 1 % of the largest spatial magnitude, 15-40 uV, near the 20 uV that the CSE working party took
for the smallest deflection worth marking (Eur Heart J 1985;6:815-825)."""
PT_THRESHOLD = 0.05
"""P and T onset and end: 5 % of the wave's largest spatial magnitude; these waves are an order smaller."""

ST_RISE = 0.35
"""The ST deviation grows from this fraction of the QRS to its end, and is whole at J."""
ST_FALL = 0.75
"""It is gone at this fraction of the T wave, so that the end of T is the T wave's own."""


@dataclass(frozen=True)
class Ventricles:
    """One ventricular complex: QRS, ST deviation and T, with their usual lengths."""

    qrs: Wave
    t: Wave
    qrs_ms: float
    qtc_ms: float
    """QT at a rate of 60; QT follows the cube root of RR (Fridericia)."""
    st: Vector = (0.0, 0.0, 0.0)
    """ST deviation at J, mV."""
    st_slope: float = 1.0
    """Its size at the onset of T, as a multiple of that at J."""
    t_onset: float = 0.34
    """Onset of T as a fraction of the time from J to the end of T."""

    @cached_property
    def qrs_area(self) -> np.ndarray:
        """Net area (3,) from QRS onset to QRS end, in mV times the time between: QRS and growing ST together."""
        return self.qrs.area + np.array(self.st) * (1 - ST_RISE) / 2

    @cached_property
    def t_area(self) -> np.ndarray:
        """Net area (3,) from T onset to T end, in mV times the time between: T and fading ST together."""
        return self.t.area + np.array(self.st) * self.st_slope * ST_FALL / 2

    def turned(self, qrs_axis_deg: float | None, t_axis_deg: float | None) -> Ventricles:
        """Return the complex with the stated frontal axes (degrees); ST turns with T."""
        turned = self
        if t_axis_deg is not None:
            angle = t_axis_deg - float(frontal_axis(self.t_area))
            st = tuple(rotate(np.array(self.st), angle).tolist())
            turned = replace(turned, t=self.t.rotated(angle), st=st)
        if qrs_axis_deg is not None:
            # Rotate QRS alone so that, with the fixed area of the growing ST, the sum points where it was asked to.
            fixed = rotate(turned.qrs_area - turned.qrs.area, -qrs_axis_deg)
            own = turned.qrs.area
            aside = -fixed[1] / math.hypot(own[0], own[1])
            if abs(aside) >= 1 or math.hypot(own[0], own[1]) * math.sqrt(1 - aside**2) + fixed[0] <= 0:
                raise InvalidValue(
                    "the ST deviation leaves no room for this QRS axis", field="qrs_axis_deg", found=qrs_axis_deg
                )
            goal = qrs_axis_deg + math.degrees(math.asin(aside))
            turned = replace(turned, qrs=turned.qrs.rotated(goal - float(frontal_axis(own))))
        return turned


@dataclass(frozen=True)
class Shape:
    """How one heart's beats look, whatever their rhythm."""

    title: str
    statements: tuple[str, ...]
    """SCP-ECG statement codes as PTB-XL uses them."""
    ventricles: Ventricles
    p: Wave
    p_ms: float = 98.0
    pr_ms: float = 158.0
    pr_follows_rate: bool = True
    """Whether PR shortens at high rates."""


SHAPES: Registry[Shape] = Registry("shape")


def _path(*bumps: tuple[float, float, float, Vector]) -> Wave:
    """Make a QRS of (start, peak, end, vector) in ms; the ms are scaled to the length asked for."""
    length = max(end for _, _, end, _ in bumps)
    return Wave(tuple(Bump(a / length, b / length, c / length, v) for a, b, c, v in bumps), QRS_THRESHOLD)


def _t(vector: Vector, *, peak: float = 0.58, rise: float = 1.0) -> Wave:
    """Make a T of slow rise and steeper fall."""
    return Wave((Bump(0.0, peak, 1.0, vector, rise=rise),), PT_THRESHOLD)


SINUS_P = Wave(
    (Bump(0.0, 0.40, 0.80, (0.026, 0.095, -0.055)), Bump(0.20, 0.60, 1.0, (0.042, 0.070, 0.052))), PT_THRESHOLD
)
"""Right atrium to the front and down, then left atrium to the left and back: biphasic in V1."""
ECTOPIC_P = Wave((Bump(0.0, 0.45, 1.0, (0.030, -0.110, -0.030)),), PT_THRESHOLD)
"""From low in the atrium: upside down in II, III and aVF."""

NORMAL = Ventricles(
    _path(
        (0, 13, 32, (-0.10, 0.00, -0.24)),
        (8, 27, 48, (0.20, 0.20, -0.30)),
        (18, 42, 68, (0.56, 0.80, 0.42)),
        (40, 62, 90, (0.02, -0.06, 0.62)),
        (60, 76, 90, (-0.10, -0.10, 0.05)),
    ),
    _t((0.15, 0.19, -0.15)),
    qrs_ms=90,
    qtc_ms=402,
    st=(0.006, 0.008, -0.025),
    st_slope=1.6,
)

PREMATURE = Ventricles(
    _path(
        (0, 22, 60, (0.05, 0.25, -0.12)),
        (10, 62, 118, (0.10, 1.05, 0.75)),
        (60, 102, 150, (0.22, 0.40, 0.80)),
    ),
    _t((-0.12, -0.45, -0.42), rise=0.8),
    qrs_ms=150,
    qtc_ms=440,
    st=(-0.03, -0.10, -0.12),
    st_slope=1.3,
    t_onset=0.22,
)
"""An extrasystole from the right ventricular outflow tract."""

PACED = Ventricles(
    _path(
        (0, 30, 70, (0.10, -0.30, 0.15)),
        (20, 68, 118, (0.30, -0.75, 0.62)),
        (70, 114, 160, (0.24, -0.62, 0.70)),
    ),
    _t((-0.10, 0.38, -0.36), rise=0.8),
    qrs_ms=160,
    qtc_ms=455,
    st=(-0.03, 0.09, -0.10),
    st_slope=1.3,
    t_onset=0.24,
)
"""Captured from the apex of the right ventricle: like left bundle branch block, with the axis up."""

_INFERIOR_ACUTE = Ventricles(
    _path(
        (0, 14, 34, (-0.05, -0.16, -0.22)),
        (10, 28, 48, (0.20, 0.06, -0.30)),
        (20, 44, 70, (0.48, 0.72, 0.42)),
        (42, 63, 90, (0.02, -0.05, 0.58)),
        (62, 78, 90, (-0.06, -0.08, 0.05)),
    ),
    _t((-0.03, 0.34, -0.12), peak=0.55, rise=0.9),
    qrs_ms=92,
    qtc_ms=405,
    st=(-0.10, 0.25, 0.03),
    st_slope=1.15,
    t_onset=0.26,
)

_INFERIOR_OLD = Ventricles(
    _path(
        (0, 23, 48, (0.10, -0.46, -0.24)),
        (16, 32, 54, (0.30, 0.02, -0.26)),
        (30, 52, 76, (0.52, 0.58, 0.44)),
        (48, 70, 98, (0.02, -0.06, 0.55)),
    ),
    _t((0.20, -0.19, -0.20)),
    qrs_ms=98,
    qtc_ms=410,
)

_ANTERIOR_ACUTE = Ventricles(
    _path(
        (0, 12, 28, (-0.06, 0.00, -0.10)),
        (8, 28, 50, (0.16, 0.20, 0.10)),
        (20, 44, 70, (0.52, 0.66, 0.48)),
        (42, 64, 92, (0.02, -0.04, 0.50)),
    ),
    _t((0.14, 0.10, -0.36), peak=0.55, rise=0.9),
    qrs_ms=94,
    qtc_ms=410,
    st=(0.02, -0.05, -0.24),
    st_slope=1.25,
    t_onset=0.26,
)

_ANTERIOR_OLD = Ventricles(
    _path(
        (0, 22, 46, (-0.04, 0.05, 0.30)),
        (14, 34, 58, (0.06, 0.22, 0.44)),
        (28, 50, 74, (0.42, 0.60, 0.62)),
        (48, 70, 98, (0.02, -0.04, 0.44)),
    ),
    _t((0.015, 0.11, 0.22), rise=0.9),
    qrs_ms=98,
    qtc_ms=415,
    st=(0.0, -0.01, -0.05),
)

_LBBB = Ventricles(
    _path(
        (0, 16, 44, (0.08, 0.04, -0.20)),
        (8, 46, 91, (0.56, 0.30, 0.66)),
        (52, 78, 104, (0.00, 0.00, 0.30)),
        (64, 108, 150, (0.62, 0.08, 0.72)),
    ),
    _t((-0.20, -0.04, -0.30), rise=0.8),
    qrs_ms=150,
    qtc_ms=442,
    st=(-0.07, -0.01, -0.13),
    st_slope=1.4,
    t_onset=0.24,
)

_RBBB = Ventricles(
    _path(
        (0, 13, 32, (-0.10, 0.00, -0.26)),
        (8, 26, 46, (0.18, 0.20, -0.26)),
        (18, 40, 66, (0.54, 0.78, 0.46)),
        (38, 58, 88, (0.02, -0.06, 0.50)),
        (66, 102, 140, (-0.30, 0.02, -0.48)),
    ),
    _t((0.21, 0.18, 0.10)),
    qrs_ms=140,
    qtc_ms=425,
    st=(0.0, 0.0, 0.02),
)

_LVH = Ventricles(
    _path(
        (0, 14, 34, (-0.10, -0.02, -0.26)),
        (8, 30, 54, (0.26, 0.14, -0.18)),
        (20, 48, 78, (1.02, 0.72, 0.86)),
        (48, 72, 104, (0.06, -0.12, 0.92)),
    ),
    _t((-0.16, -0.11, -0.16), peak=0.66, rise=1.0),
    qrs_ms=104,
    qtc_ms=425,
    st=(-0.055, -0.035, -0.07),
    st_slope=1.5,
    t_onset=0.30,
)

_WPW = Ventricles(
    _path(
        (0, 46, 82, (0.26, 0.20, -0.18)),
        (30, 63, 92, (0.44, 0.56, 0.14)),
        (48, 80, 112, (0.34, 0.40, 0.52)),
        (72, 100, 134, (-0.02, -0.08, 0.50)),
    ),
    _t((0.07, 0.03, -0.20), rise=0.9),
    qrs_ms=134,
    qtc_ms=420,
    st=(-0.03, -0.03, -0.03),
    st_slope=1.2,
)

for _name, _shape in {
    "normal": Shape("Normal", ("NORM",), NORMAL, SINUS_P),
    "inferior_mi_acute": Shape("Acute inferior infarction", ("IMI", "STE_"), _INFERIOR_ACUTE, SINUS_P),
    "inferior_mi_old": Shape("Old inferior infarction", ("IMI", "QWAVE", "INVT"), _INFERIOR_OLD, SINUS_P),
    "anterior_mi_acute": Shape("Acute anterior infarction", ("AMI", "STE_"), _ANTERIOR_ACUTE, SINUS_P),
    "anterior_mi_old": Shape("Old anterior infarction", ("AMI", "QWAVE", "INVT"), _ANTERIOR_OLD, SINUS_P),
    "lbbb": Shape("Left bundle branch block", ("CLBBB",), _LBBB, SINUS_P, pr_ms=172),
    "rbbb": Shape("Right bundle branch block", ("CRBBB",), _RBBB, SINUS_P, pr_ms=164),
    "lvh": Shape("Left ventricular hypertrophy with strain", ("LVH", "VCLVH"), _LVH, SINUS_P, p_ms=106, pr_ms=168),
    "ischaemia": Shape(
        "Ischaemic ST depression",
        ("ISC_", "STD_"),
        replace(NORMAL, t=_t((0.10, 0.10, -0.06)), st=(-0.075, -0.085, 0.07), st_slope=1.1, t_onset=0.36, qtc_ms=408),
        SINUS_P,
    ),
    "long_qt": Shape(
        "Long QT", ("LNGQT",), replace(NORMAL, t=_t((0.15, 0.18, -0.15), rise=0.9), t_onset=0.44, qtc_ms=548), SINUS_P
    ),
    "wpw": Shape(
        "Wolff-Parkinson-White pre-excitation", ("WPW",), _WPW, SINUS_P, p_ms=90, pr_ms=108, pr_follows_rate=False
    ),
}.items():
    SHAPES.register(_name, _shape)
