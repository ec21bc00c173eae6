"""Windows of a recording: some leads, some seconds, as they are or thinned out, and what a window may hold."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import numpy as np

from api.errors import Refusal
from ecg_core.errors import InvalidValue
from ecg_core.leads import LIMB, canonical_lead, derive_limb
from ecg_core.preprocess import envelope, resample_window, sample_range
from ecg_core.recording import Recording

DECIMALS = 4
"""Of millivolts: 0.1 uV."""


@dataclass(frozen=True)
class WindowChoice:
    """What is asked for; None for what is there."""

    leads: tuple[str, ...] | None = None
    start_s: float = 0.0
    end_s: float | None = None
    fs: float | None = None
    max_points: int | None = None


@dataclass(frozen=True, eq=False)
class Window:
    """Samples of some leads over some seconds, in millivolts."""

    values: np.ndarray
    """Float32, shape (n_leads, n_samples); NaN where nothing was recorded."""
    leads: tuple[str, ...]
    derived: tuple[str, ...]
    fs: float
    start_s: float
    end_s: float
    samples: int
    """That each pair of values stands for; 1 where these are the samples."""


def cut_window(recording: Recording, wanted: WindowChoice, max_values: int) -> Window:
    """Return a window of a recording.

    Raises
    ------
    InvalidValue
        It names what is not there, or reaches beyond the end.
    Refusal
        413 `signal_too_large`: it would hold more than ``max_values``.
    """
    leads, derived = choose_leads(recording, wanted.leads)
    start_s, end_s = check_range(recording, wanted.start_s, wanted.end_s)
    fs = recording.fs if wanted.fs is None else wanted.fs
    if fs > recording.fs:
        raise InvalidValue(
            "above the recording's own rate", field="fs", found=f"{fs:g}", expected=f"at most {recording.fs:g}"
        )
    if wanted.fs is not None and wanted.max_points is not None:
        raise InvalidValue("one of the two", field="fs, max_points", found="both", expected="fs, or max_points")
    first, stop = sample_range(fs, start_s, end_s)
    if first >= stop:
        raise InvalidValue(
            "holds no sample",
            field="start_s, end_s",
            found=f"{start_s:g} to {end_s:g}",
            expected=f"{1 / fs:g} s or more",
        )
    n_points = min(stop - first, wanted.max_points or stop - first)
    if n_points * len(leads) > max_values:
        raise _too_large(n_points, len(leads), max_values, start_s, fs)
    needed = [name for name in recording.leads if name in leads or (derived and name in LIMB)]
    rows = recording.signal[[recording.leads.index(name) for name in needed]]
    if fs == recording.fs:
        values, start = rows[:, first:stop], first / fs
    else:
        values, start = resample_window(rows, recording.fs, fs, start_s, end_s)
    held = dict(zip(needed, values, strict=True))
    held |= dict(zip(derived, derive_limb(values, tuple(needed), derived), strict=True)) if derived else {}
    values, samples = np.stack([held[name] for name in leads]), 1
    if wanted.max_points is not None:
        values, samples = envelope(values, wanted.max_points)
    of_window = fs if samples == 1 else 2 * fs / samples
    marked = tuple(name for name in leads if name in recording.derived or name in derived)
    return Window(values, leads, marked, of_window, start, start + (stop - first) / fs, samples)


def choose_leads(recording: Recording, wanted: tuple[str, ...] | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of the leads that are wanted, and of those the limb leads that have to be derived."""
    if wanted is None:
        return recording.leads, ()
    leads = tuple(dict.fromkeys(canonical_lead(name) or name for name in wanted))
    missing = tuple(name for name in leads if name not in recording.leads)
    limb = [name for name in recording.leads if name in LIMB]
    can = tuple(name for name in LIMB if name not in recording.leads) if len(limb) >= 2 else ()
    if strange := [name for name in missing if name not in can]:
        raise InvalidValue(
            "the recording has no such lead", field="leads", found=strange[0], options=(*recording.leads, *can)
        )
    return leads, missing


def check_range(recording: Recording, start_s: float, end_s: float | None) -> tuple[float, float]:
    """Return a range of seconds that lies within the recording."""
    whole = recording.duration_s
    end = whole if end_s is None else end_s
    for field, value in (("start_s", start_s), ("end_s", end)):
        if value > whole + 0.5 / recording.fs or (field == "start_s" and value >= whole):
            raise InvalidValue(
                "beyond the end of the recording", field=field, found=f"{value:g}", expected=f"within 0 to {whole:g} s"
            )
    if end <= start_s:
        raise InvalidValue("not after the start", field="end_s", found=f"{end:g}", expected=f"above {start_s:g} s")
    return start_s, min(end, whole)


def _listed(values: np.ndarray) -> list[list[float | None]]:
    """Return millivolts to the nearest 0.1 uV, null where nothing was recorded."""
    rounded = np.round(values.astype(np.float64), DECIMALS)
    plain = rounded.astype(object)
    plain[np.isnan(rounded)] = None
    result: list[list[float | None]] = plain.tolist()
    return result


def as_answer(window: Window) -> dict[str, Any]:
    """Return a window as `SignalWindow` has it; not taken apart and checked again, since it may be large."""
    return {
        "fs": window.fs,
        "unit": "mV",
        "start_s": window.start_s,
        "end_s": window.end_s,
        "leads": window.leads,
        "values": _listed(window.values),
        "derived": window.derived,
        "decimation": None if window.samples == 1 else {"method": "min_max", "samples": window.samples},
    }


def as_npy(window: Window) -> tuple[bytes, dict[str, str]]:
    """Return the samples as a NumPy file, and headers that say what they are."""
    file = io.BytesIO()
    np.save(file, np.ascontiguousarray(window.values, np.float32), allow_pickle=False)
    headers = {
        "Ecg-Fs": f"{window.fs!r}",
        "Ecg-Unit": "mV",
        "Ecg-Start-S": f"{window.start_s!r}",
        "Ecg-End-S": f"{window.end_s!r}",
        "Ecg-Leads": ",".join(quote(name, safe="") for name in window.leads),
    }
    if window.samples > 1:
        headers["Ecg-Decimation"] = f"min_max; samples={window.samples}"
    return file.getvalue(), headers


def _too_large(n_points: int, n_leads: int, max_values: int, start_s: float, fs: float) -> Refusal:
    most = max_values // n_leads
    options = [f"fewer leads than {n_leads}"]
    if most >= 1:
        options.append(f"end_s={math.floor((start_s + most / fs) * 100) / 100:g} or less")
    if most >= 2:
        options.append(f"max_points={most} or less, for drawing")
    return Refusal(
        413,
        "signal_too_large",
        "more samples than an answer may carry",
        found=f"{n_points} samples x {n_leads} leads",
        expected=f"at most {max_values} values",
        options=options,
    )
