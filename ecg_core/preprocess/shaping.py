"""Cutting, extending, windowing and scaling. What was not recorded is NaN, never zero."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any, Literal

import numpy as np

from ecg_core.errors import InvalidValue
from ecg_core.recording import Recording

Where = Literal["start", "end", "both"]
Partial = Literal["pad", "keep", "drop"]
_WHERE = ("start", "end", "both")
_PARTIAL = ("pad", "keep", "drop")
NORMALISE_EPS = 1e-7


def crop(recording: Recording, start_s: float, stop_s: float | None = None) -> Recording:
    """Keep the samples within [start_s, stop_s) seconds; start time and annotations move along.

    What lies outside the recording is left away, not invented (`pad` and `fit_length` extend). ``stop_s`` None keeps
    all to the end. A range without a sample is an error.
    """
    first = _sample(start_s, recording.fs, "start_s")
    stop = recording.n_samples if stop_s is None else _sample(stop_s, recording.fs, "stop_s")
    first, stop = max(0, first), min(recording.n_samples, stop)
    if first >= stop:
        raise InvalidValue(
            "holds no sample of the recording",
            field="start_s, stop_s",
            found=f"{start_s:g} to {'the end' if stop_s is None else f'{stop_s:g}'} s",
            expected=f"a range within 0 to {recording.duration_s:g} s",
        )
    parameters = {"start_s": start_s, "stop_s": stop_s, "first_sample": first, "n_samples": stop - first}
    return _cut(recording, first, stop, "crop", parameters)


def pad(recording: Recording, before_s: float = 0.0, after_s: float = 0.0) -> Recording:
    """Extend the recording by seconds marked as not recorded (NaN); start time and annotations move along."""
    before, after = _sample(before_s, recording.fs, "before_s"), _sample(after_s, recording.fs, "after_s")
    if before < 0 or after < 0:
        found = f"{before_s:g} and {after_s:g} s"
        raise InvalidValue("cannot be negative", field="before_s, after_s", found=found, expected="0 or more; see crop")
    parameters = {"before_s": before_s, "after_s": after_s, "samples_before": before, "samples_after": after}
    return _cut(recording, -before, recording.n_samples + after, "pad", parameters)


def fit_length(recording: Recording, duration_s: float, where: Where = "end") -> Recording:
    """Crop or pad to exactly ``duration_s`` (rounded to a sample), at the end, the start, or both alike."""
    _choose("where", where, _WHERE)
    n_samples = _sample(duration_s, recording.fs, "duration_s")
    if n_samples < 1:
        raise InvalidValue("holds no sample", field="duration_s", found=duration_s, expected=f"1 / {recording.fs:g} s")
    excess = recording.n_samples - n_samples
    first = {"end": 0, "start": excess, "both": excess // 2}[where]
    parameters = {"duration_s": duration_s, "where": where, "first_sample": first, "n_samples": n_samples}
    return _cut(recording, first, first + n_samples, "fit_length", parameters)


def windows(recording: Recording, length_s: float, overlap_s: float = 0.0, partial: Partial = "pad") -> list[Recording]:
    """Cut into windows of equal length, each a recording that knows its offset.

    Window k starts at the sample nearest to ``k * (length_s - overlap_s)``, so that starts do not drift at rates where
    this is no whole number of samples; the length is rounded up, so that no sample is missed. No window starts where
    the one before reached the end. Windows of one lead share the memory of the recording; of more leads, each holds
    its own samples.

    Parameters
    ----------
    recording
        Any.
    length_s, overlap_s
        Seconds; the overlap is under the length.
    partial
        A last window that reaches beyond the end is filled with NaN (``"pad"``), kept short (``"keep"``) or left out
        (``"drop"``: a recording shorter than one window has none).
    """
    _choose("partial", partial, _PARTIAL)
    _sample(length_s, recording.fs, "length_s")
    length = math.ceil(length_s * recording.fs - 1e-6)
    hop_s = length_s - overlap_s
    if length < 1 or overlap_s < 0 or hop_s * recording.fs < 1:
        raise InvalidValue(
            "not a series of windows",
            field="length_s, overlap_s",
            found=f"{length_s:g} s overlapping by {overlap_s:g} s",
            expected="a length of a sample or more, and an overlap from 0 to under it",
        )
    found = []
    for k in range(recording.n_samples):
        first = round(k * hop_s * recording.fs)
        beyond = first + length > recording.n_samples
        if (beyond and partial == "drop") or first >= recording.n_samples:
            break
        found.append(window(recording, first, length, pad_end=partial == "pad"))
        if first + length >= recording.n_samples:
            break
    return found


def window(recording: Recording, first_sample: int, n_samples: int, *, pad_end: bool = True) -> Recording:
    """Return one of `windows`: ``n_samples`` from ``first_sample``, beyond the end filled with NaN or cut short."""
    if not 0 <= first_sample < recording.n_samples or n_samples < 1:
        raise InvalidValue(
            "holds no sample of the recording",
            field="window",
            found=f"{n_samples} samples from sample {first_sample}",
            expected=f"a start within 0 to {recording.n_samples - 1}",
        )
    stop = first_sample + n_samples
    parameters = {
        "first_sample": first_sample,
        "n_samples": n_samples,
        "pad_end": pad_end,
        "offset_s": first_sample / recording.fs,
    }
    return _cut(recording, first_sample, stop if pad_end else min(stop, recording.n_samples), "window", parameters)


def normalise(recording: Recording, per: Literal["lead", "array"] = "lead", eps: float = NORMALISE_EPS) -> Recording:
    """Subtract the mean and divide by the standard deviation plus ``eps``; the values are millivolts no longer.

    Parameters
    ----------
    recording
        Any; what was not recorded counts for nothing and stays NaN.
    per
        ``"lead"``: each lead by its own mean and deviation. ``"array"``: one of each for all leads together, which
        keeps their proportions.
    eps
        Millivolts added to the deviation (as ml4h does), so that a flat lead becomes 0.
    """
    _choose("per", per, ("lead", "array"))
    if not (math.isfinite(eps) and eps > 0):
        raise InvalidValue("not a small positive number", field="eps", found=eps, expected="above 0")
    signal = recording.signal
    recorded = [row[~np.isnan(row)] for row in signal]
    groups = recorded if per == "lead" else [np.concatenate(recorded)]
    means = [float(group.mean(dtype=np.float64)) if group.size else None for group in groups]
    deviations = [float(group.std(dtype=np.float64)) if group.size else None for group in groups]
    shift, scale = (np.array([v or 0.0 for v in values])[:, None] for values in (means, deviations))
    result = ((signal - shift) / (scale + eps)).astype(np.float32)
    result.setflags(write=False)
    parameters: dict[str, Any] = {"per": per, "eps": eps, "mean_mv": means, "sd_mv": deviations}
    return recording.with_step("normalise", parameters, signal=result)


def _cut(recording: Recording, first: int, stop: int, name: str, parameters: dict[str, Any]) -> Recording:
    """Return the samples [first, stop), NaN where they lie outside the recording, and move all that is timed along."""
    n = recording.n_samples
    if first >= 0 and stop <= n:
        signal = recording.signal[:, first:stop]
    else:
        signal = np.full((recording.n_leads, stop - first), np.nan, np.float32)
        signal[:, max(0, -first) : min(stop, n) - first] = recording.signal[:, max(0, first) : min(stop, n)]
        signal.setflags(write=False)
    from_s, to_s = first / recording.fs, stop / recording.fs
    return recording.with_step(
        name,
        parameters,
        signal=signal,
        start=None if recording.start is None else recording.start + timedelta(seconds=from_s),
        annotations={key: marks.between(from_s, to_s) for key, marks in recording.annotations.items()},
    )


def _sample(time_s: float, fs: float, field: str) -> int:
    """Return the number of the sample nearest to a time."""
    if not math.isfinite(time_s):
        raise InvalidValue("not a time", field=field, found=time_s, expected="seconds")
    return round(time_s * fs)


def _choose(field: str, value: str, options: tuple[str, ...]) -> None:
    if value not in options:
        raise InvalidValue("no such choice", field=field, found=value, options=options)
