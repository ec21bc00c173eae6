"""The application: settings in, a FastAPI app out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from threading import Timer
from typing import Any

from anyio import to_thread
from fastapi import FastAPI
from fastapi.routing import APIRoute

from api.errors import MEDIA_TYPE, add_error_handlers
from api.limits import BodyLimit
from api.routes import analyses, health, predict
from api.routes.docs import add_docs
from api.runtime import open_runtime
from api.schemas import NOTICE
from api.services.warm_up import warm_up
from api.settings import Settings
from ecg_core import __version__

WARM_UP_AFTER_S = 0.5
_OTHER_THREADS = 40
"""Beside those that wait for an analysis: what else is asked is answered meanwhile."""
_DESCRIPTION = f"""Reads an electrocardiogram in whatever form it comes and says what can honestly be said about it.

Upload the files of one recording to `POST /predict`:

    curl -F files=@100.hea -F files=@100.dat http://127.0.0.1:8000/predict

Units are part of every name (`_s`, `_ms`, `bpm`; `fs` is in samples per second); signals are in millivolts. A figure
that could not be had is `null`, and a `reason` stands beside it. Every error has the same body (RFC 9457) with a stable
`code`.

**{NOTICE}**
"""


def create_app(settings: Settings | None = None) -> FastAPI:
    """Build the service.

    Parameters
    ----------
    settings
        How it behaves; from the environment where left out.
    """
    settings = settings or Settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # Once the service answers, which it does before its models are loaded.
        later = Timer(WARM_UP_AFTER_S, warm_up)
        later.start()
        to_thread.current_default_thread_limiter().total_tokens = settings.max_analyses + _OTHER_THREADS
        try:
            with open_runtime(settings) as app.state.runtime:
                yield
        finally:
            later.cancel()

    app = FastAPI(
        title="Einthoven",
        version=__version__,
        summary="ECG in, findings out.",
        description=_DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        lifespan=lifespan,
        generate_unique_id_function=_operation_id,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json" if settings.docs else None,
    )
    app.add_middleware(BodyLimit, max_bytes=settings.max_upload_bytes)
    add_error_handlers(app)
    for room in (predict, analyses, health):
        app.include_router(room.router)
    if settings.docs:
        add_docs(app)
    framework_openapi = app.openapi
    app.openapi = lambda: _with_problem_type(framework_openapi())  # type: ignore[method-assign]
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name


def _with_problem_type(document: dict[str, Any]) -> dict[str, Any]:
    """Give every error answer its real media type; the framework writes them all down as plain JSON."""
    for path in document["paths"].values():
        for operation in path.values():
            for status, response in operation["responses"].items():
                content = response.get("content", {})
                if status >= "400" and "application/json" in content:
                    content[MEDIA_TYPE] = content.pop("application/json")
    return document
