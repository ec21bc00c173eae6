"""One worker process, seen from the parent, and the settings it runs under."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from ecg_core.errors import InvalidValue, ReaderUnavailable
from ecg_core.isolation.wire import Line, ProtocolError

NOT_STARTED = "the reading process does not start"

_BOOT = (
    "import json, sys; settings = json.loads(sys.argv[1]); sys.path[:] = settings['path']; "
    "from ecg_core.isolation.worker import main; main(settings)"
)
_KEPT_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
_ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)


@dataclass(frozen=True)
class IsolationSettings:
    """How many processes read, and how much each may take."""

    workers: int = 2
    time_limit_s: float = 30.0
    """For one recording, from sending its files to receiving its samples."""
    memory_limit_bytes: int = 4 * 1024**3
    """Address space of one worker. Libraries reserve up to 1.5 GiB of it that they never use."""
    recycle_after: int = 500
    """Requests after which a worker is replaced."""
    wait_limit_s: float = 60.0
    """How long a caller waits for a free worker."""
    start_limit_s: float = 30.0
    """How long a worker may take to start."""
    preload: tuple[str, ...] = ()
    """Further modules that a worker imports at its start, such as readers that are not part of this package."""

    def __post_init__(self) -> None:
        for name in ("workers", "time_limit_s", "memory_limit_bytes", "recycle_after", "wait_limit_s", "start_limit_s"):
            if not getattr(self, name) > 0:
                raise InvalidValue("must be above 0", field=name, found=getattr(self, name))


class Worker:
    """One process, and the connection to it."""

    def __init__(self, settings: IsolationSettings) -> None:
        ours, theirs = socket.socketpair()
        boot = {
            "path": [entry or str(Path.cwd()) for entry in sys.path],
            "fd": theirs.fileno(),
            "memory_limit_bytes": settings.memory_limit_bytes,
            "preload": settings.preload,
        }
        try:
            self.process = subprocess.Popen(  # noqa: S603 - our own interpreter, arguments of our own making
                [sys.executable, "-I", "-c", _BOOT, json.dumps(boot)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                env={name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ} | _ONE_THREAD,
                # Its own session: an interrupt from the terminal is for the parent to handle.
                start_new_session=True,
            )
        except OSError as error:
            ours.close()
            raise ReaderUnavailable(NOT_STARTED, found=error) from error
        finally:
            theirs.close()
        self.line = Line(ours)
        self.ready = False
        self.spent = False
        self.requests = 0

    def await_ready(self, limit_s: float) -> None:
        """Wait until the worker can read."""
        if self.ready:
            return
        self.line.deadline = time.monotonic() + limit_s
        try:
            self.line.receive()
        except TimeoutError as error:
            raise ReaderUnavailable(NOT_STARTED, expected=f"ready within {limit_s:g} s") from error
        except (EOFError, ConnectionError, ProtocolError) as error:
            raise ReaderUnavailable(
                NOT_STARTED, found=self.ending(), options=("its standard error says why",)
            ) from error
        self.ready = True

    def ending(self) -> str:
        """Return how the process ended, in words, ending it where it has not."""
        try:
            status = self.process.wait(1)
        except subprocess.TimeoutExpired:
            return "closed its connection"
        if status >= 0:
            return f"exit status {status}"
        try:
            name = signal.Signals(-status).name
        except ValueError:
            name = "unnamed"
        return f"signal {-status} ({name}, {signal.strsignal(-status) or 'unknown'})"

    def kill(self) -> None:
        """End the process and wait for its end."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """End the process and let go of the connection."""
        self.kill()
        self.line.sock.close()
