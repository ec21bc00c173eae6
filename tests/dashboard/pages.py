"""The dashboard's pages in their frame, run as Streamlit runs them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import dashboard
from dashboard.client import Client
from tests.findings.voices import Fake, say

APP = Path(dashboard.__file__).parent / "app.py"


def opened(client: Client, monkeypatch: pytest.MonkeyPatch, name: str = "analyse", **query: str) -> AppTest:
    """Open a page at an address."""
    st.cache_resource.clear()
    monkeypatch.setattr("dashboard.session.connect", lambda: client)
    page = run(AppTest.from_file(APP, default_timeout=120))
    return page if name == "analyse" and not query else turned(page, name, **query)


def turned(page: AppTest, name: str, **query: str) -> AppTest:
    """Turn to a page at an address."""
    page.switch_page(f"screens/{name}.py")
    page.query_params.clear()
    for key, value in query.items():
        page.query_params[key] = value
    return run(page)


def run(page: AppTest) -> AppTest:
    page.run()
    assert not page.exception
    return page


def press(page: AppTest, label: str) -> AppTest:
    """Press the button that is called so."""
    found = [button for button in page.button if button.label == label]
    assert found, [button.label for button in page.button]
    found[0].click()
    return run(page)


def field(kind, label: str):
    """Return the field that is called so."""
    return next(item for item in kind if item.label == label)


def upload(page: AppTest, files: dict[str, bytes]) -> AppTest:
    page.file_uploader(key="uploads").set_value(
        [(name, data, "application/octet-stream") for name, data in files.items()]
    )
    return run(page)


def send(page: AppTest, files: dict[str, bytes]) -> AppTest:
    """Drop files, and have them analysed."""
    return press(upload(page, files), "Analyse")


def papers(page: AppTest) -> list[dict]:
    """Return what each paper was given to draw."""
    return [json.loads(paper.proto.json) for paper in page.get("bidi_component")]


def metrics(page: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in page.metric}


def html(page: AppTest) -> str:
    """Return all that the components of plain HTML show."""
    return "".join(item.proto.body for item in page.get("html"))


def texts(page: AppTest) -> str:
    """Return all that stands on the page in Markdown, as it is read."""
    parts = [*page.markdown, *page.caption, *page.info, *page.warning, *page.error, *page.title, *page.toast]
    return "\n".join(item.value for item in parts).replace("\\", "")


def links(page: AppTest) -> list[tuple[str, str]]:
    """Return label and query of each link to a page."""
    return [(link.proto.label.replace("\\", ""), link.proto.query_string) for link in page.get("page_link")]


def stand_in(monkeypatch: pytest.MonkeyPatch) -> Fake:
    """Have a stand-in for the 12-lead network installed in the service."""
    fake = Fake(say({"SR": 0.97, "NORM": 0.93, "LOWT": 0.2}, superclass={"NORM": 0.94}))
    for place in ("ecg_core.pipeline", "api.routes.choices", "api.routes.health"):
        monkeypatch.setattr(f"{place}.predictors", lambda: {"heart12": fake})
    return fake
