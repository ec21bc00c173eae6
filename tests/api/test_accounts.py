"""Accounts: registered, shown, their password changed, deleted with all they own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from api.repositories.users import find_user_named
from api.schemas.accounts import Account, Me
from ecg_core.synthesis import synthesize
from tests.accounts import OTHER_PASSWORD, new_name, refusal, sign_in, sign_up, with_token
from tests.service import PASSWORD, as_upload, files_of, running_app, runtime_of


def register(client, name, password=PASSWORD):
    return client.post("/register", json={"name": name, "password": password})


def test_somebody_registers_signs_in_and_is_shown(on_each_database):
    name = new_name()
    answer = register(on_each_database, name)
    assert answer.status_code == 201
    account = Account.model_validate(answer.json())
    assert (account.name, account.role, account.is_active, account.last_sign_in_at) == (name, "user", True, None)
    tokens = sign_in(on_each_database, name)
    me = Me.model_validate(with_token(on_each_database, tokens["access_token"]).get("/me").json())
    assert (me.id, me.name, me.role, me.scopes) == (account.id, name, "user", ["read", "write"])
    assert me.created_at == account.created_at
    assert me.last_sign_in_at is not None
    assert me.last_sign_in_at >= me.created_at


def test_a_user_name_is_understood_as_the_name(on_each_database):
    name = new_name()
    assert on_each_database.post("/register", json={"username": name, "password": PASSWORD}).status_code == 201
    assert on_each_database.post("/login", json={"username": name, "password": PASSWORD}).status_code == 200


def test_the_password_is_kept_as_an_argon2_hash_alone(on_each_database):
    name = sign_up(on_each_database)
    with runtime_of(on_each_database).database.read() as session:
        user = find_user_named(session, name)
    assert user is not None
    assert user.password_hash.startswith("$argon2id$")


@pytest.mark.parametrize("other", [str.upper, str.title, lambda name: f"  {name} "], ids=["upper", "title", "spaces"])
def test_a_name_is_taken_however_it_is_written(on_each_database, other):
    name = sign_up(on_each_database)
    assert refusal(register(on_each_database, other(name))) == (409, "name_taken")
    assert sign_in(on_each_database, other(name))


def test_a_name_is_the_same_in_every_normal_form_of_unicode(on_each_database):
    decomposed, composed, wide = "Zoe\u0308 {}", "Zo\u00eb {}", "\uff3ao\u00eb {}"
    suffix = new_name()
    answer = register(on_each_database, decomposed.format(suffix))
    assert answer.json()["name"] == composed.format(suffix)
    for written in (composed, wide):
        assert refusal(register(on_each_database, written.format(suffix))) == (409, "name_taken")
        assert sign_in(on_each_database, written.format(suffix))


@pytest.mark.parametrize("name", ["ab", "  a ", "x" * 255, "\u00df" * 200, "ada\0", "ada\u202eold", "ada\nbob", ""])
def test_a_name_that_cannot_be_one_is_refused(on_each_database, name):
    answer = register(on_each_database, name)
    assert refusal(answer) in {(422, "invalid_request"), (422, "invalid_value")}
    assert "name" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("short", "invalid_request"),
        ("x" * 1025, "invalid_request"),
        ("qwertyuiop", "weak_password"),
        ("Password123", "weak_password"),
        ("aaaaaaaaaaaaaaa", "weak_password"),
        ("ADA@example.org", "weak_password"),
    ],
)
def test_a_password_that_is_guessed_at_once_is_refused(on_each_database, password, code):
    answer = register(on_each_database, "ada@example.org", password)
    assert refusal(answer) == (422, code)
    assert password not in answer.text


def test_of_several_who_register_a_name_at_the_same_moment_one_has_it(on_each_database):
    name = new_name()
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda _: register(on_each_database, name).status_code, range(6)))
    assert sorted(answers) == [201] + [409] * 5


def test_nobody_registers_where_registration_is_closed():
    with running_app(registration="closed") as client:
        assert refusal(register(client, new_name())) == (403, "registration_closed")


def test_the_password_is_changed_with_the_old_one_and_other_sign_ins_end(on_each_database):
    name = sign_up(on_each_database)
    here, there = sign_in(on_each_database, name), sign_in(on_each_database, name)
    ada, elsewhere = (with_token(on_each_database, tokens["access_token"]) for tokens in (here, there))
    change = {"old_password": PASSWORD, "new_password": OTHER_PASSWORD}
    assert ada.post("/me/password", json=change).status_code == 204
    assert ada.get("/me").status_code == 200
    assert refusal(elsewhere.get("/me")) == (401, "invalid_token")
    assert refusal(on_each_database.post("/refresh", json=there)) == (401, "invalid_token")
    assert on_each_database.post("/refresh", json=here).status_code == 200
    again = on_each_database.post("/login", json={"name": name, "password": PASSWORD})
    assert refusal(again) == (401, "wrong_credentials")
    assert sign_in(on_each_database, name, OTHER_PASSWORD)


def test_a_wrong_old_password_changes_nothing(ada):
    change = {"old_password": OTHER_PASSWORD, "new_password": OTHER_PASSWORD}
    assert refusal(ada.post("/me/password", json=change)) == (403, "wrong_password")
    change = {"old_password": PASSWORD, "new_password": "qwertyuiop"}
    assert refusal(ada.post("/me/password", json=change)) == (422, "weak_password")
    name = ada.get("/me").json()["name"]
    assert sign_in(ada, name, PASSWORD)


def test_an_account_is_deleted_with_the_bytes_of_its_uploads(on_each_database):
    name = sign_up(on_each_database)
    tokens = sign_in(on_each_database, name)
    ada = with_token(on_each_database, tokens["access_token"])
    made = ada.post("/tokens", json={"name": "script", "scopes": ["read"]}).json()
    store = runtime_of(on_each_database).store
    before = set(store.keys(0))
    files = as_upload(files_of(synthesize(seed=4021).recording))
    assert ada.post("/predict", files=files).json()["stored"]
    assert set(store.keys(0)) > before
    assert refusal(ada.request("DELETE", "/me", json={"password": OTHER_PASSWORD})) == (403, "wrong_password")
    assert ada.get("/me").status_code == 200
    assert ada.request("DELETE", "/me", json={"password": PASSWORD}).status_code == 204
    assert set(store.keys(0)) == before
    assert refusal(ada.get("/me")) == (401, "invalid_token")
    assert refusal(with_token(ada, made["token"]).get("/me")) == (401, "invalid_token")
    assert refusal(ada.post("/refresh", json=tokens)) == (401, "invalid_token")
    gone = on_each_database.post("/login", json={"name": name, "password": PASSWORD})
    assert refusal(gone) == (401, "wrong_credentials")
    assert register(on_each_database, name).status_code == 201


def test_an_api_token_cannot_manage_its_account(ada):
    made = ada.post("/tokens", json={"name": "script", "scopes": ["read", "write"]}).json()
    script = with_token(ada, made["token"])
    assert script.get("/me").json()["scopes"] == ["read", "write"]
    change = {"old_password": PASSWORD, "new_password": OTHER_PASSWORD}
    for answer in (
        script.post("/me/password", json=change),
        script.request("DELETE", "/me", json={"password": PASSWORD}),
        script.post("/logout"),
        script.get("/tokens"),
        script.post("/tokens", json={"name": "more", "scopes": ["read"]}),
        script.delete(f"/tokens/{made['id']}"),
    ):
        assert refusal(answer) == (403, "wrong_scope")
