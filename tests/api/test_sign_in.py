"""Signing in, staying signed in, signing out, and what guessing costs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Lock
from time import sleep

import pytest
from sqlalchemy import update

from api.errors import Refusal
from api.repositories.users import find_user_named
from api.schemas.sign_ins import Tokens
from api.security.passwords import _TURNS, Passwords
from api.services.sign_ins import GRACE
from api.tables import LoginFailure, SignIn, User, now
from tests.accounts import OTHER_PASSWORD, at_address, new_name, refusal, sign_in, sign_up, with_token
from tests.service import PASSWORD, running_app, runtime_of


def change(client, table, where, **values):
    """Change the state past the API, as time does."""
    with runtime_of(client).database.write() as session:
        session.execute(update(table).where(where).values(**values))


def guess(client, name, password=OTHER_PASSWORD):
    return client.post("/login", json={"name": name, "password": password})


def test_a_sign_in_is_answered_with_tokens_that_nobody_keeps(on_each_database):
    name = sign_up(on_each_database)
    answer = on_each_database.post("/login", json={"name": name, "password": PASSWORD})
    assert answer.headers["cache-control"] == "no-store"
    tokens = Tokens.model_validate(answer.json())
    assert (tokens.token_type, tokens.expires_in, tokens.scope) == ("bearer", 1800, "read write")
    assert with_token(on_each_database, tokens.access_token).get("/me").json()["name"] == name


def test_a_wrong_password_and_an_unknown_name_are_answered_alike(on_each_database):
    name = sign_up(on_each_database)
    wrong, unknown = (guess(on_each_database, who).json() for who in (name, new_name()))
    assert wrong["code"] == unknown["code"] == "wrong_credentials"
    assert {**wrong, "request_id": None} == {**unknown, "request_id": None}


@pytest.mark.parametrize("name", ["", "\0", "a\0b", "x" * 254, "' OR 1=1 --", "%"])
def test_a_name_that_nobody_can_have_is_just_unknown(on_each_database, name):
    assert refusal(guess(at_address(on_each_database, "192.0.2.1"), name)) == (401, "wrong_credentials")


def test_an_unknown_name_costs_a_hash_too(on_each_database, monkeypatch):
    passwords, checked = runtime_of(on_each_database).passwords, []
    verify = passwords._argon2.verify
    monkeypatch.setattr(passwords._argon2, "verify", lambda *given: checked.append(given[1]) or verify(*given))
    assert refusal(guess(on_each_database, new_name())) == (401, "wrong_credentials")
    (hashed,) = checked
    assert hashed.startswith("$argon2id$v=19$m=8,t=1")
    with passwords.turn() as is_right:
        assert not is_right("nobody has this password", None)


def test_the_oauth_form_gives_the_same_tokens(on_each_database):
    name = sign_up(on_each_database)
    form = {"grant_type": "password", "username": name, "password": PASSWORD, "scope": "read", "client_id": "swagger"}
    answer = on_each_database.post("/token", data=form)
    assert answer.headers["cache-control"] == "no-store"
    tokens = Tokens.model_validate(answer.json())
    assert with_token(on_each_database, tokens.access_token).get("/me").status_code == 200
    form = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}
    assert Tokens.model_validate(on_each_database.post("/token", data=form).json()).refresh_token


@pytest.mark.parametrize(
    ("form", "code", "error"),
    [
        ({"username": "nobody", "password": OTHER_PASSWORD}, "wrong_credentials", "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": "etr_x"}, "invalid_token", "invalid_grant"),
        ({"grant_type": "password", "username": "nobody"}, "invalid_request", "invalid_request"),
        ({"grant_type": "refresh_token"}, "invalid_request", "invalid_request"),
        ({"grant_type": "implicit"}, "unsupported_grant_type", "unsupported_grant_type"),
        ({}, "invalid_request", "invalid_request"),
    ],
)
def test_the_oauth_form_is_refused_as_clients_of_oauth_expect(on_each_database, form, code, error):
    answer = on_each_database.post("/token", data=form)
    assert refusal(answer) == (400, code)
    body = answer.json()
    assert body["error"] == error
    assert body["error_description"] == body["detail"]


def test_the_documentation_signs_in_where_the_form_is(anonymous):
    document = anonymous.get("/openapi.json").json()
    flow = document["components"]["securitySchemes"]["Bearer"]["flows"]["password"]
    assert flow["tokenUrl"] == "token"
    assert "application/x-www-form-urlencoded" in document["paths"]["/token"]["post"]["requestBody"]["content"]


def test_a_refresh_token_is_good_once_and_its_reuse_ends_the_sign_in(on_each_database):
    name = sign_up(on_each_database)
    first = sign_in(on_each_database, name)
    other = sign_in(on_each_database, name)
    second = on_each_database.post("/refresh", json=first).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert with_token(on_each_database, second["access_token"]).get("/me").status_code == 200
    change(on_each_database, SignIn, SignIn.revoked_at.is_(None), refreshed_at=now() - GRACE)
    assert refusal(on_each_database.post("/refresh", json=first)) == (401, "invalid_token")
    assert refusal(on_each_database.post("/refresh", json=second)) == (401, "invalid_token")
    assert refusal(with_token(on_each_database, second["access_token"]).get("/me")) == (401, "invalid_token")
    ada = with_token(on_each_database, other["access_token"])
    assert ada.get("/audit", params={"action": "refresh_token_reused"}).json()["items"]


def test_requests_of_one_client_that_race_get_the_same_refresh_token_and_none_is_thrown_out(on_each_database):
    first = sign_in(on_each_database, sign_up(on_each_database))
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: on_each_database.post("/refresh", json=first), range(8)))
    assert {answer.status_code for answer in answers} == {200}
    (second,) = {answer.json()["refresh_token"] for answer in answers}
    assert on_each_database.post("/refresh", json={"refresh_token": second}).status_code == 200
    # Two steps behind is no race any more.
    assert refusal(on_each_database.post("/refresh", json=first)) == (401, "invalid_token")


@pytest.mark.parametrize(
    "token", ["", "etr_", "etr_" + "0" * 32, "etr_" + "0" * 32 + "x" * 43, "eta_x", "\u00e9", "x.y.z"]
)
def test_what_is_no_refresh_token_is_refused(on_each_database, token):
    answer = on_each_database.post("/refresh", json={"refresh_token": token})
    assert refusal(answer) == (401, "invalid_token")


def test_a_refresh_token_is_no_access_token(on_each_database):
    tokens = sign_in(on_each_database, sign_up(on_each_database))
    assert refusal(with_token(on_each_database, tokens["refresh_token"]).get("/me")) == (401, "invalid_token")


def test_a_sign_in_ends_when_its_time_is_over(on_each_database):
    name = sign_up(on_each_database)
    tokens = sign_in(on_each_database, name)
    mine = User.folded_name == name
    with runtime_of(on_each_database).database.read() as session:
        user = session.query(User).where(mine).one()
    change(on_each_database, SignIn, SignIn.user_id == user.id, expires_at=now() + timedelta(seconds=20))
    renewed = on_each_database.post("/refresh", json=tokens).json()
    assert renewed["expires_in"] <= 20
    change(on_each_database, SignIn, SignIn.user_id == user.id, expires_at=now())
    assert refusal(on_each_database.post("/refresh", json=renewed)) == (401, "invalid_token")
    assert refusal(with_token(on_each_database, renewed["access_token"]).get("/me")) == (401, "invalid_token")


def test_signing_out_ends_this_sign_in(on_each_database):
    name = sign_up(on_each_database)
    here, there = sign_in(on_each_database, name), sign_in(on_each_database, name)
    assert with_token(on_each_database, here["access_token"]).post("/logout").status_code == 204
    assert refusal(with_token(on_each_database, here["access_token"]).get("/me")) == (401, "invalid_token")
    assert refusal(on_each_database.post("/refresh", json=here)) == (401, "invalid_token")
    assert with_token(on_each_database, there["access_token"]).get("/me").status_code == 200


def test_signing_out_everywhere_ends_all(on_each_database):
    name = sign_up(on_each_database)
    here, there = sign_in(on_each_database, name), sign_in(on_each_database, name)
    answer = with_token(on_each_database, here["access_token"]).post("/logout", params={"everywhere": True})
    assert answer.status_code == 204
    for tokens in (here, there):
        assert refusal(with_token(on_each_database, tokens["access_token"]).get("/me")) == (401, "invalid_token")


def test_a_hash_of_other_parameters_is_renewed_on_sign_in(on_each_database):
    name = sign_up(on_each_database)
    change(on_each_database, User, User.folded_name == name, password_hash=Passwords(2, 16).hash(PASSWORD))
    sign_in(on_each_database, name)
    with runtime_of(on_each_database).database.read() as session:
        user = find_user_named(session, name)
    assert user is not None
    assert "m=8,t=1" in user.password_hash
    assert sign_in(on_each_database, name)


def let_pass(client, seconds):
    """Let time pass for those who wait."""
    with runtime_of(client).database.write() as session:
        for row in session.query(LoginFailure):
            row.last_at -= timedelta(seconds=seconds)


def test_guessing_costs_a_wait_that_grows(on_each_database):
    name = sign_up(on_each_database)
    ada = at_address(on_each_database, "192.0.2.10")
    for _ in range(5):
        assert refusal(guess(ada, name)) == (401, "wrong_credentials")
    waits = []
    for _ in range(6):
        refused = guess(ada, name, PASSWORD)
        assert refusal(refused) == (429, "too_many_attempts")
        waits.append(int(refused.headers["retry-after"]))
        let_pass(ada, waits[-1])
        assert refusal(guess(ada, name)) == (401, "wrong_credentials")
    assert waits == sorted(waits)
    assert waits[0] <= 2
    assert waits[-1] > 20
    assert refusal(ada.post("/token", data={"username": name, "password": PASSWORD})) == (429, "too_many_attempts")


def test_the_account_is_open_to_its_owner_at_another_address_meanwhile(on_each_database):
    name = sign_up(on_each_database)
    guesser = at_address(on_each_database, "192.0.2.20")
    for _ in range(6):
        guess(guesser, name)
    assert refusal(guess(guesser, name.upper(), PASSWORD)) == (429, "too_many_attempts")
    assert sign_in(at_address(on_each_database, "192.0.2.21"), name)


def test_addresses_of_one_ipv6_site_count_as_one(on_each_database):
    name = sign_up(on_each_database)
    for host in range(6):
        guess(at_address(on_each_database, f"2001:db8::{host}"), name)
    assert refusal(guess(at_address(on_each_database, "2001:db8::ffff"), name)) == (429, "too_many_attempts")
    assert refusal(guess(at_address(on_each_database, "2001:db8:1::1"), name)) == (401, "wrong_credentials")


def test_ipv4_addresses_are_told_apart_however_they_are_written(on_each_database):
    name = sign_up(on_each_database)
    for _ in range(6):
        guess(at_address(on_each_database, "::ffff:192.0.2.25"), name)
    assert refusal(guess(at_address(on_each_database, "192.0.2.25"), name)) == (429, "too_many_attempts")
    assert refusal(guess(at_address(on_each_database, "::ffff:192.0.2.26"), name)) == (401, "wrong_credentials")


def test_signing_in_forgets_the_failures_of_account_and_address(on_each_database):
    name = sign_up(on_each_database)
    ada = at_address(on_each_database, "192.0.2.30")
    for _ in range(3):
        for _ in range(4):
            assert refusal(guess(ada, name)) == (401, "wrong_credentials")
        sign_in(ada, name)


def test_names_that_nobody_has_are_slowed_down_alike(on_each_database):
    name, stranger = new_name(), at_address(on_each_database, "192.0.2.40")
    answers = [refusal(guess(stranger, name)) for _ in range(6)]
    assert answers == [(401, "wrong_credentials")] * 5 + [(429, "too_many_attempts")]


def test_a_signed_in_guesser_of_the_password_is_slowed_down_alike(ada):
    ada = at_address(ada, "192.0.2.50")
    change_it = {"old_password": OTHER_PASSWORD, "new_password": OTHER_PASSWORD}
    for _ in range(3):
        assert refusal(ada.post("/me/password", json=change_it)) == (403, "wrong_password")
    for _ in range(2):
        gone = ada.request("DELETE", "/me", json={"password": OTHER_PASSWORD})
        assert refusal(gone) == (403, "wrong_password")
    right = {"old_password": PASSWORD, "new_password": OTHER_PASSWORD}
    assert refusal(ada.post("/me/password", json=right)) == (429, "too_many_attempts")


def test_an_address_that_tries_many_names_waits_and_an_account_tried_from_many_addresses_too():
    with running_app(login_free_tries=1) as client:
        sprayer = at_address(client, "192.0.2.60")
        for _ in range(20):
            assert refusal(guess(sprayer, new_name())) == (401, "wrong_credentials")
        assert refusal(guess(sprayer, new_name())) == (429, "too_many_attempts")
        name = sign_up(client)
        for host in range(20):
            assert refusal(guess(at_address(client, f"198.51.100.{host}"), name)) == (401, "wrong_credentials")
        waiting = guess(at_address(client, "198.51.100.200"), name, PASSWORD)
        assert refusal(waiting) == (429, "too_many_attempts")
        # However many more there are, the owner of the account waits a minute at most.
        change(client, LoginFailure, LoginFailure.weight > 1, weight=1e6, last_at=now())
        waiting = guess(at_address(client, "198.51.100.201"), name, PASSWORD)
        assert 30 < int(waiting.headers["retry-after"]) <= 60


def test_failures_are_kept_without_names_or_addresses(on_each_database):
    name = sign_up(on_each_database)
    guess(at_address(on_each_database, "192.0.2.70"), name)
    with runtime_of(on_each_database).database.read() as session:
        keys = [row.key for row in session.query(LoginFailure)]
    assert keys
    assert all(len(key) == 64 and int(key, 16) for key in keys)


def test_guesses_at_the_same_moment_are_no_way_around(on_each_database):
    name = sign_up(on_each_database)
    guesser = at_address(on_each_database, "192.0.2.80")
    with ThreadPoolExecutor(16) as threads:
        answers = [refusal(answer) for answer in threads.map(lambda _: guess(guesser, name), range(16))]
    assert set(answers) <= {(401, "wrong_credentials"), (429, "too_many_attempts")}
    assert answers.count((401, "wrong_credentials")) < 5 + _TURNS


def test_passwords_are_checked_a_few_at_a_time(monkeypatch):
    monkeypatch.setattr("api.security.passwords._TURNS", 2)
    passwords, lock, inside, most = Passwords(1, 8), Lock(), 0, 0

    def check(_: int) -> None:
        nonlocal inside, most
        with passwords.turn():
            with lock:
                inside += 1
                most = max(most, inside)
            sleep(0.005)
            with lock:
                inside -= 1

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(check, range(16)))
    assert most <= 2


@pytest.mark.parametrize(("queue", "wait_s"), [(0, 10.0), (1, 0.0)], ids=["no place to wait", "waited too long"])
def test_a_flood_of_passwords_is_sent_away(monkeypatch, queue, wait_s):
    monkeypatch.setattr("api.security.passwords._TURNS", 1)
    monkeypatch.setattr("api.security.passwords._QUEUE", queue)
    monkeypatch.setattr("api.security.passwords._LONGEST_WAIT_S", wait_s)
    passwords = Passwords(1, 8)
    with passwords.turn(), pytest.raises(Refusal) as refused:
        passwords.hash(PASSWORD)
    assert (refused.value.status, refused.value.code) == (503, "busy")
    assert int(refused.value.headers["Retry-After"]) > 0
    hashed = passwords.hash(PASSWORD)
    with passwords.turn() as is_right:
        assert is_right(PASSWORD, hashed)


def test_an_error_while_a_password_is_checked_gives_its_turn_back():
    passwords = Passwords(1, 8)
    for _ in range(50):
        with pytest.raises(Refusal), passwords.turn():
            raise Refusal(429, "too_many_attempts", "wait")
    assert passwords.hash(PASSWORD)
