"""The audit trail: who did what, and who may see it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from api.schemas.audit import AuditPage
from api.tables import now
from tests.accounts import OTHER_PASSWORD, at_address, new_name, refusal, sign_in, sign_up, with_token
from tests.service import PASSWORD


def trail(client, **wanted):
    answer = client.get("/audit", params=wanted)
    assert answer.status_code == 200, answer.text
    return AuditPage.model_validate(answer.json()).items


def acts(client, **wanted):
    return [(event.action, event.object_kind) for event in trail(client, **wanted)]


@pytest.fixture
def eve(on_each_database):
    """Somebody who registered and signed in through the API."""
    return with_token(on_each_database, sign_in(on_each_database, sign_up(on_each_database))["access_token"])


def test_every_change_of_an_account_is_written_down(on_each_database, eve, admin):
    me = eve.get("/me").json()
    made = eve.post("/tokens", json={"name": "script", "scopes": ["read"]}).json()
    eve.delete(f"/tokens/{made['id']}")
    eve.post("/me/password", json={"old_password": OTHER_PASSWORD, "new_password": OTHER_PASSWORD})
    eve.post("/me/password", json={"old_password": PASSWORD, "new_password": OTHER_PASSWORD})
    for change in ({"role": "admin"}, {"role": "user"}, {"is_active": False}, {"is_active": True}):
        admin.patch(f"/admin/users/{me['id']}", json=change)
    at_address(on_each_database, "192.0.2.90").post("/login", json={"name": me["name"], "password": "wrong"})
    eve = with_token(on_each_database, sign_in(on_each_database, me["name"], OTHER_PASSWORD)["access_token"])
    eve.post("/logout", params={"everywhere": True})
    eve = with_token(on_each_database, sign_in(on_each_database, me["name"], OTHER_PASSWORD)["access_token"])
    assert acts(eve) == [
        ("signed_in", "account"),
        ("signed_out_everywhere", "account"),
        ("signed_in", "account"),
        ("sign_in_failed", "account"),
        ("activated", "account"),
        ("deactivated", "account"),
        ("made_user", "account"),
        ("made_admin", "account"),
        ("password_changed", "account"),
        ("password_refused", "account"),
        ("deleted", "token"),
        ("created", "token"),
        ("signed_in", "account"),
        ("created", "account"),
    ]
    by_others = {event.action: event.actor_name for event in trail(eve) if event.actor_id != me["id"]}
    root = admin.get("/me").json()["name"]
    assert by_others == {
        "activated": root,
        "deactivated": root,
        "made_user": root,
        "made_admin": root,
        "sign_in_failed": None,
        "created": None,
    }


def test_what_changes_nothing_is_not_written_down(eve, admin):
    me = eve.get("/me").json()["id"]
    before = acts(eve)
    admin.patch(f"/admin/users/{me}", json={"role": "user", "is_active": True})
    assert acts(eve) == before


def test_an_unknown_name_leaves_no_trace_of_itself(on_each_database, admin):
    name = new_name()
    at_address(on_each_database, "192.0.2.91").post("/login", json={"name": name, "password": PASSWORD})
    event = trail(admin, action="sign_in_failed")[0]
    assert (event.actor_id, event.object_id, event.owner_id) == (None, None, None)
    assert name not in event.model_dump_json()


def test_the_trail_outlives_the_account_and_only_administrators_see_it_then(eve, admin):
    me = eve.get("/me").json()["id"]
    assert eve.request("DELETE", "/me", json={"password": PASSWORD}).status_code == 204
    events = trail(admin, object_id=me)
    assert events[0].action == "deleted"
    assert events[0].actor_id == me
    assert events[0].actor_name is None


def test_everybody_sees_what_concerns_them_and_an_administrator_all(eve, bob, admin):
    mine = eve.get("/me").json()["id"]
    assert trail(eve)
    assert all(mine in (event.actor_id, event.owner_id) for event in trail(eve))
    assert trail(bob, actor_id=mine) == trail(bob, object_id=mine) == []
    assert trail(admin, actor_id=mine)
    limited = admin.post("/tokens", json={"name": "read only", "scopes": ["read"]}).json()["token"]
    assert trail(with_token(admin, limited), actor_id=mine) == []
    managing = admin.post("/tokens", json={"name": "managing", "scopes": ["admin"]}).json()["token"]
    assert trail(with_token(admin, managing), actor_id=mine)
    writing = bob.post("/tokens", json={"name": "writing", "scopes": ["write"]}).json()["token"]
    assert refusal(with_token(bob, writing).get("/audit")) == (403, "wrong_scope")


def test_the_trail_names_the_api_token_that_was_used(eve, admin):
    made = admin.post("/tokens", json={"name": "script", "scopes": ["admin"]}).json()
    mine = eve.get("/me").json()["id"]
    with_token(admin, made["token"]).patch(f"/admin/users/{mine}", json={"role": "admin"})
    (event,) = trail(eve, action="made_admin", object_id=mine)
    assert event.token_id == made["id"]


def test_the_trail_is_narrowed_down_and_paged(eve):
    for number in range(5):
        eve.post("/tokens", json={"name": f"token {number}", "scopes": ["read"]})
    whole = trail(eve)
    assert [event.at for event in whole] == sorted((event.at for event in whole), reverse=True)
    assert len(trail(eve, action="created", object_kind="token")) == 5
    found, cursor = [], None
    while cursor is not None or not found:
        wanted = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = AuditPage.model_validate(eve.get("/audit", params=wanted).json())
        found += page.items
        cursor = page.next_cursor
    assert found == whole
    middle = whole[2].at
    assert trail(eve, since=middle.isoformat()) == whole[:3]
    assert trail(eve, until=middle.isoformat()) == whole[3:]
    assert trail(eve, since=(now() + timedelta(hours=1)).isoformat()) == []
    assert trail(eve, since=middle.astimezone().isoformat()) == whole[:3]


@pytest.mark.parametrize(
    "wanted",
    [
        {"since": "yesterday"},
        {"since": "2026-01-01T00:00:00"},
        {"since": "0001-01-01T00:00:00+14:00"},
        {"until": "9999-12-31T23:59:59-14:00"},
        {"action": "\0"},
        {"object_id": "x"},
        {"actor_id": "\0" * 36},
        {"cursor": "x"},
        {"limit": 0},
    ],
)
def test_a_filter_that_cannot_be_used_is_refused(admin, wanted):
    assert refusal(admin.get("/audit", params=wanted))[0] == 422
