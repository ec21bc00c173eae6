"""Recordings as files: as they were sent, and in other formats."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.deps import ReaderOf, RuntimeOf
from api.errors import describe_problems
from api.routes.conditional import NOT_MODIFIED, answer_if_new
from api.routes.fields import RecordingId
from api.routes.window_fields import OCTETS, Form, Identity
from api.services import exports, recordings
from api.services.downloads import MEDIA_TYPES

router = APIRouter(prefix="/recordings/{recording_id}", tags=["Signals"])

FileName = Annotated[
    str | None, Query(max_length=200, pattern=r"^[^\x00]*$", description="One of its `files`; all where left out.")
]
_TAG = {"ETag": {"description": "Of just this answer.", "schema": {"type": "string"}}}


@router.get(
    "/file",
    response_class=Response,
    responses={
        200: {
            "description": "What was sent: one file as it is, several as a zip archive.",
            "content": {"application/octet-stream": OCTETS},
            "headers": _TAG,
        },
        **NOT_MODIFIED,
        **describe_problems(401, 403, 404, 422, 500),
    },
)
def get_file(
    request: Request, recording_id: RecordingId, who: ReaderOf, runtime: RuntimeOf, name: FileName = None
) -> Response:
    """Get back what was sent, byte for byte: one file as it is, several as a zip archive, or the one that is named."""
    row = recordings.open_row(runtime.database, who, recording_id, "exported")

    def answer() -> Response:
        file = exports.original(runtime.store, row, name)
        return Response(file.content, headers=file.headers, media_type=file.media_type)

    files = [(file.name, file.blob.sha256) for file in row.files]
    return answer_if_new(request, ("file", files, row.name, name), answer)


@router.get(
    "/export",
    response_class=Response,
    responses={
        200: {"description": "The file, to be saved.", "content": dict.fromkeys(MEDIA_TYPES, OCTETS)},
        **describe_problems(401, 403, 404, 422, 429, 500, 503),
    },
)
def export_recording(
    recording_id: RecordingId, who: ReaderOf, runtime: RuntimeOf, form: Form, identity: Identity = True
) -> Response:
    """Get the recording in another format, with what is now noted of the person.

    What a format cannot hold is answered with `write_error`, which says why. Without `identity` neither the person nor
    the date nor the name of the file go along; what is written into the signal itself stays.
    """
    row = recordings.open_row(runtime.database, who, recording_id, "exported")
    with runtime.inference.admitted(who.user_id):
        file = exports.export(recordings.load(runtime, who, row), row.name, form, identity=identity)
    return Response(file.content, headers=file.headers, media_type=file.media_type)
