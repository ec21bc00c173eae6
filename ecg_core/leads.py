"""Lead names: the canonical ones, their orders, their aliases, and the limb leads that follow from two others."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from ecg_core.errors import InvalidValue

if TYPE_CHECKING:
    from ecg_core.recording import Recording

LIMB = ("I", "II", "III", "aVR", "aVL", "aVF")
CHEST = ("V1", "V2", "V3", "V4", "V5", "V6")
STANDARD_12 = LIMB + CHEST
INDEPENDENT_8 = ("I", "II", *CHEST)
EXTRA = ("V7", "V8", "V9", "V1R", "V2R", "V3R", "V4R", "V5R", "V6R", "V7R", "X", "Y", "Z", "A", "ES", "AS", "AI")

LIMB_FROM_I_II: dict[str, tuple[float, float]] = {
    "I": (1.0, 0.0),
    "II": (0.0, 1.0),
    "III": (-1.0, 1.0),
    "aVR": (-0.5, -0.5),
    "aVL": (1.0, -0.5),
    "aVF": (-0.5, 1.0),
}
"""Each limb lead as ``a * I + b * II`` (Einthoven's and Goldberger's definitions)."""

MAX_NAME = 64
"""Characters of a lead's name; a longer one is no known lead, and is cut where it is kept."""

_CANONICAL = {name.lower(): name for name in (*STANDARD_12, *EXTRA)}
_NOISE_WORDS = re.compile(
    r"^(mdc_?ecg_?(lead|elec_?potl)_?|ecg|ekg|lead|ableitung|derivation|deriv|channel|ch|kanal)[\s_\-.:]+", re.I
)
_MODIFIED = re.compile(
    r"^(?:(?:mod\.?\s*l?|m\.?\s*l)\s*(?P<limb>i{1,3}|[123])|(?:mod\.?|m\.?)\s*(?P<chest>v[1-6]))$", re.I
)
_ROMAN = {"1": "I", "2": "II", "3": "III"}
_GENERIC = re.compile(
    r"^$|^(ecg|ekg|val|vals|value|values|data|signal|sig|mv|uv|voltage|amplitude|p_signal|raw|lead|chan|channel|ch|column|col)?"
    r"[\s_#\-.:]*\d*$",
    re.I,
)
_NUMBERED_ECG = re.compile(r"^(?:ecg|ekg)[\s_#\-.]*(\d+)$", re.I)


@lru_cache(4096)
def canonical_lead(name: str) -> str | None:
    """Return the canonical spelling of a lead's name, or None where the name is not a known lead.

    ``"MLII"``, ``"Lead II"``, ``"DII"``, ``"ECG II"``, ``"II-"`` and ``"ii"`` are all ``"II"``; ``"AVR"`` is ``"aVR"``.
    """
    if len(name) > MAX_NAME:
        return None
    text = re.sub(r"\s*[\(\[].*$", "", name.strip().strip("\"'")).strip()
    if re.search(r"(?:^|\s)[-\u2212](?=\w)", text):
        return None  # "-aVR" is the lead upside down
    previous = None
    while previous != text:
        previous, text = text, _NOISE_WORDS.sub("", text).strip()
    for unit in ("-ref", "-gnd", "-le", "+"):
        if text.lower().endswith(unit):
            text = text[: -len(unit)].strip()
    if re.search(r"i[\s_\-.]+i", text, re.I):
        return None  # "I-II" is a difference of leads, not III
    key = re.sub(r"[\s_\-.]", "", text).lower()
    if key in _CANONICAL:
        return _CANONICAL[key]
    if match := re.fullmatch(r"(?:lead|d|l|mdcecglead)(i{1,3}|[123]|av[rlf]|v[1-9]r?)", key):
        key = match.group(1)
        return _ROMAN.get(key) or _CANONICAL[key]
    if match := _MODIFIED.match(text):
        lead = (match.group("limb") or match.group("chest")).lower()
        return _ROMAN.get(lead) or _CANONICAL[lead]
    if match := re.fullmatch(r"(?:c|v)([1-9])", key):
        return f"V{match.group(1)}"
    if match := re.fullmatch(r"(?:frank)?v([xyz])", key) or re.fullmatch(r"frank([xyz])", key):
        return match.group(1).upper()
    if match := re.fullmatch(r"a?v([rlf])", key):
        return f"aV{match.group(1).upper()}"
    return None


