"""How the measurements of two analyses differ, and where they cannot be set beside one another.

What the noise of a measurement is measured on (`ecg_core.evaluation.repeatability`) passes through here too, so that
it is that of the differences which are shown, and of the same recordings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ecg_core.measurements.amplitudes import HEIGHT_NAMES, ST_NAMES
from ecg_core.measurements.intervals import FORMULAS
from ecg_core.measurements.table import VALUES

Told = Mapping[str, Any]
"""An analysis in its JSON-ready form, `Analysis.to_dict`."""

LEAD_VALUES = (*HEIGHT_NAMES, *ST_NAMES)
RATES = ("hr_bpm", "rr_min_ms", "rr_max_ms")
EXTREMES = ("rr_min_ms", "rr_max_ms")
INTERVALS = ("pr_ms", "p_ms", "qrs_ms", "qt_ms", "jt_ms", *(f"qtc_{name}_ms" for name in FORMULAS))
"""They are taken from all leads at once: from the earliest onset to the latest end."""
_BEAT_BY_BEAT = (*RATES, "qt_ms", "jt_ms", *(f"qtc_{name}_ms" for name in FORMULAS))
"""They vary from beat to beat in fibrillation by more than any noise."""
_FIBRILLATING = ("AFIB", "AFLT")
LONGER = 1.5
"""The shortest and the longest RR interval depend on how long one looks: beyond this ratio they are not compared."""
CLOSEST = 1e-6
"""A probability is kept this far from 0 and 1 before its log odds are taken."""


@dataclass(frozen=True)
class Difference:
    """A measurement in two recordings."""

    before: float | None
    after: float | None
    by: float | None
    """After less before, an angle the shorter way round; None where either is missing."""
    reason: str | None = None
    """Why nothing can be said of it, where nothing can."""


def measured_differences(before: Told, after: Told) -> dict[str, Difference]:
    """Return the difference of each measurement by name; those of a lead are called ``"V2.st_j_mv"``."""
    whole = _reason_for_all(before, after)
    found = {}
    for name, first, second in _pairs(before["measurements"], after["measurements"]):
        start, end = _value(first), _value(second)
        by = None if start is None or end is None else _wrapped(name, end - start)
        reason = _missing(first, second) or whole or _reason(name, first, second, before, after)
        found[name] = Difference(start, end, by, reason)
    return found


def log_odds(probability: float | np.ndarray) -> np.ndarray:
    """Return the log odds of probabilities."""
    kept = np.clip(probability, CLOSEST, 1 - CLOSEST)
    return np.asarray(np.log(kept / (1 - kept)))


def fibrillates(told: Told) -> bool:
    """Return whether the atria were taken to fibrillate or flutter."""
    return told["rhythm"]["label"] == "A" or told["rhythm"]["code"] in _FIBRILLATING


def ventricles_paced(told: Told) -> bool:
    """Return whether the ventricles are paced, by spikes, or the rhythm was called paced."""
    return "ventricular" in told["pacing"]["chambers"] or told["rhythm"]["code"] == "PACE"


def which(first: bool, second: bool) -> str:
    """Return in words of which recording something holds."""
    return "both recordings" if first and second else "the first recording" if first else "the second recording"


def _pairs(before: Told, after: Told) -> Iterator[tuple[str, Told | None, Told | None]]:
    for name in VALUES:
        yield name, before.get(name), after.get(name)
    first, second = before["leads"], after["leads"]
    for lead in dict.fromkeys((*first, *second)):
        for name in LEAD_VALUES:
            yield f"{lead}.{name}", first.get(lead, {}).get(name), second.get(lead, {}).get(name)


def _value(item: Told | None) -> float | None:
    return None if item is None else item["value"]


def _wrapped(name: str, by: float) -> float:
    return (by + 180.0) % 360.0 - 180.0 if name.endswith("_axis_deg") else by


def _missing(first: Told | None, second: Told | None) -> str | None:
    """Return why a value is missing, where it is."""
    lacks = _value(first) is None, _value(second) is None
    if not any(lacks):
        return None
    sides = zip((first, second), lacks, strict=True)
    told = [item["reason"] if item else "the lead was not recorded" for item, no in sides if no]
    reasons = "; ".join(dict.fromkeys(reason for reason in told if reason))
    return f"no value in {which(*lacks)}" + (f": {reasons}" if reasons else "")


def _reason_for_all(before: Told, after: Told) -> str | None:
    poor = before["quality"]["verdict"] == "poor", after["quality"]["verdict"] == "poor"
    return f"the signal of {which(*poor)} is poor" if any(poor) else None


def _reason(name: str, first: Told | None, second: Told | None, before: Told, after: Told) -> str | None:
    """Return why two values cannot be set beside one another, or None."""
    assert first is not None and second is not None  # noqa: S101, PT018 - else a value is missing
    paced = ventricles_paced(before), ventricles_paced(after)
    if any(paced) and name not in RATES:
        return f"the ventricles are paced in {which(*paced)}"
    irregular = fibrillates(before), fibrillates(after)
    if any(irregular) and name in _BEAT_BY_BEAT:
        return f"atrial fibrillation or flutter in {which(*irregular)}: it varies from beat to beat"
    if name in INTERVALS and {*before["recording"]["leads"]} != {*after["recording"]["leads"]}:
        return "other leads were recorded, from which intervals are measured"
    lengths = sorted((before["recording"]["duration_s"], after["recording"]["duration_s"]))
    if name in EXTREMES and lengths[1] > LONGER * lengths[0]:
        return "one recording is much longer, and holds more beats to find the extreme in"
    if first["method"] != second["method"]:
        return f"it was measured in two ways: {first['method']}; {second['method']}"
    exchanged = bool(before["quality"]["suspected"]), bool(after["quality"]["suspected"])
    if any(exchanged) and name not in (*RATES, *INTERVALS):
        return f"electrodes may be exchanged in {which(*exchanged)}"
    return None
