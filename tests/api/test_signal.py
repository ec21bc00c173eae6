"""Samples, marks and files of a recording, as they were and as they were asked for."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from urllib.parse import unquote

import numpy as np
import pytest

from api.schemas import Marks, SignalWindow
from ecg_core.leads import derive_leads
from ecg_core.preprocess import resample
from ecg_core.recording import Annotations, Recording
from ecg_core.synthesis import synthesize
from tests.helpers import make_recording, with_gap
from tests.service import as_upload, as_user, files_of, running_app

EIGHT = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")


@pytest.fixture(scope="module")
def owner(anonymous):
    return as_user(anonymous, "owner of signals")


def send(client, files) -> str:
    answer = client.post("/recordings", files=as_upload(files))
    assert answer.status_code in (200, 201), answer.text
    return f"/recordings/{answer.json()['id']}"


@pytest.fixture(scope="module")
def sent() -> Recording:
    return with_gap(make_recording(EIGHT, n_samples=5000, seed=4), lead=2)


@pytest.fixture(scope="module")
def path(owner, sent) -> str:
    return send(owner, files_of(sent))


def window_of(client, path, **query) -> SignalWindow:
    answer = client.get(f"{path}/signal", params=query)
    assert answer.status_code == 200, answer.text
    return SignalWindow.model_validate(answer.json(), strict=False)


def values(window: SignalWindow) -> np.ndarray:
    return np.array(window.values, float)


def npy(answer) -> np.ndarray:
    assert answer.status_code == 200, answer.text
    return np.load(io.BytesIO(answer.content), allow_pickle=False)


def test_all_samples_of_all_leads_are_those_that_were_sent(owner, path, sent):
    window = window_of(owner, path)
    assert (window.leads, window.fs, window.start_s, window.end_s) == (list(EIGHT), 500, 0, 10)
    assert (window.unit, window.derived, window.decimation) == ("mV", [], None)
    np.testing.assert_allclose(values(window), sent.signal, atol=6e-5)
    assert None in window.values[2]


def test_npy_holds_them_exactly_and_headers_say_what_they_are(owner, path, sent):
    answer = owner.get(f"{path}/signal", params={"format": "npy", "leads": "V1,II", "start_s": 2, "end_s": 6})
    found = npy(answer)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, sent.signal[[2, 1], 1000:3000])
    told = {name: answer.headers[f"ecg-{name}"] for name in ("fs", "unit", "start-s", "end-s", "leads")}
    assert told == {"fs": "500.0", "unit": "mV", "start-s": "2.0", "end-s": "6.0", "leads": "V1,II"}


def test_the_name_of_a_lead_in_a_header_is_what_it_was(owner):
    recording = replace(make_recording(("II", "V1")), leads=("II", "Ösophagus, 1"))
    answer = owner.get(f"{send(owner, files_of(recording))}/signal", params={"format": "npy"})
    assert [unquote(name) for name in answer.headers["ecg-leads"].split(",")] == ["II", "Ösophagus, 1"]


def test_limb_leads_that_were_not_recorded_are_derived_and_said_so(owner, path, sent):
    window = window_of(owner, path, leads="aVF,ii,III", start_s=1, end_s=3)
    assert (window.leads, window.derived) == (["aVF", "II", "III"], ["aVF", "III"])
    whole = derive_leads(sent)
    expected = np.stack([whole.lead(name)[500:1500] for name in window.leads])
    np.testing.assert_allclose(values(window), expected, atol=6e-5)


def test_a_lower_rate_is_filtered_and_windows_of_it_join(owner, path, sent):
    whole = resample(sent, 125).signal
    parts = [values(window_of(owner, path, fs=125, start_s=start, end_s=start + 2.5)) for start in (0, 2.5, 5, 7.5)]
    np.testing.assert_allclose(np.concatenate(parts, axis=1), whole, atol=8e-5)
    window = window_of(owner, path, fs=125, start_s=2.501, end_s=3)
    assert (window.fs, window.start_s) == (125, 2.504)


def test_thinned_for_drawing_it_keeps_every_peak_and_says_so(owner, path, sent):
    window = window_of(owner, path, max_points=100, leads="II")
    assert window.decimation is not None
    assert (window.decimation.method, window.decimation.samples, window.fs) == ("min_max", 100, 10)
    row = values(window)[0]
    assert len(row) == 100
    lead = sent.lead("II")
    assert (row.max(), row.min()) == (pytest.approx(lead.max(), abs=6e-5), pytest.approx(lead.min(), abs=6e-5))
    answer = owner.get(f"{path}/signal", params={"max_points": 100, "format": "npy"})
    assert answer.headers["ecg-decimation"] == "min_max; samples=100"
    assert window_of(owner, path, max_points=10_000).decimation is None


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"start_s": 10}, "start_s"),
        ({"start_s": 1e300}, "start_s"),
        ({"end_s": 10.1}, "end_s"),
        ({"start_s": 3, "end_s": 3}, "end_s"),
        ({"start_s": 3, "end_s": 2}, "end_s"),
        ({"start_s": 1.0002, "end_s": 1.0004}, "start_s, end_s"),
        ({"leads": "V9"}, "leads"),
        ({"leads": "I,nonsense"}, "leads"),
        ({"fs": 501}, "fs"),
        ({"fs": 100, "max_points": 100}, "fs, max_points"),
        ({"fs": 0.5}, None),
        ({"start_s": -1}, None),
        ({"start_s": "nan"}, None),
        ({"max_points": 1}, None),
        ({"format": "mat"}, None),
    ],
)
def test_a_window_that_is_not_there_is_refused(owner, path, query, field):
    answer = owner.get(f"{path}/signal", params=query)
    assert answer.status_code == 422, answer.text
    assert answer.json().get("field") == field


def test_chest_leads_that_were_not_recorded_are_not_invented(owner):
    path = send(owner, files_of(make_recording(("II",))))
    problem = owner.get(f"{path}/signal", params={"leads": "aVF"}).json()
    assert (problem["code"], problem["options"]) == ("invalid_value", ["II"])


def test_more_samples_than_an_answer_may_carry_are_refused_with_what_is_possible(sent):
    with running_app(signal_max_values=8000) as anonymous:
        owner = as_user(anonymous)
        path = send(owner, files_of(sent))
        answer = owner.get(f"{path}/signal", params={"start_s": 1})
        assert (answer.status_code, answer.json()["code"]) == (413, "signal_too_large")
        assert "end_s=3 or less" in answer.json()["options"]
        for possible in ({"end_s": 3}, {"max_points": 1000}, {"fs": 100, "end_s": 10}):
            assert owner.get(f"{path}/signal", params={"start_s": 1, **possible}).status_code == 200, possible
        assert owner.get(f"{path}/plot.svg").json()["code"] == "signal_too_large"


def test_what_the_client_has_is_not_sent_again(owner, path):
    for part in ("signal?start_s=1", "signal?format=npy", "plot.svg", "plot.svg?speed=50", "file"):
        answer = owner.get(f"{path}/{part}")
        again = owner.get(f"{path}/{part}", headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", answer.headers["etag"])
    tags = {owner.get(f"{path}/{part}").headers["etag"] for part in ("signal", "signal?start_s=1", "file", "plot.svg")}
    assert len(tags) == 4


def test_marks_of_the_file_are_listed_by_annotator(owner):
    marks = {"atr": Annotations(np.array([0.25, 1.0, 3.5]), ("+", "N", "V"), ("(AFIB", "", ""))}
    path = send(owner, files_of(replace(make_recording(("II",)), annotations=marks), "wfdb"))
    assert owner.get(path).json()["annotations"] == {"atr": 3}
    listed = Marks.model_validate(owner.get(f"{path}/annotations").json())
    assert (listed.source, listed.start_s, listed.end_s) == ("file", 0, 4)
    assert [(mark.time_s, mark.symbol, mark.note) for mark in listed.annotators["atr"]] == [
        (0.25, "+", "(AFIB"),
        (1.0, "N", ""),
        (3.5, "V", ""),
    ]
    part = owner.get(f"{path}/annotations", params={"start_s": 1, "end_s": 3.5}).json()
    assert [mark["time_s"] for mark in part["annotators"]["atr"]] == [1.0]
    assert owner.get(f"{path}/annotations", params={"start_s": 9}).status_code == 422


def test_beats_and_waves_of_an_analysis_are_listed_as_marks(owner):
    path = send(owner, files_of(synthesize(seed=3).recording))
    none = owner.get(f"{path}/annotations", params={"source": "analysis"})
    assert (none.status_code, none.json()["code"]) == (404, "not_analysed")
    said = owner.post(f"{path}/analyses").json()
    listed = Marks.model_validate(owner.get(f"{path}/annotations", params={"source": "analysis"}).json())
    assert listed.analysis_id == said["id"]
    assert [mark.time_s for mark in listed.annotators["beats"]] == said["beats"]["times_s"]
    waves = listed.annotators["waves"]
    assert [mark.time_s for mark in waves] == sorted(mark.time_s for mark in waves)
    first = said["waves"]["global"][0]["qrs"]
    at = [mark.symbol for mark in waves].index("N")
    assert [(mark.symbol, mark.time_s) for mark in waves[at - 1 : at + 2]] == [
        ("(", first["onset_s"]),
        ("N", first["peak_s"]),
        (")", first["end_s"]),
    ]
    of_v2 = owner.get(f"{path}/annotations", params={"source": "analysis", "lead": "v2", "analysis_id": said["id"]})
    assert of_v2.json()["lead"] == "V2"
    assert of_v2.json()["annotators"]["waves"] != [mark.model_dump() for mark in waves]
    unknown = owner.get(f"{path}/annotations", params={"source": "analysis", "lead": "V9"})
    assert (unknown.status_code, unknown.json()["field"]) == (422, "lead")


def test_an_analysis_of_another_recording_is_not_there(owner):
    one = send(owner, files_of(make_recording(("II",), seed=1)))
    other = send(owner, files_of(make_recording(("II",), seed=2)))
    said = owner.post(f"{one}/analyses", data={"parts": "summary"}).json()["id"]
    answer = owner.get(f"{other}/annotations", params={"source": "analysis", "analysis_id": said})
    assert (answer.status_code, answer.json()["field"]) == (404, "analysis")


def test_one_file_comes_back_as_it_was_sent(owner):
    (content,) = files_of(make_recording(("II",), seed=9)).values()
    path = send(owner, {'r"é\u202e<x>.npz': content})
    answer = owner.get(f"{path}/file")
    assert answer.content == content
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"
    disposition = answer.headers["content-disposition"]
    assert disposition.startswith('attachment; filename="r_')
    assert disposition.isascii()
    assert disposition.count('"') == 2


def test_several_files_come_back_as_an_archive_or_one_by_its_name(owner):
    files = files_of(make_recording(("I", "II"), seed=9), "wfdb", "rest")
    path = send(owner, files)
    answer = owner.get(f"{path}/file")
    assert 'filename="rest.zip"' in answer.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == files
    for name, content in files.items():
        assert owner.get(f"{path}/file", params={"name": name}).content == content
    missing = owner.get(f"{path}/file", params={"name": "../rest.hea"})
    assert (missing.status_code, missing.json()["options"]) == (404, list(files))
