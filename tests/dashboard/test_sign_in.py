"""Signing in, registering and pasting a token, run as Streamlit runs it, against the real service."""

from __future__ import annotations

from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import dashboard
from dashboard.client import Client, Tokens
from tests.service import PASSWORD, add_account

PAGES = Path(dashboard.__file__).parent / "screens"
SIGN_IN, REGISTER, USE_TOKEN = range(3)


@pytest.fixture
def page(nobody, monkeypatch) -> AppTest:
    st.cache_resource.clear()
    monkeypatch.setattr("dashboard.session.connect", lambda: nobody)
    return run(AppTest.from_file(PAGES / "sign_in.py", default_timeout=120))


def run(page: AppTest) -> AppTest:
    page.run()
    assert not page.exception
    return page


def signed_in_as(page: AppTest, service) -> str | None:
    """Return whose name the session's tokens speak for."""
    if "tokens" not in page.session_state:
        return None
    return Client(service, page.session_state["tokens"]).accounts.me().name


def fill(page: AppTest, button: int, **fields: str) -> AppTest:
    for key, text in fields.items():
        page.text_input(key=key).input(text)
    page.button[button].click()
    return run(page)


def test_an_account_signs_in(page, service, request):
    add_account(service, request.node.name)
    fill(page, SIGN_IN, name=request.node.name, password=PASSWORD)
    assert signed_in_as(page, service) == request.node.name


def test_a_wrong_password_is_said_and_what_was_typed_stays(page, service, request):
    add_account(service, request.node.name)
    fill(page, SIGN_IN, name=request.node.name, password="not the password")
    assert signed_in_as(page, service) is None
    assert len(page.error) == 1
    assert page.text_input(key="name").value == request.node.name


def test_somebody_new_registers_and_is_signed_in(page, service):
    fill(page, REGISTER, new_name="grace@example.org", new_password="a long enough passphrase")
    assert signed_in_as(page, service) == "grace@example.org"


def test_a_pasted_token_is_tried_before_it_is_taken(page, service, client, request):
    fill(page, USE_TOKEN, token="eta_of_my_own_making")
    assert signed_in_as(page, service) is None
    assert "token" in page.error[0].value
    fill(page, USE_TOKEN, token=client.accounts.create_token("dashboard", ["read", "write"]).token)
    assert signed_in_as(page, service) == request.node.name


def test_an_ended_sign_in_is_told_with_its_reason(nobody, monkeypatch):
    st.cache_resource.clear()
    monkeypatch.setattr("dashboard.session.connect", lambda: nobody)
    page = AppTest.from_file(PAGES / "analyse.py", default_timeout=120)
    page.session_state["tokens"] = Tokens("expired")
    page.session_state["work"] = "kept"
    run(page)
    page.file_uploader(key="uploads").set_value([("a.csv", b"I\n1\n2\n", "text/csv")])
    run(page)
    assert page.session_state["tokens"] == Tokens()
    assert "expired" in page.session_state["sign-in ended"]
    assert page.session_state["work"] == "kept"
