"""The page of evaluations, run as Streamlit runs it, against the real service."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import dashboard
from api.schemas import BundledEvaluation
from dashboard.client import Client, Tokens
from ecg_core.recording import Annotations
from ecg_core.synthesis import synthesize
from tests.evaluation.labelled_files import annotated, beat_marks, wfdb
from tests.service import access_token, add_account

PAGE = Path(dashboard.__file__).parent / "screens" / "evaluation.py"


@pytest.fixture
def page(client, monkeypatch) -> AppTest:
    st.cache_resource.clear()
    monkeypatch.setattr("dashboard.session.connect", lambda: client)
    return run(AppTest.from_file(PAGE, default_timeout=120))


@pytest.fixture(scope="module")
def clean(service) -> BundledEvaluation:
    """What the service says of the clean strips, which are scored quickly."""
    client = Client(service, Tokens(access_token(service, add_account(service, "evaluates"))))
    return client.evaluation.bundled("beats", grade="clean")


def run(page: AppTest) -> AppTest:
    page.run()
    assert not page.exception
    return page


def press(page: AppTest, key: str) -> AppTest:
    page.button(key=key).click()
    return run(page)


def text(page: AppTest) -> str:
    items = (*page.markdown, *page.caption, *page.info, *page.error)
    return " ".join(item.value for item in items).replace("\\", "")


def table(page: AppTest, column: str):
    return next(item.value for item in page.dataframe if column in item.value)


def other(page: AppTest) -> AppTest:
    page.get("button_group")[0].set_value("Other recordings")
    return run(page)


def test_nothing_is_scored_before_it_is_asked_for(page):
    assert page.selectbox(key="bundled_model").value == "beats"
    assert not page.metric
    assert not page.dataframe


def test_the_bundled_set_shows_scores_grades_and_the_records_that_lost_points(page, clean, monkeypatch):
    monkeypatch.setattr("dashboard.client.evaluation.Evaluation.bundled", lambda *_: clean)
    press(page, "evaluate")
    assert {metric.label: metric.value for metric in page.metric} == {
        "QRS score": f"{clean.qrs_accuracy.official.value:.3f}",
        "Heart rate score": f"{clean.hr_accuracy.official.value:.3f}",
    }
    assert "not how good it is on people" in text(page)
    assert list(table(page, "Recordings")["Noise"]) == ["clean"]
    assert list(table(page, "Record")["Record"]) == [lost.name for lost in clean.lost]


def test_a_record_that_lost_points_is_opened_on_the_paper(page, client, clean, monkeypatch):
    lost = clean.lost[0]
    monkeypatch.setattr("dashboard.client.evaluation.Evaluation.bundled", lambda *_: clean)
    monkeypatch.setattr("dashboard.views.evaluation.show_lost", lambda _: lost)
    press(page, "evaluate")
    (paper,) = page.get("bidi_component")
    drawn = json.loads(paper.proto.json)
    assert len(drawn["reference"]) == len(lost.reference_s)
    assert len(drawn["beats"]) == len(lost.found_s)
    assert "Missed" in text(page)


def test_what_is_not_installed_says_how_it_comes(page):
    other(page)
    assert "ecg data get mitdb" in text(page)


def test_a_labelled_upload_is_scored_as_a_job_and_listed(page, client):
    other(page)
    page.selectbox(key="upload_model").set_value("beats")
    run(page)
    made = synthesize(seed=1)
    files = wfdb("ecg", annotated(made, atr=beat_marks(made)))
    page.file_uploader(key="labelled").set_value([(name, data, "") for name, data in files.items()])
    run(page)
    press(page, "evaluate upload")
    job_id = page.session_state["evaluation"]
    client.jobs.wait(job_id, timeout_s=100)
    run(page)
    assert "on 1 recordings, upload" in text(page)
    assert page.dataframe
    press(page, "back")
    press(page, f"open {job_id}")
    assert page.session_state["evaluation"] == job_id


def test_a_job_that_could_score_nothing_says_why(page, client):
    other(page)
    page.selectbox(key="upload_model").set_value("beats")
    run(page)
    page.file_uploader(key="labelled").set_value([("a.csv", b"no ECG", "text/csv")])
    run(page)
    press(page, "evaluate upload")
    client.jobs.wait(page.session_state["evaluation"], timeout_s=100)
    run(page)
    assert len(page.error) == 1


def test_a_job_that_lost_points_shows_where_on_the_paper(page, client, monkeypatch):
    made = synthesize(seed=1)
    marks = beat_marks(made)
    fewer = Annotations(np.delete(marks.time_s, 4), (*marks.symbol[:4], *marks.symbol[5:]))
    job = client.evaluation.create(wfdb("ecg", annotated(made, atr=fewer)))
    client.jobs.wait(job.id, timeout_s=100)
    (lost,) = client.evaluation.report(job.id).lost
    monkeypatch.setattr("dashboard.views.evaluation.show_lost", lambda _: lost)
    page.query_params["job"] = job.id
    run(page)
    assert not page.error, page.error
    (paper,) = page.get("bidi_component")
    drawn = json.loads(paper.proto.json)
    assert len(drawn["reference"]) == len(lost.reference_s) == len(lost.found_s) - 1
    assert drawn["beats"] == pytest.approx(lost.found_s)


def test_a_job_in_the_address_is_opened_and_one_that_is_gone_leaves_the_way_back(page):
    page.query_params["job"] = "00000000-0000-4000-8000-000000000000"
    run(page)
    assert len(page.error) == 1
    press(page, "back")
    assert "job" not in page.query_params
    assert page.selectbox(key="upload_model")


def test_labels_can_be_pasted(page, client):
    other(page)
    page.selectbox(key="upload_model").set_value("rhythm")
    run(page)
    made = synthesize(seed=1, duration_s=20.0, leads=("I",))
    page.file_uploader(key="labelled").set_value([(name, data, "") for name, data in wfdb("a", made.recording).items()])
    run(page)
    assert page.button(key="evaluate upload").disabled
    page.text_area(key="pasted").set_value("a,N")
    run(page)
    press(page, "evaluate upload")
    assert client.jobs.wait(page.session_state["evaluation"], timeout_s=100).status == "done"
