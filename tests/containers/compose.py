"""The compose files as data, variables left as they are written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
FILES = ("docker-compose.yml", "docker-compose.test.yml")


class _Loader(yaml.SafeLoader):
    """Also reads ``!reset``, with which an override takes a value of the first file back."""


_Loader.add_constructor("!reset", lambda loader, node: loader.construct_sequence(node))


def load_compose(name: str) -> dict[str, Any]:
    """Return a compose file with its anchors put in."""
    loaded: dict[str, Any] = yaml.load((ROOT / name).read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506
    return loaded


def load_services() -> dict[str, dict[str, Any]]:
    """Return the services that `docker compose up` starts."""
    services: dict[str, dict[str, Any]] = load_compose(FILES[0])["services"]
    return services
