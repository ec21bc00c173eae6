"""The page, run as Streamlit runs it, against the real service."""

from __future__ import annotations

import json
import re
from pathlib import Path

import httpx
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import dashboard
from dashboard.client import ApiUnreachable, Client
from ecg_core.quality.reversals import Reversals, Suspicion
from ecg_core.synthesis import bundled_cases, synthesize
from tests.findings.voices import Fake, case, say
from tests.helpers import make_recording
from tests.service import files_of

ROOM = Path(dashboard.__file__).parent
PAGE = ROOM / "pages" / "analyse.py"


@pytest.fixture
def page(client, monkeypatch) -> AppTest:
    return opened(client, monkeypatch)


def opened(client: Client, monkeypatch: pytest.MonkeyPatch, script: Path = PAGE) -> AppTest:
    st.cache_resource.clear()
    monkeypatch.setattr("dashboard.session.connect", lambda: client)
    page = AppTest.from_file(script, default_timeout=120).run()
    assert not page.exception
    return page


def upload(page: AppTest, files: dict[str, bytes]) -> AppTest:
    page.file_uploader(key="uploads").set_value(
        [(name, data, "application/octet-stream") for name, data in files.items()]
    )
    page.run()
    assert not page.exception
    return page


def papers(page: AppTest) -> list:
    return page.get("bidi_component")


def summary(page: AppTest) -> str:
    """Return the line beneath the key figures, as it is read."""
    return next(item.value for item in page.caption if "unconfirmed" in item.value).replace("\\", "")


def shown(page: AppTest) -> dict:
    """Return what the paper was given to draw."""
    (paper,) = papers(page)
    return json.loads(paper.proto.json)


def asks_for_rate(page: AppTest) -> bool:
    return any(item.key == "fs" for item in page.number_input)


def metrics(page: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in page.metric}


def html(page: AppTest) -> str:
    """Return all that the components of plain HTML show."""
    return "".join(item.proto.body for item in page.get("html"))


@pytest.fixture
def network(monkeypatch) -> Fake:
    """Have a stand-in for the 12-lead network installed in the service."""
    fake = Fake(say({"SR": 0.97, "NORM": 0.93, "LOWT": 0.2}, superclass={"NORM": 0.94}))
    for place in ("ecg_core.pipeline", "api.routes.choices", "api.routes.health"):
        monkeypatch.setattr(f"{place}.predictors", lambda: {"heart12": fake})
    return fake


def test_an_empty_page_says_what_can_be_dropped(page):
    text = " ".join(item.value for item in page.markdown)
    assert "Drop a recording" in text
    assert "WFDB" in text
    assert not page.metric
    assert not papers(page)


def test_an_upload_shows_its_figures_and_the_paper(page):
    upload(page, files_of(make_recording(), "wfdb"))
    assert list(metrics(page)) == ["Rhythm", "Heart rate", "PR", "QRS", "QT", "QTc Fridericia", "QRS axis"]
    assert metrics(page)["Heart rate"] == "75\u202f/min"
    assert re.search("12 leads.*4 s.*500 Hz", summary(page))
    assert len(papers(page)) == 1
    assert any("stated by the file" in item.value for item in page.markdown)
    assert not page.error


def test_a_recording_without_a_rate_shows_why(page):
    upload(page, files_of(make_recording(n_samples=300)))
    assert metrics(page)["Heart rate"] == "\N{EN DASH}"
    assert "only one beat" in summary(page)


def test_touching_the_page_again_does_not_send_the_file_again(page, client, monkeypatch):
    upload(page, files_of(make_recording(("II",))))
    monkeypatch.setattr(client, "predict", None)
    page.run()
    assert not page.exception
    assert "lead II" in summary(page)


def test_another_upload_replaces_the_first(page):
    upload(page, files_of(make_recording(("I", "II"))))
    upload(page, files_of(make_recording(("II",))))
    assert "lead II" in summary(page)


def test_a_file_that_is_no_ecg_is_refused_in_words_with_the_formats(page):
    upload(page, {"letter.pdf": b"%PDF-1.4"})
    assert "no reader recognises the content" in page.error[0].value
    assert any("WFDB" in item.value for item in page.markdown)
    assert not page.metric


def test_several_recordings_at_once_are_refused_with_what_to_do(page):
    upload(page, files_of(make_recording(), stem="a") | files_of(make_recording(), stem="b"))
    assert any("files of one recording" in item.value for item in page.markdown)


def test_a_rate_that_the_file_leaves_out_is_asked_for_and_used(page):
    rows = "\n".join(f"{value:.4f}" for value in make_recording(("II",)).signal[0])
    upload(page, {"a.csv": f"II\n{rows}\n".encode()})
    assert "sampling rate" in page.error[0].value
    page.number_input(key="fs").set_value(500)
    page.selectbox(key="units").set_value("Millivolts (mV)")
    page.button[0].click().run()
    assert not page.exception
    assert not page.error
    assert "500 Hz" in summary(page)


def test_a_rate_is_only_asked_for_when_it_is_missing(page):
    upload(page, files_of(make_recording(("II",))))
    assert not asks_for_rate(page)
    upload(page, {"letter.pdf": b"%PDF-1.4"})
    assert not asks_for_rate(page)


