"""A pool of worker processes, shared by any number of threads."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ecg_core.errors import EcgError, LimitExceeded, ReaderFailed, ReaderUnavailable
from ecg_core.isolation.process import IsolationSettings, Worker
from ecg_core.isolation.wire import (
    OUT_OF_MEMORY,
    Line,
    ProtocolError,
    decode_error,
    decode_files,
    decode_recording,
    encode_options,
    pack,
)
from ecg_core.readers import Files, ReadOptions
from ecg_core.reading import ReadResult, Unpacked, load, read, read_many, unpack_many
from ecg_core.recording import Recording

ISOLATED = os.name == "posix"
"""Whether workers can be had; elsewhere a pool reads in the calling process, without limits."""
CRASHED = "the reading process crashed"
TIMED_OUT = "reading takes longer than allowed"
UNEXPECTED = "the reader failed in a way it should not"
BROKEN_ANSWER = "the reading process gave an invalid answer"
BUSY = "all reading processes are busy"
CLOSED = "the pool of reading processes is closed"


@dataclass
class _Request:
    """What is asked of a worker, and how far the answer has come."""

    files: Files
    options: ReadOptions
    label: str
    many: bool
    unread: bool
    """Whether the recordings' files are asked for, not what is in them."""
    names: tuple[str, ...] = ()
    """Of the recordings found, once a worker has said so."""
    done: int = 0
    """Results received, which a second worker leaves out."""

    @property
    def where(self) -> str:
        """The recording at hand, or all of them where none is named yet."""
        return self.names[self.done] if self.done < len(self.names) else self.label

    def take_names(self, names: object) -> None:
        """Take the names of all recordings, which a worker says before it reads the first."""
        most = self.options.limits.max_entries + len(self.files)
        if not isinstance(names, list) or len(names) > most or not all(isinstance(name, str) for name in names):
            raise ProtocolError("no list of names")
        if self.names and self.names != tuple(names):
            raise ProtocolError("other recordings than before")
        self.names = tuple(names)

    def failed(self, failure: EcgError) -> ReadResult | Unpacked:
        """Return the result of the recording at hand, which could not be had."""
        return Unpacked(self.where, {}, failure) if self.unread else ReadResult(self.where, None, failure)


class _Broken(Exception):
    """A worker did not finish its answer."""

    def __init__(self, failure: EcgError) -> None:
        super().__init__(failure)
        self.failure = failure


