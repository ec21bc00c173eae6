"""Ask the whole API, as its own description has it, what nobody would ask, and check every answer against that.

::

    python -m tests.api.fuzz --examples 1000 --seed 0 --json counts.json
    python -m tests.api.fuzz --only predict --examples 200

For every operation so many requests are made from the OpenAPI document: valid ones and spoilt ones, by somebody who is
signed in and by nobody, sent to a real server. None may be answered with a server error, an undocumented status,
another media type than is documented, or a body that does not fit its schema.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any

import requests
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.testclient import TestClient

from api.principal import SCOPES, Principal
from api.services import api_tokens
from ecg_core.synthesis import synthesize
from tests.databases import new_database
from tests.service import access_token, add_account, as_upload, bearer, files_of, running_app, runtime_of

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
SIGNED_IN_ONLY = {"logout", "delete_me", "change_password", "list_tokens", "create_token", "delete_token"}
"""What no API token may; each request brings a sign-in of its own, which may end with it."""
TAKING_FILES = {"predict", "create_recording", "create_batch", "evaluate"}
SPARED = {"DELETE"}
"""Methods that are not sent to the things that the others are asked about."""
SOON_S = 20.0
"""Longer than any of these requests should take."""
MOST_LISTED = 5


@dataclass
class Tally:
    """What became of one operation's requests."""

    name: str
    statuses: Counter[int] = field(default_factory=Counter)
    failures: dict[str, str] = field(default_factory=dict)
    """The first of each kind."""
    failed: int = 0
    slowest_s: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        return {**vars(self), "statuses": dict(sorted(self.statuses.items())), "n": self.statuses.total()}


class Target:
    """A service with something in it, and the description of its API."""

    def __init__(self, client: TestClient, url: str) -> None:
        self.client, self.url = client, url
        self.session = requests.Session()
        self.session.trust_env = False
        self.user_id = add_account(client, "fuzz", "admin")
        who = Principal(self.user_id, "fuzz", "admin", frozenset(SCOPES))
        self.token = api_tokens.create(runtime_of(client).database, who, "fuzz", list(SCOPES), None).token
        self.upload = as_upload(files_of(synthesize(seed=6, duration_s=3.0).recording))
        answer = client.post("/predict", headers=bearer(self.token), files=self.upload)
        assert answer.status_code == 200, answer.text
        stored = answer.json()["stored"]
        batch = client.post("/batches", headers=bearer(self.token), files=[("files", ("a.csv", b"x"))]).json()
        self.known = {
            "recording_id": stored["recording_id"],
            "analysis_id": stored["analysis_id"],
            "job_id": batch["id"],
            "user_id": add_account(client, "another"),
            "version": "1.0.0",
        }
        self.schema = schemathesis.openapi.from_dict(client.get("/openapi.json").json())
        self.numbers = count()

    def operations(self) -> Iterator[Any]:
        """Yield the operations of the API."""
        for result in self.schema.get_all_operations():
            yield result.ok()

    def send(self, case: Case, *, signed_in: bool) -> requests.Response:
        """Send a request: every other one is about something that exists."""
        name = case.operation.definition.raw["operationId"]
        if next(self.numbers) % 2 and case.method not in SPARED:
            known = {**self.known, "name": "normal" if case.path.startswith("/cases") else "heart12"}
            case.path_parameters = {key: known.get(key, value) for key, value in (case.path_parameters or {}).items()}
        if name in ("evaluate_bundled", "get_bundled_record") and isinstance(case.query, dict):
            case.query["method"] = "fast"  # The other takes seconds at first.
        headers = {}
        if signed_in:
            headers = bearer(access_token(self.client, self.user_id) if name in SIGNED_IN_ONLY else self.token)
        sent = case.as_transport_kwargs(base_url=self.url, headers=headers)
        if name in TAKING_FILES and next(self.numbers) % 3 == 0:
            # What is made up is hardly ever a recording.
            others = [item for item in sent.get("files") or [] if item[0] not in ("files", "case")]
            sent["files"] = [*others, *self.upload]
            sent.pop("data", None)
            sent["headers"].pop("Content-Type", None)
        return self.session.request(**sent, timeout=SOON_S, allow_redirects=False)


