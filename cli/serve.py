"""`ecg serve`, `ecg dashboard`, `ecg up`: the API, the dashboard, or both."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.common import fails_clearly
from cli.up import up

Host = Annotated[str | None, typer.Option(help="Address to listen on (EINTHOVEN_HOST; 127.0.0.1 by default).")]
Port = Annotated[int | None, typer.Option(help="Port to listen on (EINTHOVEN_PORT; 8000 by default).")]
LogLevel = Annotated[str, typer.Option(help="critical, error, warning, info or debug.")]


def serve(host: Host = None, port: Port = None, log_level: LogLevel = "info") -> None:
    """Serve the API. Everything else is set by environment variables that start with EINTHOVEN_."""
    _require("uvicorn", "api")
    import uvicorn
    from pydantic import ValidationError

    from api.app import create_app
    from api.settings import Settings
    from ecg_core.errors import InvalidValue

    given: dict[str, Any] = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    try:
        settings = Settings(**given)
    except ValidationError as error:
        first = error.errors()[0]
        name = "_".join(str(part) for part in first["loc"])
        raise InvalidValue(first["msg"], field=f"EINTHOVEN_{name.upper()}", found=first["input"]) from error
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        log_level=log_level,
        server_header=False,
        timeout_graceful_shutdown=10,
    )


def dashboard(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8501,
    api: Annotated[
        str | None, typer.Option(help="Address of the API (EINTHOVEN_API_URL; http://127.0.0.1:8000 by default).")
    ] = None,
) -> None:
    """Serve the dashboard, which talks to a running API."""
    _require("streamlit", "dashboard")
    from streamlit.web.cli import main as streamlit

    import dashboard as room

    if api is not None:
        os.environ["EINTHOVEN_API_URL"] = api
    script = Path(room.__file__).parent / "app.py"
    streamlit(
        ["run", str(script), "--server.address", host, "--server.port", str(port), "--server.headless", "true"],
        standalone_mode=False,
    )


def add_to(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command(epilog="Examples:  ecg up   ecg up --api-port 9000 --dashboard-port 9001")(fails_clearly(up))
    app.command(epilog="Examples:  ecg serve   ecg serve --host 0.0.0.0 --port 9000")(fails_clearly(serve))
    app.command(epilog="Examples:  ecg dashboard   ecg dashboard --api http://ecg.example:8000")(
        fails_clearly(dashboard)
    )


def _require(module: str, extra: str) -> None:
    if find_spec(module) is None:
        from ecg_core.errors import InvalidValue

        raise InvalidValue(
            f"this command needs more than the library: {module} is not installed",
            options=(f'pip install "einthoven[{extra}]"',),
        )
