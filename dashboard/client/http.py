"""How the client speaks: answers as `api.schemas`, errors as exceptions, tokens renewed, patience where it is busy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from time import monotonic, sleep
from typing import Any, Protocol, TypeVar
from urllib.parse import unquote
from uuid import uuid4

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from api.schemas import NotReady, Problem
from dashboard.client.forms import form_of

T = TypeVar("T")
_LATER = (409, 429, 503)
"""Statuses that may say when to come again: it is being done, or too much at a time."""
_BROKEN_S = 0.5
"""Seconds until what was cut off is sent again."""
_KEY = "Idempotency-Key"


class ApiProblem(Exception):
    """The API refused, and says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


class SignedOut(Exception):
    """The API does not know, or no longer takes, the token: sign in again."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


class ApiUnreachable(Exception):
    """Nothing that speaks this API answers at the address."""

    def __init__(self, url: str, why: str) -> None:
        super().__init__(f"no answer from {url}: {why}")
        self.url = url
        self.why = why


@dataclass
class Tokens:
    """What a sign-in gave. The access token is replaced when it is renewed; a personal API token stands alone."""

    access: str | None = None
    refresh: str | None = None


@dataclass(frozen=True)
class Download:
    """A file that the API gave."""

    name: str
    media_type: str
    content: bytes


class Page(Protocol):
    """Some of a list."""

    @property
    def items(self) -> Sequence[Any]:
        """Those of this page."""

    @property
    def next_cursor(self) -> str | None:
        """Where the next one begins; None at the end."""


P = TypeVar("P", bound=Page)


class Response(Protocol):
    """What is used of an answer."""

    @property
    def status_code(self) -> int:
        """The HTTP status."""

    @property
    def content(self) -> bytes:
        """The body."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers."""

    def read(self) -> bytes:
        """Return the body of a streamed answer."""

    def iter_bytes(self) -> Iterator[bytes]:
        """Yield it as it comes."""

    def close(self) -> None:
        """Have no more of it."""


class Transport(Protocol):
    """What is used of an HTTP client: `httpx.Client`, or a test client that speaks to the app directly."""

    @property
    def base_url(self) -> object:
        """The address that paths are relative to."""

    def build_request(
        self,
        method: str,
        url: str,
        *,
        params: Any = None,
        json: Any = None,
        data: Any = None,
        files: Any = None,
        headers: Any = None,
    ) -> Any:
        """Return a request for `send`."""

    def send(self, request: Any, *, stream: bool = False) -> Any:
        """Send it and return its answer, a `Response`; unread where it is to be streamed."""

    def close(self) -> None:
        """Close its connections."""


