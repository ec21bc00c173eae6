"""What was measured of the models, on the page of evaluations, against the real service and the models shipped."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import dashboard
from dashboard.client import Client
from tests.dashboard.pages import run, texts

PAGE = Path(dashboard.__file__).parent / "screens" / "evaluation.py"
LABEL = "superclass.MI"


def figure(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 0.1, "high": value + 0.1}


def measured() -> dict:
    """Return figures of every kind, as `metrics.json` has them."""
    condition = {"auc": figure(0.8), "auc.difference": figure(-0.1)}
    errors = {"n": 3, "worst": [{"record": "9", "probability": 0.97, "truth": ["NORM"], "age": 61, "sex": None}]}
    robustness = {
        "n": 50,
        "records": "one in 3",
        "answers": "by the network alone",
        "noise": "of the Noise Stress Test",
        "as recorded": {"auc": figure(0.9)},
        "conditions": [
            {"kind": "all noise", "level": "12 dB", "dose": 12.0, "metrics": condition},
            {"kind": "all noise", "level": "0 dB", "dose": 0.0, "metrics": condition},
            {"kind": "leads lost", "level": "1 of 8", "dose": 1, "metrics": condition},
        ],
    }
    return {
        "positives": {LABEL: 10},
        "operating_points": {
            "max_f1": {LABEL: {"threshold": 0.4, "sensitivity": figure(0.8), "specificity": figure(0.9)}}
        },
        "subgroups": {
            "sex": {"female": {"n": 60, "metrics": {"auc": figure(0.8), "auc.difference": figure(-0.05)}}},
            "age": {"under 40": {"n": 12, "reason": "measured where 50 records or more are in it"}},
        },
        "subgroups_unknown": {"device": "the copy at hand does not name devices"},
        "robustness": robustness,
        "chain": robustness | {"about": {"auc": "how well it tells"}},
        "failures": {
            "threshold": "max_f1",
            "labels": {LABEL: {"threshold": 0.4, "false_positives": errors, "false_negatives": {"n": 0, "worst": []}}},
        },
    }


def page_of(client: Client, monkeypatch: pytest.MonkeyPatch, model: str, more: dict | None = None) -> AppTest:
    """Open the figures of a model, with others in their place where they are given."""
    if more is not None:
        monkeypatch.setattr("dashboard.client.models.Models.metrics", lambda *_: more)
    st.cache_resource.clear()
    monkeypatch.setattr("dashboard.session.connect", lambda: client)
    page = AppTest.from_file(PAGE, default_timeout=120)
    page.query_params["where"] = "As measured"
    page.query_params["model"] = f"{model}/1.0.0"
    return run(page)


def chosen(page: AppTest, label: str, value: str) -> AppTest:
    next(item for item in page.get("button_group") if item.proto.label == label).set_value(value)
    return run(page)


def charts(page: AppTest) -> list[dict]:
    return [json.loads(item.proto.spec) for item in page.get("vega_lite_chart")]


def table(page: AppTest, column: str):
    return next(item.value for item in page.dataframe if column in item.value)


@pytest.mark.parametrize("kind", ["roc", "precision_recall", "decision"])
def test_every_kind_of_curve_is_drawn_with_its_source_and_its_numbers(client, monkeypatch, kind):
    page = chosen(page_of(client, monkeypatch, "heart12"), "Curve", kind)
    (chart,) = charts(page)
    labels = chart["layer"][-1]["encoding"]["color"]["scale"]["domain"]
    assert len(labels) == 5
    assert list(dict.fromkeys(table(page, "Label")["Label"])) == labels
    assert "ptbxl" in texts(page)
    assert "2,183 records" in texts(page)


def test_calibration_has_intervals_slopes_and_intercepts(client, monkeypatch):
    page = chosen(page_of(client, monkeypatch, "heart12"), "Part", "Calibration")
    assert len(charts(page)) == 1
    slopes = table(page, "Slope (1 is best)").set_index("Label")
    known = client.models.get("heart12").metrics["superclass.MI.slope"]
    assert f"{known.value:.3f}" in slopes.loc["Infarct pattern (MI, superclass)", "Slope (1 is best)"]


def test_confusion_is_what_sensitivity_and_specificity_were_made_of(client, monkeypatch):
    page = chosen(page_of(client, monkeypatch, "heart12", measured()), "Part", "Confusion")
    assert [value for row in table(page, "Missed").values.tolist() for value in row[1:]] == [8, 2, 217, 1956]
    (chart,) = charts(page)
    assert [cell["n"] for cell in chart["layer"][0]["data"]["values"]] == [8, 2, 217, 1956]


def test_groups_are_compared_with_all_others_and_say_why_where_not(client, monkeypatch):
    page = chosen(page_of(client, monkeypatch, "heart12", measured()), "Part", "Subgroups")
    groups = table(page, "Group").set_index("Group")
    assert groups.loc["Sex: female", "Difference"].startswith("\N{MINUS SIGN}0.050")
    assert groups.loc["Age: under 40", "Why not"] == "Measured where 50 records or more are in it"
    assert "By device: the copy at hand does not name devices." in texts(page)
    assert len(charts(page)) == 1


@pytest.mark.parametrize("part", ["Robustness", "Whole analysis"])
def test_robustness_has_a_chart_for_each_kind_of_trouble_all_of_one_scale(client, monkeypatch, part):
    page = chosen(page_of(client, monkeypatch, "heart12", measured()), "Part", part)
    domains = [chart["layer"][-1]["encoding"]["y"]["scale"]["domain"] for chart in charts(page)]
    assert len(domains) == 2
    assert domains[0] == domains[1]
    assert list(table(page, "Level")["Level"]) == ["12 dB", "0 dB", "1 of 8"]
    assert "one in 3" in texts(page)


def test_failures_name_the_records_and_what_people_said(client, monkeypatch):
    page = chosen(page_of(client, monkeypatch, "heart12", measured()), "Part", "Failures")
    assert "Called, and not there: 3, the 1 most confident" in texts(page).replace("**", "")
    assert "There, and missed: 0" in texts(page).replace("**", "")
    assert table(page, "Record").loc[0, "What people said"] == "NORM"


def test_the_worst_records_of_a_model_without_labels_are_listed(client, monkeypatch):
    worst = [{"record": "203", "figures": {"f1_150ms": 0.9}}]
    more = {"failures": {"data": "mitdb", "n": 22, "metric": "f1_150ms", "worst": worst}}
    page = chosen(page_of(client, monkeypatch, "waves", more), "Part", "Failures")
    assert table(page, "Record")["f1_150ms"].tolist() == [0.9]


@pytest.mark.parametrize("model", ["beats", "waves", "beat_classes", "rhythm", "quality", "reversals", "tabular"])
def test_every_model_shows_what_it_has_and_says_what_it_has_not(client, monkeypatch, model):
    page = page_of(client, monkeypatch, model)
    assert "Not measured of this model" in texts(page)
    assert not page.error
    for group in [item for item in page.get("button_group") if item.proto.label == "Part"]:
        for option in group.options:
            assert not chosen(page, "Part", option).error


def test_figures_of_another_form_leave_the_curves(client, monkeypatch):
    page = page_of(client, monkeypatch, "heart12", {"robustness": "very"})
    assert "another form, at robustness" in texts(page)
    assert charts(page)


def test_a_model_without_figures_says_why(client, monkeypatch):
    bare = client.models.get("heart12").model_copy(update={"metrics": None, "reasons": {"metrics": "none came"}})
    monkeypatch.setattr("dashboard.client.models.Models.get", lambda *_, **__: bare)
    page = page_of(client, monkeypatch, "heart12")
    assert "None came." in texts(page)
    assert not charts(page)
