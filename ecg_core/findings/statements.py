"""The 71 SCP-ECG statements in plain English, each with its theme and with what is measured that bears on it.

Statements of one group say the same in different degrees or names, so that the most probable of them speaks for all.
"Infarct" statements are patterns whose age is not told: in the data that the network learned from most are old.
"""

from __future__ import annotations

from dataclasses import dataclass

from ecg_core.findings.value import Kind


@dataclass(frozen=True)
class Statement:
    """What one SCP code says."""

    title: str
    kind: Kind
    signs: tuple[str, ...] = ()
    """What is measured that bears on it: names in `ecg_core.findings.signs.SIGNS`."""
    group: str | None = None


_AGE = "age undetermined"
_ISCHAEMIC = "ST-T changes compatible with ischaemia"
_INJURY = "ST changes compatible with subendocardial injury"


def _infarct(where: str, sign: str) -> Statement:
    return Statement(f"{where} infarct pattern, {_AGE}", "infarct", (sign,), "infarct")


def _ischaemia(where: str, sign: str) -> Statement:
    return Statement(f"{_ISCHAEMIC}, {where} leads", "ischaemia", (sign,), "ischaemia")


def _injury(where: str, sign: str) -> Statement:
    return Statement(f"{_INJURY}, {where} leads", "ischaemia", (sign,), "injury")


_LEFT_VOLTAGE = ("left_voltage",)
_RHYTHM = ("p_waves", "rr_range")

