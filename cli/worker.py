"""`ecg worker`: works the jobs that the API takes in, where both share Redis, the database and the store."""

from __future__ import annotations

import signal
import socket
import sys
import time
from pathlib import Path
from threading import Event
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.common import fails_clearly, require
from cli.serve import LogLevel
from cli.settings import database_errors, read_settings

if TYPE_CHECKING:
    from api.settings import Settings

Threads = Annotated[int | None, typer.Option(help="Batches worked at a time (EINTHOVEN_JOB_THREADS; 1 by default).")]
MetricsPort = Annotated[
    int | None, typer.Option(help="Port on which Prometheus gets this worker's figures, without a token.")
]
Check = Annotated[bool, typer.Option("--check", help="Only say whether a worker of this machine is alive (exit code).")]

_LATE_S = 30.0
"""How much later than it should be a sign of life may be: a machine under load is not dead."""


def worker(
    threads: Threads = None, metrics_port: MetricsPort = None, check: Check = False, log_level: LogLevel = "info"
) -> None:
    """Work the jobs of the service until SIGTERM or Ctrl-C, which let it finish the recording at hand.

    Any number of workers may run, on any number of machines, with the settings of the API: EINTHOVEN_REDIS_URL,
    EINTHOVEN_DATABASE_URL and EINTHOVEN_STATE_DIR, a folder that all of them share. What a worker that is killed leaves
    behind is taken up by another.
    """
    require("dramatiq", "api")
    given: dict[str, Any] = {} if threads is None else {"job_threads": threads}
    settings = read_settings(**given)
    if check:
        raise typer.Exit(0 if _is_alive(settings) else 1)
    if settings.redis_url is None:
        from ecg_core.errors import NeedsOption

        raise NeedsOption(
            "a worker gets its jobs through Redis; without it, the API works them itself",
            field="EINTHOVEN_REDIS_URL",
            options=("EINTHOVEN_REDIS_URL=redis://<host>:6379/0, for the API too",),
        )
    from logging.config import dictConfig

    from api.jobs.engine import JobEngine
    from api.logs import log_config
    from api.runtime import open_runtime

    dictConfig(log_config(settings, log_level))
    told = _told_to_stop()
    sign = _sign_of_life(settings)
    with database_errors(settings), open_runtime(settings) as runtime:
        if metrics_port is not None:
            _serve_metrics(metrics_port)
        with JobEngine(runtime, worker=True, sign_of_life=sign):
            sys.stderr.write(f"ecg: working jobs, {settings.job_threads} at a time; Ctrl-C stops\n")
            told.wait()
            sys.stderr.write("ecg: stopping, once the recording at hand is done\n")
        sign.unlink(missing_ok=True)


def _told_to_stop() -> Event:
    """Return what is set by the first signal to stop; the second ends the process at once, which loses nothing."""
    told = Event()

    def stop(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        told.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    return told


def _sign_of_life(settings: Settings) -> Path:
    """Return the file that a worker of this machine touches as long as it gets jobs."""
    return settings.state_dir / f"worker-{socket.gethostname()}.alive"


def _is_alive(settings: Settings) -> bool:
    try:
        age_s = time.time() - _sign_of_life(settings).stat().st_mtime
    except OSError:
        return False
    return age_s < 2 * settings.job_sweep_s + _LATE_S


def _serve_metrics(port: int) -> None:
    from prometheus_client import start_http_server

    from api.metrics import REGISTRY

    start_http_server(port, registry=REGISTRY)


def add_to(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command(epilog="Examples:  ecg worker   ecg worker --threads 2   ecg worker --check")(fails_clearly(worker))
