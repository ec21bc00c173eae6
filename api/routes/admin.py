"""Accounts, as administrators see them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query

from api.deps import AdminOf, DatabaseOf, RuntimeOf
from api.errors import describe_problems
from api.routes.fields import Limit
from api.routes.guarded import ID
from api.schemas.accounts import Account, AccountChange, AccountPage, NewAccountByAdmin, Role
from api.services import accounts, administration

router = APIRouter(prefix="/admin/users", tags=["Administration"])

UserId = Annotated[str, Path(max_length=36, pattern=ID, description="Of an account.")]


@router.get("", responses=describe_problems(401, 403, 422, 500))
def list_users(
    _who: AdminOf,
    database: DatabaseOf,
    search: Annotated[str | None, Query(max_length=254, description="What the name holds.", examples=["ada"])] = None,
    role: Annotated[Role | None, Query(description="Only accounts of this role.")] = None,
    is_active: Annotated[bool | None, Query(description="Only those that can sign in, or cannot.")] = None,
    cursor: Annotated[
        str | None,
        Query(max_length=5000, description="`next_cursor` of the page before; the first page where left out."),
    ] = None,
    limit: Limit = 50,
) -> AccountPage:
    """List the accounts, by name."""
    return administration.list_accounts(database, search, role, is_active, cursor, limit)


@router.post("", status_code=201, responses=describe_problems(400, 401, 403, 409, 413, 422, 500, 503))
def create_user(account: NewAccountByAdmin, who: AdminOf, runtime: RuntimeOf) -> Account:
    """Make an account for somebody, also where registration is closed. They change its password at `/me/password`."""
    return accounts.add_account(runtime.database, runtime.passwords, who, account.name, account.password, account.role)


@router.patch("/{user_id}", responses=describe_problems(400, 401, 403, 404, 409, 413, 422, 500))
def change_user(user_id: UserId, change: AccountChange, who: AdminOf, database: DatabaseOf) -> Account:
    """Make an account an administrator's or a user's, deactivate it or activate it again.

    A deactivated account keeps what it owns; its sign-ins end, and its API tokens rest. The last active administrator
    stays one (`last_admin`).
    """
    return administration.change_account(database, who, user_id, change.role, change.is_active)


@router.delete("/{user_id}", status_code=204, responses=describe_problems(401, 403, 404, 409, 422, 500))
def delete_user(user_id: UserId, who: AdminOf, runtime: RuntimeOf) -> None:
    """Delete an account and everything it owns: recordings and their files, analyses, jobs, tokens."""
    administration.delete_account(runtime, who, user_id)