STATEMENTS: dict[str, Statement] = {
    "NORM": Statement("Within normal limits", "normal"),
    # Rhythm
    "SR": Statement("Sinus rhythm", "rhythm", ("p_waves",), "rhythm"),
    "AFIB": Statement("Atrial fibrillation", "rhythm", ("fibrillation", "no_p_waves"), "rhythm"),
    "AFLT": Statement("Atrial flutter", "rhythm", ("no_p_waves",), "rhythm"),
    "STACH": Statement("Sinus tachycardia", "rhythm", ("fast",), "rhythm"),
    "SBRAD": Statement("Sinus bradycardia", "rhythm", ("slow",), "rhythm"),
    "SARRH": Statement("Sinus arrhythmia", "rhythm", _RHYTHM, "rhythm"),
    "PACE": Statement("Paced rhythm", "rhythm", ("spikes",), "rhythm"),
    "SVARR": Statement("Supraventricular arrhythmia", "rhythm", ("rr_range", "early_s"), "rhythm"),
    "SVTAC": Statement("Supraventricular tachycardia", "rhythm", ("fast",), "rhythm"),
    "PSVT": Statement("Paroxysmal supraventricular tachycardia", "rhythm", ("fast",), "rhythm"),
    "BIGU": Statement("Bigeminy", "rhythm", ("early_beats",), "ectopy pattern"),
    "TRIGU": Statement("Trigeminy", "rhythm", ("early_beats",), "ectopy pattern"),
    "PAC": Statement("Atrial premature beats", "rhythm", ("early_s",), "atrial ectopy"),
    "PVC": Statement("Ventricular premature beats", "rhythm", ("early_v",), "ventricular ectopy"),
    "PRC(S)": Statement("Premature beats", "rhythm", ("early_beats",), "ectopy"),
    # Infarction
    "IMI": _infarct("Inferior", "q_inferior"),
    "ASMI": _infarct("Anteroseptal", "q_anteroseptal"),
    "AMI": _infarct("Anterior", "q_anterior"),
    "ALMI": _infarct("Anterolateral", "q_anterolateral"),
    "LMI": _infarct("Lateral", "q_lateral"),
    "ILMI": _infarct("Inferolateral", "q_inferolateral"),
    "IPMI": _infarct("Inferoposterior", "q_inferior"),
    "IPLMI": _infarct("Inferoposterolateral", "q_inferolateral"),
    "PMI": Statement(f"Posterior infarct pattern, {_AGE}", "infarct", (), "infarct"),
    "QWAVE": Statement("Q waves", "infarct", ("q_any",), "q waves"),
    # Conduction
    "1AVB": Statement("First-degree AV block", "conduction", ("pr_long",), "av block"),
    "LPR": Statement("Prolonged PR interval", "conduction", ("pr_long",), "av block"),
    "2AVB": Statement("Second-degree AV block", "conduction", ("rr_range",), "av block"),
    "3AVB": Statement("Third-degree AV block", "conduction", ("dissociation",), "av block"),
    "CLBBB": Statement("Complete left bundle branch block", "conduction", ("qrs_complete",), "left bundle"),
    "ILBBB": Statement("Incomplete left bundle branch block", "conduction", ("qrs_incomplete",), "left bundle"),
    "CRBBB": Statement("Complete right bundle branch block", "conduction", ("qrs_complete",), "right bundle"),
    "IRBBB": Statement("Incomplete right bundle branch block", "conduction", ("qrs_incomplete",), "right bundle"),
    "LAFB": Statement("Left anterior fascicular block", "conduction", ("axis_left",), "fascicle"),
    "LPFB": Statement("Left posterior fascicular block", "conduction", ("axis_right",), "fascicle"),
    "IVCD": Statement("Non-specific intraventricular conduction delay", "conduction", ("qrs_delayed",), "delay"),
    "WPW": Statement("Ventricular pre-excitation (WPW pattern)", "conduction", ("pr_short", "qrs_delayed")),
    "ABQRS": Statement("Abnormal QRS complexes", "conduction", ("qrs_width",), "qrs shape"),
    # Hypertrophy and atrial enlargement
    "LVH": Statement("Left ventricular hypertrophy pattern", "hypertrophy", _LEFT_VOLTAGE, "left ventricle"),
    "VCLVH": Statement("Voltage criteria for left ventricular hypertrophy", "hypertrophy", _LEFT_VOLTAGE, "voltage"),
    "SEHYP": Statement("Septal hypertrophy pattern", "hypertrophy", (), "septum"),
    "RVH": Statement("Right ventricular hypertrophy pattern", "hypertrophy", ("axis_rightward",), "right ventricle"),
    "LAO/LAE": Statement("Left atrial enlargement pattern", "hypertrophy", ("p_long",), "left atrium"),
    "RAO/RAE": Statement("Right atrial enlargement pattern", "hypertrophy", (), "right atrium"),
    # ST and T
    "ISC_": Statement(_ISCHAEMIC, "ischaemia", ("st_low",), "ischaemia"),
    "ISCAL": _ischaemia("anterolateral", "st_low_anterolateral"),
    "ISCAS": _ischaemia("anteroseptal", "st_low_anteroseptal"),
    "ISCAN": _ischaemia("anterior", "st_low_anterior"),
    "ISCLA": _ischaemia("lateral", "st_low_lateral"),
    "ISCIN": _ischaemia("inferior", "st_low_inferior"),
    "ISCIL": _ischaemia("inferolateral", "st_low_inferolateral"),
    "INJAS": _injury("anteroseptal", "st_low_anteroseptal"),
    "INJAL": _injury("anterolateral", "st_low_anterolateral"),
    "INJLA": _injury("lateral", "st_low_lateral"),
    "INJIN": _injury("inferior", "st_low_inferior"),
    "INJIL": _injury("inferolateral", "st_low_inferolateral"),
    "STD_": Statement("Non-specific ST depression", "ischaemia", ("st_low",), "st depression"),
    "STE_": Statement("Non-specific ST elevation", "ischaemia", ("st_high",), "st elevation"),
    "NST_": Statement("Non-specific ST changes", "ischaemia", ("st_any",), "non-specific"),
    "NDT": Statement("Non-diagnostic T-wave changes", "ischaemia", (), "non-specific"),
    "NT_": Statement("Non-specific T-wave changes", "ischaemia", (), "non-specific"),
    "TAB_": Statement("T-wave abnormality", "ischaemia", (), "non-specific"),
    "INVT": Statement("Inverted T waves", "ischaemia", (), "t inversion"),
    "LOWT": Statement("Low T waves", "ischaemia", (), "non-specific"),
    "DIG": Statement("ST-T changes as under digitalis", "ischaemia", ("st_low",), "digitalis"),
    "EL": Statement(
        "ST-T changes as in electrolyte disturbance or under drugs", "ischaemia", ("qtc",), "electrolytes or drugs"
    ),
    "ANEUR": Statement("ST-T changes compatible with a ventricular aneurysm", "ischaemia", ("st_high",), "aneurysm"),
    # Intervals and voltages
    "LNGQT": Statement("Long QT interval", "measurement", ("qtc_long",), "qt"),
    "LVOLT": Statement("Low QRS voltages", "measurement", ("low_voltage",), "low voltage"),
    "HVOLT": Statement("High QRS voltages", "measurement", _LEFT_VOLTAGE, "voltage"),
}

FAMILIES: dict[str, tuple[str, Kind]] = {
    "MI": (f"Infarct pattern, {_AGE}, site not told", "infarct"),
    "CD": ("Conduction disturbance, kind not told", "conduction"),
    "HYP": ("Hypertrophy or atrial enlargement pattern, kind not told", "hypertrophy"),
    "STTC": ("ST-T changes, kind not told", "ischaemia"),
}
"""What is said where a superclass is called and none of its statements is."""

RHYTHMS = ("SR", "AFIB", "STACH", "SARRH", "SBRAD", "PACE", "SVARR", "BIGU", "AFLT", "SVTAC", "PSVT", "TRIGU")
"""The twelve statements of the rhythm."""

VARIANTS = frozenset(("SR", "STACH", "SBRAD", "SARRH"))
"""Rhythms that a normal heart has too."""