@contextmanager
def target(database: str = "sqlite") -> Iterator[Target]:
    """Give a service that listens, with something in it."""
    with new_database(database) as where, running_app(read_time_limit_s=10, **where) as client:
        server = uvicorn.Server(
            uvicorn.Config(client.app, port=0, lifespan="off", log_config=None, access_log=False, ws="none")
        )
        thread = Thread(target=server.run, daemon=True)
        thread.start()
        try:
            while not server.started:
                time.sleep(0.01)
            port = server.servers[0].sockets[0].getsockname()[1]
            yield Target(client, f"http://127.0.0.1:{port}")
        finally:
            server.should_exit = True
            thread.join()


def ask(found: Target, operation: Any, mode: GenerationMode, examples: int, at: int, *, signed_in: bool) -> Tally:
    """Make requests of one operation, and judge their answers."""
    tally = Tally(operation.definition.raw["operationId"])

    @seed(at)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def judge(case: Case) -> None:
        began = time.perf_counter()
        answer = found.send(case, signed_in=signed_in)
        tally.slowest_s = max(tally.slowest_s, time.perf_counter() - began)
        tally.statuses[answer.status_code] += 1
        try:
            case.validate_response(answer, checks=CHECKS)
        except FailureGroup as group:
            tally.failed += 1
            for failure in group.exceptions:
                kind = f"{type(failure).__name__} ({answer.status_code})"
                asked = f"{answer.request.method} {answer.request.url} {str(answer.request.body)[:300]}"
                tally.failures.setdefault(kind, f"{failure}\n  {asked}\n  {answer.text[:300]}")

    with suppress(Unsatisfiable):  # There is nothing to spoil where nothing can be sent.
        judge()
    return tally


def run(found: Target, operation: Any, examples: int, at: int) -> Tally:
    """Make so many requests of an operation: valid and spoilt ones, and a tenth of them by nobody."""
    whole = Tally(operation.definition.raw["operationId"])
    for mode, signed_in, share in (
        (GenerationMode.POSITIVE, True, 0.5),
        (GenerationMode.NEGATIVE, True, 0.4),
        (GenerationMode.POSITIVE, False, 0.1),
    ):
        part = ask(found, operation, mode, max(1, round(examples * share)), at, signed_in=signed_in)
        whole.statuses += part.statuses
        whole.failed += part.failed
        whole.failures = {**part.failures, **whole.failures}
        whole.slowest_s = max(whole.slowest_s, part.slowest_s)
    return whole


def main(arguments: list[str] | None = None) -> int:
    """Run the harness and return its exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--examples", type=int, default=100, help="requests of an operation")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--only", help="one operation, by its id")
    parser.add_argument("--json", type=Path, help="write the counts and failures into this file")
    chosen = parser.parse_args(arguments)
    logging.disable(logging.ERROR)
    tallies = []
    with target(chosen.database) as found:
        for operation in found.operations():
            if chosen.only not in (None, operation.definition.raw["operationId"]):
                continue
            tally = run(found, operation, chosen.examples, chosen.seed)
            tallies.append(tally)
            statuses = ", ".join(f"{status}: {n}" for status, n in sorted(tally.statuses.items()))
            sys.stdout.write(f"{tally.name:32} {tally.failed:5} failed  slowest {tally.slowest_s:5.2f} s  {statuses}\n")
            for kind, text in list(tally.failures.items())[:MOST_LISTED]:
                sys.stdout.write(f"  {kind}: {text}\n")
            sys.stdout.flush()
    asked = sum(tally.statuses.total() for tally in tallies)
    failed = sum(tally.failed for tally in tallies)
    sys.stdout.write(f"\n{len(tallies)} operations, {asked} requests, {failed} failed\n")
    if chosen.json:
        chosen.json.write_text(json.dumps([tally.to_dict() for tally in tallies], indent=1))
    return int(failed > 0)


if __name__ == "__main__":
    os.environ.setdefault("SCHEMATHESIS_NO_COLOR", "1")
    sys.exit(main())
