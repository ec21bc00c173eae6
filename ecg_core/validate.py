"""What looks wrong in a recording as read: reported as warnings, never repaired."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from ecg_core.leads import LIMB, LIMB_FROM_I_II, STANDARD_12
from ecg_core.recording import Recording
from ecg_core.statistics import median, share_of

PLAUSIBLE_FS = (50.0, 50_000.0)
PLAUSIBLE_SPAN_MV = (0.05, 20.0)
"""Peak-to-peak range that a recorded lead is expected to lie within."""
IDENTITY_TOLERANCE_MV = 0.025
"""A limb-lead identity is violated where a tenth of the samples err by more than this and a tenth of the lead's spread.

Recorded leads err by the rounding of their converter, a few microvolts. Of 1,600 records of PTB-XL none is warned of;
of 400 with any two limb leads exchanged, 97 % or more are.
"""
SAME_SPREAD = 1e-3
"""Leads whose spreads agree within this part were scaled one by one."""
_SAMPLED = 200_000
_COMPARED = 1_250
"""Samples of each lead that the identities are checked on; more tell no more."""


def check(recording: Recording) -> tuple[str, ...]:
    """Return warnings on rate, amplitude, and flat, missing, duplicate or permuted-looking leads."""
    signal = recording.signal[:, :: max(1, recording.n_samples // _SAMPLED)].astype(np.float64)
    scaled = _scaled_one_by_one(signal)
    notes = [
        *_rate(recording),
        *_amplitude(recording, signal),
        *(scaled or _limb_identities(recording, signal)),
        *_duplicates(recording),
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


def _scaled_one_by_one(signal: np.ndarray) -> list[str]:
    """Check for leads that all have the same range or deviation; limb-lead identities then say nothing."""
    recorded = signal[~np.isnan(signal).all(axis=1)]
    if len(recorded) < 3:
        return []
    spans = np.nanmax(recorded, axis=1) - np.nanmin(recorded, axis=1)
    for what, spread in (("spans", spans), ("has a standard deviation of", np.nanstd(recorded, axis=1))):
        if spread.max() - spread.min() < SAME_SPREAD * spread.min():
            return [
                f"amplitude: every lead {what} {np.median(spread):.3g} mV: scaled lead by lead, or clipped, so that "
                "amplitudes mean nothing and the limb-lead identities cannot be checked"
            ]
    return []


def _limb_identities(recording: Recording, signal: np.ndarray) -> list[str]:
    """Check every limb lead against I and II, and III = II - I first among them."""
    some = signal[:, :: max(1, signal.shape[1] // _COMPARED)]
    rows = dict(zip(recording.leads, some, strict=True))
    if "I" not in rows or "II" not in rows:
        return []
    wrong = _violated(rows)
    if not wrong:
        return []
    formulas = {"III": "I + III = II", "aVR": "aVR = -(I + II)/2", "aVL": "aVL = I - II/2", "aVF": "aVF = II - I/2"}
    notes = [
        f"limb leads: {', '.join(formulas[name] for name in wrong)} does not hold among I, II, {', '.join(wrong)}: "
        "they may be permuted, or not recorded simultaneously"
    ]
    limb = [name for name in LIMB if name in rows]
    exchanges = [
        pair for pair in combinations(limb, 2) if not _violated(rows | {pair[0]: rows[pair[1]], pair[1]: rows[pair[0]]})
    ]
    if exchanges:
        pairs = ", or ".join(f"{first} and {second}" for first, second in exchanges)
        return [*notes, f"limb leads: everything would hold with {pairs} exchanged"]
    for name in wrong:
        a, b = LIMB_FROM_I_II[name]
        expected = a * rows["I"] + b * rows["II"]
        # A limb lead that is what I and II make it stands in its place, however alike it looks.
        misfits = {
            other: _misfit(row, expected)
            for other, row in rows.items()
            if other != name and (other not in LIMB or other in wrong)
        }
        place = min(misfits, key=lambda other: misfits[other], default=name)
        if misfits.get(place, 2.0) <= 1:
            notes.append(f"limb leads: what {name} should be stands under {place}: the lead order looks permuted")
    return notes


def _violated(rows: dict[str, np.ndarray]) -> list[str]:
    """Return the limb leads that are not what I and II make them."""
    return [
        name
        for name in LIMB[2:]
        if name in rows
        and _misfit(rows[name], LIMB_FROM_I_II[name][0] * rows["I"] + LIMB_FROM_I_II[name][1] * rows["II"]) > 1
    ]


def _misfit(found: np.ndarray, expected: np.ndarray) -> float:
    """Return by how much two leads differ, but for their level; above 1, rounding and filtering do not explain it."""
    both = ~(np.isnan(found) | np.isnan(expected))
    if both.sum() < 10:
        return 0.0
    error = found[both] - expected[both]
    error = np.abs(error - median(error))
    ordered = np.sort(expected[both])
    reach = share_of(ordered, 0.99) - share_of(ordered, 0.01)
    return float(share_of(np.sort(error), 0.9) / max(IDENTITY_TOLERANCE_MV, 0.1 * reach))


def _duplicates(recording: Recording) -> list[str]:
    notes = []
    first: dict[bytes, str] = {}
    for name, row in zip(recording.leads, recording.signal, strict=True):
        other = first.setdefault(row.tobytes(), name)
        if other != name and np.unique(row[~np.isnan(row)]).size > 1:
            notes.append(f"duplicate: {other} and {name} hold the same samples")
    return notes


def _names(recording: Recording, which: np.ndarray) -> str:
    return ", ".join(name for name, yes in zip(recording.leads, which, strict=True) if yes)
