"""The list of recordings: found by what they hold, in any order, page by page."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import uuid4

import pytest

from api.paging import write_cursor
from api.principal import Principal
from api.schemas import RecordingPage
from api.services.keeping import NewAnalysis, keep_recording
from ecg_core.recording import Source, Subject
from tests.helpers import make_recording
from tests.service import as_upload, as_user, files_of, runtime_of

START = datetime(2020, 5, 1, 12, 0)
SORTS = ("created_at", "name", "duration_s", "subject_id", "start")


NOBODY = Subject()


def keep(
    client,
    name,
    *,
    subject=NOBODY,
    n_samples=500,
    leads=("II",),
    start=None,
    said=None,
    notes="",
    quality="good",
):
    """Keep a recording past the API and return its id."""
    runtime = runtime_of(client)
    user = client.get("/me").json()
    who = Principal(user["id"], user["name"], "user", frozenset())
    made = make_recording(leads, n_samples=n_samples)
    recording = replace(made, subject=subject, start=start, source=Source("npz", name, "0" * 64))
    analysis = None
    if said is not None:
        bpm, rhythm, urgent = said
        analysis = NewAnalysis(
            "1" * 64,
            {"models": None, "operating_point": "max_f1"},
            {
                "summary": {"diagnosis": f"{rhythm} at {bpm}/min"},
                "beats": {"heart_rate": {"bpm": bpm}},
                "rhythm": {"label": rhythm},
                "quality": {"verdict": quality},
                "urgent": [{"code": code} for code in urgent],
            },
        )
    kept, _ = keep_recording(
        runtime.database,
        runtime.store,
        who,
        {name: name.encode()},
        sha256(name.encode()).hexdigest(),
        recording,
        {"verdict": quality},
        {},
        notes=notes,
        analysis=analysis,
    )
    return kept.row.id


def names(client, **query):
    answer = client.get("/recordings", params=query)
    assert answer.status_code == 200, answer.text
    return [item.name for item in RecordingPage.model_validate(answer.json()).items]


def fill(client):
    """Keep six recordings."""
    keep(client, "alpha.npz", subject=Subject("P-2", 30, "female"), start=START)
    keep(client, "Bravo.npz", subject=Subject("p-1", 50, "male"), n_samples=1000, said=(70, "N", []), notes="At LUNCH")
    keep(client, "charlie.npz", subject=Subject(None, 70, "male"), n_samples=1000, said=(130, "A", ["tachycardia"]))
    next_day = START + timedelta(days=1)
    keep(client, "Ärztin_50%.npz", subject=Subject("P-3"), leads=("I", "II"), start=next_day, quality="poor")
    keep(client, "delta.npz", subject=Subject("P-2"), n_samples=2000, said=(55, None, []))
    keep(client, "DELTA.npz", start=START - timedelta(days=1), quality="usable")


@pytest.fixture(scope="module")
def ward(on_each_database):
    """Six recordings that no test changes."""
    client = as_user(on_each_database, f"ward {uuid4()}")
    fill(client)
    return client


@pytest.fixture
def own_ward(ada):
    """The same for one test, which changes them."""
    fill(ada)
    return ada


def test_a_recording_is_listed_with_what_was_said_last(ada):
    kept = ada.post("/recordings", files=as_upload(files_of(make_recording())), data={"notes": "mine"}).json()
    assert RecordingPage.model_validate(ada.get("/recordings").json()).items[0].latest_analysis is None
    for point in ("max_f1", "se95"):
        made = ada.post(f"/recordings/{kept['id']}/analyses", data={"operating_point": point})
    page = RecordingPage.model_validate(ada.get("/recordings", params={"total": True}).json())
    assert (page.total, page.next_cursor, len(page.items)) == (1, None, 1)
    item = page.items[0]
    assert (item.id, item.notes, item.quality) == (kept["id"], "mine", kept["quality"]["verdict"])
    assert item.latest_analysis is not None
    assert item.latest_analysis.id == made.json()["id"]
    assert item.latest_analysis.diagnosis == made.json()["summary"]["diagnosis"]
    assert item.latest_analysis.heart_rate_bpm == made.json()["beats"]["heart_rate"]["bpm"]


def test_nobody_sees_the_recordings_of_another(ward, bob, admin):
    for other in (bob, admin):
        assert other.get("/recordings", params={"total": True}).json() == {"items": [], "next_cursor": None, "total": 0}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"search": "BRAVO"}, ["Bravo.npz"]),
        ({"search": "lunch"}, ["Bravo.npz"]),
        ({"search": "p-2"}, ["alpha.npz", "delta.npz"]),
        ({"search": "ÄRZTIN"}, ["Ärztin_50%.npz"]),
        ({"search": "A\u0308rztin"}, ["Ärztin_50%.npz"]),
        ({"search": "0%"}, ["Ärztin_50%.npz"]),
        ({"search": "%"}, ["Ärztin_50%.npz"]),
        ({"search": "n_5"}, ["Ärztin_50%.npz"]),
        ({"search": "nowhere"}, []),
        ({"format": "edf"}, []),
        ({"quality": "poor"}, ["Ärztin_50%.npz"]),
        ({"sex": "male"}, ["Bravo.npz", "charlie.npz"]),
        ({"min_age": 50}, ["Bravo.npz", "charlie.npz"]),
        ({"min_age": 30, "max_age": 50}, ["Bravo.npz", "alpha.npz"]),
        ({"n_leads": 2}, ["Ärztin_50%.npz"]),
        ({"min_duration_s": 2, "max_duration_s": 3}, ["Bravo.npz", "charlie.npz"]),
        ({"analysed": True}, ["Bravo.npz", "charlie.npz", "delta.npz"]),
        ({"analysed": False}, ["DELTA.npz", "alpha.npz", "Ärztin_50%.npz"]),
        ({"urgent": True}, ["charlie.npz"]),
        ({"urgent": False}, ["Bravo.npz", "delta.npz"]),
        ({"rhythm": "A"}, ["charlie.npz"]),
        ({"sex": "male", "rhythm": "N", "search": "at l"}, ["Bravo.npz"]),
        ({"created_to": "2020-01-01"}, []),
        ({"created_from": "2999-01-01T00:00:00+02:00"}, []),
    ],
)
def test_recordings_are_found_by_what_they_hold(ward, query, found):
    assert sorted(names(ward, **query)) == sorted(found)
    assert ward.get("/recordings", params={**query, "total": True, "limit": 1}).json()["total"] == len(found)


def test_recordings_are_found_by_when_they_were_sent(ward):
    items = ward.get("/recordings", params={"order": "asc"}).json()["items"]
    third = items[2]["created_at"]
    assert [item["name"] for item in items[2:]] == names(ward, created_from=third, order="asc")
    assert [item["name"] for item in items[:2]] == names(ward, created_to=third, order="asc")


def test_lists_are_in_the_order_that_is_asked_with_nothing_last(ward):
    by_name = names(ward, sort="name", order="asc")
    assert by_name[:3] + by_name[5:] == ["alpha.npz", "Bravo.npz", "charlie.npz", "Ärztin_50%.npz"]
    assert set(by_name[3:5]) == {"delta.npz", "DELTA.npz"}
    assert names(ward, sort="start", order="asc")[:3] == ["DELTA.npz", "alpha.npz", "Ärztin_50%.npz"]
    assert names(ward, sort="start", order="desc")[:3] == ["Ärztin_50%.npz", "alpha.npz", "DELTA.npz"]
    assert names(ward, sort="subject_id", order="asc")[0] == "Bravo.npz"
    assert names(ward, sort="subject_id", order="desc")[0] == "Ärztin_50%.npz"
    assert set(names(ward, sort="subject_id", order="desc")[-2:]) == {"charlie.npz", "DELTA.npz"}
    assert names(ward, sort="duration_s", order="desc")[0] == "delta.npz"
    assert names(ward)[0] == "DELTA.npz"


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("limit", [1, 2, 4])
def test_page_by_page_every_recording_comes_once_in_the_order_of_one_page(ward, sort, order, limit):
    whole = names(ward, sort=sort, order=order)
    assert len(whole) == len(set(whole)) == 6
    paged, cursor = [], None
    while cursor is not None or not paged:
        query = {"sort": sort, "order": order, "limit": limit} | ({"cursor": cursor} if cursor else {})
        page = ward.get("/recordings", params=query).json()
        paged += [item["name"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert paged == whole


def test_what_is_added_or_deleted_meanwhile_repeats_and_hides_nothing(own_ward):
    first = own_ward.get("/recordings", params={"limit": 2}).json()
    keep(own_ward, "echo.npz")
    own_ward.delete(f"/recordings/{first['items'][1]['id']}")
    rest = names(own_ward, cursor=first["next_cursor"])
    assert rest == ["Ärztin_50%.npz", "charlie.npz", "Bravo.npz", "alpha.npz"]


def test_a_long_name_still_gives_a_cursor_that_can_be_sent(ada):
    for letter in "ab":
        keep(ada, "\N{LATIN SMALL LETTER E WITH ACUTE}" * 190 + letter)
    page = ada.get("/recordings", params={"sort": "name", "order": "asc", "limit": 1}).json()
    assert names(ada, sort="name", order="asc", cursor=page["next_cursor"]) == ["é" * 190 + "b"]


@pytest.mark.parametrize(
    "query",
    [
        {"sort": "size"},
        {"order": "up"},
        {"limit": 0},
        {"limit": 201},
        {"search": "x" * 201},
        {"search": "a\0"},
        {"min_age": "nan"},
        {"created_from": "yesterday"},
        {"created_from": "0001-01-01T00:00:00+05:00"},
        {"serach": "a typo"},
        {"cursor": "abc"},
        {"cursor": write_cursor("created_at asc", "x", START.replace(tzinfo=UTC))},
        {"cursor": write_cursor("created_at desc", "x", "yesterday")},
        {"cursor": write_cursor("created_at desc", "x", "0001-01-01T00:00:00+05:00")},
        {"cursor": write_cursor("duration_s desc", "x", 10**400), "sort": "duration_s"},
        {"cursor": write_cursor("name desc", "x", "a\0"), "sort": "name"},
        {"cursor": write_cursor("name desc", "\ud800", "a"), "sort": "name"},
    ],
)
def test_a_list_that_cannot_be_is_refused(ada, query):
    answer = ada.get("/recordings", params=query)
    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] in ("invalid_request", "invalid_value")


def test_a_list_is_searched_by_the_recording_as_it_now_is(own_ward):
    recording_id = own_ward.get("/recordings", params={"search": "alpha"}).json()["items"][0]["id"]
    own_ward.patch(f"/recordings/{recording_id}", json={"name": "Zulu", "subject": {"age": 90, "id": None}})
    assert names(own_ward, search="alpha") == []
    assert names(own_ward, search="zulu", min_age=90) == ["Zulu"]
    assert names(own_ward, sort="name", order="desc")[:2] == ["Ärztin_50%.npz", "Zulu"]


def test_without_its_latest_analysis_a_recording_shows_the_one_before(ada):
    kept = ada.post("/recordings", files=as_upload(files_of(make_recording()))).json()
    made = [
        ada.post(f"/recordings/{kept['id']}/analyses", data={"operating_point": point}).json()["id"]
        for point in ("max_f1", "se95")
    ]
    for analysis_id, left in zip(reversed(made), (made[0], None), strict=True):
        ada.delete(f"/analyses/{analysis_id}")
        latest = ada.get("/recordings").json()["items"][0]["latest_analysis"]
        assert (latest and latest["id"]) == left
