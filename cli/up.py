"""`ecg up`: the API and the dashboard together, on their embedded defaults, until Ctrl-C."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Annotated, NoReturn
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

import typer

from ecg_core.errors import EcgError, InvalidValue

START_LIMIT_S = 90.0
STOP_LIMIT_S = 15.0
_COMMAND = (sys.executable, "-c", "from cli.main import main; main()")


class _Service:
    """One of the two processes."""

    def __init__(self, name: str, url: str, probe: str, arguments: tuple[str, ...], env: dict[str, str]) -> None:
        self.name = name
        self.url = url
        self.probe = url + probe
        # Both say on standard error what goes wrong; their banners would only hide the two addresses.
        self.process = subprocess.Popen(  # noqa: S603 - our own commands
            [*_COMMAND, *arguments], env=os.environ | env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )

    def answers(self) -> bool:
        """Return whether it serves already."""
        try:
            with build_opener(ProxyHandler({})).open(self.probe, timeout=2) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False

    def check_alive(self) -> None:
        """Raise where it has ended."""
        if (status := self.process.poll()) is not None:
            raise EcgError(f"{self.name} has stopped", found=f"exit status {status}", expected="see its messages above")


def up(
    host: Annotated[str, typer.Option(help="Address that both listen on.")] = "127.0.0.1",
    api_port: Annotated[int, typer.Option(help="Port of the API.", envvar="EINTHOVEN_PORT")] = 8000,
    dashboard_port: Annotated[int, typer.Option(help="Port of the dashboard.")] = 8501,
) -> None:
    """Start the API and the dashboard, print their addresses, and stop both on Ctrl-C."""
    _check_free(host, api_port, "--api-port")
    _check_free(host, dashboard_port, "--dashboard-port")
    api_url, dashboard_url = f"http://{host}:{api_port}", f"http://{host}:{dashboard_port}"
    here = ("--host", host)
    services: list[_Service] = []
    with _stopped_at_the_end(services):
        services.append(
            _Service(
                "the API",
                api_url,
                "/health/live",
                ("serve", *here, "--port", str(api_port), "--log-level", "warning"),
                {},
            )
        )
        services.append(
            _Service(
                "the dashboard",
                dashboard_url,
                "/_stcore/health",
                ("dashboard", *here, "--port", str(dashboard_port), "--api", api_url),
                {"STREAMLIT_LOGGER_LEVEL": "warning"},
            )
        )
        _await_all(services)
        sys.stdout.write(f"\n  Dashboard  {dashboard_url}\n  API        {api_url}/docs\n\n  Ctrl-C stops both.\n\n")
        sys.stdout.flush()
        while True:
            for service in services:
                service.check_alive()
            time.sleep(0.5)


def _check_free(host: str, port: int, option: str) -> None:
    """Raise where nobody can listen on the port."""
    try:
        with socket.create_server((host, port)):
            pass
    except OSError as error:
        raise InvalidValue(
            "nothing can listen there",
            field=option,
            found=f"{host}:{port}, {error.strerror or error}",
            options=("stop what listens there", f"{option} <another port>"),
        ) from error


def _await_all(services: list[_Service]) -> None:
    """Wait until every service answers."""
    deadline = time.monotonic() + START_LIMIT_S
    for service in services:
        while not service.answers():
            service.check_alive()
            if time.monotonic() > deadline:
                raise EcgError(
                    f"{service.name} does not answer at {service.url}", expected=f"within {START_LIMIT_S:g} s"
                )
            time.sleep(0.2)


@contextmanager
def _stopped_at_the_end(services: list[_Service]) -> Iterator[None]:
    """Stop all services however the block ends; being told to stop (Ctrl-C, SIGTERM, a closed terminal) is no error."""
    previous = {number: signal.signal(number, _interrupt) for number in _signals()}
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        # From here on a second Ctrl-C must not leave anything running.
        for number in previous:
            signal.signal(number, signal.SIG_IGN)
        for service in services:
            service.process.terminate()
        for service in services:
            try:
                service.process.wait(STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                service.process.kill()
                service.process.wait()
        for number, handler in previous.items():
            signal.signal(number, handler)


def _signals() -> tuple[signal.Signals, ...]:
    names = ("SIGINT", "SIGTERM", "SIGHUP")
    return tuple(getattr(signal, name) for name in names if hasattr(signal, name))


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
