"""What is in a recording: samples and marks."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic_core import to_json

from api.deps import ReaderOf, RuntimeOf
from api.errors import describe_problems
from api.routes.conditional import NOT_MODIFIED, answer_if_new
from api.routes.fields import RecordingId
from api.routes.window_fields import OCTETS, AnalysisOf, End, Leads, Start, split
from api.schemas import Mark, Marks, SignalWindow
from api.services import marks, recordings, windows
from api.services.windows import WindowChoice
from ecg_core.leads import canonical_lead

router = APIRouter(prefix="/recordings/{recording_id}", tags=["Signals"])

NewFs = Annotated[
    float | None,
    Query(
        ge=1,
        allow_inf_nan=False,
        description="Samples per second, at most the recording's own: what is too quick for them is filtered away.",
        examples=[250],
    ),
]
MaxPoints = Annotated[
    int | None,
    Query(
        ge=2,
        le=1_000_000,
        description="Values of each lead at most, for drawing: the lowest and the highest of each so many samples.",
        examples=[2000],
    ),
]
_TAG = {"ETag": {"description": "Of just this answer.", "schema": {"type": "string"}}}
_NPY: dict[str, Any] = {
    name: {"description": f"{what} With `format=npy`.", "schema": {"type": "string"}}
    for name, what in {
        "Ecg-Fs": "Samples per second.",
        "Ecg-Start-S": "Seconds from the first sample of the recording to that of the window.",
        "Ecg-End-S": "The same to the window's end.",
        "Ecg-Unit": "`mV`.",
        "Ecg-Leads": "Name of each row, percent-encoded, separated by commas.",
        "Ecg-Decimation": "`min_max` and how many samples two values stand for; left out where these are the samples.",
    }.items()
}


@router.get(
    "/signal",
    response_model=SignalWindow,
    responses={
        200: {
            "description": "The samples; with `format=npy` a NumPy file of float32 millivolts, one row a lead, NaN"
            " where nothing was recorded.",
            "content": {"application/octet-stream": OCTETS},
            "headers": _TAG | _NPY,
        },
        **NOT_MODIFIED,
        **describe_problems(401, 403, 404, 413, 422, 500, 503),
    },
)
def get_signal(
    request: Request,
    recording_id: RecordingId,
    who: ReaderOf,
    runtime: RuntimeOf,
    leads: Leads = None,
    start_s: Start = 0.0,
    end_s: End = None,
    fs: NewFs = None,
    max_points: MaxPoints = None,
    form: Annotated[Literal["json", "npy"], Query(alias="format", description="How the samples are written.")] = "json",
) -> Response:
    """Get the samples of some leads over a window, in millivolts; as they are, at a lower rate, or thinned for drawing.

    `fs` filters and decimates, so that it can be measured on; `max_points` keeps the lowest and the highest of each so
    many samples, so that a long recording can be drawn without losing a peak. A window with more samples than an answer
    may carry is answered with `signal_too_large` and what is possible.
    """
    row = recordings.open_row(runtime.database, who, recording_id)
    names = split(leads)

    def answer() -> Response:
        wanted = WindowChoice(names, start_s, end_s, fs, max_points)
        window = windows.cut_window(recordings.load(runtime, who, row), wanted, runtime.settings.signal_max_values)
        if form == "npy":
            content, headers = windows.as_npy(window)
            return Response(content, headers=headers, media_type="application/octet-stream")
        return Response(to_json(windows.as_answer(window)), media_type="application/json")

    key = ("signal", row.fingerprint, names, start_s, end_s, fs, max_points, form, runtime.settings.signal_max_values)
    return answer_if_new(request, key, answer)


@router.get("/annotations", responses=describe_problems(401, 403, 404, 413, 422, 500, 503))
def list_annotations(
    recording_id: RecordingId,
    who: ReaderOf,
    runtime: RuntimeOf,
    source: Annotated[
        Literal["file", "analysis"],
        Query(description="`file`: marks that came with the recording. `analysis`: beats and waves that were found."),
    ] = "file",
    analysis_id: AnalysisOf = None,
    lead: Annotated[
        str | None,
        Query(max_length=64, description="Whose waves (of an analysis); those of all leads together where left out."),
    ] = None,
    start_s: Start = 0.0,
    end_s: End = None,
) -> Marks:
    """List the marks on a recording: those that came with its file, or the beats and waves of an analysis.

    Both are in the symbols of WFDB. With `source=analysis`, `beats` carries the class of each beat, and `waves` the
    begin, peak and end of each P, QRS and T.
    """
    row = recordings.open_row(runtime.database, who, recording_id)
    recording = recordings.load(runtime, who, row)
    start, end = windows.check_range(recording, start_s, end_s)
    most = runtime.settings.signal_max_values
    said = None
    if source == "file":
        found = marks.file_marks(recording, start, end, most)
    else:
        said = marks.find_analysis(runtime.database, who, row, analysis_id)
        lead = lead and (canonical_lead(lead) or lead)
        found = marks.analysis_marks(said.result, lead, start, end, most)
    return Marks(
        source=source,
        analysis_id=None if said is None else said.id,
        lead=lead if said else None,
        start_s=start,
        end_s=end,
        annotators={
            name: [Mark(time_s=time_s, symbol=symbol, note=note) for time_s, symbol, note in of_one]
            for name, of_one in found.items()
        },
    )
