"""Demo cases: named ECGs to look at, show and analyse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ecg_core.recording import Sex, Subject
from ecg_core.registry import Registry
from ecg_core.synthesis.compose import Synthetic, synthesize


@dataclass(frozen=True)
class Case:
    """One demo case."""

    name: str
    title: str
    description: str
    parameters: Mapping[str, Any]
    """Arguments of `synthesize`."""
    subject: Subject = field(default_factory=Subject)

    def synthesize(self, **changes: Any) -> Synthetic:
        """Make the case, with some arguments changed where asked (``fs``, ``duration_s``, ...)."""
        return synthesize(**{**self.parameters, "subject": self.subject, **changes})


_TREMBLE = {"noise": ("baseline", "muscle"), "snr_db": 26.0}


_CASES: tuple[tuple[str, str, str, dict[str, Any], float, Sex], ...] = (
    (
        "normal",
        "Normal ECG",
        "Sinus rhythm at 68/min with a normal axis, intervals and R progression.",
        {"seed": 1},
        41,
        "female",
    ),
    (
        "inferior_infarction",
        "Acute inferior infarction",
        "ST elevation in II, III and aVF, more in III than in II, with its mirror image in I and aVL.",
        {"shape": "inferior_mi_acute", "rate_bpm": 62.0, "seed": 2},
        63,
        "male",
    ),
    (
        "anterior_infarction",
        "Acute anterior infarction",
        "ST elevation in V1 to V4 with tall T waves and hardly an R wave in V1 to V3.",
        {"shape": "anterior_mi_acute", "rate_bpm": 88.0, "seed": 3},
        58,
        "male",
    ),
    (
        "atrial_fibrillation",
        "Atrial fibrillation",
        "Irregular beats at 92/min without P waves, over a fibrillating baseline.",
        {"rhythm": "af", "rate_bpm": 92.0, "seed": 4},
        74,
        "female",
    ),
    (
        "left_bundle_branch_block",
        "Left bundle branch block",
        "QRS of 150 ms, broad and notched in I, V5 and V6, with ST and T opposed to it.",
        {"shape": "lbbb", "rate_bpm": 72.0, "seed": 5},
        69,
        "female",
    ),
    (
        "left_ventricular_hypertrophy",
        "Left ventricular hypertrophy",
        "High voltage (Sokolow-Lyon above 3.5 mV) with strain in the lateral leads.",
        {"shape": "lvh", "rate_bpm": 70.0, "seed": 6},
        61,
        "male",
    ),
    (
        "ischaemia",
        "Ischaemic ST depression",
        "ST depression in V3 to V6, I, II and aVF, with elevation in aVR.",
        {"shape": "ischaemia", "rate_bpm": 96.0, "seed": 7},
        66,
        "male",
    ),
    (
        "poor_quality",
        "Poor quality",
        "A normal heart under motion, muscle tremor and mains hum at -6 dB, with V2 off from the fourth second on.",
        {
            "noise": ("baseline", "motion", "muscle", "mains"),
            "snr_db": -6.0,
            "lead_off": {"V2": (4.0, 10.0)},
            "lead_off_mode": "rail",
            "seed": 8,
        },
        50,
        "female",
    ),
    (
        "paced",
        "Ventricular pacing",
        "Spikes with broad captured beats at 70/min; the P waves go their own way.",
        {"rhythm": "paced", "seed": 9},
        81,
        "male",
    ),
    (
        "long_qt",
        "Long QT",
        "Sinus rhythm at 64/min with a QTc above 500 ms.",
        {"shape": "long_qt", "rate_bpm": 64.0, "seed": 10},
        29,
        "female",
    ),
    (
        "pre_excitation",
        "Wolff-Parkinson-White",
        "Short PR, delta wave and broad QRS.",
        {"shape": "wpw", "rate_bpm": 74.0, "seed": 11},
        33,
        "male",
    ),
    (
        "second_degree_block",
        "Second-degree block, 2:1",
        "Every second P wave is conducted; the ventricles beat at 40/min.",
        {"rhythm": "block_2_to_1", "seed": 12},
        77,
        "female",
    ),
    (
        "swapped_arms",
        "Arm electrodes swapped",
        "A normal heart with the cables of both arms swapped: lead I upside down, II and III exchanged.",
        {"lead_reversal": "RA-LA", "seed": 13},
        36,
        "male",
    ),
)


def bundled_cases() -> Registry[Case]:
    """Return the demo cases by name."""
    cases: Registry[Case] = Registry("case")
    for name, title, description, parameters, age, sex in _CASES:
        arguments = parameters if "noise" in parameters else {**_TREMBLE, **parameters}
        cases.register(name, Case(name, title, description, arguments, Subject(id=name, age=age, sex=sex)))
    return cases
