"""Everything that can be set about the service, from the environment: ``EINTHOVEN_PORT=9000``.

A secret may also lie in a file named as its variable in lower case (``einthoven_secret_key``) in the folder
``EINTHOVEN_SECRETS_DIR``, as containers mount them.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, Self

import platformdirs
from pydantic import Field, SecretStr, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)
from sqlalchemy import URL, make_url

from api.security.strength import find_key_weakness, find_weakness
from ecg_core.isolation import IsolationSettings
from ecg_core.readers import Limits

MIB = 1024**2
MINUTE = 60
HOUR = 3600
DAY = 86_400


class Settings(BaseSettings):
    """The service's settings; each is read from an environment variable of its name after ``EINTHOVEN_``."""

    model_config = SettingsConfigDict(env_prefix="EINTHOVEN_", frozen=True)

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=1, le=65_535, description="Port to listen on.")
    docs: bool = Field(default=True, description="Whether /docs and /openapi.json are served.")
    environment: Literal["development", "production"] = Field(
        default="development",
        description="In production the service starts only with a strong EINTHOVEN_SECRET_KEY that was given to it.",
    )
    forwarded_allow_ips: str = Field(
        default="127.0.0.1", description="Proxies (addresses, commas between) whose X-Forwarded-* headers are believed."
    )
    public_url: str | None = Field(
        default=None, pattern="^https?://", description="Address at which clients reach the service, for links in FHIR."
    )
    cors_origins: tuple[str, ...] = Field(
        default=(), description="Web pages of which origins may call the API, as a JSON list; none by default."
    )
    metrics_token: SecretStr | None = Field(
        default=None,
        min_length=16,
        description="Opens /metrics to whoever sends it as a bearer token; else administrators alone.",
    )
    log_format: Literal["text", "json"] = Field(default="text", description="How log lines are written.")

    state_dir: Path = Field(
        default_factory=lambda: Path(platformdirs.user_data_dir("einthoven")) / "service",
        description="Folder of the embedded database, the uploads and the secret made on first start.",
    )
    database_url: str | None = Field(
        default=None, description="SQLite in the state folder where left out; `postgresql+psycopg://user@host/name`."
    )
    database_password: SecretStr | None = Field(default=None, description="Where the database's address has none.")
    redis_url: SecretStr | None = Field(
        default=None, description="Queue of jobs for `ecg worker`; without it the service works its jobs itself."
    )

    secret_key: SecretStr | None = Field(
        default=None, description="Signs access tokens (HS256): 32 random characters or more. Made where left out."
    )
    jwt_algorithm: Literal["HS256", "RS256", "ES256"] = Field(default="HS256", description="How they are signed.")
    jwt_private_key: SecretStr | None = Field(default=None, description="PEM, for RS256 and ES256.")
    jwt_issuer: str = Field(default="einthoven", description="`iss` of access tokens.")
    jwt_audience: str = Field(default="einthoven", description="`aud` of access tokens.")
    access_token_s: int = Field(default=30 * MINUTE, gt=0, description="Seconds that an access token is good for.")
    refresh_token_s: int = Field(default=14 * DAY, gt=0, description="Seconds that a sign-in can be refreshed for.")
    registration: Literal["open", "closed"] = Field(
        default="open", description="Whether anybody may register; closed, an administrator makes the accounts."
    )
    password_cost: int = Field(default=3, ge=1, description="Rounds of Argon2.")
    password_memory_kib: int = Field(default=65_536, ge=8, description="Memory of one round of Argon2, in KiB.")
    login_free_tries: int = Field(default=5, gt=0, description="Wrong passwords before the wait begins to grow.")

    max_upload_bytes: int = Field(default=100 * MIB, gt=0, description="Size of one request's body.")
    max_batch_bytes: int = Field(default=1024 * MIB, gt=0, description="The same, of one batch.")
    max_files: int = Field(default=64, gt=0, description="Files of one upload.")
    max_batch_files: int = Field(default=2_000, gt=0, description="Files of one batch.")
    max_duration_s: float = Field(
        default=HOUR, gt=0, description="Seconds of a recording that is analysed while its sender waits."
    )
    max_analyses: int = Field(default=64, gt=0, description="Requests that wait for an analysis at a time, in all.")
    max_analyses_per_user: int = Field(default=48, gt=0, description="The same, of one account.")
    analysis_batch: int = Field(default=8, gt=0, description="Recordings whose networks are run together.")
    signal_window_s: float = Field(default=10.0, gt=0, description="Seconds of signal that an answer carries at most.")
    signal_max_values: int = Field(default=500_000, gt=0, description="Samples x leads that an answer carries at most.")
    infer_max_values: int = Field(default=2_000_000, gt=0, description="Values of all tensors of one /v2 request.")

    read_workers: int = Field(default=2, gt=0, description="Processes that read uploads.")
    read_time_limit_s: float = Field(default=30.0, gt=0, description="Seconds that reading one recording may take.")
    read_wait_limit_s: float = Field(default=10.0, gt=0, description="Seconds that an upload waits for a free process.")
    read_memory_bytes: int = Field(default=4096 * MIB, gt=0, description="Address space of one reading process.")
    read_total_bytes: int = Field(default=512 * MIB, gt=0, description="All files of one upload after unpacking.")
    read_entries: int = Field(default=2_000, gt=0, description="Files in an archive, over all its levels.")
    read_values: int = Field(default=50_000_000, gt=0, description="Samples x leads of one recording.")
    read_channels: int = Field(default=512, gt=0, description="Channels of one recording.")

    job_threads: int = Field(default=1, gt=0, description="Jobs worked at a time, by the service or by one worker.")
    job_lease_s: float = Field(
        default=20.0, gt=0, description="Seconds without a sign of life after which a job is free."
    )
    job_sweep_s: float = Field(default=5.0, gt=0, description="Seconds between two looks for jobs that nobody works.")
    retention_days: float | None = Field(
        default=None,
        gt=0,
        description="Recordings, analyses and jobs older than this are deleted; kept where left out.",
    )
    forget_every_s: float = Field(
        default=10 * MINUTE, gt=0, description="Seconds between two looks for what is to be deleted by now."
    )
    audit_days: float = Field(default=365.0, gt=0, description="Days that the audit trail is kept.")
    idempotency_s: int = Field(default=DAY, gt=0, description="Seconds that an answer is kept for its Idempotency-Key.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - ours knows the folder
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the folder of secrets too, where one is named."""
        sources = (init_settings, env_settings, dotenv_settings)
        folder = os.environ.get("EINTHOVEN_SECRETS_DIR")
        return (*sources, SecretsSettingsSource(settings_cls, secrets_dir=folder)) if folder else sources

    @model_validator(mode="after")
    def _refuse_weak_secrets(self) -> Self:
        secret = self.secret_key.get_secret_value() if self.secret_key is not None else None
        if secret is not None and (weakness := find_weakness(secret)):
            raise ValueError(f"EINTHOVEN_SECRET_KEY {weakness}; make one with: openssl rand -hex 32")
        if self.jwt_algorithm != "HS256":
            if self.jwt_private_key is None:
                raise ValueError(
                    f"EINTHOVEN_JWT_ALGORITHM={self.jwt_algorithm} asks for EINTHOVEN_JWT_PRIVATE_KEY (PEM)"
                )
            if weakness := find_key_weakness(self.jwt_private_key.get_secret_value(), self.jwt_algorithm):
                raise ValueError(f"EINTHOVEN_JWT_PRIVATE_KEY {weakness}")
        if self.environment == "production" and secret is None and self.jwt_algorithm == "HS256":
            raise ValueError("EINTHOVEN_ENVIRONMENT=production asks for EINTHOVEN_SECRET_KEY: openssl rand -hex 32")
        return self

    def database(self) -> URL:
        """Return the database's address, with its password."""
        if self.database_url is None:
            return URL.create("sqlite", database=str(self.state_dir / "einthoven.db"))
        url = make_url(self.database_url)
        if url.password is None and self.database_password is not None:
            url = url.set(password=self.database_password.get_secret_value())
        return url

    def limits(self) -> Limits:
        """Return what one upload may hold."""
        return Limits(
            max_total_bytes=self.read_total_bytes,
            max_entries=self.read_entries,
            max_values=self.read_values,
            max_channels=self.read_channels,
        )

    def isolation(self) -> IsolationSettings:
        """Return what the reading processes may take."""
        return IsolationSettings(
            workers=self.read_workers,
            time_limit_s=self.read_time_limit_s,
            wait_limit_s=self.read_wait_limit_s,
            memory_limit_bytes=self.read_memory_bytes,
        )
