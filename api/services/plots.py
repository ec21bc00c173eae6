"""Recordings drawn on ECG paper."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from api.errors import Refusal
from api.services.windows import check_range, choose_leads
from ecg_core.errors import InvalidValue
from ecg_core.leads import INDEPENDENT_8, LIMB, derive_leads
from ecg_core.preprocess import bandpass, crop, monitor_view
from ecg_core.recording import Recording, Subject
from ecg_core.report.drawing import Drawing
from ecg_core.report.overlay import Overlay, WaveSpan
from ecg_core.report.paper import Paper, draw
from ecg_core.report.render import to_png, to_svg

View = Literal["none", "diagnostic", "monitor"]
VIEWS = {"diagnostic": bandpass, "monitor": monitor_view}
MARGIN_S = 30.0
"""Filtered beyond either end of what is drawn: longer than the slowest filter rings."""
MAX_PIXELS = 40_000_000
_MM = 25.4


@dataclass(frozen=True)
class PlotChoice:
    """How to draw."""

    paper: Paper
    leads: tuple[str, ...] | None = None
    view: View = "none"
    identity: bool = True
    title: str | None = None


def draw_plot(recording: Recording, wanted: PlotChoice, result: Mapping[str, Any] | None, max_values: int) -> Drawing:
    """Return the drawing of a window, with the beats and waves of an analysis where one is given.

    Raises
    ------
    InvalidValue
        The paper, the leads or the window cannot be had.
    Refusal
        413 `signal_too_large`: the window holds more than ``max_values``.
    """
    paper, whole_s = wanted.paper, recording.duration_s
    start_s, _ = check_range(recording, paper.start_s, None)
    stop_s = min(start_s + paper.length_s, whole_s)
    leads, derived = choose_leads(recording, wanted.leads)
    if (stop_s - start_s) * recording.fs * len(leads) > max_values:
        most_s = max_values / recording.fs / len(leads)
        raise Refusal(
            413,
            "signal_too_large",
            "more samples than one drawing may hold",
            found=f"{stop_s - start_s:g} s of {len(leads)} leads",
            expected=f"at most {max_values} values",
            options=[f"length_s={most_s:.2f} or less", "fewer leads"],
        )
    begin_s = max(0.0, start_s - (MARGIN_S if wanted.view != "none" else 0.0))
    part = crop(recording, begin_s, stop_s + (MARGIN_S if wanted.view != "none" else 0.0))
    part = _with_leads(part, wanted, leads, derived)
    if wanted.view != "none":
        part = crop(VIEWS[wanted.view](part), start_s - begin_s)
    # The header tells when the whole recording began; the footer, which seconds of it are shown.
    part = replace(part, start=recording.start if wanted.identity else None)
    title = wanted.title
    if not wanted.identity:
        part, title = replace(part, subject=Subject()), "ECG"
    return draw(
        part,
        replace(paper, start_s=0.0, length_s=stop_s - start_s),
        title=title,
        overlay=None if result is None else _overlay(result),
        offset_s=start_s,
        whole_s=whole_s,
    )


def render_plot(drawing: Drawing, kind: Literal["svg", "png"], dpi: float) -> bytes:
    """Return a drawing as a picture of its true size."""
    if kind == "svg":
        return to_svg(drawing)
    pixels = drawing.width * drawing.height * (dpi / _MM) ** 2
    if pixels > MAX_PIXELS:
        most = dpi * (MAX_PIXELS / pixels) ** 0.5
        raise InvalidValue(
            "too large a picture",
            field="dpi",
            found=f"{dpi:g} on {drawing.width:.0f} x {drawing.height:.0f} mm",
            expected=f"at most {most:.0f}",
            options=("plot.svg", "a shorter length_s", "fewer leads"),
        )
    return to_png(drawing, dots_per_mm=dpi / _MM)


def _with_leads(part: Recording, wanted: PlotChoice, leads: tuple[str, ...], derived: tuple[str, ...]) -> Recording:
    """Return the leads that are to be drawn, the limb leads of an eight-lead recording derived."""
    if wanted.leads is not None:
        if derived:
            part = derive_leads(part, tuple(name for name in LIMB if name in part.leads or name in derived))
        return part.select(leads)
    if wanted.paper.layout != "strip" and set(INDEPENDENT_8) <= set(part.leads):
        return derive_leads(part)
    return part


def _overlay(result: Mapping[str, Any]) -> Overlay:
    beats = result["beats"]
    classes = beats.get("classes") or ["N"] * len(beats["times_s"])
    waves = result["waves"]
    return Overlay(
        list(zip(beats["times_s"], classes, strict=True)),
        _spans(waves["global"]),
        {lead: _spans(of_lead) for lead, of_lead in waves["leads"].items()},
    )


def _spans(beats: list[dict[str, Any]]) -> list[WaveSpan]:
    return [(kind, wave["onset_s"], wave["end_s"]) for beat in beats for kind, wave in beat.items()]  # type: ignore[misc]
