"""The page of settings, run as Streamlit runs it, against the real service."""

from __future__ import annotations

from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import dashboard
from dashboard.client import ApiProblem, Client, Tokens
from tests.service import PASSWORD, access_token, add_account

PAGE = Path(dashboard.__file__).parent / "screens" / "settings.py"


def opened(client: Client, monkeypatch: pytest.MonkeyPatch, section: str = "API tokens") -> AppTest:
    st.cache_resource.clear()
    monkeypatch.setattr("dashboard.session.connect", lambda: client)
    page = run(AppTest.from_file(PAGE, default_timeout=120))
    page.get("button_group")[0].set_value(section)
    return run(page)


def run(page: AppTest) -> AppTest:
    page.run()
    assert not page.exception
    return page


def press(page: AppTest, label: str) -> AppTest:
    next(button for button in page.button if button.label == label).click()
    return run(page)


def fill(page: AppTest, **fields: str) -> AppTest:
    for key, value in fields.items():
        page.text_input(key=key).set_value(value)
    return page


def text(page: AppTest) -> str:
    items = (*page.markdown, *page.caption, *page.info, *page.success, *page.warning, *page.error)
    return " ".join(item.value for item in items).replace("\\", "")


def sections(page: AppTest) -> list[str]:
    return [option.content for option in page.get("button_group")[0].proto.options]


@pytest.fixture
def signed_in(client, service, request) -> Client:
    """The client, signed in with its password."""
    client = Client(service)
    client.accounts.sign_in(request.node.name[-200:], PASSWORD)
    return client


@pytest.fixture
def admin(service, request) -> Client:
    name = f"admin of {request.node.name}"[:200]
    return Client(service, Tokens(access_token(service, add_account(service, name, "admin"))))


def test_a_token_is_shown_once_works_and_is_deleted(client, service, monkeypatch):
    page = opened(client, monkeypatch)
    assert "You have none yet" in text(page)
    press(fill(page, token_name="nightly import"), "Make a token")
    secret = page.code[0].value
    assert Client(service, Tokens(secret)).accounts.me().scopes == ["read"]
    press(page, "I have copied it")
    assert not page.code
    assert "nightly import" in text(page)
    press(page, "Delete it")
    assert client.accounts.tokens() == []


def test_a_token_without_a_name_is_not_made(client, monkeypatch):
    page = press(opened(client, monkeypatch), "Make a token")
    assert "Say what it is for" in text(page)
    assert client.accounts.tokens() == []


def test_a_session_of_an_api_token_is_told_that_it_may_not_make_more(client, service, monkeypatch):
    token = client.accounts.create_token("narrow", ["read"]).token
    page = opened(Client(service, Tokens(token)), monkeypatch)
    assert len(page.error) == 1
    assert "sign" in page.error[0].value.lower()


def test_a_password_is_changed(signed_in, service, monkeypatch, request):
    page = opened(signed_in, monkeypatch, "Account")
    new = "another long passphrase"
    press(fill(page, old_password=PASSWORD, changed_password=new, again="a slip"), "Change the password")
    assert "differ" in text(page)
    press(fill(page, again=new), "Change the password")
    assert "The password is changed" in text(page)
    Client(service).accounts.sign_in(request.node.name, new)


def test_a_wrong_password_is_said_and_changes_nothing(signed_in, service, monkeypatch, request):
    page = opened(signed_in, monkeypatch, "Account")
    fields = {"old_password": "not the password", "changed_password": "a new passphrase", "again": "a new passphrase"}
    press(fill(page, **fields), "Change the password")
    assert len(page.error) == 1
    Client(service).accounts.sign_in(request.node.name, PASSWORD)


def test_signing_out_everywhere_ends_this_session_and_others(signed_in, service, monkeypatch, request):
    other = Client(service)
    other.accounts.sign_in(request.node.name, PASSWORD)
    page = press(opened(signed_in, monkeypatch, "Account"), "Sign out everywhere")
    assert page.session_state["tokens"] == Tokens()
    with pytest.raises(Exception, match="sign"):
        other.accounts.me()


def test_an_account_is_deleted_with_its_name_and_password_alone(signed_in, service, monkeypatch, request):
    page = opened(signed_in, monkeypatch, "Account")
    press(fill(page, close_name="somebody", close_password=PASSWORD), "Delete everything")
    assert "not your name" in text(page)
    press(fill(page, close_name=request.node.name), "Delete everything")
    assert page.session_state["tokens"] == Tokens()
    with pytest.raises(ApiProblem):
        Client(service).accounts.sign_in(request.node.name, PASSWORD)


def test_the_audit_trail_is_listed_and_filtered(client, monkeypatch):
    client.accounts.create_token("for the trail", ["read"])
    page = opened(client, monkeypatch, "Audit trail")
    page.selectbox(key="audit_kind").set_value("token")
    run(page)
    assert list(page.dataframe[0].value["Did"]) == ["Created"]
    page.selectbox(key="audit_action").set_value("deleted")
    run(page)
    assert "Nothing passes" in text(page)


def test_only_administrators_see_what_they_look_after(client, admin, monkeypatch):
    assert "Users" not in sections(opened(client, monkeypatch))
    assert sections(opened(admin, monkeypatch))[-3:] == ["Users", "All jobs", "Health"]


def test_an_administrator_makes_deactivates_and_deletes_an_account(admin, monkeypatch):
    page = opened(admin, monkeypatch, "Users")
    press(fill(page, made_name="grace hopper", made_password="a long enough passphrase"), "Make the account")
    assert "grace hopper is made" in text(page)
    page.text_input(key="user_search").set_value("grace hopper")
    run(page)
    (account,) = admin.accounts.users("grace hopper")
    page.button(key=f"role {account.id}").click()
    run(page)
    page.button(key=f"deactivate {account.id}").click()
    run(page)
    (changed,) = admin.accounts.users("grace hopper")
    assert (changed.role, changed.is_active) == ("admin", False)
    assert page.button(key=f"delete {account.id}").disabled
    page.checkbox(key=f"sure {account.id}").set_value(True)
    run(page)
    page.button(key=f"delete {account.id}").click()
    run(page)
    assert list(admin.accounts.users("grace hopper")) == []


def test_health_is_shown_part_by_part(admin, monkeypatch):
    page = opened(admin, monkeypatch, "Health")
    assert "Database" in text(page)
    assert "Store of uploads" in text(page)


def test_everybodys_jobs_are_listed(admin, monkeypatch):
    page = opened(admin, monkeypatch, "All jobs")
    assert page.dataframe or "There are no such jobs" in text(page)
