"""Register; one's own account."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from api.deps import DatabaseOf, RuntimeOf, SignedInOf, get_principal
from api.errors import describe_problems
from api.principal import Principal
from api.routes.guarded import BUSY, TOO_MANY, Address, explain_problems
from api.schemas.accounts import Account, Me, NewAccount, PasswordChange, PasswordProof
from api.services import accounts, administration

router = APIRouter(tags=["Accounts"])

AnyoneOf = Annotated[Principal, Depends(get_principal)]


@router.post(
    "/register",
    status_code=201,
    responses=explain_problems(
        *(400, 403, 409, 413, 422, 500, 503),
        _403="Administrators make the accounts here (`registration_closed`).",
        _409="There is an account of this name (`name_taken`).",
        _503=BUSY,
    ),
)
def register(account: NewAccount, runtime: RuntimeOf) -> Account:
    """Make an account. Sign in with `POST /login` then.

    A name that is taken is answered with `name_taken`, and a password that is tried first by whoever guesses with
    `weak_password`. Where only administrators make accounts, the answer is `registration_closed`.
    """
    return accounts.register(runtime, account.name, account.password)


@router.get("/me", responses=describe_problems(401, 500))
def show_me(who: AnyoneOf, database: DatabaseOf) -> Me:
    """Show whom the token speaks for, and what it allows."""
    return accounts.show_me(database, who)


@router.post(
    "/me/password",
    status_code=204,
    responses=explain_problems(
        *(400, 401, 403, 409, 413, 422, 429, 500, 503),
        _403="Not the account's password (`wrong_password`), or an API token (`wrong_scope`).",
        _429=TOO_MANY,
        _503=BUSY,
    ),
)
def change_password(change: PasswordChange, who: SignedInOf, runtime: RuntimeOf, address: Address) -> None:
    """Change the password. Every other sign-in of the account ends; API tokens stay.

    A wrong old password is answered with `wrong_password`, and counts like a failed sign-in.
    """
    accounts.change_password(runtime, who, change.old_password, change.new_password, address)


@router.delete(
    "/me",
    status_code=204,
    responses=explain_problems(
        *(400, 401, 403, 409, 413, 422, 429, 500, 503),
        _403="Not the account's password (`wrong_password`), or an API token (`wrong_scope`).",
        _429=TOO_MANY,
        _503=BUSY,
    ),
)
def delete_me(proof: PasswordProof, who: SignedInOf, runtime: RuntimeOf, address: Address) -> None:
    """Delete the account and everything it owns: recordings and their files, analyses, jobs, tokens.

    Nothing can be brought back. The last active administrator cannot go (`last_admin`).
    """
    administration.delete_own_account(runtime, who, proof.password, address)
