"""The page of the models, run as Streamlit runs it, against the real service and the models that are shipped."""

from __future__ import annotations

from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import dashboard
from tests.dashboard.pages import field, opened, press

PAGE = Path(dashboard.__file__).parent / "screens" / "models.py"


@pytest.fixture
def page(client, monkeypatch) -> AppTest:
    st.cache_resource.clear()
    monkeypatch.setattr("dashboard.session.connect", lambda: client)
    return run(AppTest.from_file(PAGE, default_timeout=120))


def run(page: AppTest) -> AppTest:
    page.run()
    assert not page.exception
    return page


def text(page: AppTest) -> str:
    return " ".join(item.value for item in (*page.markdown, *page.caption, *page.info)).replace("\\", "")


def group(page: AppTest, label: str):
    return next(item for item in page.get("button_group") if item.proto.label == label)


def search(page: AppTest, wanted: str) -> AppTest:
    page.text_input(key="model_search").set_value(wanted)
    return run(page)


def table(page: AppTest, column: str):
    return next(item.value for item in page.dataframe if column in item.value)


def test_the_models_that_can_be_asked_come_first(page):
    assert group(page, "Model").value == "heart12/1.0.0"
    assert "can be asked" in text(page)


def test_a_model_shows_its_card_figures_and_thresholds(page, client):
    details = client.models.get("heart12")
    assert page.header[0].value.replace("\\", "") == details.title
    assert "no test for acute" in text(page)
    assert len(table(page, "Figure")) == len(details.metrics)
    thresholds = table(page, "Called from").set_index("Label")
    norm = details.thresholds.labels["superclass.NORM"].points["max_f1"]
    assert thresholds.loc["Normal (NORM, superclass)", "Called from"] == pytest.approx(norm.threshold)


def test_a_search_goes_through_labels_and_says_when_nothing_is_found(page):
    search(page, "acceptable")
    assert group(page, "Model").value == "quality/1.0.0"
    search(page, "nobody has this")
    assert "No model has nobody has this" in text(page)
    assert not page.tabs


def test_a_part_that_is_missing_says_why(page):
    search(page, "waves")
    group(page, "Model").set_value("waves/1.0.0")
    run(page)
    assert "The model calls no labels." in text(page)


def test_thresholds_follow_the_point_the_leads_and_the_label_that_are_chosen(page, client):
    group(page, "Chosen for").set_value("se95")
    page.selectbox(key="view of heart12").set_value("I")
    page.text_input(key="label of heart12").set_value("(AFIB, statements)")
    run(page)
    known = client.models.get("heart12", view="I", parts=["thresholds"]).thresholds.labels["statements.AFIB"]
    assert list(table(page, "Called from")["Called from"]) == [pytest.approx(known.points["se95"].threshold)]


def test_figures_are_filtered_by_name(page):
    page.text_input(key="metrics of heart12").set_value("superclass macro_auc")
    run(page)
    assert all("superclass" in name and "macro_auc" in name for name in table(page, "Figure")["Figure"])


def test_a_models_curves_are_a_click_away(client, monkeypatch):
    page = opened(client, monkeypatch, "models")
    group(page, "Model").set_value("tabular/1.0.0")
    run(page)
    press(page, "Curves, calibration, groups, robustness")
    assert page.title[0].value == "Evaluation"
    assert field(page.selectbox, "Model").value == "tabular/1.0.0"
