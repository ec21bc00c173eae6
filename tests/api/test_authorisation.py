"""Who may do what: every route, asked by everybody."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any, Literal

import pytest
from fastapi.routing import iter_route_contexts
from jose import jwt
from sqlalchemy import select
from starlette.testclient import TestClient

from api import tables
from api.app import create_app
from api.principal import Principal, Scope
from api.repositories import sign_ins, users
from api.security.jwt import Claims
from api.services import api_tokens
from api.settings import Settings
from ecg_core.synthesis import synthesize
from tests.api.test_errors import problem_of
from tests.service import PASSWORD, access_token, add_account, as_upload, bearer, files_of, running_app, runtime_of

Needs = Literal["nothing", "any", "read", "write", "admin", "sign-in"]
PARTIES = ("nobody", "tampered", "expired", "revoked", "wrong scope", "other user", "admin", "owner")
SCOPES: tuple[Scope, ...] = ("read", "write", "admin")
_numbers = count(1)


class World:
    """A service with an account that owns things, another one, and an administrator."""

    def __init__(self, client: TestClient) -> None:
        self.client = client
        self.ids = {name: add_account(client, name, role) for name, role in ROLES.items()}
        headers = bearer(access_token(client, self.ids["owner"]))
        answer = client.post("/predict", headers=headers, files=as_upload(files_of(synthesize(seed=2).recording)))
        assert answer.status_code == 200, answer.text
        self.recording_id = answer.json()["stored"]["recording_id"]
        self.analysis_id = answer.json()["stored"]["analysis_id"]

    def token(self, party: str, needs: Needs, user_id: str) -> str | None:
        """Return a token of an account, as good or as bad as the party's."""
        if party == "nobody":
            return None
        tokens = runtime_of(self.client).access_tokens
        if party == "wrong scope":
            return self.api_token(user_id, [item for item in SCOPES[:2] if item != needs])
        if party == "expired":
            tokens = copy(tokens)
            tokens.lifetime_s = -1
        with runtime_of(self.client).database.write() as session:
            sign_in = sign_ins.add_sign_in(session, user_id, "0" * 64, tables.now() + LONG)
            if party == "revoked":
                sign_ins.revoke_sign_in(session, sign_in.id)
        token = tokens.issue(Claims(user_id, sign_in.id))
        return tampered(token, sub=self.ids["admin"]) if party == "tampered" else token

    def api_token(self, user_id: str, scopes: list[Scope]) -> str:
        """Return an API token of an account."""
        who = Principal(user_id, "x", "user", frozenset(SCOPES))
        return api_tokens.create(runtime_of(self.client).database, who, f"t{next(_numbers)}", scopes, 1).token

    def account(self, role: str = "user") -> str:
        """Return the name of a new account."""
        name = f"somebody {next(_numbers)}"
        add_account(self.client, name, role)
        return name

    def copied(self, table: type[tables.Table], row_id: str, **changes: Any) -> str:
        """Return the id of a copy of one of the owner's rows."""
        with runtime_of(self.client).database.write() as session:
            row = session.scalar(select(table).where(table.id == row_id))  # type: ignore[attr-defined]
            kept = {item.key: getattr(row, item.key) for item in table.__mapper__.column_attrs}
            new = table(**{**kept, "id": tables.new_id(), **changes})
            session.add(new)
        return str(new.id)  # type: ignore[attr-defined]

    def own_recording(self) -> str:
        return self.copied(tables.Recording, self.recording_id, fingerprint=f"{next(_numbers):064}")

    def own_analysis(self) -> str:
        return self.copied(tables.Analysis, self.analysis_id, fingerprint=f"{next(_numbers):064}")

    def own_job(self) -> str:
        with runtime_of(self.client).database.write() as session:
            job = tables.Job(
                owner_id=self.ids["owner"], kind="batch", status="done", parameters={}, finished_at=tables.now()
            )
            session.add(job)
            session.flush()
            return job.id

    def own_api_token(self) -> str:
        self.api_token(self.ids["owner"], ["read"])
        with runtime_of(self.client).database.read() as session:
            found = select(tables.ApiToken).where(tables.ApiToken.user_id == self.ids["owner"])
            return session.scalars(found.order_by(tables.ApiToken.created_at.desc())).first().id  # type: ignore[union-attr]

    def some_user(self) -> str:
        with runtime_of(self.client).database.read() as session:
            found = users.find_user_named(session, self.account())
        assert found is not None
        return found.id

    def refresh_token(self) -> str:
        answer = self.client.post("/login", json={"name": self.account(), "password": PASSWORD})
        return str(answer.json()["refresh_token"])


