"""Whose recordings they are, and when and how they were made: what speaks against setting them beside one another."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from ecg_core.comparison.differences import Told

_YEAR_S = 365.25 * 86400
_SLACK_YEARS = 1.5
"""Ages are told in whole years."""
_BAND = "the signal ends at"
"""How a note on a narrow band begins, see `ecg_core.measurements.table`."""


def elapsed_s(before: Told, after: Told) -> float | None:
    """Return the seconds from one start to the other; None where either is not known, or only one tells its zone."""
    first, second = (_start(told) for told in (before, after))
    if first is None or second is None or (first.tzinfo is None) != (second.tzinfo is None):
        return None
    return (second - first).total_seconds()


def warnings(before: Told, after: Told) -> Iterator[str]:
    """Yield what speaks against the comparison, or makes it less than it looks."""
    if before["recording"]["sha256"] == after["recording"]["sha256"]:
        yield "both are the same recording"
    yield from _person(before["subject"], after["subject"])
    yield from _time(before, after)
    yield from _making(before, after)


def _person(first: Told, second: Told) -> Iterator[str]:
    if first["id"] and second["id"]:
        if first["id"] != second["id"]:
            yield f"they are named as of two people: {first['id']} and {second['id']}"
    else:
        yield "that they are of one person is not stated"
    if first["sex"] and second["sex"] and first["sex"] != second["sex"]:
        yield f"the sexes stated contradict each other: {first['sex']} and {second['sex']}"


def _time(before: Told, after: Told) -> Iterator[str]:
    elapsed = elapsed_s(before, after)
    if elapsed is None:
        yield "not both say when they were recorded: they are taken to be in the order in which they were named"
    elif elapsed < 0:
        yield "the second was recorded before the first"
    ages = before["subject"]["age"], after["subject"]["age"]
    if None in ages:
        return
    older = ages[1] - ages[0]
    if elapsed is not None and abs(older - elapsed / _YEAR_S) > _SLACK_YEARS:
        yield f"the ages stated ({ages[0]:g} and {ages[1]:g} years) do not fit the time between the recordings"
    elif elapsed is None and older < 0:
        yield f"the person is younger in the second ({ages[1]:g} years) than in the first ({ages[0]:g} years)"


def _making(before: Told, after: Told) -> Iterator[str]:
    """Yield how the ways in which they were recorded and read differ."""
    bands = [
        next((note for note in told["measurements"]["notes"] if note.startswith(_BAND)), "") for told in (before, after)
    ]
    if bands[0] != bands[1]:
        yield "their signals reach up to different frequencies: heights of Q, R and S differ by that alone"
    leads = [set(told["recording"]["leads"]) for told in (before, after)]
    if leads[0] != leads[1]:
        only = sorted(leads[0] ^ leads[1])
        yield f"they have not the same leads: {', '.join(only)} in one alone"
    versions = [told["provenance"].get("software", {}).get("version") for told in (before, after)]
    if versions[0] != versions[1]:
        yield f"they were analysed by different versions of the software ({versions[0]} and {versions[1]})"


def _start(told: Told) -> datetime | None:
    text = told["recording"]["start"]
    return datetime.fromisoformat(text) if text else None
