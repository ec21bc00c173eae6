"""Personal API tokens."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from api.tables import ApiToken, User, now

_NOTED_EVERY = timedelta(minutes=1)


def find_open_api_token(session: Session, token_id: str) -> tuple[ApiToken, User] | None:
    """Return a token that has not expired, with its account; None where there is none."""
    found = session.execute(
        select(ApiToken, User)
        .join(User, User.id == ApiToken.user_id)
        .where(ApiToken.id == token_id, or_(ApiToken.expires_at.is_(None), ApiToken.expires_at > now()), User.is_active)
    ).one_or_none()
    return None if found is None else (found[0], found[1])


def is_use_noted(token: ApiToken) -> bool:
    """Return whether the token's last use is written down nearly enough."""
    return token.last_used_at is not None and now() - token.last_used_at < _NOTED_EVERY


def note_use(session: Session, token_id: str) -> None:
    """Write down that the token is in use."""
    session.execute(update(ApiToken).where(ApiToken.id == token_id).values(last_used_at=now()))


def add_api_token(
    session: Session, user_id: str, name: str, secret_hash: str, scopes: Sequence[str], expires_at: datetime | None
) -> ApiToken:
    """Add a token; an IntegrityError where the account has one of that name."""
    token = ApiToken(user_id=user_id, name=name, secret_hash=secret_hash, scopes=list(scopes), expires_at=expires_at)
    session.add(token)
    session.flush()
    return token


def count_api_tokens(session: Session, user_id: str) -> int:
    """Return how many tokens an account has."""
    return session.scalar(select(func.count()).where(ApiToken.user_id == user_id)) or 0


def list_api_tokens(session: Session, user_id: str) -> Sequence[ApiToken]:
    """Return an account's tokens, the newest first."""
    mine = select(ApiToken).where(ApiToken.user_id == user_id)
    return session.scalars(mine.order_by(ApiToken.created_at.desc(), ApiToken.id)).all()


def delete_api_token(session: Session, user_id: str, token_id: str) -> bool:
    """Delete an account's token; return whether there was one."""
    gone = session.execute(
        delete(ApiToken).where(ApiToken.id == token_id, ApiToken.user_id == user_id).returning(ApiToken.id)
    )
    return gone.first() is not None
