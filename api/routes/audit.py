"""The audit trail."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Security
from pydantic import AfterValidator, AwareDatetime

from api.deps import DatabaseOf, get_principal
from api.errors import Refusal, describe_problems
from api.principal import Principal
from api.routes.fields import Cursor, Limit
from api.schemas.audit import AuditPage
from api.services import audit_trail
from api.services.audit_trail import Filters

router = APIRouter(tags=["Administration"])


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("the year is out of range in UTC") from error


_WORD = "^[a-z_]{1,40}$"
_ID = "^[0-9a-f-]{36}$"
Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]


def state_filters(
    action: Annotated[
        str | None,
        Query(
            pattern=_WORD,
            description="`created`, `read`, `changed`, `deleted`, `exported`, `signed_in`, `sign_in_failed`, ...",
            examples=["read"],
        ),
    ] = None,
    object_kind: Annotated[
        str | None,
        Query(pattern=_WORD, description="`recording`, `analysis`, `job`, `account` or `token`.", examples=["account"]),
    ] = None,
    object_id: Annotated[str | None, Query(pattern=_ID, description="What it was done to.")] = None,
    actor_id: Annotated[str | None, Query(pattern=_ID, description="The account that did it.")] = None,
    since: Annotated[Moment | None, Query(description="First moment, with its zone.")] = None,
    until: Annotated[Moment | None, Query(description="The moment before which it happened, with its zone.")] = None,
) -> Filters:
    """Return which events are asked for."""
    return Filters(action, object_kind, object_id, actor_id, since, until)


async def _see_trail(principal: Annotated[Principal, Depends(get_principal)]) -> Principal:
    if not principal.scopes & {"read", "admin"}:
        found = " ".join(sorted(principal.scopes))
        raise Refusal(403, "wrong_scope", "this needs the scope `read` or `admin`", found=found)
    return principal


@router.get("/audit", responses=describe_problems(401, 403, 422, 500))
def list_audit(
    who: Annotated[Principal, Security(_see_trail, scopes=["read"])],
    database: DatabaseOf,
    filters: Annotated[Filters, Depends(state_filters)],
    cursor: Cursor = None,
    limit: Limit = 50,
) -> AuditPage:
    """List who did what to which record, the newest first.

    You see what you did and what was done to your account and records, also when those are gone. An administrator whose
    token has the scope `admin` sees all.
    """
    return audit_trail.list_page(database, who, filters, cursor, limit)
