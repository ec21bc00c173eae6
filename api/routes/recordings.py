"""Recordings: send, list, show, change, delete."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Header, Query, Request, Response

from api.deps import DatabaseOf, ReaderOf, RuntimeOf, WriterOf
from api.errors import describe_problems
from api.routes.conditional import NOT_MODIFIED, is_known
from api.routes.fields import Files, Fs, Notes, RecordingId, StatedOf, Units
from api.schemas import KeptRecording, RecordingChanges, RecordingPage, RecordingQuery
from api.services import forgetting, history, recordings
from api.services.uploads import Upload, collect_files

router = APIRouter(prefix="/recordings", tags=["Recordings"])

SubjectId = Annotated[
    str | None,
    Form(
        max_length=200,
        pattern=r"^[^\x00]*$",
        description="What you call the person; goes before the file's.",
        examples=["P-0042"],
    ),
]
IfMatch = Annotated[
    str | None,
    Header(max_length=1000, description="The `ETag` that the recording had when you read it, to overwrite no other."),
]
_TAG = {"ETag": {"description": "Changes whenever the recording does.", "schema": {"type": "string"}}}
_PLACE = {"Location": {"description": "Where it is.", "schema": {"type": "string"}}}


@router.post(
    "",
    status_code=201,
    response_model=KeptRecording,
    responses={
        200: {
            "model": KeptRecording,
            "description": "It was kept before; its `note` says that nothing of it was changed.",
            "headers": _TAG | _PLACE,
        },
        201: {"headers": _TAG | _PLACE},
        **describe_problems(400, 401, 403, 413, 415, 422, 429, 500, 503),
    },
)
def create_recording(
    who: WriterOf,
    runtime: RuntimeOf,
    files: Files,
    stated: StatedOf,
    fs: Fs = None,
    units: Units = None,
    subject_id: SubjectId = None,
    notes: Notes = "",
) -> Response:
    r"""Send the files of one recording and keep it, to be looked at, analysed or exported.

        curl -H "Authorization: Bearer $TOKEN" -F files=@100.hea -F files=@100.dat -F age=63 \
             http://127.0.0.1:8000/recordings

    The format is recognised by content. Whatever had to be assumed on reading stands in `warnings`; `quality` says what
    the signal is good for. The same files again, with the same `fs` and `units`, are the same recording: 200 instead of
    201, and what is noted of it stays as it is. Several recordings at once are answered with `several_recordings`: send
    them to `POST /batches`.
    """
    uploads = collect_files([Upload(file.filename, file.file) for file in files], runtime.settings.max_files)
    kept, created = recordings.add(
        runtime, who, uploads, fs=fs, units=units, stated=stated, subject_id=subject_id, notes=notes
    )
    place = {"Location": f"/recordings/{kept.id}", "ETag": recordings.tag_of(kept)}
    return Response(kept.model_dump_json(), 201 if created else 200, place, "application/json")


@router.get("", responses=describe_problems(401, 403, 422, 500))
def list_recordings(who: ReaderOf, database: DatabaseOf, wanted: Annotated[RecordingQuery, Query()]) -> RecordingPage:
    """List your recordings, each with what its latest analysis says: the newest first, unless another order is asked.

    All filters hold together. Go on with `cursor`: what is added or deleted meanwhile repeats and hides nothing.
    """
    return history.list_page(database, who, wanted)


@router.get(
    "/{recording_id}",
    response_model=KeptRecording,
    responses={200: {"headers": _TAG}, **NOT_MODIFIED, **describe_problems(401, 403, 404, 422, 500)},
)
def show_recording(request: Request, recording_id: RecordingId, who: ReaderOf, database: DatabaseOf) -> Response:
    """Show a recording: what it is, what was sent, how good the signal is, what is noted of the person.

    Its `ETag`, sent back as `If-Match` with a change, makes sure that nobody changed it meanwhile.
    """
    shown = recordings.describe(recordings.open_row(database, who, recording_id))
    headers = {"ETag": recordings.tag_of(shown), "Cache-Control": "private, no-cache"}
    if is_known(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(shown.model_dump_json(), 200, headers, "application/json")


@router.patch(
    "/{recording_id}",
    response_model=KeptRecording,
    responses={200: {"headers": _TAG}, **describe_problems(400, 401, 403, 404, 412, 413, 422, 500)},
)
def change_recording(
    recording_id: RecordingId, changes: RecordingChanges, who: WriterOf, database: DatabaseOf, if_match: IfMatch = None
) -> Response:
    """Change name, notes or subject by a JSON merge patch: null removes, what is left out stays.

        {"notes": "before ablation", "subject": {"age": 63, "facts": {"height_cm": 171, "smoker": null}}}

    Analyses that were made before stay as they are; the next takes into account what is now noted of the person.
    """
    changed = recordings.change(database, who, recording_id, changes, if_match)
    return Response(changed.model_dump_json(), 200, {"ETag": recordings.tag_of(changed)}, "application/json")


@router.delete("/{recording_id}", status_code=204, responses=describe_problems(401, 403, 404, 422, 500))
def delete_recording(recording_id: RecordingId, who: WriterOf, runtime: RuntimeOf) -> None:
    """Delete a recording for good: its files, what is noted of it, and all that was said about it.

    Bytes that another recording holds too stay with that.
    """
    forgetting.forget_recording(runtime, who, recording_id)
