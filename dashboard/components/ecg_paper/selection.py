"""What a reader chose on the ECG paper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Caliper:
    """Two instants and two levels of one lead; times in seconds from the first sample of the recording."""

    lead: str
    from_s: float
    to_s: float
    from_mv: float
    to_mv: float

    @property
    def ms(self) -> float:
        """The length, in milliseconds."""
        return 1000 * abs(self.to_s - self.from_s)

    @property
    def bpm(self) -> float | None:
        """The length as a rate, in beats per minute; none for an empty one."""
        return 60_000 / self.ms if self.ms else None

    @property
    def mv(self) -> float:
        """The rise from the first level to the second, in mV."""
        return self.to_mv - self.from_mv


@dataclass(frozen=True)
class Selection:
    """What is chosen of a recording; each is none until it is."""

    lead: str | None = None
    beat: int | None = None
    """Place in the beats that the paper was given."""
    window: tuple[float, float] | None = None
    """Seconds from the first sample of the recording: from, to."""
    caliper: Caliper | None = None


def read_selection(sent: object, record: str, n_beats: int) -> Selection:
    """Return what the browser sent, where it is about this record and makes sense."""
    if not isinstance(sent, Mapping) or sent.get("record") != record:
        return Selection()
    lead, beat, window, caliper = (sent.get(name) for name in ("lead", "beat", "window", "caliper"))
    numbers = _numbers(window) if isinstance(window, list) else []
    return Selection(
        lead=lead if isinstance(lead, str) else None,
        beat=beat if isinstance(beat, int) and 0 <= beat < n_beats else None,
        window=(numbers[0], numbers[1]) if len(numbers) == 2 else None,
        caliper=_read_caliper(caliper) if isinstance(caliper, Mapping) else None,
    )


def _read_caliper(sent: Mapping[Any, Any]) -> Caliper | None:
    numbers = _numbers([sent.get(name) for name in ("from_s", "to_s", "from_mv", "to_mv")])
    lead = sent.get("lead")
    return Caliper(lead, *numbers) if isinstance(lead, str) and len(numbers) == 4 else None


def _numbers(values: list[Any]) -> list[float]:
    """Return numbers as such, and nothing if one of them is none."""
    whole = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
    return [float(value) for value in values] if whole else []
