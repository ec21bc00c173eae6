"""What Prometheus asks for."""

from __future__ import annotations

import hmac
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response, Security
from prometheus_client import CONTENT_TYPE_LATEST

from api.deps import BEARER, RuntimeOf, check_scope, get_principal
from api.errors import describe_problems
from api.services.figures import gather

router = APIRouter(tags=["Service"])


def _may_scrape(
    request: Request, token: Annotated[str | None, Security(BEARER, scopes=["admin"])], runtime: RuntimeOf
) -> None:
    """Let pass whoever has the token of the settings, and administrators."""
    given = runtime.settings.metrics_token
    if given is None or token is None or not hmac.compare_digest(token.encode(), given.get_secret_value().encode()):
        check_scope(get_principal(request, token, runtime), "admin")


@router.get(
    "/metrics",
    dependencies=[Depends(_may_scrape)],
    response_class=Response,
    responses={
        200: {
            "description": "Prometheus' text format.",
            "content": {
                CONTENT_TYPE_LATEST: {
                    "schema": {"type": "string"},
                    "example": 'einthoven_requests_total{method="POST",route="/predict",status="200"} 12.0\n',
                }
            },
        },
        **describe_problems(401, 403, 500),
    },
)
def metrics(runtime: RuntimeOf) -> Response:
    """Give this process's figures to Prometheus: requests, latencies, analyses, models, jobs, memory.

    For administrators, and for whoever sends the setting `EINTHOVEN_METRICS_TOKEN` as a bearer token.
    """
    return Response(gather(runtime.database), media_type=CONTENT_TYPE_LATEST)
