"""What looks wrong in a recording as read: reported as warnings, never repaired."""

from __future__ import annotations

import numpy as np

from ecg_core.leads import LIMB, LIMB_FROM_I_II, STANDARD_12
from ecg_core.recording import Recording

PLAUSIBLE_FS = (50.0, 50_000.0)
PLAUSIBLE_SPAN_MV = (0.05, 20.0)
"""Peak-to-peak range that a recorded lead is expected to lie within."""
IDENTITY_TOLERANCE_MV = 0.05
"""A limb-lead identity is violated where the median error exceeds this and a tenth of the lead's own spread."""
_SAMPLED = 200_000


def check(recording: Recording) -> tuple[str, ...]:
    """Return warnings on rate, amplitude, and flat, missing, duplicate or permuted-looking leads."""
    signal = recording.signal[:, :: max(1, recording.n_samples // _SAMPLED)].astype(np.float64)
    notes = [
        *_rate(recording),
        *_amplitude(recording, signal),
        *_limb_identities(recording, signal),
        *_duplicates(recording, signal),
    ]
    present = [name for name in STANDARD_12 if name in recording.leads]
    if len(present) >= 6 and len(present) < 12:
        absent = ", ".join(name for name in STANDARD_12 if name not in present)
        notes.append(f"leads: {absent} missing from a standard 12-lead recording")
    return tuple(notes)


def _rate(recording: Recording) -> list[str]:
    low, high = PLAUSIBLE_FS
    if not low <= recording.fs <= high:
        return [f"rate: {recording.fs:g} Hz is implausible for an ECG (expected {low:g} to {high:g})"]
    return []


def _amplitude(recording: Recording, signal: np.ndarray) -> list[str]:
    notes = []
    missing = np.isnan(signal).all(axis=1)
    if missing.any():
        notes.append(f"missing: {_names(recording, missing)}: nothing was recorded")
    filled = np.where(missing[:, None], 0.0, signal)
    span = np.nanmax(filled, axis=1) - np.nanmin(filled, axis=1)
    flat = (span == 0) & ~missing
    if flat.any():
        notes.append(f"flat: {_names(recording, flat)}: one value throughout")
    low, high = PLAUSIBLE_SPAN_MV
    small = (span < low) & ~flat & ~missing
    if small.any():
        notes.append(
            f"amplitude: {_names(recording, small)} spans less than {low:g} mV, implausibly little: check the units"
        )
    large = span > high
    if large.any():
        notes.append(
            f"amplitude: {_names(recording, large)} spans more than {high:g} mV, implausibly much: check the units"
        )
    return notes


def _limb_identities(recording: Recording, signal: np.ndarray) -> list[str]:
    """Check every limb lead against I and II, and III = II - I first among them."""
    rows = {name: signal[i] for i, name in enumerate(recording.leads)}
    if "I" not in rows or "II" not in rows:
        return []
    centred = {name: row - np.nanmedian(row) if not np.isnan(row).all() else row for name, row in rows.items()}
    expected = {name: a * centred["I"] + b * centred["II"] for name, (a, b) in LIMB_FROM_I_II.items()}
    if np.isnan(centred["I"] + centred["II"]).all():
        return []
    wrong = [name for name in LIMB[2:] if name in rows and _differ(centred[name], expected[name])]
    if not wrong:
        return []
    notes = []
    formulas = {"III": "I + III = II", "aVR": "aVR = -(I + II)/2", "aVL": "aVL = I - II/2", "aVF": "aVF = II - I/2"}
    text = ", ".join(formulas[name] for name in wrong)
    notes.append(
        f"limb leads: {text} does not hold among I, II, {', '.join(wrong)}: "
        "they may be permuted, or not recorded simultaneously"
    )
    for name in wrong:
        place = next(
            (other for other in rows if other not in (name, "I", "II") and not _differ(centred[other], expected[name])),
            None,
        )
        if place is not None:
            notes.append(f"limb leads: what {name} should be stands under {place}: the lead order looks permuted")
    if "III" in wrong:
        for first, second in (("I", "II"), ("I", "III"), ("II", "III")):
            swapped = centred | {first: centred[second], second: centred[first]}
            if not _differ(swapped["III"], swapped["II"] - swapped["I"]):
                notes.append(f"limb leads: I + III = II would hold with {first} and {second} exchanged")
    return notes


def _differ(found: np.ndarray, expected: np.ndarray) -> bool:
    """Return whether two leads differ by more than rounding and filtering explain."""
    both = ~(np.isnan(found) | np.isnan(expected))
    if both.sum() < 10:
        return False
    error = np.abs(found[both] - expected[both])
    spread = np.percentile(expected[both], 99) - np.percentile(expected[both], 1)
    return bool(np.percentile(error, 90) > max(IDENTITY_TOLERANCE_MV, 0.1 * spread))


def _duplicates(recording: Recording, signal: np.ndarray) -> list[str]:
    notes = []
    known = ~np.isnan(signal)
    for i in range(len(signal)):
        for j in range(i + 1, len(signal)):
            both = known[i] & known[j]
            if both.sum() >= 10 and np.ptp(signal[i][both]) > 0 and np.array_equal(signal[i][both], signal[j][both]):
                notes.append(f"duplicate: {recording.leads[i]} and {recording.leads[j]} hold the same samples")
    return notes


def _names(recording: Recording, which: np.ndarray) -> str:
    return ", ".join(name for name, yes in zip(recording.leads, which, strict=True) if yes)
