"""`ecg serve`, `ecg dashboard`, `ecg up`: the API, the dashboard, or both."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.common import fails_clearly, require
from cli.up import up

Host = Annotated[str | None, typer.Option(help="Address to listen on (EINTHOVEN_HOST; 127.0.0.1 by default).")]
Port = Annotated[int | None, typer.Option(help="Port to listen on (EINTHOVEN_PORT; 8000 by default).")]
LogLevel = Annotated[str, typer.Option(help="critical, error, warning, info or debug.")]


KEEP_ALIVE_S = 75
"""Longer than proxies keep a connection that nobody uses: they close it, and never find it closed."""
MAX_CONNECTIONS = 1000
"""Further ones are answered 503 at once: a process has about as many files to open."""


def serve(host: Host = None, port: Port = None, log_level: LogLevel = "info") -> None:
    """Serve the API. Everything else is set by environment variables that start with EINTHOVEN_."""
    require("uvicorn", "api")
    import uvicorn

    from api.app import create_app
    from api.logs import log_config
    from api.runtime import open_database
    from cli.settings import database_errors, read_settings

    given: dict[str, Any] = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    settings = read_settings(**given)
    # Whatever is wrong with the database is better said here, in one sentence, than in the middle of a start.
    with database_errors(settings), open_database(settings):
        pass
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        log_config=log_config(settings, log_level),
        log_level=log_level,
        access_log=False,  # The app writes a line a request itself, without paths and addresses.
        proxy_headers=True,
        forwarded_allow_ips=settings.forwarded_allow_ips,
        server_header=False,
        ws="none",
        lifespan="on",
        timeout_keep_alive=KEEP_ALIVE_S,
        limit_concurrency=MAX_CONNECTIONS,
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
    require("streamlit", "dashboard")
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
