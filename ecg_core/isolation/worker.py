"""The reading process: takes files over a socket, reads them within its limits and answers; see `ecg_core.isolation`.

What C libraries print goes nowhere: the connection is a descriptor of its own, and standard output and error lead to
the null device.
"""

from __future__ import annotations

import contextlib
import os
import resource
import select
import signal
import socket
import sys
import traceback
import warnings
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from ecg_core.errors import EcgError, LimitExceeded
from ecg_core.isolation.wire import OUT_OF_MEMORY, Line, decode_options, encode_recording, pack
from ecg_core.leads import LIMB_FROM_I_II, STANDARD_12
from ecg_core.readers import READERS, Files, Limits, Reader, ReadOptions
from ecg_core.reading import ReadResult, Unpacked, find_recordings, read, unpack_many
from ecg_core.recording import Recording

_out_of_memory = False
"""Whether a read has met the limit: not all that it took may be free again, so the parent ends this process."""

IDLE_S = 0.5
"""How long a fresh worker waits for a first file before it loads libraries that it may need."""

Answer = tuple[bytes, list[memoryview]]
"""A frame's header and payload."""
Result = ReadResult | Unpacked | list[str]
"""A recording, the files of one, or the names of all that follow."""


def main(settings: Mapping[str, Any]) -> None:
    """Serve requests until the parent closes the connection."""
    _limit(settings["memory_limit_bytes"])
    for module in settings["preload"]:
        import_module(module)
    line = Line(socket.socket(fileno=settings["fd"]))
    warnings.simplefilter("ignore")
    # Not earlier: a worker that cannot start says why on the parent's standard error.
    _silence()
    with contextlib.suppress(EOFError, ConnectionError):
        line.send(pack({"ready": True}))
        cold = list(READERS.values())
        while True:
            # With nothing else to do, load the libraries of one format after the other by reading one. A short command
            # sends its file well before that, and pays for no library that it does not need.
            while cold and not select.select([line.sock], [], [], IDLE_S)[0]:
                _answer(_there_and_back(cold.pop(0)), {}, Limits(), "warm-up")
            _serve(line)
    # The parent is gone or done: no clean-up in C libraries that may be in any state.
    os._exit(0)


def _limit(memory_limit_bytes: int) -> None:
    """Bound what this process may take.

    RLIMIT_AS, the whole address space, and not RLIMIT_DATA: it covers shared and file mappings too and binds on every
    Linux, at the price of counting what libraries reserve and never use (about 1.5 GiB with all of them loaded). macOS
    takes the call but does not hold to it.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard != resource.RLIM_INFINITY:
        memory_limit_bytes = min(memory_limit_bytes, hard)
    with contextlib.suppress(ValueError, OSError) if sys.platform == "darwin" else contextlib.nullcontext():
        resource.setrlimit(resource.RLIMIT_AS, (memory_limit_bytes, memory_limit_bytes))


def _silence() -> None:
    """Point standard input, output and error, Python's and C's, at nothing."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)
    os.close(nothing)


def _sample() -> Recording:
    """Return a recording that every format can hold."""
    seconds = np.arange(1000) / 500
    i, ii = 0.5 * np.sin(14 * np.pi * seconds), 0.7 * np.sin(10 * np.pi * seconds)
    rows = [a * i + b * ii for a, b in (LIMB_FROM_I_II.get(lead, (0.4, 0.8)) for lead in STANDARD_12)]
    return Recording(np.array(rows), 500.0, STANDARD_12)


def _there_and_back(reader: Reader) -> Iterator[Result]:
    if reader.write is not None:
        yield ReadResult(reader.name, read(reader.write(_sample(), "warm-up")), None)


def _serve(line: Line) -> None:
    """Answer one request: a frame for each result, and one that says it is the last."""
    try:
        request, _ = line.receive()
        files = {name: line.take(size) for name, size in request["files"]}
    except MemoryError:
        # Part of the request still stands in the connection, so this worker is of no further use.
        os._exit(OUT_OF_MEMORY)
    options = decode_options(request["options"])
    if request["many"]:
        results = _find_many(files, options, request["skip"], unread=request["unread"])
    else:
        results = _read_one(request["label"], files, options)
    while True:
        # The parent kills first; should it be gone, nobody else ends a read that does not end by itself.
        signal.setitimer(signal.ITIMER_REAL, 1.2 * request["time_limit_s"] + 1)
        answer = _answer(results, files, options.limits, request["label"])
        signal.setitimer(signal.ITIMER_REAL, 0)
        if answer is None:
            line.send(pack({"end": _peak_bytes(), "out_of_memory": _out_of_memory}))
            return
        line.send(answer[0], *answer[1])


def _read_one(label: str, files: Files, options: ReadOptions) -> Iterator[Result]:
    yield ReadResult(label, read(files, options), None)


def _find_many(files: Files, options: ReadOptions, skip: int, *, unread: bool) -> Iterator[Result]:
    """Give the names of all recordings, then each but for the first ``skip``: read, or only unpacked."""
    if unread:
        unpacked = unpack_many(files, options)
        yield [item.name for item in unpacked]
        yield from unpacked[skip:]
    else:
        found = find_recordings(files, options)
        yield [item.name for item in found]
        yield from (item.read() for item in found[skip:])


def _answer(results: Iterator[Result], sent: Files, limits: Limits, name: str) -> Answer | None:
    """Return the answer for the next result, None after the last.

    Parameters
    ----------
    sent
        The files as they came, which are not sent back.
    name
        Of an error that has none.
    """
    try:
        result = next(results, None)
        if result is None:
            return None
        if isinstance(result, list):
            return pack({"names": result}), []
        name = result.name
        if isinstance(result, Unpacked) and result.error is None:
            new = {label: content for label, content in result.files.items() if sent.get(label) is not content}
            sizes = [[label, len(content) if label in new else None] for label, content in result.files.items()]
            return pack({"name": name, "files": sizes}), [memoryview(content) for content in new.values()]
        if isinstance(result, ReadResult) and result.recording is not None:
            fields, buffers = encode_recording(result.recording, limits)
            return pack({"name": name, "recording": fields}), buffers
        problem = result.error
    except EcgError as error:
        problem = error
    except MemoryError as error:
        problem = LimitExceeded("reading it needs more memory than allowed", file=name)
        problem.__cause__ = error
    except Exception as error:
        # The edge of the process: whatever a library raises has to reach the parent as an answer, and be told apart.
        return pack({"name": name, "unexpected": _describe(error)}), []
    global _out_of_memory
    _out_of_memory |= problem is not None and isinstance(problem.__cause__, MemoryError)
    return pack({"name": name, "error": problem.to_dict() if problem else {}}), []


def _describe(error: Exception) -> str:
    """Return the kind, message and place of an exception."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    text = " ".join(str(error).split())[:300]
    return f"{type(error).__name__}: {text} ({Path(place.filename).name}:{place.lineno})"


def _peak_bytes() -> int:
    """Return the most memory this process has held."""
    status = Path("/proc/self/status")
    if status.exists():
        for text in status.read_text().splitlines():
            if text.startswith("VmHWM:"):
                return int(text.split()[1]) * 1024
    # On Linux this figure starts at the parent's, so it only serves elsewhere.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
