"""Whether the service is up, and what it is."""

from __future__ import annotations

from fastapi import APIRouter

from api.deps import SettingsOf
from api.schemas import Fact, Format, Health, Info, UploadLimits
from ecg_core import __version__
from ecg_core.findings.statements import STATEMENTS
from ecg_core.predictors import OPERATING_POINTS, predictors
from ecg_core.readers import READERS
from ecg_core.risk import FACTS

router = APIRouter(tags=["Service"])


@router.get("/health/live")
async def health_live() -> Health:
    """Say that the process answers."""
    return Health()


@router.get("/info")
def info(settings: SettingsOf) -> Info:
    """Say what this service is: version, formats it reads, limits on uploads, models, what can be stated."""
    return Info(
        name="einthoven",
        version=__version__,
        formats=[
            Format(name=reader.name, title=reader.title, suffixes=list(reader.suffixes)) for reader in READERS.values()
        ],
        limits=UploadLimits(max_upload_bytes=settings.max_upload_bytes, max_files=settings.max_files),
        models=sorted(predictors()),
        operating_points=list(OPERATING_POINTS),
        statements={code: item.title for code, item in STATEMENTS.items()},
        facts=[Fact.model_validate(fact.to_dict()) for fact in FACTS.values()],
    )
