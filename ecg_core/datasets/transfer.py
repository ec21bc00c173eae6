"""One file over HTTP: resumed where it stopped, started over where it changed, kept only when its checksum is right."""

from __future__ import annotations

import contextlib
import hashlib
import re
import threading
from collections.abc import Callable
from email.message import Message
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, Request, build_opener

from ecg_core.errors import DataSetError

_CHUNK = 1 << 16
_RETRYABLE = frozenset({408, 425, 429, 500, 502, 503, 504})


class FileProblem(Exception):
    """One file cannot be had as published; others may."""


class Interrupted(Exception):
    """The transfer stopped early; trying again may finish it."""


class Transfer:
    """Fetches files, several at a time if need be, until `stop`.

    Parameters
    ----------
    attempts
        How often a file that makes no progress is asked for.
    pause_s
        Seconds before the second attempt; doubled for each further one.
    timeout_s
        Seconds without a byte after which a connection is given up.
    """

    def __init__(self, attempts: int = 5, pause_s: float = 0.5, timeout_s: float = 60.0) -> None:
        self._attempts, self._pause_s, self._timeout_s = attempts, pause_s, timeout_s
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Let running transfers end soon; what they received stays for the next call."""
        self._stopped.set()

    def fetch(self, url: str, target: Path, sha256: str | None, grown: Callable[[int], None] | None = None) -> str:
        """Bring ``url`` to ``target`` and return its sha256.

        Raises
        ------
        FileProblem
            The server does not have the file, or what it has does not match ``sha256`` (and is not kept).
        DataSetError
            The server cannot be reached, or the connection keeps breaking.
        """
        target.parent.mkdir(parents=True, exist_ok=True)
        part = _Part(target)
        resumed = self._complete(url, part, grown)
        digest = part.sha256()
        if sha256 is not None and digest != sha256 and resumed:
            # The first piece came from an earlier call and may be of another version: only a fresh copy tells.
            part.discard()
            self._complete(url, part, grown)
            digest = part.sha256()
        if sha256 is not None and digest != sha256:
            part.discard()
            raise FileProblem(f"sha256 is {digest}, the publisher's is {sha256}")
        part.accept()
        return digest

    def _complete(self, url: str, part: _Part, grown: Callable[[int], None] | None) -> bool:
        """Receive until the file is whole; return whether it began with bytes of an earlier call."""
        resumed = part.size > 0
        failures = 0
        while True:
            before = part.size
            try:
                self._receive(url, part, grown)
                return resumed
            except HTTPError as error:
                error.close()
                if error.code == 416:
                    part.discard()
                elif error.code not in _RETRYABLE:
                    raise FileProblem(f"the server answers {error.code} {error.reason}") from error
                cause: Exception = error
            except (URLError, HTTPException, OSError, Interrupted) as error:
                cause = error
            if self._stopped.is_set():
                raise Interrupted(url) from cause
            failures = 1 if part.size > before else failures + 1
            if failures >= self._attempts:
                reason = cause.reason if type(cause) is URLError else cause
                raise DataSetError(
                    "cannot be fetched",
                    file=url,
                    found=f"{reason} ({failures} attempts without progress)",
                    options=("run it again later: what has arrived is kept", "another address with base_url"),
                ) from cause
            self._stopped.wait(self._pause_s * 2 ** (failures - 1))

    def _receive(self, url: str, part: _Part, grown: Callable[[int], None] | None) -> None:
        have, tag = part.size, part.tag
        headers = {"User-Agent": "einthoven", "Accept-Encoding": "identity"}
        if have and tag:
            headers |= {"Range": f"bytes={have}-", "If-Range": tag}
        request = Request(url, headers=headers)  # noqa: S310 - the scheme was checked, redirects are below
        with _opener().open(request, timeout=self._timeout_s) as answer:
            total = _whole_size(answer, have)
            append = answer.status == 206 and bool(have) and _starts_at(answer) == have and _tag(answer) in (tag, None)
            if answer.status == 206 and not append:
                part.discard()
                raise Interrupted("the file changed or the server's range is another; starting over")
            with part.open(append=append, tag=tag if append else _tag(answer)) as file:
                while chunk := answer.read(_CHUNK):
                    file.write(chunk)
                    if grown:
                        grown(len(chunk))
                    if self._stopped.is_set():
                        raise Interrupted("stopped")
        if total is not None and part.size != total:
            raise Interrupted(f"{part.size} of {total} bytes arrived")


class _Part:
    """The unfinished file and, beside it, the tag of the version it belongs to."""

    def __init__(self, target: Path) -> None:
        self._target = target
        self._path = target.with_name(target.name + ".part")
        self._tag_path = target.with_name(target.name + ".etag.part")

    @property
    def size(self) -> int:
        return self._path.stat().st_size if self._path.exists() else 0

    @property
    def tag(self) -> str | None:
        return self._tag_path.read_text("latin-1") if self._tag_path.exists() else None

    def open(self, *, append: bool, tag: str | None) -> IO[bytes]:
        if not append:
            self.discard()
            if tag:
                self._tag_path.write_text(tag, "latin-1")
        return self._path.open("ab")

    def sha256(self) -> str:
        with self._path.open("rb") as file:
            return hashlib.file_digest(file, hashlib.sha256).hexdigest()

    def discard(self) -> None:
        for path in (self._path, self._tag_path):
            path.unlink(missing_ok=True)

    def accept(self) -> None:
        self._path.replace(self._target)
        self._tag_path.unlink(missing_ok=True)


class _NoDowngrade(HTTPRedirectHandler):
    """Follows redirects, but not from https to anything less."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> Request | None:
        allowed = {"https"} | {urlsplit(req.full_url).scheme}
        if urlsplit(newurl).scheme not in allowed:
            raise FileProblem(f"the server redirects to {newurl}, which is not https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]


def _opener() -> OpenerDirector:
    return build_opener(_NoDowngrade())


def _tag(answer: HTTPResponse) -> str | None:
    """Return what identifies the version of the file: a strong ETag, else the date of its last change."""
    tag = answer.headers.get("ETag")
    if tag and not tag.startswith("W/"):
        return str(tag)
    changed = answer.headers.get("Last-Modified")
    return str(changed) if changed else None


def _starts_at(answer: HTTPResponse) -> int | None:
    match = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
    return int(match.group(1)) if match else None


def _whole_size(answer: HTTPResponse, have: int) -> int | None:
    """Return the size of the whole file as the server states it."""
    if match := re.fullmatch(r"bytes \d+-\d+/(\d+)", answer.headers.get("Content-Range", "")):
        return int(match.group(1))
    with contextlib.suppress(TypeError, ValueError):
        length = int(answer.headers["Content-Length"])
        return have + length if answer.status == 206 else length
    return None
