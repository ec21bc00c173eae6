"""The list of recordings, two beside one another, and one person over time, against the real service."""

from __future__ import annotations

import httpx
import pytest

from dashboard.client import Client, Tokens
from tests.dashboard.pages import field, html, links, opened, papers, press, run, texts, turned
from tests.helpers import make_recording
from tests.service import files_of

PAGES = 20


@pytest.fixture
def three(client) -> dict[str, str]:
    """Three recordings, two of one person, the last not analysed: name to id."""
    found = {}
    for name, leads, about in (
        ("first", ("II",), {"subject_id": "P-0042", "notes": "before ablation"}),
        ("second", ("I", "II"), {"subject_id": "P-0042", "age": 63, "sex": "female"}),
        ("other", ("V1",), {"subject_id": "P-00421"}),
    ):
        kept = client.recordings.upload(files_of(make_recording(leads), stem=name), **about)
        client.recordings.change(kept.id, name=name)
        if name != "other":
            client.analyses.create(kept.id)
        found[name] = kept.id
    return found


def names(page) -> list[str]:
    """Return the recordings of the list, in its order."""
    return [label.strip("*") for label, query in links(page) if query.startswith("recording=")]


def test_a_list_of_nothing_leads_to_the_first_analysis(client, monkeypatch):
    page = opened(client, monkeypatch, "history")
    assert "No recordings yet" in texts(page)
    assert links(page) == [("Analyse an ECG", "")]


def test_recordings_are_listed_with_what_is_said_of_them_the_newest_first(client, monkeypatch, three):
    page = opened(client, monkeypatch, "history")
    assert names(page) == ["other", "second", "first"]
    text = texts(page)
    assert "Not analysed yet" in text
    assert "before ablation" in text
    assert "63 years, female" in text
    assert "1\N{EN DASH}3 of 3" in text
    assert (f"**{'first'}**", f"recording={three['first']}") in links(page)
    assert ("P-0042", "subject=P-0042") in links(page)


def test_a_search_and_an_order_are_the_services(client, monkeypatch, three):
    page = opened(client, monkeypatch, "history")
    field(page.text_input, "Search").set_value("ablation")
    assert names(run(page)) == ["first"]
    field(page.text_input, "Search").set_value("")
    field(page.selectbox, "Order").set_value("Name")
    assert names(run(page)) == ["first", "other", "second"]


def test_filters_hold_together_and_are_counted_and_dropped(client, monkeypatch, three):
    page = opened(client, monkeypatch, "history")
    field(page.selectbox, "Analyses").set_value("Analysed")
    assert names(run(page)) == ["second", "first"]
    field(page.selectbox, "Signal quality").set_value("Poor")
    run(page)
    assert "Nothing matches" in texts(page)
    press(page, "Show all recordings")
    assert len(names(page)) == 3


def test_filters_outlive_a_look_at_another_page(client, monkeypatch, three):
    page = opened(client, monkeypatch, "history")
    field(page.text_input, "Search").set_value("second")
    run(page)
    turned(page, "recording", recording=three["second"])
    turned(page, "history")
    assert field(page.text_input, "Search").value == "second"
    assert names(page) == ["second"]


def test_a_long_list_is_turned_page_by_page_and_a_search_begins_anew(client, monkeypatch):
    for n in range(PAGES + 1):
        client.recordings.upload(files_of(make_recording(("II",), n_samples=500 + n), stem=f"n{n}"))
    page = opened(client, monkeypatch, "history")
    assert f"1\N{EN DASH}{PAGES} of {PAGES + 1}" in texts(page)
    press(page, "Next")
    assert f"{PAGES + 1}\N{EN DASH}{PAGES + 1} of {PAGES + 1}" in texts(page)
    press(page, "Previous")
    press(page, "Next")
    field(page.text_input, "Search").set_value("n")
    run(page)
    assert len(names(page)) == PAGES


def test_two_are_chosen_and_set_beside_one_another(client, monkeypatch, three):
    page = opened(client, monkeypatch, "history")
    compare = field(page.button, "Compare")
    assert compare.disabled
    for name in ("first", "second"):
        page.checkbox(key=f"choose {three[name]}").check()
    run(page)
    press(page, "Compare")
    assert set(page.query_params["compare"].split(",")) == {three["first"], three["second"]}
    assert len(papers(page)) == 2
    assert "Difference" in html(page)
    assert "0\u202f/min" in html(page)
    assert "not stated" not in texts(page)


def test_what_changed_is_the_services_with_the_noise_beside_it(client, monkeypatch, three):
    page = opened(client, monkeypatch, "history", compare=f"{three['second']},{three['first']}")
    said = client.analyses.comparison(
        next(client.analyses.list(three["second"])).id, before=next(client.analyses.list(three["first"])).id
    )
    assert said.summary.split(".", maxsplit=1)[0] in texts(page).replace("\\", "")
    assert f"\N{PLUS-MINUS SIGN}\u202f{said.measurements['hr_bpm'].noise.limit:.0f}\u202f/min" in html(page)
    assert "they have not the same leads: I in one alone" in " ".join(said.warnings)
    assert "not the same leads" in texts(page)
    assert said.noise.sources["minutes"]["data"].split(",")[0] in texts(page).replace("\\", "")


def test_the_earlier_stands_first_whichever_was_chosen_first(client, monkeypatch, three):
    page = opened(client, monkeypatch, "history", compare=f"{three['second']},{three['first']}")
    assert names(page) == ["first", "second"]


def test_recordings_of_two_people_are_compared_with_a_warning(client, monkeypatch, three):
    client.analyses.create(three["other"])
    page = opened(client, monkeypatch, "history", compare=f"{three['first']},{three['other']}")
    assert "two people" in texts(page)


def test_a_recording_that_was_not_analysed_stands_beside_one_that_was(client, monkeypatch, three):
    page = opened(client, monkeypatch, "history", compare=f"{three['first']},{three['other']}")
    assert len(papers(page)) == 1
    assert "Not analysed yet" in texts(page)


def test_a_comparison_with_a_recording_that_is_gone_says_so(client, monkeypatch, three):
    client.recordings.delete(three["other"])
    page = opened(client, monkeypatch, "history", compare=f"{three['first']},{three['other']}")
    assert "no such recording" in page.error[0].value
    assert ("All recordings", "") in links(page)


def test_a_person_is_followed_over_time_and_nobody_else_is(client, monkeypatch, three):
    client.analyses.create(three["other"])
    page = opened(client, monkeypatch, "history", subject="P-0042")
    (table,) = page.table
    assert list(table.value["Recording"]) == ["first", "second"]
    assert list(table.value["Measured"]) == ["75\u202f/min", "75\u202f/min"]
    field(page.selectbox, "Measurement").set_value("cornell_mv")
    run(page)
    assert "No recording of this patient has a value" in texts(page)


def test_a_service_that_is_away_is_named_with_what_to_do(monkeypatch):
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused", request=request)

    with httpx.Client(base_url="http://away:1", transport=httpx.MockTransport(refuse)) as transport:
        page = opened(Client(transport, Tokens("anything")), monkeypatch, "history")
    assert "http://away:1" in page.error[0].value
    assert any(button.label == "Try again" for button in page.button)
