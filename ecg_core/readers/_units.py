"""Rates and units: from the file, else from the caller, else by a stated rule."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np

from ecg_core.errors import InvalidValue, NeedsOption, UnreadableFile
from ecg_core.readers.base import ReadOptions

MAX_FS = 1e6
"""Samples per second above which a stated rate is damage, not a recording."""


_LONGEST_UNIT = 40


RATES = "samples per second, above 0 and at most a million"


UNITS_TO_MV = {"nv": 1e-6, "uv": 1e-3, "mv": 1.0, "v": 1e3}


_UNIT_SPELLINGS = {
    "nanovolt": "nv",
    "microvolt": "uv",
    "millivolt": "mv",
    "volt": "v",
    "µv": "uv",
    "μv": "uv",
    "mkv": "uv",
}


def unit_to_mv(unit: str | None) -> float | None:
    """Return the millivolts of one ``unit`` ("mV", "µV", "microvolts", "5 uV", "0.005"), or None if no voltage."""
    if unit is None or len(unit) > _LONGEST_UNIT:
        return None
    match = re.fullmatch(r"\s*([-+]?\d*[.,]?\d+(?:e[-+]?\d+)?)?\s*\*?\s*([a-zµμ]*)\s*", unit.strip(), re.I)
    if match is None or not any(match.groups()):
        return None
    number, word = match.group(1), match.group(2).lower()
    word = _UNIT_SPELLINGS.get(word.removesuffix("s"), _UNIT_SPELLINGS.get(word, word))
    scale = UNITS_TO_MV.get(word, None if word else 1.0)
    if scale is None:
        return None
    factor = scale * float(number.replace(",", ".")) if number else scale
    return factor if math.isfinite(factor) and factor > 0 else None


def is_unitless(unit: str) -> bool:
    """Return whether a unit field states nothing ("", "adu", "counts", "NU", "-", ...)."""
    return unit.strip().lower() in {
        "",
        "-",
        "adu",
        "count",
        "counts",
        "nu",
        "none",
        "n/a",
        "na",
        "unknown",
        "1",
        "au",
        "a.u.",
        "arbitrary",
        "raw",
        "lsb",
    }


def require_fs(found: float | None, options: ReadOptions, file: str, *, where: str) -> float:
    """Settle the sampling rate between the file (``found``, stated in ``where``) and the caller.

    Raises
    ------
    NeedsOption
        Neither says.
    InvalidValue
        They contradict each other.
    UnreadableFile
        The file states a rate that is none.
    """
    if options.fs is not None and not 0 < options.fs <= MAX_FS:
        raise InvalidValue("not a sampling rate", field="fs", found=options.fs, expected=RATES)
    if found is None:
        if options.fs is None:
            raise NeedsOption(
                "the file does not state its sampling rate",
                file=file,
                expected=where,
                options=("say it: fs=<samples per second> (on the command line --fs)",),
            )
        return float(options.fs)
    if not 0 < found <= MAX_FS:
        raise UnreadableFile("not a sampling rate", file=file, field=where, found=found, expected=RATES)
    if options.fs is not None and abs(options.fs - found) > 1e-3 * found:
        raise InvalidValue(
            "contradicts the file",
            file=file,
            field="fs",
            found=f"{options.fs:g} Hz",
            expected=f"{found:g} Hz ({where}), or no fs at all",
        )
    return float(found)


def scale_by_size(peak_to_peak: float) -> tuple[float, str]:
    """Settle the unit of bare numbers by a stated rule from their median peak-to-peak value.

    Under 0.02 they are taken as volts, under 20 as millivolts, else as microvolts.
    """
    if peak_to_peak < 0.02:
        return 1e3, "V (median peak-to-peak under 0.02)"
    if peak_to_peak < 20:
        return 1.0, "mV (median peak-to-peak under 20)"
    return 1e-3, "uV (median peak-to-peak 20 or more)"


def median_peak_to_peak(rows: Sequence[np.ndarray]) -> float:
    """Return the median over ``rows`` of largest minus smallest value; 0 where none was recorded."""
    spans = [float(np.nanmax(row) - np.nanmin(row)) for row in rows if row.size and not np.isnan(row).all()]
    return float(np.median(spans)) if spans else 0.0
