"""The page of a recording that is kept, against the real service."""

from __future__ import annotations

import re

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.client import Client, Tokens
from dashboard.views.kept import as_row
from ecg_core.quality.reversals import Reversals, Suspicion
from ecg_core.synthesis import bundled_cases, synthesize
from tests.dashboard.pages import field, html, links, metrics, opened, papers, press, stand_in, texts
from tests.findings.voices import case
from tests.helpers import make_recording
from tests.service import files_of


def show(client: Client, monkeypatch: pytest.MonkeyPatch, recording, *, analysed: bool = True, **known) -> AppTest:
    """Keep a recording, have it analysed, and open its page."""
    kept = client.recordings.upload(files_of(recording), **known)
    if analysed:
        client.analyses.create(kept.id)
    return opened(client, monkeypatch, "recording", recording=kept.id)


def only(client: Client):
    """Return the one recording that the account has."""
    (item,) = client.recordings.list()
    return client.recordings.get(item.id)


def demo(name: str):
    return bundled_cases()[name].synthesize().recording


def test_a_recording_shows_its_figures_and_the_paper(client, monkeypatch):
    page = show(client, monkeypatch, make_recording())
    assert list(metrics(page)) == ["Rhythm", "Heart rate", "PR", "QRS", "QT", "QTc Fridericia", "QRS axis"]
    assert metrics(page)["Heart rate"] == "75\u202f/min"
    assert re.search("12 leads.*4 s.*500 Hz", texts(page))
    assert len(papers(page)) == 1
    assert "stated by the file" in texts(page)
    assert not page.error


def test_a_recording_without_a_rate_says_why(client, monkeypatch):
    page = show(client, monkeypatch, make_recording(n_samples=300))
    assert metrics(page)["Heart rate"] == "\N{EN DASH}"
    assert "only one beat" in texts(page)


def test_touching_the_page_again_fetches_neither_samples_nor_analysis(client, monkeypatch):
    page = show(client, monkeypatch, make_recording(("II",)))
    monkeypatch.setattr("dashboard.client.recordings.Recordings.signal", None)
    monkeypatch.setattr("dashboard.client.analyses.Analyses.get", None)
    page.run()
    assert not page.exception
    assert "lead II" in texts(page)


def test_an_address_of_no_recording_says_so_and_leads_to_the_history(client, monkeypatch):
    page = opened(client, monkeypatch, "recording", recording="7c9e6679-7425-40de-944b-e07fc1f90ae7")
    assert "no such recording" in page.error[0].value
    assert ("History", "") in links(page)


def test_a_page_without_a_recording_leads_to_where_there_are_some(client, monkeypatch):
    page = opened(client, monkeypatch, "recording")
    assert "No recording is open" in texts(page)
    assert [label for label, _ in links(page)] == ["Analyse an ECG", "History"]


def test_what_is_urgent_comes_first_and_says_that_it_is_unconfirmed(client, monkeypatch):
    text = show(client, monkeypatch, demo("anterior_infarction")).error[0].value
    assert "ST elevation in contiguous leads" in text
    assert "unconfirmed" in text


def test_pacing_is_told_before_the_figures(client, monkeypatch):
    page = show(client, monkeypatch, demo("paced"))
    assert "Pacing spikes" in page.info[0].value
    assert metrics(page)["QT"] == "\N{EN DASH}"
    assert metrics(page)["Rhythm"] == "Paced"


def test_a_poor_signal_is_told_before_the_figures(client, monkeypatch):
    page = show(client, monkeypatch, demo("poor_quality"))
    assert page.warning[0].value.startswith("Signal quality\\: poor")


def test_electrodes_that_may_be_exchanged_are_told_before_the_figures(client, monkeypatch):
    arms = Suspicion("RA-LA", "right arm and left arm exchanged", ("I", "II", "III"), 0.9, (), None)
    monkeypatch.setattr("ecg_core.predictors.chain.suspect_reversals", lambda *_: Reversals((arms,)))
    page = show(client, monkeypatch, synthesize(seed=5).recording)
    assert "right arm and left arm exchanged" in page.warning[0].value
    assert "record again" in page.warning[0].value


def test_the_diagnosis_and_the_findings_are_shown_with_their_probability_and_evidence(client, monkeypatch):
    stand_in(monkeypatch)
    page = show(client, monkeypatch, case("normal"))
    shown = html(page)
    assert "Sinus rhythm, 68/min; within normal limits" in shown
    assert "confidence 0.93" in shown
    assert "P waves are marked before 11 of 11 beats" in shown
    assert metrics(page)["Rhythm"] == "Sinus"


def test_another_operating_point_is_another_analysis_and_both_can_be_chosen(client, monkeypatch):
    network = stand_in(monkeypatch)
    page = show(client, monkeypatch, case("normal"))
    shown = html(page)
    assert "Infarct pattern" in shown
    assert "Low T waves" in shown
    assert 'style="left: 40.0%"' in shown
    assert re.search("61 years.*female", texts(page))
    first, *_ = client.analyses.list(only(client).id)
    page.get("button_group")[0].set_value("se95").run()
    assert not page.exception
    assert network.points[-1] == "se95"
    assert page.query_params["analysis"] != first.id
    which = field(page.selectbox, "Analysis")
    assert [option.rpartition("  ")[2] for option in which.options] == ["Few missed", "Best balance"]
    which.set_value(first.id).run()
    assert page.query_params["analysis"] == first.id


