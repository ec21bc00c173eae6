"""`compare_analyses`: two analyses in, what changed beside what would differ anyway out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ecg_core.comparison.differences import Difference, Told, measured_differences
from ecg_core.comparison.noise import Noise, shipped_noise
from ecg_core.comparison.people import elapsed_s, warnings
from ecg_core.comparison.statements import age_change, judge, label_changes, statement_changes
from ecg_core.comparison.summary import summarise
from ecg_core.comparison.value import Change, Comparison, Side

if TYPE_CHECKING:
    from ecg_core.analysis import Analysis


def compare_analyses(before: Analysis | Mapping[str, Any], after: Analysis | Mapping[str, Any]) -> Comparison:
    """Set two recordings of one person beside one another: each difference beside its noise.

    The noise of a figure is what it was measured to differ by between two looks at one heart that did not change
    (`ecg_core.comparison.noise`). Within it a difference means nothing. Beyond it the tracing changed: noise alone
    does that to one figure in twenty, electrodes placed anew may do it, and neither cause nor weight is told.

    Parameters
    ----------
    before, after
        The analyses, or their JSON-ready form as `Analysis.to_dict` gives it and the service keeps it.
    """
    first, second = _told(before), _told(after)
    noise = shipped_noise()
    n_leads = min(len(told["recording"]["leads"]) for told in (first, second))
    measured: dict[str, Change] = {}
    leads: dict[str, dict[str, Change]] = {}
    for name, difference in measured_differences(first, second).items():
        change = _change(difference, noise, name, n_leads)
        lead, _, own = name.rpartition(".")
        if lead:
            leads.setdefault(lead, {})[own] = change
        else:
            measured[name] = change
    labels = label_changes(first, second, noise)
    statements = statement_changes(first, second, measured, labels)
    doubts = tuple(warnings(first, second))
    sides = _side(first), _side(second)
    return Comparison(
        *sides,
        elapsed_s(first, second),
        doubts,
        measured,
        leads,
        labels,
        age_change(first, second, noise),
        statements,
        summarise(measured, statements, *sides),
        {
            "sources": {name: dict(found) for name, found in noise.sources.items()},
            "checks": {name: dict(found) for name, found in noise.checks.items()},
        },
    )


def _change(difference: Difference, noise: Noise, name: str, n_leads: int) -> Change:
    level = noise.of(name, n_leads)
    if difference.before is None or difference.after is None or difference.by is None:
        return Change(difference.before, difference.after, None, "cannot be told", level, difference.reason)
    return judge(difference.before, difference.after, difference.by, level, difference.reason)


def _told(found: Analysis | Mapping[str, Any]) -> Told:
    return found if isinstance(found, Mapping) else found.to_dict()


def _side(told: Told) -> Side:
    recording = told["recording"]
    return Side(
        recording["sha256"],
        recording["start"],
        recording["duration_s"],
        tuple(recording["leads"]),
        told["quality"]["verdict"],
        told["rhythm"]["title"],
        told["summary"]["diagnosis"],
    )