def is_modified_lead(name: str) -> bool:
    """Return whether ``name`` is a modified (torso) placement such as ``MLII``, which only resembles its limb lead."""
    return canonical_lead(name) is not None and _MODIFIED.match(name.strip()) is not None


def is_generic_name(name: str | None) -> bool:
    """Return whether ``name`` says nothing about the lead (``None``, ``"ECG"``, ``"ch 3"``, ``"val"``, ``"7"``)."""
    return name is None or (len(name) <= MAX_NAME and _GENERIC.match(name.strip()) is not None)


def numbered_ecg(name: str) -> str | None:
    """Return ``"ECG<n>"`` for names such as ``"ECG 2"`` or ``"ekg#2"``, else None."""
    match = _NUMBERED_ECG.match(name.strip()) if len(name) <= MAX_NAME else None
    return f"ECG{int(match.group(1))}" if match else None


def derive_limb(signal: np.ndarray, leads: tuple[str, ...], wanted: tuple[str, ...]) -> np.ndarray:
    """Compute limb leads from any two others, sample by sample.

    Parameters
    ----------
    signal
        Millivolts, shape (n_leads, n_samples); NaN where a lead was not recorded.
    leads
        Names of the rows of ``signal``.
    wanted
        Limb leads to compute.

    Returns
    -------
    Float32 millivolts of shape (len(wanted), n_samples); NaN where fewer than two limb leads were recorded.
    """
    rows = [leads.index(name) for name in LIMB if name in leads]
    weights = np.array([LIMB_FROM_I_II[leads[row]] for row in rows])
    target = np.array([LIMB_FROM_I_II[name] for name in wanted])
    if len(rows) > 1 and not np.isnan(two := signal[rows[:2]].astype(np.float64)).any():
        return np.asarray(target @ np.linalg.solve(weights[:2], two), np.float32)
    source = signal[rows].astype(np.float64)
    result = np.full((len(wanted), signal.shape[1]), np.nan, np.float32)
    # Which leads were recorded, as the bits of one byte a sample: a day holds twenty million.
    recorded = np.zeros(signal.shape[1], np.uint8)
    for bit, row in enumerate(source):
        recorded |= (~np.isnan(row)).view(np.uint8) << bit
    for pattern in np.flatnonzero(np.bincount(recorded)):
        pair = [bit for bit in range(len(rows)) if pattern >> bit & 1][:2]
        if len(pair) < 2:
            continue
        at = recorded == pattern
        result[:, at] = target @ np.linalg.solve(weights[pair], source[pair][:, at])
    return result


def derive_leads(recording: Recording, leads: tuple[str, ...] = STANDARD_12) -> Recording:
    """Return ``recording`` with the missing limb leads among ``leads`` added in the order of ``leads``, marked derived.

    Any two limb leads determine the other four. Leads of the recording that ``leads`` does not name stay, at the end;
    chest leads cannot be derived and are not invented.
    """
    missing = tuple(name for name in leads if name in LIMB_FROM_I_II and name not in recording.leads)
    if not missing:
        return recording
    present = tuple(name for name in LIMB if name in recording.leads)
    if len(present) < 2:
        raise InvalidValue(
            f"{', '.join(missing)} cannot be derived",
            field="leads",
            found=f"limb leads {', '.join(present) or 'none'}",
            expected="any two of " + ", ".join(LIMB),
        )
    derived = derive_limb(recording.signal, recording.leads, missing)
    rows = dict(zip(recording.leads, recording.signal, strict=True)) | dict(zip(missing, derived, strict=True))
    order = [name for name in leads if name in rows] + [name for name in recording.leads if name not in leads]
    return recording.with_step(
        "derive_leads",
        {"leads": list(leads)},
        signal=np.stack([rows[name] for name in order]),
        leads=tuple(order),
        derived=(*recording.derived, *missing),
    )