class Http:
    """Sends requests on behalf of one account, or of nobody.

    Parameters
    ----------
    transport
        What carries them.
    tokens
        Whom they speak for; changed in place when the access token is renewed, so that whoever shares it shares that.
    patience_s
        Seconds for which a request is sent again while the API says that it is busy, or the connection breaks.
    """

    def __init__(self, transport: Transport, tokens: Tokens | None = None, patience_s: float = 0.0) -> None:
        self._transport = transport
        self._renewal = Lock()
        self.patience_s = patience_s
        self.tokens = tokens or Tokens()
        self.url = str(transport.base_url).rstrip("/")

    def call(self, answer: type[T], method: str, path: str, **content: Any) -> T:
        """Return the answer of a route, checked against its schema.

        Raises
        ------
        ApiProblem
            The API refused.
        SignedOut
            It refused for want of a token that is good.
        ApiUnreachable
            There is no such API.
        """
        return self.parse(answer, self.send(method, path, **content))

    def parse(self, answer: type[T], response: Response) -> T:
        """Return what an answer says."""
        try:
            return TypeAdapter(answer).validate_json(response.content)
        except ValidationError as error:
            raise self._unlike(response) from error

    def name_once(self, idempotency_key: str | None) -> dict[str, str]:
        """Return the header under which a request that stores something is done once, however often it is sent.

        Where nothing is sent again, there is a name only if one was given.
        """
        key = idempotency_key or (str(uuid4()) if self.patience_s > 0 else None)
        return {} if key is None else {_KEY: key}

    def send(self, method: str, path: str, *, again: bool = True, **content: Any) -> Response:
        """Return the answer of a route as it came, once it is no refusal; the token is renewed once if need be."""
        used = self.tokens.access
        response = self._request(method, path, used, **content)
        if response.status_code < 400:
            return response
        problem = self._problem(response)
        if problem.code == "invalid_token" and again and self._renew(used):
            return self.send(method, path, again=False, **content)
        raise (SignedOut if problem.status == 401 and path != "/login" else ApiProblem)(problem)

    def pages(self, page: type[P], path: str, query: Mapping[str, object]) -> Iterator[Any]:
        """Yield the items of a list, asking for one page after the other."""
        cursor: str | None = None
        while True:
            found = self.call(page, "GET", path, params=form_of(**{**query, "cursor": cursor}))
            yield from found.items
            if (cursor := found.next_cursor) is None:
                return

    def lines(self, path: str, **content: Any) -> Iterator[bytes]:
        """Yield the lines of an answer as they come."""
        response = self.send("GET", path, stream=True, **content)
        rest = b""
        try:
            for chunk in response.iter_bytes():
                *whole, rest = (rest + chunk).split(b"\n")
                yield from whole
        except httpx.TransportError as error:
            raise self._cut_off(error) from error
        finally:
            response.close()
        if rest:
            yield rest

    def download(self, path: str, **content: Any) -> Download:
        """Return a file."""
        response = self.send("GET", path, **content)
        headers = httpx.Headers(dict(response.headers))
        disposition = headers.get("content-disposition", "")
        name = unquote(disposition.partition("filename*=UTF-8''")[2].partition(";")[0])
        name = name or disposition.partition('filename="')[2].partition('"')[0] or path.rpartition("/")[2]
        media_type = headers.get("content-type", "application/octet-stream")
        return Download(name, media_type.partition(";")[0], response.content)

    def _request(
        self,
        method: str,
        path: str,
        token: str | None,
        *,
        headers: Mapping[str, str] | None = None,
        stream: bool = False,
        **content: Any,
    ) -> Response:
        """Return an answer, once there is one that does not say to come later, or patience is at its end."""
        headers = {**(headers or {}), **({"Authorization": f"Bearer {token}"} if token else {})}
        until = monotonic() + self.patience_s
        while True:
            request = self._transport.build_request(method, path, headers=headers, **content)
            try:
                response: Response = self._transport.send(request, stream=stream)
                if response.status_code >= 400:
                    response.read()
            except httpx.TransportError as error:
                # Without a key it cannot be known whether what was cut off was done.
                is_safe = method == "GET" or _KEY in headers or isinstance(error, httpx.ConnectError)
                if not is_safe or monotonic() + _BROKEN_S > until:
                    raise self._cut_off(error) from error
                wait_s = _BROKEN_S
            else:
                asked = response.headers.get("retry-after", "") if response.status_code in _LATER else ""
                if not asked.isdecimal() or monotonic() + float(asked) > until:
                    return response
                wait_s = float(asked)
            sleep(wait_s)

    def _renew(self, used: str | None) -> bool:
        """Renew the access token with the refresh token; return whether there is a new one."""
        with self._renewal:
            if self.tokens.access != used:
                return True
            if self.tokens.refresh is None:
                return False
            response = self._request("POST", "/refresh", None, json={"refresh_token": self.tokens.refresh})
            if response.status_code == 429 or response.status_code >= 500:
                raise ApiProblem(self._problem(response))
            if response.status_code >= 400:
                self.tokens.refresh = None
                return False
            renewed = TypeAdapter(_Renewed).validate_json(response.content)
            self.tokens.access, self.tokens.refresh = renewed.access_token, renewed.refresh_token
            return True

    def _problem(self, response: Response) -> Problem:
        try:
            return _PROBLEM.validate_json(response.content)
        except ValidationError as error:
            raise self._unlike(response) from error

    def _unlike(self, response: Response) -> ApiUnreachable:
        return ApiUnreachable(self.url, f"status {response.status_code}, not an answer of this API")

    def _cut_off(self, error: httpx.TransportError) -> ApiUnreachable:
        return ApiUnreachable(self.url, str(error) or type(error).__name__)


class _Renewed(BaseModel):
    access_token: str
    refresh_token: str


_PROBLEM: TypeAdapter[NotReady | Problem] = TypeAdapter(NotReady | Problem)
