"""What administrators do with accounts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from api.schemas.accounts import Account, AccountPage
from tests.accounts import new_name, refusal, sign_in, sign_up, with_token
from tests.service import PASSWORD, as_user, running_app


@pytest.fixture
def alone():
    """A service whose only administrator is signed in."""
    with running_app() as client:
        yield as_user(client, "root", role="admin")


def find(admin, name):
    (account,) = admin.get("/admin/users", params={"search": name}).json()["items"]
    return account


def test_accounts_are_found_by_name_and_paged(admin):
    names = sorted(new_name() for _ in range(5))
    for name in names:
        answer = admin.post("/admin/users", json={"name": name, "password": PASSWORD})
        assert answer.status_code == 201
    wanted = {"search": "ADA.", "limit": 2}
    found, cursor = [], None
    while cursor is not None or not found:
        page = AccountPage.model_validate(admin.get("/admin/users", params=wanted).json())
        assert len(page.items) <= 2
        found += [account.name for account in page.items]
        cursor = page.next_cursor
        wanted["cursor"] = cursor
    assert len(found) == len(set(found))
    assert [name for name in found if name in names] == names


@pytest.mark.parametrize("search", ["%", "_", "\0", "'"])
def test_what_is_searched_for_is_taken_literally(admin, search):
    answer = admin.get("/admin/users", params={"search": search})
    assert answer.status_code == 200
    assert all(search in item["name"] for item in answer.json()["items"])


def test_accounts_are_narrowed_down_by_role_and_state(alone):
    made = alone.post("/admin/users", json={"name": "bob", "password": PASSWORD}).json()
    alone.patch(f"/admin/users/{made['id']}", json={"is_active": False})

    def names(**wanted):
        return [item["name"] for item in alone.get("/admin/users", params=wanted).json()["items"]]

    assert names() == ["bob", "root"]
    assert names(role="admin") == names(is_active=True) == ["root"]
    assert names(is_active=False) == ["bob"]


def test_a_page_goes_on_after_the_longest_of_names(alone):
    for letter in "ab":
        name = letter * 2 + "\U0001f600" * 252
        assert alone.post("/admin/users", json={"name": name, "password": PASSWORD}).status_code == 201
    first = alone.get("/admin/users", params={"limit": 1}).json()
    second = alone.get("/admin/users", params={"limit": 1, "cursor": first["next_cursor"]})
    assert second.json()["items"][0]["name"].startswith("bb")


def test_an_administrator_makes_accounts_where_registration_is_closed():
    with running_app(registration="closed") as client:
        root = as_user(client, "root", role="admin")
        answer = root.post("/admin/users", json={"name": "bob", "password": PASSWORD, "role": "admin"})
        assert Account.model_validate(answer.json()).role == "admin"
        assert sign_in(client, "bob")
        assert refusal(root.post("/admin/users", json={"name": "BOB", "password": PASSWORD})) == (409, "name_taken")
        assert refusal(root.post("/admin/users", json={"name": "eve", "password": "qwertyuiop"})) == (
            422,
            "weak_password",
        )


def test_a_deactivated_account_is_out_at_once_and_back_when_activated(admin, on_each_database):
    name = sign_up(on_each_database)
    tokens = sign_in(on_each_database, name)
    ada = with_token(on_each_database, tokens["access_token"])
    script = with_token(ada, ada.post("/tokens", json={"name": "script", "scopes": ["read"]}).json()["token"])
    account = find(admin, name)
    changed = admin.patch(f"/admin/users/{account['id']}", json={"is_active": False})
    assert Account.model_validate(changed.json()).is_active is False
    for client in (ada, script):
        assert refusal(client.get("/me")) == (401, "invalid_token")
    assert refusal(on_each_database.post("/refresh", json=tokens)) == (401, "invalid_token")
    again = {"name": name, "password": PASSWORD}
    assert refusal(on_each_database.post("/login", json=again)) == (403, "account_deactivated")
    form = {"username": name, "password": PASSWORD}
    assert refusal(on_each_database.post("/token", data=form)) == (400, "account_deactivated")
    wrong = again | {"password": "not the password"}
    assert refusal(on_each_database.post("/login", json=wrong)) == (401, "wrong_credentials")
    admin.patch(f"/admin/users/{account['id']}", json={"is_active": True})
    assert refusal(ada.get("/me")) == (401, "invalid_token")
    assert script.get("/me").status_code == 200
    assert sign_in(on_each_database, name)


def test_a_role_takes_effect_at_once(admin, on_each_database):
    name = sign_up(on_each_database)
    ada = with_token(on_each_database, sign_in(on_each_database, name)["access_token"])
    assert refusal(ada.get("/admin/users")) == (403, "not_an_admin")
    account = find(admin, name)
    admin.patch(f"/admin/users/{account['id']}", json={"role": "admin"})
    assert ada.get("/admin/users").status_code == 200
    assert sign_in(on_each_database, name)["scope"] == "read write admin"
    admin.patch(f"/admin/users/{account['id']}", json={"role": "user"})
    assert refusal(ada.get("/admin/users")) == (403, "not_an_admin")


def test_a_deleted_account_is_gone(admin, on_each_database):
    name = sign_up(on_each_database)
    ada = with_token(on_each_database, sign_in(on_each_database, name)["access_token"])
    account = find(admin, name)
    assert admin.delete(f"/admin/users/{account['id']}").status_code == 204
    assert refusal(ada.get("/me")) == (401, "invalid_token")
    assert admin.get("/admin/users", params={"search": name}).json()["items"] == []
    assert refusal(admin.delete(f"/admin/users/{account['id']}")) == (404, "not_found")
    assert refusal(admin.patch(f"/admin/users/{account['id']}", json={})) == (404, "not_found")


def test_the_last_active_administrator_stays_one(alone):
    mine = alone.get("/me").json()["id"]
    other = alone.post("/admin/users", json={"name": "bob", "password": PASSWORD, "role": "admin"}).json()["id"]
    alone.patch(f"/admin/users/{other}", json={"is_active": False})
    for answer in (
        alone.patch(f"/admin/users/{mine}", json={"role": "user"}),
        alone.patch(f"/admin/users/{mine}", json={"is_active": False}),
        alone.delete(f"/admin/users/{mine}"),
        alone.request("DELETE", "/me", json={"password": PASSWORD}),
    ):
        assert refusal(answer) == (409, "last_admin")
    assert alone.get("/me").json()["role"] == "admin"
    alone.patch(f"/admin/users/{other}", json={"is_active": True})
    assert alone.patch(f"/admin/users/{mine}", json={"role": "user"}).status_code == 200


def test_administrators_who_take_each_other_away_at_the_same_moment_leave_one(on_each_database, admin):
    others = [as_user(on_each_database, f"root {new_name()}", role="admin") for _ in range(3)]
    ids = [other.get("/me").json()["id"] for other in others]
    everyone = admin.get("/admin/users", params={"role": "admin", "is_active": True, "limit": 200}).json()["items"]
    for account in everyone:
        if account["id"] not in ids:
            others[0].patch(f"/admin/users/{account['id']}", json={"is_active": False})
    with ThreadPoolExecutor(3) as threads:
        answers = threads.map(
            lambda pair: pair[0].patch(f"/admin/users/{pair[1]}", json={"role": "user"}), zip(others, ids, strict=True)
        )
        assert sorted(answer.status_code for answer in answers) == [200, 200, 409]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_only_administrators_see_accounts(ada, method):
    body = None if method == "GET" else {"name": new_name(), "password": PASSWORD}
    assert refusal(ada.request(method, "/admin/users", json=body)) == (403, "not_an_admin")


@pytest.mark.parametrize("user_id", ["nobody", "0" * 36, "%00", "\u00e9"])
def test_an_id_that_is_none_is_not_found(admin, user_id):
    assert admin.delete(f"/admin/users/{user_id}").status_code in (404, 422)
