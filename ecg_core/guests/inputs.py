"""From a recording to the array that a guest reads, or the reason why it cannot be had."""

from __future__ import annotations

import numpy as np

from ecg_core.errors import InvalidValue
from ecg_core.guests.spec import UNITS, GuestSpec
from ecg_core.leads import LIMB, derive_leads
from ecg_core.preprocess import replay, resample
from ecg_core.recording import Recording


def prepare(recording: Recording, spec: GuestSpec) -> tuple[np.ndarray, tuple[str, ...]] | str:
    """Return what the model reads of a recording, or why it cannot.

    The first part of the model's length that was recorded in all leads is read. Limb leads are derived from two
    others; chest leads cannot be.

    Returns
    -------
    Float32 array of the spec's shape, and what was assumed, in words; or the reason.
    """
    missing = [name for name in spec.leads if name not in recording.leads]
    if missing and (not set(missing) <= set(LIMB) or len([name for name in recording.leads if name in LIMB]) < 2):
        return f"it reads {', '.join(spec.leads)}; missing: {', '.join(missing)}"
    if recording.duration_s < spec.duration_s:
        return f"it reads {spec.duration_s:g} s; {recording.duration_s:g} s were recorded"
    notes = [f"derived: {', '.join(missing)}"] if missing else []
    chosen = derive_leads(recording, tuple(dict.fromkeys((*recording.leads, *spec.leads)))).select(spec.leads)
    try:
        filtered = replay(chosen, spec.filters)
    except InvalidValue as error:
        return f"its preprocessing does not suit the recording: {error}"
    even = filtered if filtered.fs == spec.fs else resample(filtered, spec.fs)
    first = _first_whole(even.signal, spec.samples)
    if first is None:
        return f"no {spec.duration_s:g} s were recorded in all of {', '.join(spec.leads)}"
    if even.n_samples > spec.samples:
        notes.append(f"read: {first / spec.fs:g} to {first / spec.fs + spec.duration_s:g} s")
    values = even.signal[:, first : first + spec.samples].astype(np.float64) * UNITS[spec.unit]
    return _laid(values, spec), tuple(notes)


def _laid(values: np.ndarray, spec: GuestSpec) -> np.ndarray:
    """Return leads x samples as the model has them."""
    normalised = _normalised(values, spec).astype(np.float32)
    return np.ascontiguousarray(normalised.T if spec.layout == "samples_leads" else normalised)


def _normalised(values: np.ndarray, spec: GuestSpec) -> np.ndarray:
    if spec.normalise == "none":
        return values
    axis = 1 if spec.normalise == "lead" else None
    mean, deviation = values.mean(axis=axis, keepdims=True), values.std(axis=axis, keepdims=True)
    return np.asarray((values - mean) / (deviation + spec.eps))


def _first_whole(signal: np.ndarray, length: int) -> int | None:
    """Return where the first stretch of ``length`` samples without a gap in any lead begins."""
    gaps = np.concatenate(([0], np.cumsum(np.isnan(signal).any(axis=0))))
    whole = np.flatnonzero(gaps[length:] == gaps[:-length] if length <= signal.shape[1] else [])
    return int(whole[0]) if whole.size else None