class ReadPool:
    """Worker processes that read, shared by any number of threads."""

    def __init__(self, settings: IsolationSettings | None = None) -> None:
        self.settings = settings or IsolationSettings()
        self.peak_bytes = 0
        """The most memory that any worker has reported to have held."""
        self._owner = os.getpid()
        self._changed = threading.Condition()
        self._workers: set[Worker] = set()
        self._idle: list[Worker] = []
        self._started = False
        self._closed = False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Start every worker now, not each when it is first needed, and replace those that end at once."""
        with self._changed:
            self._started = True
            while ISOLATED and not self._closed and len(self._workers) < self.settings.workers:
                self._idle.append(self._add())

    def close(self) -> None:
        """End every worker; a read in progress fails."""
        with self._changed:
            self._closed = True
            idle, busy = list(self._idle), self._workers.difference(self._idle)
            self._idle.clear()
            self._workers.clear()
            self._changed.notify_all()
        for worker in idle:
            worker.stop()
        for worker in busy:
            # The thread that waits for its answer lets go of the connection.
            worker.kill()

    def read(self, source: Files | str | Path, options: ReadOptions | None = None) -> Recording:
        """Read the one recording in ``source``, as `ecg_core.read` does, and raise what it raises.

        Raises
        ------
        ReaderFailed
            The reading process crashed or took too long.
        ReaderUnavailable
            No reading process was free in time.
        """
        if not ISOLATED:
            return read(source, options)
        request = self._prepare(source, options, many=False)
        try:
            results = [result for result in self._exchange(request) if isinstance(result, ReadResult)]
        except _Broken as broken:
            raise broken.failure from broken.__cause__
        if not results or results[0].recording is None:
            raise (results[0].error if results else None) or ReaderFailed(BROKEN_ANSWER, found="no recording")
        return results[0].recording

    def read_many(self, source: Files | str | Path, options: ReadOptions | None = None) -> Iterator[ReadResult]:
        """Read every recording in ``source``, as `ecg_core.read_many` does.

        The time limit holds for each recording. One that crashes its process or runs out of time is a result with that
        error; another process goes on with the next.
        """
        if not ISOLATED:
            yield from read_many(source, options)
            return
        for result in self._each(self._prepare(source, options, many=True)):
            if isinstance(result, ReadResult):
                yield result

    def unpack(self, files: Files, options: ReadOptions | None = None) -> Iterator[Unpacked]:
        """Give the files of every recording in ``files``, archives unpacked, without reading them.

        What `read_many` would give for each of them, it gives for these files alone. A file that is no recording, and
        an archive that cannot be unpacked, is a result with its error.
        """
        if not ISOLATED:
            yield from unpack_many(files, options)
            return
        for result in self._each(self._prepare(files, options, many=True, unread=True)):
            if isinstance(result, Unpacked):
                yield result

    def _each(self, request: _Request) -> Iterator[ReadResult | Unpacked]:
        """Give the results for all recordings; another process goes on after one that broke its process."""
        while True:
            try:
                for result in self._exchange(request):
                    request.done += 1
                    yield result
                return
            except _Broken as broken:
                yield request.failed(broken.failure)
                if request.done >= len(request.names):
                    return
                request.done += 1

    def _prepare(
        self, source: Files | str | Path, options: ReadOptions | None, *, many: bool, unread: bool = False
    ) -> _Request:
        options = options or ReadOptions()
        files = load(source, options) if isinstance(source, str | Path) else source
        label = ", ".join(files) if len(files) < 4 else f"{next(iter(files))} and {len(files) - 1} more"
        size = sum(map(len, files.values()))
        # What does not fit will fail in the worker too, but only once it has been sent.
        if size > (most := min(options.limits.max_total_bytes, self.settings.memory_limit_bytes)):
            raise LimitExceeded(
                "the files are too large", file=label, found=f"{size} bytes", expected=f"at most {most}"
            )
        return _Request(files, options, label, many, unread)

    def _exchange(self, request: _Request) -> Iterator[ReadResult | Unpacked]:
        """Send a request and give its results as they come."""
        skip = request.done
        header = {
            "many": request.many,
            "unread": request.unread,
            "skip": skip,
            "label": request.label,
            "options": encode_options(request.options),
            "time_limit_s": self.settings.time_limit_s,
            "files": [[name, len(data)] for name, data in request.files.items()],
        }
        with self._borrow() as worker:
            try:
                line = worker.line
                line.deadline = time.monotonic() + self.settings.time_limit_s
                line.send(pack(header), *request.files.values())
                named, received = False, 0
                while "end" not in (answer := line.receive())[0]:
                    line.deadline = time.monotonic() + self.settings.time_limit_s
                    if request.many and "names" in answer[0] and not named:
                        request.take_names(answer[0]["names"])
                        named = True
                        continue
                    received += 1
                    # A compromised worker could go on for ever.
                    if received > max(len(request.names) - skip, 1):
                        raise ProtocolError("more results than recordings")
                    yield _result(*answer, request, line)
                    # The time that the caller took with it is not the worker's.
                    line.deadline = time.monotonic() + self.settings.time_limit_s
                worker.spent |= answer[0].get("out_of_memory") is True
                if isinstance(answer[0]["end"], int):
                    self.peak_bytes = max(self.peak_bytes, answer[0]["end"])
            except (TimeoutError, EOFError, ConnectionError, ProtocolError) as problem:
                failure = self._failure(worker, problem, request.where)
                worker.spent = True
                worker.kill()
                raise _Broken(failure) from problem

    def _failure(self, worker: Worker, problem: Exception, label: str) -> EcgError:
        """Return the error for a request that was not answered."""
        if isinstance(problem, ProtocolError):
            return ReaderFailed(BROKEN_ANSWER, file=label, found=problem)
        if not isinstance(problem, TimeoutError):
            found = worker.ending()
            if self._closed:
                return ReaderUnavailable(CLOSED, file=label)
            if worker.process.returncode == OUT_OF_MEMORY:
                return LimitExceeded("taking it in needs more memory than allowed", file=label)
            if worker.process.returncode != -signal.SIGALRM:
                return ReaderFailed(CRASHED, file=label, found=found)
        return ReaderFailed(TIMED_OUT, file=label, expected=f"at most {self.settings.time_limit_s:g} s")

    @contextmanager
    def _borrow(self) -> Iterator[Worker]:
        """Hold a worker for one request, waiting for one where all are busy."""
        if os.getpid() != self._owner:
            raise ReaderUnavailable(CLOSED, found="a fork of the process that made it", expected="a pool of its own")
        with self._changed:
            if not self._changed.wait_for(self._any_free, self.settings.wait_limit_s):
                raise ReaderUnavailable(
                    BUSY,
                    found=f"{self.settings.workers} for {self.settings.wait_limit_s:g} s",
                    options=("try again later", "more workers"),
                )
            if self._closed:
                raise ReaderUnavailable(CLOSED)
            worker = self._take()
        try:
            worker.await_ready(self.settings.start_limit_s)
            worker.requests += 1
            yield worker
        except BaseException:
            # Whatever went wrong on this side, an answer may still be under way.
            worker.spent = True
            raise
        finally:
            self._give_back(worker)

    def _any_free(self) -> bool:
        return self._closed or bool(self._idle) or len(self._workers) < self.settings.workers

    def _take(self) -> Worker:
        """Return a living worker; the lock is held."""
        while self._idle:
            worker = self._idle.pop()
            if worker.process.poll() is None:
                return worker
            self._workers.discard(worker)
            worker.stop()
        return self._add()

    def _add(self) -> Worker:
        """Start a worker; the lock is held."""
        worker = Worker(self.settings)
        self._workers.add(worker)
        return worker

    def _give_back(self, worker: Worker) -> None:
        with self._changed:
            if not (worker.spent or self._closed or worker.requests >= self.settings.recycle_after):
                self._idle.append(worker)
                self._changed.notify()
                return
        worker.stop()
        with self._changed:
            self._workers.discard(worker)
            if self._started and not self._closed:
                # Last in line, while it starts; and where it does not start, the request that meets it says so.
                with suppress(ReaderUnavailable):
                    self._idle.insert(0, self._add())
            self._changed.notify()


def _result(answer: dict[str, Any], size: int, request: _Request, line: Line) -> ReadResult | Unpacked:
    """Return the result that one frame holds."""
    name = answer.get("name")
    if not isinstance(name, str):
        raise ProtocolError("a result without a name")
    if request.unread and "files" in answer:
        return Unpacked(name, decode_files(answer["files"], size, request.files, request.options.limits, line), None)
    if not request.unread and "recording" in answer:
        return ReadResult(name, decode_recording(answer["recording"], size, request.options.limits, line), None)
    if size:
        raise ProtocolError("an error with a payload")
    if "unexpected" in answer:
        error: EcgError = ReaderFailed(UNEXPECTED, file=name, found=str(answer["unexpected"])[:1000])
    else:
        error = decode_error(answer.get("error"))
    return Unpacked(name, {}, error) if request.unread else ReadResult(name, None, error)
