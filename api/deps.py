"""What routes ask for."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from api.settings import Settings
from ecg_core.isolation import ReadPool


def get_settings(request: Request) -> Settings:
    """Return the settings that the app was made with."""
    settings: Settings = request.app.state.settings
    return settings


def get_pool(request: Request) -> ReadPool:
    """Return the processes that read uploads."""
    pool: ReadPool = request.app.state.pool
    return pool


SettingsOf = Annotated[Settings, Depends(get_settings)]
PoolOf = Annotated[ReadPool, Depends(get_pool)]
