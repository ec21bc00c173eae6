"""The page of many recordings, run as Streamlit runs it, against the real service."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import dashboard
from api.schemas import Problem
from dashboard.client import ApiProblem, ApiUnreachable, Client, Tokens
from ecg_core.synthesis import bundled_cases
from tests.helpers import make_recording
from tests.service import files_of

PAGE = Path(dashboard.__file__).parent / "screens" / "batch.py"


@pytest.fixture
def page(client, monkeypatch) -> AppTest:
    st.cache_resource.clear()
    monkeypatch.setattr("dashboard.session.connect", lambda: client)
    return run(AppTest.from_file(PAGE, default_timeout=120))


def run(page: AppTest) -> AppTest:
    page.run()
    assert not page.exception
    return page


def study() -> bytes:
    """Return an archive of a recording that is urgent, one that is not, and one that cannot be read as it is."""
    files = files_of(bundled_cases()["anterior_infarction"].synthesize().recording, stem="infarct")
    files |= files_of(bundled_cases()["normal"].synthesize().recording, stem="normal")
    files["norate.csv"] = ("II\n" + "0.1\n0.2\n" * 500).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def put(page: AppTest, files: dict[str, bytes]) -> AppTest:
    page.get("file_uploader")[0].set_value([(name, data, "application/zip") for name, data in files.items()])
    return run(page)


def press(page: AppTest, key: str) -> AppTest:
    page.button(key=key).click()
    return run(page)


def sent(page: AppTest, client: Client, files: dict[str, bytes]) -> AppTest:
    """Send files as a batch, and look at it once it has ended."""
    press(put(page, files), "start")
    client.jobs.wait(page.session_state["batch"], timeout_s=100)
    return run(page)


def text(page: AppTest) -> str:
    return " ".join(item.value for item in (*page.markdown, *page.caption, *page.info)).replace("\\", "")


def shown(page: AppTest) -> list[str]:
    """Return the files that stand in the table, in order."""
    return [name.rpartition("/")[2] for name in page.dataframe[0].value["File"]] if page.dataframe else []


def test_an_empty_page_has_nothing_to_send_and_no_batches_of_before(page):
    assert page.button(key="start").disabled
    assert "None yet" in text(page)


def test_a_batch_ends_with_a_table_its_errors_in_words_and_files_to_keep(page, client):
    sent(page, client, {"study.zip": study()})
    assert {metric.label: metric.value for metric in page.metric if metric.label != "Took"} == {
        "Analysed": "2",
        "Failed": "1",
    }
    assert shown(page) == ["infarct.npz", "normal.npz"]
    assert "norate.csv" in text(page)
    assert "does not state its sampling rate" in text(page)
    assert [item.proto.label for item in page.get("download_button")] == ["CSV", "JSON lines"]


def test_results_are_sifted(page, client):
    sent(page, client, {"study.zip": study()})
    key = page.session_state["batch"]
    page.toggle(key=f"urgent {key}").set_value(True)
    assert shown(run(page)) == ["infarct.npz"]
    page.toggle(key=f"urgent {key}").set_value(False)
    page.text_input(key=f"text {key}").set_value("NORMAL.npz")
    assert shown(run(page)) == ["normal.npz"]
    page.text_input(key=f"text {key}").set_value("nobody has this")
    assert shown(run(page)) == []
    assert "No recording passes" in text(page)


def test_results_are_fetched_once_for_a_batch_that_has_ended(page, client, monkeypatch):
    sent(page, client, {"study.zip": study()})
    monkeypatch.setattr("dashboard.client.jobs.Jobs.csv", None)
    assert len(shown(run(page))) == 2


def test_what_is_stated_for_all_goes_along(page, client):
    page.number_input(key="age of the batch").set_value(63)
    page.get("button_group")[0].set_value("se95")
    sent(page, client, {"a.npz": files_of(make_recording(("II",)))["ecg.npz"]})
    asked = client.jobs.get(page.session_state["batch"]).parameters
    assert (asked["age"], asked["operating_point"]) == (63, "se95")


def test_batches_of_before_are_opened_and_deleted(page, client):
    sent(page, client, {"a.npz": files_of(make_recording(("II",)))["ecg.npz"]})
    job_id = page.session_state["batch"]
    press(page, "back")
    assert "1 analysed" in text(page)
    press(page, f"open {job_id}")
    assert page.session_state["batch"] == job_id
    press(press(page, "back"), f"delete {job_id}")
    assert "None yet" in text(page)
    assert len(list(client.recordings.list())) == 1


def test_what_was_chosen_outlives_a_service_that_is_away_for_a_while(page, client, monkeypatch):
    put(page, {"a.npz": files_of(make_recording(("II",)))["ecg.npz"]})

    def away(*_args: object, **_kwargs: object) -> None:
        raise ApiUnreachable("http://away:1", "connection refused")

    with monkeypatch.context() as patch:
        patch.setattr("dashboard.client.jobs.Jobs.create_batch", away)
        press(page, "start")
        assert "http://away:1" in page.error[0].value
    press(page, "start")
    assert "batch" in page.session_state


def test_a_sign_in_that_ends_meanwhile_is_told_and_the_batch_that_was_looked_at_stays(page, client):
    sent(page, client, {"a.npz": files_of(make_recording(("II",)))["ecg.npz"]})
    page.session_state["tokens"] = Tokens("expired")
    run(page)
    assert page.session_state["tokens"] == Tokens()
    assert "expired" in page.session_state["sign-in ended"]
    assert "batch" in page.session_state


def test_a_refusal_is_told_where_it_happens_and_the_page_stands(page, client, monkeypatch):
    def refuse(*_args: object, **_kwargs: object) -> None:
        raise ApiProblem(Problem(type="urn:x", title="Large", status=413, code="body_too_large", detail="too large"))

    put(page, {"a.npz": b"no ECG"})
    monkeypatch.setattr("dashboard.client.jobs.Jobs.create_batch", refuse)
    press(page, "start")
    assert "too large" in page.error[0].value
    assert "Send a smaller recording" in text(page)
    assert "None yet" in text(page)


def test_a_batch_that_goes_on_shows_how_far_it_is_and_is_cancelled(page, client, monkeypatch):
    sent(page, client, {"study.zip": study()})
    ended = client.jobs.get(page.session_state["batch"])
    going = {"status": "running", "total": 40, "done": 12, "failed": 1, "seconds_left": 20, "finished_at": None}
    cancelled = []
    monkeypatch.setattr("dashboard.client.jobs.Jobs.get", lambda *_: ended.model_copy(update=going))
    monkeypatch.setattr("dashboard.client.jobs.Jobs.cancel", lambda _, job_id: cancelled.append(job_id))
    run(page)
    (bar,) = page.get("progress")
    assert (bar.proto.value, bar.proto.text) == (32, "13 of 40, 1 failed, about 20 s left")
    assert len(shown(page)) == 2
    press(page, "cancel job")
    assert cancelled == [ended.id]


def test_a_batch_that_could_not_be_worked_says_why(page, client, monkeypatch):
    sent(page, client, {"a.npz": files_of(make_recording(("II",)))["ecg.npz"]})
    ended = client.jobs.get(page.session_state["batch"])
    problem = Problem(type="urn:x", title="Gone", status=500, code="internal_error", detail="the job was given up")
    failed = {"status": "failed", "done": 0, "error": problem}
    monkeypatch.setattr("dashboard.client.jobs.Jobs.get", lambda *_: ended.model_copy(update=failed))
    run(page)
    assert page.error[0].value.replace("\\", "").startswith("the job was given up")
    assert not page.dataframe
