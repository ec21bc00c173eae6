"""Personal API tokens."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import or_, select, update
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
