"""The application: settings in, a FastAPI app out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cached_property
from threading import Timer
from typing import Any

from anyio import to_thread
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.types import ASGIApp

from api.errors import add_error_handlers
from api.jobs.engine import JobEngine
from api.middleware import surround
from api.middleware.body import BodyLimit
from api.middleware.idempotency import Idempotency
from api.openapi import Operation, describe, operations_of
from api.routes import (
    accounts,
    admin,
    analyses,
    api_tokens,
    audit,
    batches,
    cases,
    comparisons,
    evaluate,
    explanations,
    files,
    health,
    inference_v2,
    jobs,
    metrics,
    models,
    plots,
    predict,
    recordings,
    reports,
    sign_ins,
    signals,
)
from api.routes.docs import add_docs
from api.runtime import open_runtime
from api.schemas import NOTICE
from api.services.sweeping import Sweeper
from api.services.warm_up import warm_up
from api.settings import Settings
from ecg_core import __version__

WARM_UP_AFTER_S = 0.5
_OTHER_THREADS = 40
"""Beside those that wait for an analysis: what else is asked is answered meanwhile."""
_DESCRIPTION = f"""Reads an electrocardiogram in whatever form it comes and says what can honestly be said about it.

Sign in (here, with the button *Authorize*; `POST /register` makes an account), then upload the files of one recording:

    TOKEN=$(curl -s -d username=ada -d password=... http://127.0.0.1:8000/token | jq -r .access_token)
    curl -H "Authorization: Bearer $TOKEN" -F files=@100.hea -F files=@100.dat http://127.0.0.1:8000/predict

Units are part of every name (`_s`, `_ms`, `bpm`; `fs` is in samples per second); signals are in millivolts. A figure
that could not be had is `null`, and a `reason` stands beside it. Every error has the same body (RFC 9457) with a stable
`code`. Every answer has an `X-Request-ID`, yours where you send one, that finds it in the service's log.

**{NOTICE}**
"""


class Service(FastAPI):
    """FastAPI, surrounded by our middleware and completely described."""

    def __init__(self, settings: Settings, **how: Any) -> None:
        super().__init__(**how)
        self._settings = settings
        # The last is the outermost: the key's bearer may send no more than anybody.
        self.add_middleware(Idempotency)
        self.add_middleware(BodyLimit, settings=settings)

    def build_middleware_stack(self) -> ASGIApp:
        """Put around the framework's own what must see its answers to failures, too."""
        return surround(super().build_middleware_stack(), self._settings)

    def openapi(self) -> dict[str, Any]:
        """Return the description of the API."""
        return describe(super().openapi())

    def find_operation(self, method: str, path: str) -> Operation | None:
        """Return which operation a request is for."""
        found = (item for item in self._operations if item.method == method and item.pattern.match(path))
        return next(found, None)

    @cached_property
    def _operations(self) -> list[Operation]:
        return operations_of(self.openapi())


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
            with open_runtime(settings) as runtime, Sweeper(runtime), JobEngine(runtime):
                app.state.runtime = runtime
                yield
        finally:
            later.cancel()
            # A process must not end while its models are being loaded.
            later.join()

    app = Service(
        settings,
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
    add_error_handlers(app)
    for room in (
        predict,
        analyses,
        comparisons,
        recordings,
        signals,
        files,
        plots,
        explanations,
        reports,
        cases,
        batches,
        jobs,
        evaluate,
        models,
        inference_v2,
        sign_ins,
        accounts,
        api_tokens,
        audit,
        admin,
        health,
        metrics,
    ):
        app.include_router(room.router)
    if settings.docs:
        add_docs(app)
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name
