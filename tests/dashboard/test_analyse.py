"""Sending a recording and looking at demo cases, run as Streamlit runs it, against the real service."""

from __future__ import annotations

import re

import httpx
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.client import ApiUnreachable, Client, Tokens
from dashboard.client.analyses import Analyses
from dashboard.client.recordings import Recordings
from tests.dashboard.pages import field, links, metrics, opened, papers, press, run, send, texts, turned, upload
from tests.helpers import make_recording
from tests.service import files_of


@pytest.fixture
def page(client, monkeypatch) -> AppTest:
    return opened(client, monkeypatch)


def asks_for_rate(page: AppTest) -> bool:
    return any(item.key == "fs" for item in page.number_input)


def test_an_empty_page_says_what_can_be_dropped_and_offers_the_demo_cases(page):
    assert page.title[0].value == "Analyse an ECG"
    assert "Drop a recording" in texts(page)
    assert "WFDB" in texts(page)
    assert ("**Atrial fibrillation**", "case=atrial_fibrillation") in links(page)
    assert "not a medical device" in texts(page)


def test_an_upload_is_kept_analysed_and_opened(page, client):
    send(page, files_of(make_recording(), "wfdb"))
    (item,) = client.recordings.list()
    assert page.query_params["recording"] == item.id
    assert item.latest_analysis
    assert metrics(page)["Heart rate"] == "75\u202f/min"
    assert "dropped" not in page.session_state


def test_what_is_known_of_the_person_goes_along(page, client):
    upload(page, files_of(make_recording(("II",))))
    field(page.text_input, "Patient").set_value("P-0007")
    field(page.number_input, "Age (years)").set_value(12)
    field(page.radio, "Sex").set_value("Female")
    field(page.number_input, "Height (cm)").set_value(150)
    press(page, "Analyse")
    subject = next(client.recordings.list()).subject
    assert (subject.id, subject.age, subject.sex) == ("P-0007", 12, "female")
    assert subject.facts == {"height_cm": 150}
    assert "Under 18 years" in texts(page)


def test_the_same_files_again_are_the_same_recording_and_that_is_said(page, client):
    files = files_of(make_recording(("II",)))
    send(page, files)
    send(turned(page, "analyse"), files)
    assert len(list(client.recordings.list())) == 1
    assert page.toast


def test_a_file_that_is_no_ecg_is_refused_in_words_with_the_formats(page):
    send(page, {"letter.pdf": b"%PDF-1.4"})
    assert "no reader recognises the content" in page.error[0].value
    assert "WFDB" in texts(page)
    assert not asks_for_rate(page)
    upload(page, files_of(make_recording(("II",))))
    assert not page.error


def test_several_recordings_at_once_lead_to_the_batches(page):
    send(page, files_of(make_recording(), stem="a") | files_of(make_recording(), stem="b"))
    assert "files of one recording" in texts(page)
    assert ("Analyse them as a batch", "") in links(page)


def test_a_rate_that_the_file_leaves_out_is_asked_for_and_used(page):
    rows = "\n".join(f"{value:.4f}" for value in make_recording(("II",)).signal[0])
    send(page, {"a.csv": f"II\n{rows}\n".encode()})
    assert "sampling rate" in page.error[0].value
    page.number_input(key="fs").set_value(500)
    page.selectbox(key="units").set_value("Millivolts (mV)")
    press(page, "Analyse")
    assert not page.error
    assert re.search("lead II.*500 Hz", texts(page))


def test_text_from_a_file_is_shown_and_not_obeyed(page):
    send(page, {"**x** :red[y] [a](http:b).bin": b"no ECG"})
    assert page.error[0].value.startswith(r"\*\*x\*\* \:red\[y\] \[a\]\(http\:b\)\.bin")


def test_a_service_that_is_away_is_named_with_what_to_do(monkeypatch):
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused", request=request)

    with httpx.Client(base_url="http://away:1", transport=httpx.MockTransport(refuse)) as transport:
        page = opened(Client(transport, Tokens("anything")), monkeypatch)
    assert "http://away:1" in page.error[0].value
    assert "make up" in texts(page)


def test_an_upload_outlives_a_service_that_is_away_for_a_while(page, monkeypatch):
    def away(*_args: object, **_kwargs: object) -> None:
        raise ApiUnreachable("http://away:1", "connection refused")

    with monkeypatch.context() as patch:
        patch.setattr(Recordings, "upload", away)
        send(page, files_of(make_recording(("II",))))
        assert "http://away:1" in page.error[0].value
    press(page, "Try again")
    press(page, "Analyse")
    assert "lead II" in texts(page)


def test_an_upload_outlives_a_sign_in_that_ended(page):
    upload(page, files_of(make_recording(("II",)), stem="mine"))
    tokens = page.session_state["tokens"]
    page.session_state["tokens"] = Tokens("expired")
    press(page, "Analyse")
    assert "Please sign in again" in texts(page)
    page.session_state["tokens"] = tokens
    run(page)
    assert "Still here from before: mine" in texts(page)
    press(page, "Analyse")
    assert "lead II" in texts(page)


def test_a_recording_whose_analysis_is_refused_is_kept_and_can_be_analysed_later(page, client, monkeypatch):
    def busy(*_args: object, **_kwargs: object) -> None:
        client.recordings.get("7c9e6679-7425-40de-944b-e07fc1f90ae7")

    with monkeypatch.context() as patch:
        patch.setattr(Analyses, "create", busy)
        send(page, files_of(make_recording(("II",))))
    assert "was not analysed" in page.toast[0].value
    press(page, "Analyse")
    assert metrics(page)["Heart rate"] == "75\u202f/min"


def test_a_demo_case_is_shown_and_not_kept(client, monkeypatch):
    page = opened(client, monkeypatch, case="anterior_infarction")
    assert page.title[0].value == "Acute anterior infarction"
    assert "of nobody" in texts(page)
    assert "ST elevation in contiguous leads" in page.error[0].value
    (paper,) = papers(page)
    assert paper["waves"]["II"]
    assert list(client.recordings.list()) == []


def test_a_demo_case_that_does_not_exist_says_which_do(client, monkeypatch):
    page = opened(client, monkeypatch, case="nonesuch")
    assert page.error
    assert ("All demo cases", "") in links(page)