def test_text_from_a_file_is_shown_and_not_obeyed(page):
    upload(page, {"**x** :red[y] [a](http:b).bin": b"no ECG"})
    assert page.error[0].value.startswith(r"\*\*x\*\* \:red\[y\] \[a\]\(http\:b\)\.bin")


def test_a_service_that_is_away_is_named_with_what_to_do(monkeypatch):
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused", request=request)

    with httpx.Client(base_url="http://away:1", transport=httpx.MockTransport(refuse)) as transport:
        page = opened(Client(transport), monkeypatch)
    assert "http://away:1" in page.error[0].value
    assert any("make up" in item.value for item in page.markdown)
    assert page.button[0].label == "Try again"


def test_an_upload_outlives_a_service_that_is_away_for_a_while(client, monkeypatch):
    page = opened(client, monkeypatch)

    def away(*_args: object, **_kwargs: object) -> None:
        raise ApiUnreachable("http://away:1", "connection refused")

    with monkeypatch.context() as patch:
        patch.setattr(Client, "predict", away)
        upload(page, files_of(make_recording(("II",))))
        assert "http://away:1" in page.error[0].value
    page.button[0].click().run()
    assert not page.error
    assert "lead II" in summary(page)


def test_what_is_urgent_comes_first_and_says_that_it_is_unconfirmed(page):
    upload(page, files_of(bundled_cases()["anterior_infarction"].synthesize().recording))
    text = page.error[0].value
    assert "ST elevation in contiguous leads" in text
    assert "unconfirmed" in text
    upload(page, files_of(bundled_cases()["normal"].synthesize().recording))
    assert not page.error


def test_pacing_and_poor_signals_are_told_before_the_figures(page):
    upload(page, files_of(bundled_cases()["paced"].synthesize().recording))
    assert "Pacing spikes" in page.info[0].value
    assert metrics(page)["QT"] == "\N{EN DASH}"
    assert metrics(page)["Rhythm"] == "Paced"
    upload(page, files_of(bundled_cases()["poor_quality"].synthesize().recording))
    assert page.warning[0].value.startswith("Signal quality\\: poor")


def test_electrodes_that_may_be_exchanged_are_told_before_the_figures(page, monkeypatch):
    arms = Suspicion("RA-LA", "right arm and left arm exchanged", ("I", "II", "III"), 0.9, (), None)
    monkeypatch.setattr("ecg_core.predictors.chain.suspect_reversals", lambda *_: Reversals((arms,)))
    upload(page, files_of(synthesize(seed=5).recording))
    assert "right arm and left arm exchanged" in page.warning[0].value
    assert "record again" in page.warning[0].value


def test_waves_can_be_hidden(page):
    upload(page, files_of(synthesize(seed=1).recording))
    assert shown(page)["waves"]["II"]
    page.toggle(key="waves").set_value(False).run()
    assert not page.exception
    assert shown(page)["waves"] == {}


def test_age_and_sex_choose_the_ranges(page):
    upload(page, files_of(synthesize(seed=1).recording))
    assert any("adult is assumed" in item.value for item in page.caption)
    page.number_input(key="age").set_value(12)
    page.radio(key="sex").set_value("Female")
    page.button[0].click().run()
    assert not page.exception
    assert any("Under 18 years" in item.value for item in page.caption)
    assert not any("adult is assumed" in item.value for item in page.caption)


def test_the_diagnosis_and_the_findings_are_shown_with_their_probability_and_evidence(network, client, monkeypatch):
    page = upload(opened(client, monkeypatch), files_of(case("normal")))
    shown = html(page)
    assert "Sinus rhythm, 68/min; within normal limits" in shown
    assert "confidence 0.93" in shown
    assert "P waves are marked before 11 of 11 beats" in shown
    assert metrics(page)["Rhythm"] == "Sinus"


def test_what_a_model_says_is_a_chart_with_thresholds_in_plain_english(network, client, monkeypatch):
    page = upload(opened(client, monkeypatch), files_of(case("normal")))
    shown = html(page)
    assert "Infarct pattern" in shown
    assert "Low T waves" in shown
    assert 'style="left: 40.0%"' in shown
    assert any("61 years" in item.value and "female" in item.value for item in page.markdown)
    page.get("button_group")[0].set_value("se95").run()
    assert not page.exception
    assert network.points[-1] == "se95"


def test_the_risk_says_what_it_lacks_and_takes_what_is_stated(page):
    upload(page, files_of(synthesize(seed=1).recording))
    assert "No figure without" in html(page)
    for key, value in (("age", 63), ("fact_height_cm", 171), ("fact_weight_kg", 80)):
        page.number_input(key=key).set_value(value)
    page.number_input(key="fact_systolic_mmhg").set_value(140)
    page.number_input(key="fact_diastolic_mmhg").set_value(85)
    page.selectbox(key="fact_smoker").set_value("No")
    page.button[0].click().run()
    assert not page.exception
    shown = html(page)
    assert "CHARGE-AF, on stated facts" in shown
    assert "Narrowed most by knowing: heart failure" in shown
    assert page.selectbox(key="fact_smoker").value == "No"


def test_the_frame_shows_the_page_and_says_what_this_is_for(client, monkeypatch):
    page = opened(client, monkeypatch, ROOM / "app.py")
    assert page.title[0].value == "Analyse an ECG"
    assert any("not a medical device" in item.value for item in page.caption)
