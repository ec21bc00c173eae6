"""The demo cases, made when they are asked for and then kept: they are small."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from api.schemas import CaseDetails, CaseList, CaseSummary
from api.services.downloads import Download
from api.services.exports import FORMATS, export
from api.services.plots import PlotChoice, draw_plot, render_plot
from ecg_core.recording import Recording
from ecg_core.report.paper import Paper
from ecg_core.synthesis import Case, Synthetic, bundled_cases

_CASES = bundled_cases()


def list_cases() -> CaseList:
    """Return every case."""
    return CaseList(cases=[CaseSummary.model_validate(_describe(case)) for case in _CASES.values()])


def describe_case(name: str) -> CaseDetails:
    """Return one case with what was planted in it."""
    case, made = _CASES[name], _make(name)
    recording = made.recording
    return CaseDetails.model_validate(
        _describe(case)
        | {
            "planted": made.truth.to_dict(),
            "fs": recording.fs,
            "duration_s": recording.n_samples / recording.fs,
            "leads": list(recording.leads),
            "sha256": recording.source.sha256 if recording.source else None,
            "formats": list(FORMATS),
        }
    )


def synthesize_case(name: str) -> Recording:
    """Return the recording of a case; the same one each time.

    Raises
    ------
    UnknownName
        There is no such case; the error lists those that there are.
    """
    return _make(name).recording


def write_case(name: str, form: str) -> Download:
    """Return the recording of a case as a file of a format; as a zip archive where the format takes several.

    Raises
    ------
    InvalidValue
        The format is not one of `FORMATS`.
    """
    return export(synthesize_case(name), name, form, identity=True)


def draw_case(name: str, max_values: int) -> bytes:
    """Return the recording of a case on ECG paper, SVG, under the title of the case."""
    case = _CASES[name]
    choice = PlotChoice(Paper(), title=case.title)
    return render_plot(draw_plot(synthesize_case(name), choice, None, max_values), "svg", 0.0)


@lru_cache(64)
def _make(name: str) -> Synthetic:
    return _CASES[name].synthesize()


def _describe(case: Case) -> dict[str, Any]:
    subject = case.subject.to_dict()
    return {"name": case.name, "title": case.title, "description": case.description, "subject": subject}
