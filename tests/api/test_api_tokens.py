"""Personal API tokens: shown once, kept as a hash, scoped, expiring, deleted."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from api.schemas.api_tokens import ApiTokenList, CreatedApiToken
from api.security.opaque import API_PREFIX, is_secret, read_token
from api.tables import ApiToken, now
from tests.accounts import refusal, with_token
from tests.service import runtime_of


def make(client, name="script", scopes=("read", "write"), **more):
    answer = client.post("/tokens", json={"name": name, "scopes": list(scopes), **more})
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return CreatedApiToken.model_validate(answer.json())


def test_a_token_speaks_for_its_account_and_is_listed_without_its_secret(ada):
    made = make(ada)
    script = with_token(ada, made.token)
    me, mine = script.get("/me").json(), ada.get("/me").json()
    assert (me["id"], me["scopes"]) == (mine["id"], ["read", "write"])
    listed = ada.get("/tokens")
    assert made.token[-43:] not in listed.text
    (item,) = ApiTokenList.model_validate(listed.json()).items
    assert (item.id, item.name, item.expires_at) == (made.id, "script", made.expires_at)
    assert item.last_used_at is not None


def test_only_a_hash_of_it_is_kept(ada):
    made = make(ada)
    parts = read_token(API_PREFIX, made.token)
    assert parts is not None
    with runtime_of(ada).database.read() as session:
        row = session.scalars(select(ApiToken).where(ApiToken.id == parts[0])).one()
    assert is_secret(parts[1], row.secret_hash)
    assert parts[1] not in str(vars(row))


@pytest.mark.parametrize(
    ("scopes", "may_read", "may_write"), [(["read"], 200, 403), (["write"], 403, 404), (["write", "read"], 200, 404)]
)
def test_a_token_may_what_its_scopes_say(ada, scopes, may_read, may_write):
    script = with_token(ada, make(ada, scopes=scopes).token)
    assert script.get("/audit").status_code == may_read
    assert script.delete("/analyses/00000000-0000-0000-0000-000000000000").status_code == may_write
    assert script.get("/me").json()["scopes"] == sorted(scopes)


def test_a_token_may_no_more_than_its_account(ada, admin):
    asked = {"name": "root", "scopes": ["read", "admin"]}
    assert refusal(ada.post("/tokens", json=asked)) == (403, "not_an_admin")
    made = make(admin, scopes=["admin"])
    script = with_token(admin, made.token)
    assert script.get("/admin/users").status_code == 200
    other = admin.post("/admin/users", json={"name": f"x {made.id}", "password": "a long enough one", "role": "admin"})
    assert other.status_code == 201
    mine = admin.get("/me").json()["id"]
    assert admin.patch(f"/admin/users/{mine}", json={"role": "user"}).status_code == 200
    assert refusal(script.get("/admin/users")) == (403, "not_an_admin")
    assert script.get("/me").json()["scopes"] == []


def test_a_token_expires_unless_it_is_made_to_last(ada):
    made, lasting = make(ada, expires_in_days=7), make(ada, "lasting", expires_in_days=None)
    assert made.expires_at is not None
    assert made.expires_at - made.created_at == pytest.approx(timedelta(days=7), abs=timedelta(minutes=1))
    assert lasting.expires_at is None
    default = make(ada, "default")
    assert default.expires_at is not None
    script = with_token(ada, made.token)
    assert script.get("/me").status_code == 200
    with runtime_of(ada).database.write() as session:
        session.execute(update(ApiToken).where(ApiToken.id == made.id).values(expires_at=now()))
    assert refusal(script.get("/me")) == (401, "invalid_token")
    assert with_token(ada, lasting.token).get("/me").status_code == 200


def test_a_deleted_token_is_refused_and_anothers_cannot_be_deleted(ada, bob):
    made = make(ada)
    assert refusal(bob.delete(f"/tokens/{made.id}")) == (404, "not_found")
    assert with_token(ada, made.token).get("/me").status_code == 200
    assert ada.delete(f"/tokens/{made.id}").status_code == 204
    assert refusal(with_token(ada, made.token).get("/me")) == (401, "invalid_token")
    assert refusal(ada.delete(f"/tokens/{made.id}")) == (404, "not_found")
    assert ada.get("/tokens").json() == {"items": []}


def test_names_are_told_apart_within_an_account(ada, bob):
    make(ada)
    assert refusal(ada.post("/tokens", json={"name": " script ", "scopes": ["read"]})) == (409, "name_taken")
    make(bob)


@pytest.mark.parametrize(
    "asked",
    [
        {"name": "", "scopes": ["read"]},
        {"name": "   ", "scopes": ["read"]},
        {"name": "a\0b", "scopes": ["read"]},
        {"name": "x" * 101, "scopes": ["read"]},
        {"name": "script", "scopes": []},
        {"name": "script", "scopes": ["everything"]},
        {"name": "script", "scopes": ["read"], "expires_in_days": 0},
        {"name": "script", "scopes": ["read"], "expires_in_days": 10**9},
    ],
)
def test_a_token_that_cannot_be_is_refused(ada, asked):
    assert ada.post("/tokens", json=asked).status_code == 422


def test_an_account_has_so_many_tokens_and_no_more(ada, monkeypatch):
    monkeypatch.setattr("api.services.api_tokens._MOST", 2)
    make(ada, "one")
    make(ada, "two")
    assert refusal(ada.post("/tokens", json={"name": "three", "scopes": ["read"]})) == (409, "too_many_tokens")


@pytest.mark.parametrize("change", [str.upper, lambda t: t[:-1], lambda t: t + "x", lambda t: t[:40], lambda t: t[:4]])
def test_a_changed_token_is_refused(ada, change):
    token = change(make(ada).token)
    assert refusal(with_token(ada, token).get("/me")) == (401, "invalid_token")
