"""From a column of times to a regular grid of samples."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from ecg_core.errors import UnreadableFile

JITTER = 0.02
"""Largest deviation from the regular step, as a fraction of it, beyond what the digits written can explain."""
PLAUSIBLE_FS = (50.0, 10_000.0)
_DAY = 86_400.0
_RESOLVED = 20_000


@dataclass(frozen=True)
class Grid:
    """Where the samples lie."""

    step: float
    """Between two samples, in the column's unit."""
    positions: np.ndarray
    """Sample number of each row, int64, shape (n_rows,); gaps show as jumps."""
    rate: float
    """Samples per unit of the column, rounded as far as the digits written allow."""

    @property
    def n_samples(self) -> int:
        """Length including the gaps."""
        return int(self.positions[-1]) + 1


def is_clock(values: np.ndarray) -> bool:
    """Return whether a column rises as time does: strictly, and in equal steps unless it is long."""
    if len(values) < 3 or not np.isfinite(values).all():
        return False
    steps = np.diff(values)
    if not (steps > 0).all():
        return False
    return len(values) >= 20 or bool(np.ptp(steps) <= 2.02 * _resolution(values) + 1e-9 * steps.max())


def moments(cells: list[str], file: str, column: str, line: int) -> tuple[np.ndarray, datetime | None]:
    """Return seconds (float64, shape (n_rows,)) from clock times or ISO 8601 timestamps, and the first of these."""
    try:
        if ":" in cells[0] and "-" not in cells[0]:
            seconds = np.array([_clock(cell) for cell in cells])
            return seconds + _DAY * np.concatenate([[0], np.cumsum(np.diff(seconds) < -_DAY / 2)]), None
        times = [datetime.fromisoformat(_bare(cell)) for cell in cells]
        return np.array([(time - times[0]).total_seconds() for time in times]), times[0]
    except (ValueError, TypeError) as error:
        raise UnreadableFile(
            "not a time",
            file=file,
            field=f"column {column}, from line {line}",
            found=error,
            expected="0:00.004 or ISO 8601",
        ) from error


def _bare(cell: str) -> str:
    return cell.strip().strip("\"'[] ").replace(",", ".")


def _clock(cell: str) -> float:
    seconds = 0.0
    for part in _bare(cell).split(":"):
        seconds = seconds * 60 + float(part)
    return seconds


def find_grid(values: np.ndarray, file: str, column: str, line: int) -> Grid:
    """Return the regular grid on which ``values`` (a column of times, in any unit) lie.

    Steps that are whole multiples of the regular one are gaps. The regular step is the mean of those near the median,
    since times written to the millisecond jitter (360 Hz: 2, 3 and 3 ms).

    Raises
    ------
    UnreadableFile
        A time is missing or not after the one before it, or a step is neither regular nor a gap.
    """
    if not np.isfinite(values).all():
        row = int(np.flatnonzero(~np.isfinite(values))[0])
        raise UnreadableFile("a time is missing", file=file, field=f"column {column}, line {line + row}")
    steps = np.diff(values)
    if not len(steps) or not (steps > 0).all():
        row = int(np.flatnonzero(steps <= 0)[0]) + 1 if len(steps) else 0
        raise UnreadableFile(
            "time does not advance",
            file=file,
            field=f"column {column}, line {line + row}",
            found=f"{values[row]:.10g} after {values[max(row - 1, 0)]:.10g}",
            expected="two rows or more, each later than the one before",
        )
    resolution = _resolution(values)
    median = float(np.median(steps))
    near = np.abs(steps - median) <= max(JITTER * median, 1.01 * resolution)
    step = float(steps[near].mean())
    allowed = max(JITTER * step, min(1.01 * resolution, 0.6 * step))
    multiples = np.maximum(np.rint(steps / step), 1)
    off = np.abs(steps - multiples * step)
    wrong = off > allowed + multiples * step * (resolution / steps[near].sum())
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0]) + 1
        raise UnreadableFile(
            f"the time steps are irregular ({wrong.mean():.1%} of them by over {JITTER:.0%})",
            file=file,
            field=f"column {column}, line {line + row}",
            found=f"a step of {steps[row - 1]:.6g}",
            expected=f"{step:.6g}, or a whole multiple where samples are missing; resample the file to a regular rate",
        )
    positions = np.concatenate([[0], np.cumsum(multiples)]).astype(np.int64)
    span = float(values[-1] - values[0])
    return Grid(step, positions, _rounded(float(positions[-1]) / span, max(resolution / span, 1e-9)))


def _rounded(rate: float, uncertainty: float) -> float:
    """Return the number with the fewest decimals within the (relative) uncertainty of ``rate``."""
    for decimals in range(7):
        if abs(round(rate, decimals) - rate) <= rate * uncertainty and round(rate, decimals) > 0:
            return round(rate, decimals)
    return rate


def _resolution(values: np.ndarray) -> float:
    """Return the decimal step that ``values`` were written with (0.001 for milliseconds), or 0 where none shows."""
    some = values[:_RESOLVED] - values[0]
    for decimals in range(10):
        scaled = some * 10.0**decimals
        if np.abs(scaled - np.rint(scaled)).max() < 1e-4:
            return float(10.0**-decimals)
    return 0.0


def seconds_by_size(step: float) -> float | None:
    """Return the seconds of one unit of time for which a step gives a plausible rate, or None where none does.

    The rates taken as plausible for seconds, milliseconds and microseconds do not overlap.
    """
    low, high = PLAUSIBLE_FS
    return next((unit for unit in (1.0, 1e-3, 1e-6) if low <= 1 / (step * unit) <= high), None)