ROLES = {"owner": "user", "other user": "user", "admin": "admin"}
LONG = timedelta(hours=1)
Things = Callable[[World], dict[str, Any]]


@dataclass(frozen=True)
class Row:
    """A route, what it needs, and what whoever may is answered."""

    needs: Needs
    status: int | tuple[int, ...] = 200
    path: dict[str, Callable[[World], str] | str] = field(default_factory=dict)
    """Parameters of the path; those that are made anew each time are the owner's own."""
    send: dict[str, Any] | Things = field(default_factory=dict)
    """What else is sent."""
    new_account: bool = False
    """Whether whoever asks is a new account, since it does not outlive it."""

    @property
    def is_owned(self) -> bool:
        """Return whether it is about a thing of the owner's, so that there is none for others."""
        return self.needs != "admin" and any(callable(value) for value in self.path.values())


RECORDING = {"recording_id": lambda world: world.recording_id}
OWN_RECORDING = {"recording_id": World.own_recording}
JOB = {"job_id": World.own_job}
CASE = {"name": "normal"}
MODEL = {"name": "heart12"}
VERSION = {"name": "heart12", "version": "1.0.0"}


def _credentials(world: World) -> dict[str, Any]:
    return {"json": {"name": world.account(), "password": PASSWORD}}


def _new_name(_world: World) -> dict[str, Any]:
    return {"json": {"name": f"new {next(_numbers)}", "password": f"{PASSWORD} {next(_numbers)}"}}


def _new_files(_world: World) -> dict[str, Any]:
    return {"files": as_upload(files_of(synthesize(seed=next(_numbers), duration_s=2.0).recording))}


