"""Personal API tokens, for scripts and for the dashboard."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from api.deps import DatabaseOf, SignedInOf
from api.errors import describe_problems
from api.routes.guarded import ID
from api.schemas.api_tokens import ApiTokenList, CreatedApiToken, NewApiToken
from api.services import api_tokens

router = APIRouter(prefix="/tokens", tags=["Accounts"])


@router.post("", status_code=201, responses=describe_problems(400, 401, 403, 409, 413, 422, 500))
def create_token(token: NewApiToken, who: SignedInOf, database: DatabaseOf) -> CreatedApiToken:
    """Make a token that speaks for you, as far as its scopes reach. It is shown in this answer and never again.

    It outlives sign-ins and changes of the password, until it expires or is deleted. It cannot manage the account
    itself: that takes a sign-in.
    """
    return api_tokens.create(database, who, token.name, token.scopes, token.expires_in_days)


@router.get("", responses=describe_problems(401, 403, 500))
def list_tokens(who: SignedInOf, database: DatabaseOf) -> ApiTokenList:
    """List your tokens, the newest first, without their secrets."""
    return api_tokens.list_all(database, who)


@router.delete("/{token_id}", status_code=204, responses=describe_problems(401, 403, 404, 422, 500))
def delete_token(
    token_id: Annotated[str, Path(max_length=36, pattern=ID, description="Of one of your tokens.")],
    who: SignedInOf,
    database: DatabaseOf,
) -> None:
    """Delete a token: from now on it is refused."""
    api_tokens.delete(database, who, token_id)
