"""Labels in words."""

from __future__ import annotations

from ecg_core.findings.statements import STATEMENTS

_FAMILIES = {
    "NORM": "Normal",
    "MI": "Infarct pattern",
    "STTC": "ST and T changes",
    "CD": "Conduction disturbance",
    "HYP": "Hypertrophy or atrial enlargement",
}
_GROUPS = {
    "AMI": "Anterior infarct or injury pattern",
    "IMI": "Inferior infarct or injury pattern",
    "STTC": "Non-diagnostic and other ST-T changes",
    "ISCA": "ST-T changes compatible with ischaemia, anterior or lateral leads",
    "ISCI": "ST-T changes compatible with ischaemia, inferior leads",
    "_AVB": "AV block",
    "LAFB/LPFB": "Left anterior or posterior fascicular block",
}
_OTHERS = {"sex.female": "Female sex", "sex.male": "Male sex", "age.years": "Age"}
_WORDS = {"superclass": _FAMILIES, "normal": _FAMILIES, "subclass": _GROUPS}


def title_of(label: str) -> str:
    """Return ``"superclass.MI"`` in words; a label that nobody put into words stands for itself."""
    if label in _OTHERS:
        return _OTHERS[label]
    head, name = label.split(".", 1)
    if found := _WORDS.get(head, {}).get(name):
        return found
    return STATEMENTS[name].title if name in STATEMENTS else name
