"""The client: the service itself and `predict` here, all else by its subject."""

from __future__ import annotations

import os
from collections.abc import Sequence
from types import TracebackType
from typing import Literal

import httpx

from api.schemas import Health, Info, Prediction, Readiness
from dashboard.client.accounts import Accounts
from dashboard.client.analyses import Analyses
from dashboard.client.cases import Cases
from dashboard.client.evaluation import Evaluation
from dashboard.client.forms import Facts, Files, form_of, parts_of
from dashboard.client.http import Http, Tokens, Transport
from dashboard.client.jobs import Jobs
from dashboard.client.models import Models
from dashboard.client.recordings import Recordings

DEFAULT_URL = "http://127.0.0.1:8000"
TIMEOUT_S = 120.0


class Client:
    """A connection to the API.

    Parameters
    ----------
    transport
        What carries its requests.
    tokens
        Whom they speak for; nobody where None, until `accounts.sign_in`.
    patience_s
        Seconds for which a request is sent again while the API says that it is busy, or the connection breaks. What
        stores something is still done once.
    """

    def __init__(self, transport: Transport, tokens: Tokens | None = None, patience_s: float = 0.0) -> None:
        self._transport = transport
        self._http = Http(transport, tokens, patience_s)
        self.accounts = Accounts(self._http)
        self.recordings = Recordings(self._http)
        self.analyses = Analyses(self._http)
        self.cases = Cases(self._http)
        self.models = Models(self._http)
        self.evaluation = Evaluation(self._http)
        self.jobs = Jobs(self._http)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection, for all who speak on it; nobody is signed out."""
        self._transport.close()

    @property
    def url(self) -> str:
        """The API's address."""
        return self._http.url

    @property
    def tokens(self) -> Tokens:
        """Whom requests speak for."""
        return self._http.tokens

    def speaking_for(self, tokens: Tokens) -> Client:
        """Return a client on the same connection that speaks for somebody else."""
        return Client(self._transport, tokens, self._http.patience_s)

    def health_live(self) -> Health:
        """Ask whether the service answers."""
        return self._http.call(Health, "GET", "/health/live")

    def health_ready(self) -> Readiness:
        """Ask whether it can do its work; where not, the problem is an `api.schemas.NotReady` and says why."""
        return self._http.call(Readiness, "GET", "/health/ready")

    def info(self) -> Info:
        """Ask what the service is and takes."""
        return self._http.call(Info, "GET", "/info")

    def predict(
        self,
        files: Files | None = None,
        *,
        case: str | None = None,
        fs: float | None = None,
        units: str | None = None,
        age: float | None = None,
        sex: Literal["female", "male"] | None = None,
        facts: Facts | None = None,
        notes: str | None = None,
        models: Sequence[str] | None = None,
        operating_point: str | None = None,
        signal: bool = False,
        store: bool = True,
        idempotency_key: str | None = None,
    ) -> Prediction:
        """Upload the files of one recording, or name a demo case, and get all that can be said about it.

        Parameters
        ----------
        files
            ``{file name: content}``.
        case
            A demo case instead.
        fs, units
            Samples per second, and the unit of the samples, where the files do not say.
        age, sex
            Years, and ``"female"`` or ``"male"``, where they are known.
        facts
            What else is known of the person, by the names that `info` lists.
        notes
            Kept with the recording.
        models
            Models to ask; every installed one where None.
        operating_point
            What the thresholds are chosen for.
        signal
            Whether the answer is to carry the first seconds of samples.
        store
            Whether recording and analysis are kept.
        idempotency_key
            A name for this request, under which it can be sent again safely; one of its own where None.
        """
        form = form_of(
            facts,
            fs=fs,
            units=units,
            age=age,
            sex=sex,
            case=case,
            notes=notes,
            models=models,
            operating_point=operating_point,
            signal=signal or None,
            store=store,
        )
        once = self._http.name_once(idempotency_key)
        return self._http.call(Prediction, "POST", "/predict", data=form, files=parts_of(files), headers=once)


def connect(url: str | None = None, token: str | None = None, patience_s: float = 0.0) -> Client:
    """Return a client for the API at ``url``.

    Parameters
    ----------
    url
        ``EINTHOVEN_API_URL`` where None, else this machine's port 8000.
    token
        A personal API token; ``EINTHOVEN_API_TOKEN`` where None. Without either, `Client.accounts` signs in.
    patience_s
        As of `Client`.
    """
    url = url or os.environ.get("EINTHOVEN_API_URL", DEFAULT_URL)
    tokens = Tokens(token or os.environ.get("EINTHOVEN_API_TOKEN") or None)
    return Client(httpx.Client(base_url=url, timeout=httpx.Timeout(TIMEOUT_S, connect=5.0)), tokens, patience_s)
