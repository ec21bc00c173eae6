"""The service's settings and its database, for commands: what is wrong with them is said in one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ecg_core.errors import EcgError, InvalidValue

if TYPE_CHECKING:
    from api.settings import Settings


def read_settings(**given: Any) -> Settings:
    """Return the service's settings: what is given here, the rest from the environment.

    Raises
    ------
    InvalidValue
        One of them cannot be used; its variable is named, and no secret is shown.
    """
    from pydantic import ValidationError
    from pydantic_settings import SettingsError
    from sqlalchemy.exc import ArgumentError

    from api.settings import Settings

    try:
        settings = Settings(**given)
        settings.database()
    except ValidationError as error:
        first = error.errors()[0]
        if not first["loc"]:
            # About several settings at once: the message names them, and its input holds them all.
            raise InvalidValue(str(first["ctx"]["error"])) from error
        name = "_".join(str(part) for part in first["loc"])
        raise InvalidValue(first["msg"], field=f"EINTHOVEN_{name.upper()}", found=first["input"]) from error
    except SettingsError as error:
        raise InvalidValue(
            str(error), expected="JSON, as in EINTHOVEN_CORS_ORIGINS='[\"https://ecg.example\"]'"
        ) from error
    except ArgumentError as error:
        raise InvalidValue(
            "not the address of a database",
            field="EINTHOVEN_DATABASE_URL",
            expected="postgresql+psycopg://user@host/name",
        ) from error
    return settings


@contextmanager
def database_errors(settings: Settings) -> Iterator[None]:
    """Say in one sentence where the database cannot be had."""
    from sqlalchemy.exc import OperationalError

    try:
        yield
    except OperationalError as error:
        raise EcgError(
            "the database does not answer",
            found=settings.database().render_as_string(hide_password=True),
            options=("see EINTHOVEN_DATABASE_URL", "see EINTHOVEN_STATE_DIR"),
        ) from error
    except OSError as error:
        raise EcgError(
            "the service's folder cannot be used",
            file=str(settings.state_dir),
            found=error.strerror or error,
            options=("EINTHOVEN_STATE_DIR=<folder>",),
        ) from error
