"""Marks on a recording: those that came with its file, and those of an analysis."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from api import tables
from api.db import Database
from api.errors import Refusal, not_found
from api.principal import Principal
from api.repositories import analyses
from ecg_core.errors import InvalidValue
from ecg_core.recording import Recording

_PEAKS = {"p": "p", "qrs": "N", "t": "t"}
"""As WFDB marks the peak of each wave."""

Mark = tuple[float, str, str]
"""Seconds, symbol, note."""


def find_analysis(
    database: Database, who: Principal, recording: tables.Recording, analysis_id: str | None
) -> tables.Analysis:
    """Return an analysis of a recording; the latest where none is named."""
    with database.read() as session:
        if analysis_id is None:
            found = analyses.find_latest(session, recording.id)
        else:
            found = analyses.find_analysis(session, who.user_id, analysis_id)
    if found is not None and found.recording_id == recording.id:
        return found
    if analysis_id is not None:
        raise not_found("analysis", analysis_id)
    raise Refusal(
        404,
        "not_analysed",
        "the recording was not analysed",
        field="analysis",
        options=[f"POST /recordings/{recording.id}/analyses"],
    )


def file_marks(recording: Recording, start_s: float, end_s: float, most: int) -> dict[str, list[Mark]]:
    """Return the marks of the file within [start_s, end_s), by annotator."""
    found = {}
    for name, marks in recording.annotations.items():
        part = marks.between(start_s, end_s)
        most -= len(part)
        _check_count(most)
        times = (part.time_s + start_s).tolist()
        found[name] = list(zip(times, part.symbol, part.note, strict=True))
    return found


def analysis_marks(
    result: Mapping[str, Any], lead: str | None, start_s: float, end_s: float, most: int
) -> dict[str, list[Mark]]:
    """Return beats and waves of an analysis within [start_s, end_s).

    Parameters
    ----------
    lead
        Whose waves; those of all leads together where None.
    """
    beats = result["beats"]
    classes = beats.get("classes") or ["N"] * len(beats["times_s"])
    found = {
        "beats": _within(zip(beats["times_s"], classes, [""] * len(classes), strict=True), start_s, end_s),
        "waves": _within(_wave_marks(choose_waves(result, lead)), start_s, end_s),
    }
    _check_count(most - sum(map(len, found.values())))
    return found


def choose_waves(result: Mapping[str, Any], lead: str | None) -> list[dict[str, Any]]:
    """Return the waves of an analysis, beat by beat: of a lead, or of all together."""
    waves: Mapping[str, Any] = result["waves"]
    if lead is None:
        return list(waves["global"])
    if lead not in waves["leads"]:
        raise InvalidValue("no waves of this lead", field="lead", found=lead, options=waves["leads"])
    return list(waves["leads"][lead])


def _wave_marks(beats: Iterable[Mapping[str, Any]]) -> Iterable[Mark]:
    for beat in beats:
        for kind, wave in beat.items():
            yield wave["onset_s"], "(", ""
            yield wave["peak_s"], _PEAKS[kind], ""
            yield wave["end_s"], ")", ""


def _within(marks: Iterable[Mark], start_s: float, end_s: float) -> list[Mark]:
    # In order of time; at the same time in the order in which they were given.
    return sorted((mark for mark in marks if start_s <= mark[0] < end_s), key=lambda mark: mark[0])


def _check_count(left: int) -> None:
    if left < 0:
        raise Refusal(413, "too_many_marks", "more marks than an answer may carry", options=["end_s", "start_s"])