ROWS: dict[str, Row] = {
    "GET /openapi.json": Row("nothing"),
    "GET /docs": Row("nothing"),
    "GET /health/live": Row("nothing"),
    "GET /health/ready": Row("nothing", (200, 503)),
    "GET /info": Row("nothing"),
    "GET /metrics": Row("admin"),
    "POST /register": Row("nothing", 201, send=_new_name),
    "POST /login": Row("nothing", send=_credentials),
    "POST /token": Row("nothing", send=lambda world: {"data": {"username": world.account(), "password": PASSWORD}}),
    "POST /refresh": Row("nothing", send=lambda world: {"json": {"refresh_token": world.refresh_token()}}),
    "POST /logout": Row("sign-in", 204),
    "GET /me": Row("any"),
    "DELETE /me": Row("sign-in", 204, send={"json": {"password": PASSWORD}}, new_account=True),
    "POST /me/password": Row(
        "sign-in",
        204,
        send={"json": {"old_password": PASSWORD, "new_password": f"another {PASSWORD}"}},
        new_account=True,
    ),
    "GET /tokens": Row("sign-in"),
    "POST /tokens": Row("sign-in", 201, send=lambda _: {"json": {"name": f"n{next(_numbers)}", "scopes": ["read"]}}),
    "DELETE /tokens/{token_id}": Row("sign-in", 204, {"token_id": World.own_api_token}),
    "GET /audit": Row("read"),
    "GET /admin/users": Row("admin"),
    "POST /admin/users": Row("admin", 201, send=_new_name),
    "PATCH /admin/users/{user_id}": Row("admin", 200, {"user_id": World.some_user}, {"json": {"is_active": False}}),
    "DELETE /admin/users/{user_id}": Row("admin", 204, {"user_id": World.some_user}),
    "GET /admin/jobs": Row("admin"),
    "POST /predict": Row("write", send={"data": {"case": "normal", "parts": "beats"}}),
    "POST /recordings": Row("write", 201, send=_new_files),
    "GET /recordings": Row("read"),
    "GET /recordings/{recording_id}": Row("read", 200, RECORDING),
    "PATCH /recordings/{recording_id}": Row("write", 200, OWN_RECORDING, {"json": {"notes": "seen"}}),
    "DELETE /recordings/{recording_id}": Row("write", 204, OWN_RECORDING),
    "GET /recordings/{recording_id}/signal": Row("read", 200, RECORDING),
    "GET /recordings/{recording_id}/annotations": Row("read", 200, RECORDING),
    "GET /recordings/{recording_id}/file": Row("read", 200, RECORDING),
    "GET /recordings/{recording_id}/export": Row("read", 200, RECORDING, {"params": {"format": "csv"}}),
    "GET /recordings/{recording_id}/plot.svg": Row("read", 200, RECORDING),
    "GET /recordings/{recording_id}/plot.png": Row("read", 200, RECORDING, {"params": {"dpi": 50}}),
    "POST /recordings/{recording_id}/analyses": Row("write", (200, 201), RECORDING),
    "GET /recordings/{recording_id}/analyses": Row("read", 200, RECORDING),
    "GET /analyses/{analysis_id}": Row("read", 200, {"analysis_id": lambda world: world.analysis_id}),
    "GET /analyses/{analysis_id}/explainable": Row("read", 200, {"analysis_id": lambda world: world.analysis_id}),
    "GET /analyses/{analysis_id}/explanations": Row("read", 200, {"analysis_id": lambda world: world.analysis_id}),
    "GET /analyses/{analysis_id}/comparison": Row(
        "read",
        200,
        {"analysis_id": lambda world: world.analysis_id},
        lambda world: {"params": {"before": world.analysis_id}},
    ),
    "GET /analyses/{analysis_id}/report.pdf": Row("read", 200, {"analysis_id": lambda world: world.analysis_id}),
    "GET /analyses/{analysis_id}/report.txt": Row("read", 200, {"analysis_id": lambda world: world.analysis_id}),
    "GET /analyses/{analysis_id}/fhir": Row("read", 200, {"analysis_id": lambda world: world.analysis_id}),
    "DELETE /analyses/{analysis_id}": Row("write", 204, {"analysis_id": World.own_analysis}),
    "POST /batches": Row("write", 202, send={"files": [("files", ("a.csv", b"x"))]}),
    "GET /jobs": Row("read"),
    "GET /jobs/{job_id}": Row("read", 200, JOB),
    "DELETE /jobs/{job_id}": Row("write", 204, JOB),
    "GET /jobs/{job_id}/results": Row("read", 200, JOB),
    "GET /jobs/{job_id}/signal": Row("read", 409, JOB, send={"params": {"record": "none"}}),
    "GET /cases": Row("read"),
    "GET /cases/{name}": Row("read", 200, CASE),
    "GET /cases/{name}/file": Row("read", 200, CASE),
    "GET /cases/{name}/plot.svg": Row("read", 200, CASE),
    "GET /evaluate": Row("read", 404, send={"params": {"model": "none"}}),
    "POST /evaluate": Row("write", 404, send={"data": {"model": "none", "data": "none"}}),
    "GET /evaluate/sets": Row("read"),
    "GET /evaluate/records/{name}": Row("read", 404, {"name": "none"}),
    "GET /models": Row("read"),
    "GET /models/{name}": Row("read", 200, MODEL),
    "GET /models/{name}/{version}": Row("read", 200, VERSION, {"params": {"parts": "thresholds"}}),
    "GET /models/{name}/{version}/card": Row("read", 200, VERSION),
    "GET /models/{name}/{version}/metrics": Row("read", 200, VERSION),
    "GET /v2": Row("read"),
    "GET /v2/health/live": Row("nothing"),
    "GET /v2/health/ready": Row("nothing"),
    "GET /v2/models": Row("read"),
    "POST /v2/repository/index": Row("read"),
    "GET /v2/models/{name}": Row("read", 200, MODEL),
    "GET /v2/models/{name}/ready": Row("read", 200, MODEL),
    "GET /v2/models/{name}/versions/{version}": Row("read", 200, VERSION),
    "GET /v2/models/{name}/versions/{version}/ready": Row("read", 200, VERSION),
    "POST /v2/models/{name}/infer": Row("read", (400, 422), MODEL, {"json": {"inputs": []}}),
    "POST /v2/models/{name}/versions/{version}/infer": Row("read", (400, 422), VERSION, {"json": {"inputs": []}}),
}


def expected(row: Row, party: str) -> tuple[int, ...]:
    """Return what a party is answered."""
    fine = row.status if isinstance(row.status, tuple) else (row.status,)
    if row.needs == "nothing":
        return fine
    if party in ("nobody", "tampered", "expired", "revoked"):
        return (401,)
    if party == "wrong scope":
        return fine if row.needs == "any" else (403,)
    if row.needs == "admin":
        return fine if party == "admin" else (403,)
    return fine if party == "owner" or not row.is_owned else (404,)


def tampered(token: str, **claims: Any) -> str:
    """Return a token that says something else, under the signature that it had."""
    head, body, signature = token.split(".")
    said = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    written = base64.urlsafe_b64encode(json.dumps({**said, **claims}).encode()).decode().rstrip("=")
    return f"{head}.{written}.{signature}"


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with running_app() as client:
        yield World(client)


def test_every_route_has_a_row_and_every_row_a_route():
    routes = {
        f"{method} {context.path}"
        for context in iter_route_contexts(create_app(Settings()).routes)
        for method in (context.methods or set()) - {"HEAD"}
    }
    assert sorted(routes - set(ROWS)) == []
    assert sorted(set(ROWS) - routes) == []


