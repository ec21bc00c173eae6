"""Which way a recording is read: by as many leads as it has of those that the network was calibrated for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ecg_core.predictors.windows import INPUTS, available
from ecg_core.recording import Recording

FULL = "full"
MOST_LOST = 2
"""Leads of the full view that may be missing."""


@dataclass(frozen=True)
class Reading:
    """How a recording is read."""

    view: str
    leads: tuple[str, ...]
    """Those of `INPUTS` that are read."""
    sources: tuple[str, ...]
    """Leads of the recording that may be used."""
    lost: tuple[str, ...] = ()
    """Leads of the view that are missing or poor, and stay empty."""

    @property
    def computed(self) -> tuple[str, ...]:
        """Leads that are read but follow from others."""
        return tuple(name for name in self.leads if name not in self.sources)


def choose_reading(recording: Recording, sources: Sequence[str], views: Mapping[str, Sequence[str]]) -> Reading | str:
    """Return the largest view that a recording can be read in, or the reason why there is none.

    Parameters
    ----------
    recording
        Any.
    sources
        Leads of it that may be used: those that are not poor.
    views
        View to its leads. The full view, of all `INPUTS`, may lack `MOST_LOST` of them; the others none.
    """
    here = available(sources)
    usable = tuple(name for name in recording.leads if name in sources)
    for view, leads in sorted(views.items(), key=lambda item: -len(item[1])):
        lost = tuple(name for name in leads if name not in here)
        if len(lost) <= (MOST_LOST if len(leads) == len(INPUTS) else 0):
            return Reading(view, tuple(name for name in leads if name in here), usable, lost)
    ways = "; ".join(", ".join(leads) for leads in views.values())
    poor = [name for name in recording.leads if name not in usable]
    left_out = f", of which {', '.join(poor)} cannot be trusted" if poor else ""
    return f"the model reads one of these sets of leads: {ways}; here are {', '.join(recording.leads)}{left_out}"
