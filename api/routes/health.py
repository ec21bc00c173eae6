"""Whether the service is up, and what it is."""

from __future__ import annotations

from fastapi import APIRouter, Response

from api.deps import RuntimeOf, SettingsOf
from api.errors import RETRY_AFTER_S, describe_problems, problem_response
from api.schemas import Fact, Format, Health, Info, NotReady, Readiness, UploadLimits
from api.services.readiness import check_parts
from ecg_core import __version__
from ecg_core.findings.statements import STATEMENTS
from ecg_core.predictors import OPERATING_POINTS, predictors
from ecg_core.readers import READERS
from ecg_core.risk import FACTS

router = APIRouter(tags=["Service"])


@router.get("/health/live")
async def health_live() -> Health:
    """Say that the process answers; nothing else is looked at."""
    return Health()


@router.get(
    "/health/ready",
    response_model=Readiness,
    responses={
        503: {"model": NotReady, "description": "Not, or not yet (`not_ready`): `checks` says which part, and why."},
        **describe_problems(500),
    },
)
def health_ready(runtime: RuntimeOf) -> Readiness | Response:
    """Say that recordings can be taken and analysed: the database, the store and the models are each tried."""
    checks = check_parts(runtime)
    missing = [f"{name}: {check.reason}" for name, check in checks if check.state != "ok"]
    if not missing:
        return Readiness(checks=checks)
    headers = {"Retry-After": str(RETRY_AFTER_S)}
    return problem_response(503, "not_ready", "; ".join(missing), headers=headers, shape=NotReady, checks=checks)


@router.get("/info", responses=describe_problems(500))
def info(settings: SettingsOf) -> Info:
    """Say what this service is: version, formats it reads, limits on uploads, models, what can be stated."""
    return Info(
        name="einthoven",
        version=__version__,
        formats=[
            Format(name=reader.name, title=reader.title, suffixes=list(reader.suffixes)) for reader in READERS.values()
        ],
        limits=UploadLimits.model_validate(settings, from_attributes=True),
        models=sorted(predictors()),
        operating_points=list(OPERATING_POINTS),
        statements={code: item.title for code, item in STATEMENTS.items()},
        facts=[Fact.model_validate(fact.to_dict()) for fact in FACTS.values()],
    )
