"""The API as typed Python: one method a route, answers as `api.schemas`, errors as exceptions with their problem."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from api.schemas import Info, Prediction, Problem

DEFAULT_URL = "http://127.0.0.1:8000"
TIMEOUT_S = 120.0

T = TypeVar("T", bound=BaseModel)


class ApiProblem(Exception):
    """The API refused, and says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


class ApiUnreachable(Exception):
    """Nothing that speaks this API answers at the address."""

    def __init__(self, url: str, why: str) -> None:
        super().__init__(f"no answer from {url}: {why}")
        self.url = url
        self.why = why


class Response(Protocol):
    """What is used of an answer."""

    @property
    def status_code(self) -> int:
        """The HTTP status."""

    @property
    def content(self) -> bytes:
        """The body."""


class Transport(Protocol):
    """What is used of an HTTP client: `httpx.Client`, or a test client that speaks to the app directly."""

    @property
    def base_url(self) -> object:
        """The address that paths are relative to."""

    def request(self, method: str, url: str, *, data: Any = None, files: Any = None) -> Response:
        """Send a request and return its answer."""


class Client:
    """A connection to the API."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.url = str(transport.base_url).rstrip("/")

    def info(self) -> Info:
        """Ask what the service is and takes."""
        return self._call(Info, "GET", "/info")

    def predict(
        self,
        files: Mapping[str, bytes],
        *,
        fs: float | None = None,
        units: str | None = None,
        age: float | None = None,
        sex: str | None = None,
        facts: Mapping[str, str] | None = None,
        models: Sequence[str] | None = None,
        operating_point: str | None = None,
        signal: bool = False,
    ) -> Prediction:
        """Upload the files of one recording.

        Parameters
        ----------
        files
            ``{file name: content}``.
        fs, units
            Samples per second, and the unit of the samples, where the files do not say.
        age, sex
            Years, and ``"female"`` or ``"male"``, where they are known.
        facts
            What else is known of the person, by the names that `info` lists.
        models
            Models to ask; every installed one where None.
        operating_point
            What the thresholds are chosen for.
        signal
            Whether the answer is to carry the first seconds of samples.
        """
        fields: dict[str, object] = {
            **(facts or {}),
            "fs": fs,
            "units": units,
            "age": age,
            "sex": sex,
            "models": ",".join(models) if models is not None else None,
            "operating_point": operating_point,
            "signal": "true" if signal else None,
        }
        return self._call(
            Prediction,
            "POST",
            "/predict",
            data={name: str(value) for name, value in fields.items() if value is not None},
            files=[("files", (name, content)) for name, content in files.items()],
        )

    def _call(self, answer: type[T], method: str, path: str, **content: Any) -> T:
        try:
            response = self._transport.request(method, path, **content)
        except httpx.TransportError as error:
            raise ApiUnreachable(self.url, str(error) or type(error).__name__) from error
        kind = Problem if response.status_code >= 400 else answer
        try:
            body = kind.model_validate_json(response.content)
        except ValidationError as error:
            raise ApiUnreachable(self.url, f"status {response.status_code}, not an answer of this API") from error
        if isinstance(body, Problem):
            raise ApiProblem(body)
        assert isinstance(body, answer)  # noqa: S101 - tells the type checker what `kind` was
        return body


def connect() -> Client:
    """Return a client for the API at ``EINTHOVEN_API_URL``."""
    url = os.environ.get("EINTHOVEN_API_URL", DEFAULT_URL)
    return Client(httpx.Client(base_url=url, timeout=httpx.Timeout(TIMEOUT_S, connect=5.0)))