def test_the_description_asks_for_what_the_routes_ask_for():
    for path, methods in create_app(Settings()).openapi()["paths"].items():
        for method, details in methods.items():
            needs = ROWS[f"{method.upper()} {path}"].needs
            found = [scope for scheme in details.get("security", []) for scopes in scheme.values() for scope in scopes]
            assert ("security" in details) == (needs != "nothing"), path
            assert found == ([needs] if needs in SCOPES else []), path


@pytest.mark.parametrize("party", PARTIES)
@pytest.mark.parametrize("route", ROWS)
def test_access(world, route, party):
    row = ROWS[route]
    method, template = route.split()
    role = party if party in ROLES else "owner"
    user_id = world.ids[role]
    if row.new_account:
        with runtime_of(world.client).database.read() as session:
            user_id = users.find_user_named(session, world.account(ROLES[role])).id
    token = world.token(party, row.needs, user_id)
    path = template.format(**{name: value(world) if callable(value) else value for name, value in row.path.items()})
    request = row.send(world) if callable(row.send) else row.send
    answer = world.client.request(method, path, headers=bearer(token) if token else {}, **request)
    assert answer.status_code in expected(row, party), answer.text
    if answer.status_code in (401, 403, 404):
        code = problem_of(answer).code
        if answer.status_code == 401:
            assert code == ("not_authenticated" if party == "nobody" else "invalid_token")
            assert answer.headers["www-authenticate"].startswith("Bearer")
        if answer.status_code == 403:
            assert code == ("not_an_admin" if row.needs == "admin" else "wrong_scope")
        if row.is_owned and party in ("other user", "admin"):
            assert code == "not_found"


def test_another_id_and_no_id_are_answered_alike(world):
    """Nobody learns which ids there are."""
    headers = bearer(world.token("other user", "read", world.ids["other user"]))
    none = tables.new_id()
    for route, row in ROWS.items():
        method, template = route.split()
        if not row.is_owned or row.needs == "sign-in":
            continue
        said = []
        for found in (next(value for value in row.path.values() if callable(value))(world), none):
            request = row.send(world) if callable(row.send) else row.send
            path = template.format(**dict.fromkeys(row.path, found))
            answer = world.client.request(method, path, headers={**headers, "X-Request-ID": "the-same"}, **request)
            said.append((answer.status_code, answer.text.replace(found, "ID")))
        assert said[0] == said[1], route


@pytest.mark.parametrize(
    "spoilt", ["no algorithm", "another key", "another audience", "no sign-in", "an unknown sign-in"]
)
def test_a_token_that_was_not_made_here_is_refused(world, spoilt):
    tokens = runtime_of(world.client).access_tokens
    good = world.token("owner", "read", world.ids["owner"])
    claims = jwt.get_unverified_claims(good)
    if spoilt == "no algorithm":
        head = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').decode().rstrip("=")
        token = f"{head}.{good.split('.')[1]}."
    elif spoilt == "another key":
        token = jwt.encode(claims, "x" * 40, algorithm="HS256")
    elif spoilt == "another audience":
        token = jwt.encode({**claims, "aud": "others"}, tokens._signing, algorithm="HS256")
    elif spoilt == "no sign-in":
        token = jwt.encode({name: value for name, value in claims.items() if name != "sid"}, tokens._signing, "HS256")
    else:
        token = tokens.issue(Claims(world.ids["owner"], tables.new_id()))
    assert world.client.get("/me", headers=bearer(good)).status_code == 200
    assert problem_of(world.client.get("/me", headers=bearer(token))).code == "invalid_token"


def test_tokens_of_a_deactivated_account_are_good_no_more(world):
    name = world.account()
    with runtime_of(world.client).database.read() as session:
        user_id = users.find_user_named(session, name).id
    given = [world.api_token(user_id, ["read"]), access_token(world.client, user_id)]
    assert [world.client.get("/jobs", headers=bearer(token)).status_code for token in given] == [200, 200]
    with runtime_of(world.client).database.write() as session:
        users.find_user(session, user_id).is_active = False
    assert [world.client.get("/jobs", headers=bearer(token)).status_code for token in given] == [401, 401]


def test_an_administrator_who_is_one_no_more_loses_the_scope(world):
    user_id = add_account(world.client, f"deposed {next(_numbers)}", "admin")
    given = [world.api_token(user_id, ["admin"]), access_token(world.client, user_id)]
    assert [world.client.get("/admin/users", headers=bearer(token)).status_code for token in given] == [200, 200]
    with runtime_of(world.client).database.write() as session:
        users.find_user(session, user_id).role = "user"
    assert [world.client.get("/admin/users", headers=bearer(token)).status_code for token in given] == [403, 403]
