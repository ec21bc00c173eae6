"""Everything that can be set about the service, from the environment: ``EINTHOVEN_PORT=9000``."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from ecg_core.isolation import IsolationSettings
from ecg_core.readers import Limits

MIB = 1024**2


class Settings(BaseSettings):
    """The service's settings; each is read from an environment variable of its name after ``EINTHOVEN_``."""

    model_config = SettingsConfigDict(env_prefix="EINTHOVEN_", frozen=True)

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=1, le=65_535, description="Port to listen on.")
    docs: bool = Field(default=True, description="Whether /docs and /openapi.json are served.")

    max_upload_bytes: int = Field(default=100 * MIB, gt=0, description="Size of one request's body.")
    max_files: int = Field(default=64, gt=0, description="Files of one upload.")
    signal_window_s: float = Field(default=10.0, gt=0, description="Seconds of signal that an answer carries at most.")
    signal_max_values: int = Field(default=500_000, gt=0, description="Samples x leads that an answer carries at most.")

    read_workers: int = Field(default=2, gt=0, description="Processes that read uploads.")
    read_time_limit_s: float = Field(default=30.0, gt=0, description="Seconds that reading one recording may take.")
    read_wait_limit_s: float = Field(default=10.0, gt=0, description="Seconds that an upload waits for a free process.")
    read_memory_bytes: int = Field(default=4096 * MIB, gt=0, description="Address space of one reading process.")
    read_total_bytes: int = Field(default=512 * MIB, gt=0, description="All files of one upload after unpacking.")
    read_entries: int = Field(default=2_000, gt=0, description="Files in an archive, over all its levels.")
    read_values: int = Field(default=50_000_000, gt=0, description="Samples x leads of one recording.")
    read_channels: int = Field(default=512, gt=0, description="Channels of one recording.")

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
