"""`in_processes`: one function over many items, in worker processes that live as long as the work.

Most of an analysis is many small steps in Python, of which one process does one at a time whatever its threads. So
many recordings are analysed in as many processes as there are cores. Unlike those of `multiprocessing`, these import
neither the caller's main module nor need a guard in it, and fork no threads.

What passes between is pickled: these are processes of our own, which do what the caller would do, and run nothing that
came from outside. Files of strangers are read elsewhere, see `ecg_core.isolation`.
"""

from __future__ import annotations

import contextlib
import copyreg
import io
import json
import os
import pickle
import queue
import struct
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO, TypeVar

from ecg_core.errors import EcgError

T = TypeVar("T")
R = TypeVar("R")

_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from ecg_core.processes import _serve; "
    "_serve(int(sys.argv[2]), int(sys.argv[3]))"
)
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""The processes are as many as the cores: more threads would stand in each other's way."""
_AHEAD = 2
"""Items per process that are taken from the caller before the first result is given back."""
_SIZE = struct.Struct(">Q")


def in_processes(function: Callable[[T], R], items: Iterable[T], workers: int) -> Iterator[R]:
    """Yield ``function(item)`` of each item, in order, computed in worker processes; what it raises is raised here.

    Parameters
    ----------
    function
        Importable by its name, or a `functools.partial` of such.
    items
        Taken no further ahead than the processes need.
    workers
        Number of processes; each starts at once, and ends with the work or when the caller stops taking results.
    """
    source = iter(items)
    processes = [_Process(function) for _ in range(workers)]
    free: queue.SimpleQueue[_Process] = queue.SimpleQueue()
    for process in processes:
        free.put(process)

    def ask(item: T) -> R:
        process = free.get()
        try:
            answer: R = process.ask(item)
        finally:
            free.put(process)
        return answer

    threads = ThreadPoolExecutor(workers, "process")
    try:
        waiting: deque[Future[R]] = deque(threads.submit(ask, item) for item in islice(source, _AHEAD * workers))
        while waiting:
            result = waiting.popleft().result()
            waiting.extend(threads.submit(ask, item) for item in islice(source, 1))
            yield result
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
        for process in processes:
            process.end()
        threads.shutdown()


class _Process:
    """One worker process, seen from the caller."""

    def __init__(self, function: Callable[..., Any]) -> None:
        read, theirs_out = os.pipe()
        theirs_in, write = os.pipe()
        path = json.dumps([entry or str(Path.cwd()) for entry in sys.path])
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter, arguments of our own making
                [sys.executable, "-c", _BOOT, path, str(theirs_in), str(theirs_out)],
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs_in, theirs_out),
                env=os.environ | _ONE_THREAD,
                # Its own session: an interrupt from the terminal is for the caller to handle.
                start_new_session=True,
            )
        finally:
            os.close(theirs_in)
            os.close(theirs_out)
            self._from, self._to = os.fdopen(read, "rb"), os.fdopen(write, "wb")
        self._function: Callable[..., Any] | None = function

    def ask(self, item: object) -> Any:
        """Return the answer for one item, or raise what the process raised."""
        try:
            if self._function is not None:
                _send(self._to, self._function)
                self._function = None
            _send(self._to, item)
            fine, answer = _receive(self._from)
        except (EOFError, BrokenPipeError) as error:
            raise EcgError("a process of the work ended", found=f"exit status {self._process.wait()}") from error
        if not fine:
            raise answer
        return answer

    def end(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.wait()
        self._from.close()
        with contextlib.suppress(BrokenPipeError):
            self._to.close()


def _serve(read: int, write: int) -> None:
    """Answer items until the caller closes the connection; the worker's side."""
    import warnings

    warnings.simplefilter("ignore")
    with os.fdopen(read, "rb") as source, os.fdopen(write, "wb") as sink, contextlib.suppress(EOFError):
        function = _receive(source)
        while True:
            item = _receive(source)
            try:
                answer = (True, function(item))
            except Exception as error:  # The caller raises it.
                answer = (False, error)
            try:
                _send(sink, answer)
            except (TypeError, AttributeError, pickle.PicklingError) as error:
                _send(sink, (False, EcgError("a result cannot leave its process", found=error)))


class _Pickler(pickle.Pickler):
    """Also knows read-only mappings, which most of our values hold."""

    dispatch_table = copyreg.dispatch_table | {MappingProxyType: lambda value: (_read_only, (dict(value),))}


def _read_only(value: dict[Any, Any]) -> MappingProxyType[Any, Any]:
    return MappingProxyType(value)


def _send(sink: BinaryIO, value: object) -> None:
    buffer = io.BytesIO()
    _Pickler(buffer, pickle.HIGHEST_PROTOCOL).dump(value)
    sink.write(_SIZE.pack(buffer.tell()))
    sink.write(buffer.getbuffer())
    sink.flush()


def _receive(source: BinaryIO) -> Any:
    head = source.read(_SIZE.size)
    if len(head) < _SIZE.size:
        raise EOFError
    (size,) = _SIZE.unpack(head)
    data = source.read(size)
    if len(data) < size:
        raise EOFError
    return pickle.loads(data)  # noqa: S301 - from a process of our own