def test_what_is_said_of_the_person_is_kept_and_the_recording_analysed_anew(client, monkeypatch):
    page = show(client, monkeypatch, synthesize(seed=1).recording)
    assert "adult is assumed" in texts(page)
    assert "No figure without" in html(page)
    field(page.text_input, "Patient").set_value("P-0042")
    field(page.number_input, "Age (years)").set_value(63)
    field(page.radio, "Sex").set_value("Female")
    for label, value in (("Height (cm)", 171), ("Weight (kg)", 80)):
        field(page.number_input, label).set_value(value)
    for item in page.number_input:
        if "pressure" in item.label:
            item.set_value(85 if "iastolic" in item.label else 140)
    next(item for item in page.selectbox if "mok" in item.label).set_value("No")
    press(page, "Save and analyse anew")
    assert "P-0042, 63 years, female" in texts(page)
    assert "adult is assumed" not in texts(page)
    assert "CHARGE-AF, on stated facts" in html(page)
    assert only(client).subject.facts["height_cm"] == 171
    field(page.number_input, "Height (cm)").set_value(None)
    press(page, "Save and analyse anew")
    assert "height_cm" not in only(client).subject.facts
    assert only(client).subject.id == "P-0042"


def test_an_analysis_that_rests_on_something_else_can_be_made_anew(client, monkeypatch):
    page = show(client, monkeypatch, synthesize(seed=1).recording)
    client.recordings.change(only(client).id, subject={"age": 12})
    page.run()
    assert "something else noted of the person" in texts(page)
    press(page, "Analyse anew")
    assert "Under 18 years" in texts(page)
    assert "something else noted of the person" not in texts(page)


def test_what_somebody_else_changed_meanwhile_is_not_overwritten(client, monkeypatch):
    page = show(client, monkeypatch, make_recording(("II",)))
    client.recordings.change(only(client).id, notes="theirs")
    field(page.text_area, "Notes").set_value("mine")
    press(page, "Save")
    assert "after you opened it" in texts(page)
    assert field(page.text_area, "Notes").value == "mine"
    assert only(client).notes == "theirs"
    press(page, "Show what is kept now")
    assert field(page.text_area, "Notes").value == "theirs"


def test_name_and_notes_are_changed_in_place(client, monkeypatch):
    page = show(client, monkeypatch, make_recording(("II",)))
    field(page.text_input, "Name").set_value("Before *ablation*")
    field(page.text_area, "Notes").set_value("Felt well.")
    press(page, "Save")
    assert page.title[0].value == r"Before \*ablation\*"
    assert "Felt well." in texts(page)
    assert only(client).notes == "Felt well."


def test_a_recording_that_was_not_analysed_says_so_and_can_be(client, monkeypatch):
    page = show(client, monkeypatch, make_recording(("II",)), analysed=False)
    assert "Not analysed yet" in texts(page)
    assert not page.metric
    press(page, "Analyse")
    assert metrics(page)["Heart rate"] == "75\u202f/min"


def test_a_long_recording_begins_where_it_was_measured_and_can_be_paged(client, monkeypatch):
    (paper,) = papers(show(client, monkeypatch, make_recording(("II",), n_samples=20_000)))
    assert paper["duration_s"] == 40
    assert paper["overview"]
    assert 0 <= paper["start_s"] <= 30


def test_report_figures_and_recording_can_be_downloaded(client, monkeypatch):
    page = show(client, monkeypatch, make_recording())
    labels = [item.proto.label for item in page.get("download_button")]
    assert labels == ["PDF", "Text", "FHIR", "JSON", "CSV row", "WFDB", "EDF", "As it was sent"]


def test_the_row_of_an_analysis_has_its_figures_and_no_formulas(client):
    kept = client.recordings.upload(files_of(make_recording()))
    kept = client.recordings.change(kept.id, name="=1+1")
    header, row, *rest = as_row(kept, client.analyses.create(kept.id)).decode().split("\r\n")
    found = dict(zip(header.split(","), row.split(","), strict=True))
    assert rest == [""]
    assert round(float(found["hr_bpm"])) == 75
    assert found["name"] == "'=1+1"


def test_a_recording_is_deleted_once_that_is_confirmed(client, monkeypatch):
    page = show(client, monkeypatch, make_recording(("II",)))
    press(page, "Delete for good")
    assert page.title[0].value == "History"
    assert "was deleted" in page.toast[0].value
    assert list(client.recordings.list()) == []


def test_after_a_sign_in_that_ended_the_recording_is_still_open(client, monkeypatch):
    page = show(client, monkeypatch, make_recording(("II",)))
    tokens = page.session_state["tokens"]
    page.session_state["tokens"] = Tokens("expired")
    page.run()
    assert "Please sign in again" in texts(page)
    assert page.query_params["recording"]
    page.session_state["tokens"] = tokens
    page.run()
    assert not page.exception
    assert metrics(page)["Heart rate"] == "75\u202f/min"
