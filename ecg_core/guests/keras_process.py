"""The one process beside this one in which TensorFlow runs: started when first needed, ended with this one.

It is a fresh interpreter with none of the environment beyond the locale, so that no secret of a service is in reach of
a model file. A request that takes too long, or a crash, ends it; the next request starts another.
"""

from __future__ import annotations

import atexit
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from ecg_core.errors import EcgError, ModelError
from ecg_core.isolation.wire import Line, ProtocolError, decode_error, pack

START_LIMIT_S, LOAD_LIMIT_S, RUN_LIMIT_S = 120.0, 300.0, 120.0
"""To be there; for the first batch of a model, which loads TensorFlow and it; for any other."""
BATCH = 32
"""Records sent at a time."""
_MOST_VALUES = 1 << 26
_KEPT_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "HOME", "LD_LIBRARY_PATH")
_ENVIRONMENT = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", "KERAS_BACKEND": "tensorflow"}
_BOOT = (
    "import json, sys; settings = json.loads(sys.argv[1]); sys.path[:] = settings['path']; "
    "from ecg_core.guests.keras_worker import main; main(settings)"
)
_TAIL = 600


@dataclass(frozen=True)
class ModelFile:
    """A file that the process is to load."""

    path: Path
    sha256: str
    kind: str
    """``"keras"`` or ``"saved_model"``."""
    label: str
    """Its name in errors."""
    input_name: str | None = None


@dataclass(frozen=True)
class Answer:
    """What a model gave for a batch."""

    outputs: Mapping[str, np.ndarray]
    """Name to float32 array, the first axis that of the records."""
    inputs: Mapping[str, Any]
    loader: str
    """What loaded it."""


class KerasProcess:
    """The process, and the connection to it; any number of threads may ask, one is answered at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._line: Line | None = None
        self._says: IO[bytes] | None = None
        self._loaded: set[tuple[str, str]] = set()

    @property
    def pid(self) -> int | None:
        """Of the process, None where there is none now."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def run(self, model: ModelFile, batch: np.ndarray) -> Answer:
        """Return what a model gives for float32 records, shape (n_records, ...).

        Raises
        ------
        ModelError
            It cannot be loaded or run, its process crashed, or it took too long.
        """
        with self._lock:
            answers = [self._ask(model, batch[at : at + BATCH]) for at in range(0, max(len(batch), 1), BATCH)]
        names = list(answers[0].outputs)
        outputs = {name: np.concatenate([answer.outputs[name] for answer in answers]) for name in names}
        return Answer(outputs, answers[0].inputs, answers[0].loader)

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    def _ask(self, model: ModelFile, batch: np.ndarray) -> Answer:
        line = self._connect(model.label)
        key = (str(model.path), model.sha256)
        limit_s = RUN_LIMIT_S if key in self._loaded else LOAD_LIMIT_S
        header = {
            "path": str(model.path),
            "sha256": model.sha256,
            "kind": model.kind,
            "label": model.label,
            "input": model.input_name,
            "shape": batch.shape,
        }
        values = np.ascontiguousarray(batch, np.float32)
        try:
            line.deadline = time.monotonic() + limit_s
            line.send(pack(header), values.reshape(-1).view(np.uint8).data)
            answer, size = line.receive()
            if "error" in answer:
                raise decode_error(answer["error"])
            found = self._take(answer, size, len(batch), line)
        except TimeoutError as error:
            self._end()
            raise ModelError("takes too long", file=model.label, expected=f"at most {limit_s:g} s") from error
        except (EOFError, ConnectionError, ProtocolError) as error:
            tail = self._end()
            raise ModelError("the process that runs it ended", file=model.label, found=tail or str(error)) from error
        except EcgError:
            raise
        except BaseException:
            # An answer may still be under way.
            self._end()
            raise
        self._loaded.add(key)
        return found

    def _take(self, answer: Mapping[str, Any], size: int, n_records: int, line: Line) -> Answer:
        """Take the arrays of an answer, whose description has to be sound."""
        try:
            shapes = {str(name): tuple(int(n) for n in shape) for name, shape in answer["outputs"]}
            inputs, loader = dict(answer["inputs"]), str(answer["loader"])
        except (KeyError, TypeError, ValueError) as error:
            raise ProtocolError("an answer without a description") from error
        total = sum(int(np.prod(shape)) for shape in shapes.values())
        if size != 4 * total or total > _MOST_VALUES or any(n < 0 for shape in shapes.values() for n in shape):
            raise ProtocolError(f"{size} bytes for outputs of {total} values")
        outputs = {name: line.take_array(np.float32, shape) for name, shape in shapes.items()}
        for name, values in outputs.items():
            if values.ndim == 0 or len(values) != n_records:
                raise ModelError(
                    "an output is not one row a record",
                    field=name,
                    found=str(values.shape),
                    expected=f"({n_records}, n)",
                )
        return Answer(outputs, inputs, loader)

    def _connect(self, label: str) -> Line:
        """Return the connection to a process that is there; the lock is held."""
        if self._line is not None and self.pid is not None:
            return self._line
        self._end()
        if os.name != "posix":
            raise ModelError("Keras models need a POSIX system", file=label, found=sys.platform)
        ours, theirs = socket.socketpair()
        boot = {"path": [entry or str(Path.cwd()) for entry in sys.path], "fd": theirs.fileno()}
        self._says = tempfile.TemporaryFile()
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter, arguments of our own making
                [sys.executable, "-I", "-c", _BOOT, json.dumps(boot)],
                stdin=subprocess.DEVNULL,
                stdout=self._says,
                stderr=self._says,
                pass_fds=(theirs.fileno(),),
                env={name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ} | _ENVIRONMENT,
                # Its own session: an interrupt from the terminal is for this process to handle.
                start_new_session=True,
            )
        except OSError as error:
            ours.close()
            raise ModelError("the process that runs it does not start", file=label, found=error) from error
        finally:
            theirs.close()
        line = self._line = Line(ours)
        line.deadline = time.monotonic() + START_LIMIT_S
        try:
            line.receive()
        except (TimeoutError, EOFError, ConnectionError, ProtocolError) as error:
            tail = self._end()
            raise ModelError(
                "the process that runs it does not start", file=label, found=tail or "no answer"
            ) from error
        return line

    def _end(self) -> str:
        """End the process, let go of the connection, and return the last that it said; the lock is held."""
        said = ""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        if self._says is not None:
            self._says.seek(0)
            said = " ".join(self._says.read().decode(errors="replace").split())[-_TAIL:]
            self._says.close()
        if self._line is not None:
            self._line.sock.close()
        self._process = self._line = self._says = None
        self._loaded.clear()
        return said


_shared: dict[int, KerasProcess] = {}
_shared_lock = threading.Lock()


def keras_process() -> KerasProcess:
    """Return this process's one; a fork has its own."""
    with _shared_lock:
        if os.getpid() not in _shared:
            _shared[os.getpid()] = process = KerasProcess()
            atexit.register(process.close)
        return _shared[os.getpid()]
