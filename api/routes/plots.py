"""Recordings drawn as clinicians expect them."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from api.deps import ReaderOf, RuntimeOf
from api.errors import describe_problems
from api.principal import Principal
from api.routes.conditional import NOT_MODIFIED, answer_if_new
from api.routes.fields import RecordingId
from api.routes.window_fields import AnalysisOf, Identity, Leads, Start, split
from api.runtime import Runtime
from api.services import marks, plots, recordings
from api.services.plots import PlotChoice, View
from ecg_core.report.paper import GAINS_MM_MV, LAYOUTS, SPEEDS_MM_S, Paper

router = APIRouter(prefix="/recordings/{recording_id}", tags=["Signals"])

_LAYOUTS = (*LAYOUTS, "strip")
Layout = Annotated[
    str | None,
    Query(
        max_length=20,
        description="`3x4+1` (with a rhythm strip), `6x2`, `12x1`, or `strip` (each lead in a row of its own). Where"
        " left out, twelve leads are drawn `3x4+1`, others and chosen `leads` as `strip`.",
        json_schema_extra={"enum": [*_LAYOUTS, None]},
    ),
]
Speed = Annotated[
    float, Query(description="Millimetres per second.", json_schema_extra={"enum": list(SPEEDS_MM_S)}, examples=[25])
]
Gain = Annotated[
    float, Query(description="Millimetres per millivolt.", json_schema_extra={"enum": list(GAINS_MM_MV)}, examples=[10])
]
RhythmLead = Annotated[str, Query(max_length=64, description="Lead of the rhythm strip in `3x4+1`.")]
Length = Annotated[float, Query(gt=0, le=120, description="Seconds that are drawn, where there are so many.")]
Filter = Annotated[
    View,
    Query(
        alias="filter",
        description="`diagnostic`: 0.05-150 Hz. `monitor`: 0.5-40 Hz, steady to look at; its ST is not to be measured.",
    ),
]
Overlay = Annotated[
    bool, Query(description="Whether the beats and waves of an analysis are drawn along, where there is one.")
]
Dpi = Annotated[float, Query(ge=50, le=600, description="Dots per inch.")]
_PROBLEMS = NOT_MODIFIED | describe_problems(401, 403, 404, 413, 422, 500, 503)


class Drawn:
    """What is to be drawn, from the parameters that both pictures share."""

    def __init__(
        self,
        layout: Layout = None,
        speed: Speed = 25.0,
        gain: Gain = 10.0,
        leads: Leads = None,
        rhythm_lead: RhythmLead = "II",
        start_s: Start = 0.0,
        length_s: Length = 10.0,
        view: Filter = "none",
        overlay: Overlay = False,
        analysis_id: AnalysisOf = None,
        identity: Identity = True,
    ) -> None:
        self.choice = PlotChoice(
            Paper(layout, speed, gain, rhythm_lead, start_s, length_s), split(leads), view, identity
        )
        self.overlay = overlay or analysis_id is not None
        self.analysis_id = analysis_id


DrawnOf = Annotated[Drawn, Depends()]


def _picture(media_type: str) -> dict[int | str, dict[str, Any]]:
    return {
        200: {
            "description": "The picture, of its true size.",
            "content": {media_type: {"schema": {"type": "string", "format": "binary"}}},
            "headers": {"ETag": {"description": "Of just this picture.", "schema": {"type": "string"}}},
        }
    }


@router.get("/plot.svg", response_class=Response, responses=_picture("image/svg+xml") | _PROBLEMS)
def plot_svg(
    request: Request, recording_id: RecordingId, who: ReaderOf, runtime: RuntimeOf, drawn: DrawnOf
) -> Response:
    """Draw a recording on ECG paper as an SVG whose unit is the millimetre.

    At 25 mm/s and 10 mm/mV a small square is 0.04 s and 0.1 mV, with a heavier line each 5 mm, and a calibration pulse
    stands at the left. The footer names speed, gain, filter and the seconds that are shown. With `overlay`, a tick
    stands above each beat and a bar below each P, QRS and T of an analysis.
    """
    return _plot(request, recording_id, who, runtime, drawn, "svg", 0.0)


@router.get("/plot.png", response_class=Response, responses=_picture("image/png") | _PROBLEMS)
def plot_png(
    request: Request, recording_id: RecordingId, who: ReaderOf, runtime: RuntimeOf, drawn: DrawnOf, dpi: Dpi = 200.0
) -> Response:
    """Draw a recording on ECG paper as a PNG that states its resolution, so that it prints in its true size.

    The parameters are those of `plot.svg`, and `dpi`.
    """
    return _plot(request, recording_id, who, runtime, drawn, "png", dpi)


def _plot(
    request: Request,
    recording_id: str,
    who: Principal,
    runtime: Runtime,
    drawn: Drawn,
    kind: Literal["svg", "png"],
    dpi: float,
) -> Response:
    row = recordings.open_row(runtime.database, who, recording_id)
    said = marks.find_analysis(runtime.database, who, row, drawn.analysis_id) if drawn.overlay else None

    def answer() -> Response:
        choice = replace(drawn.choice, title=row.name)
        result = None if said is None else said.result
        drawing = plots.draw_plot(
            recordings.load(runtime, who, row), choice, result, runtime.settings.signal_max_values
        )
        picture = plots.render_plot(drawing, kind, dpi)
        return Response(picture, media_type="image/svg+xml" if kind == "svg" else "image/png")

    key = ("plot", kind, dpi, row.fingerprint, row.updated_at, None if said is None else said.id, drawn.choice)
    return answer_if_new(request, key, answer)
