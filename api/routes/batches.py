"""Many recordings at once."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from api.deps import RuntimeOf, WriterOf
from api.errors import BodyTooLarge, describe_problems
from api.routes.fields import ChosenOf, Files, Fs, StatedOf, Units
from api.schemas import Job
from api.services import jobs
from api.services.analyses import Wanted
from api.services.uploads import Upload

LOCATION: dict[str, Any] = {
    "headers": {"Location": {"description": "Where to follow the job.", "schema": {"type": "string"}}}
}


class TooManyFiles(BodyTooLarge):
    """More files than a batch may have; found while they come in."""

    def __init__(self, limit: int) -> None:
        super().__init__(limit)
        self.detail = f"too many files; expected: at most {limit}"


class _ManyFiles(Request):
    """A request whose form may have as many files as the settings say, which are more than the framework would take."""

    async def form(self, **_limits: Any) -> FormData:  # type: ignore[override] # awaited is all that it is
        most = self.app.state.runtime.settings.max_batch_files
        try:
            return await super().form(max_files=most)
        except HTTPException as error:
            if str(error.detail).startswith("Too many files"):
                raise TooManyFiles(most) from error
            raise


class _Route(APIRoute):
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def with_many_files(request: Request) -> Response:
            return await handle(_ManyFiles(request.scope, request.receive))

        return with_many_files


router = APIRouter(tags=["Jobs"], route_class=_Route)


@router.post(
    "/batches",
    status_code=202,
    responses={202: LOCATION, **describe_problems(400, 401, 403, 413, 422, 500)},
)
def create_batch(
    who: WriterOf,
    runtime: RuntimeOf,
    response: Response,
    stated: StatedOf,
    choices: ChosenOf,
    files: Files,
    fs: Fs = None,
    units: Units = None,
) -> Job:
    """Upload many recordings, single files or archives of them, to be analysed one after the other.

        curl -F files=@study.zip -F files=@more.zip http://127.0.0.1:8000/batches

    Answers at once with a job. `GET /jobs/{id}` says how far it is, `GET /jobs/{id}/results` gives what came of it,
    also while it runs, and `DELETE /jobs/{id}` cancels it. Each recording is kept, as `POST /predict` keeps one, with
    its analysis. There is no limit to how long a recording may be but that on its size. A file that cannot be read is
    an error among the results, and stops no other.

    The files of one recording (`.hea` and `.dat`) belong together where they come side by side, or in one archive.
    Names may hold folders (`p7/ecg.hea`), and each may occur once; archives are kept apart from each other. What is
    stated of the person, `fs` and `units` hold for all recordings.
    """
    uploads = [Upload(file.filename, file.file) for file in files]
    wanted = Wanted(choices.models, choices.operating_point)
    job = jobs.create_batch(runtime, who, uploads, fs=fs, units=units, stated=stated, wanted=wanted)
    response.headers["Location"] = f"/jobs/{job.id}"
    return job
