"""Analyses: made once, kept, given again, and only to whom they belong."""

from __future__ import annotations

import pytest

from api.schemas import AnalysisPage, Prediction, SelectedParts, StoredAnalysis
from api.services import inference
from ecg_core.synthesis import synthesize
from tests.service import as_upload, as_user, files_of, running_app

SHORT = {"duration_s": 6.0, "seed": 1}


def upload(**changes):
    return as_upload(files_of(synthesize(**{**SHORT, **changes}).recording))


@pytest.fixture(scope="module")
def normal():
    return upload()


@pytest.fixture
def counted(monkeypatch) -> list[int]:
    """Sizes of the groups that are analysed from now on."""
    sizes: list[int] = []
    analyze_group = inference.analyze_group

    def counting(group, **how):
        sizes.append(len(group))
        return analyze_group(group, **how)

    monkeypatch.setattr(inference, "analyze_group", counting)
    return sizes


def predicted(client, files, **fields) -> Prediction:
    answer = client.post("/predict", files=files, data=fields)
    assert answer.status_code == 200, answer.text
    return Prediction.model_validate(answer.json())


def test_an_upload_is_analysed_once_kept_and_given_again(ada, normal, counted):
    first = predicted(ada, normal, age=50, signal=True)
    assert (first.stored.new_recording, first.stored.new_analysis) == (True, True)
    again = predicted(ada, normal, age=50, signal=True)
    assert (again.stored.new_recording, again.stored.new_analysis) == (False, False)
    assert "kept before" in again.stored.note
    assert again.stored.analysis_id == first.stored.analysis_id
    assert again.model_dump(exclude={"stored"}) == first.model_dump(exclude={"stored"})
    kept = StoredAnalysis.model_validate(ada.get(f"/analyses/{first.stored.analysis_id}").json())
    assert kept.measurements == first.measurements
    assert kept.recording_id == first.stored.recording_id
    assert counted == [1]


def test_what_is_stated_anew_is_analysed_anew_of_the_same_recording_whose_facts_stay(ada, normal, counted):
    young = predicted(ada, normal, age=30)
    old = predicted(ada, normal, age=80)
    assert young.stored.recording_id == old.stored.recording_id
    assert young.stored.analysis_id != old.stored.analysis_id
    assert (young.subject.age, old.subject.age) == (30, 80)
    created = ada.post(f"/recordings/{young.stored.recording_id}/analyses")
    assert created.status_code == 200, "it is analysed as it was first stated, which was done before"
    assert created.json()["subject"]["age"] == 30
    assert counted == [1, 1]


def test_another_operating_point_or_model_is_another_analysis(ada, normal):
    kept = predicted(ada, normal).stored.recording_id
    answer = ada.post(f"/recordings/{kept}/analyses", data={"operating_point": "se95", "models": "tabular"})
    assert answer.status_code == 201
    assert list(answer.json()["predictions"]) == ["tabular"]
    assert answer.json()["provenance"]["settings"]["operating_point"] == "se95"


def test_nothing_is_kept_where_that_is_asked(ada, normal):
    assert predicted(ada, normal, store=False).stored is None
    assert predicted(ada, normal).stored.new_recording


def test_parts_of_an_answer_can_be_asked_for(ada, normal):
    answer = ada.post("/predict", files=normal, data={"parts": "beats, quality"}).json()
    assert set(answer) == {"beats", "quality", "stored", "signal", "notice"}
    SelectedParts.model_validate(answer)
    kept = ada.get(f"/analyses/{answer['stored']['analysis_id']}?parts=summary").json()
    assert set(kept) == {"summary", "id", "recording_id", "created_at", "notice"}
    wrong = ada.get(f"/analyses/{answer['stored']['analysis_id']}?parts=beat")
    assert (wrong.status_code, wrong.json()["field"]) == (422, "parts")
    assert "beats" in wrong.json()["options"]


def test_a_demo_case_is_analysed_without_files(ada):
    found = predicted(ada, None, case="atrial_fibrillation")
    assert found.rhythm.label == "A"
    assert found.stored is None


@pytest.mark.parametrize("fields", [{}, {"case": "normal"}])
def test_either_files_or_a_case_are_sent(ada, normal, fields):
    answer = ada.post("/predict", files=normal if fields else None, data=fields)
    assert (answer.status_code, answer.json()["field"]) == (422, "files")


def test_a_case_that_there_is_not_is_told_with_those_that_there_are(ada):
    answer = ada.post("/predict", data={"case": "abnormal"})
    assert answer.status_code == 404
    assert "normal" in answer.json()["options"]


def test_the_analyses_of_a_recording_are_listed_newest_first_page_by_page(ada, normal):
    kept = predicted(ada, normal).stored.recording_id
    for point in ("se95", "sp95"):
        ada.post(f"/recordings/{kept}/analyses", data={"operating_point": point})
    first = AnalysisPage.model_validate(ada.get(f"/recordings/{kept}/analyses?limit=2").json())
    assert [item.operating_point for item in first.items] == ["sp95", "se95"]
    rest = AnalysisPage.model_validate(
        ada.get(f"/recordings/{kept}/analyses", params={"cursor": first.next_cursor}).json()
    )
    assert [item.operating_point for item in rest.items] == ["max_f1"]
    assert rest.next_cursor is None
    assert rest.items[0].heart_rate_bpm == pytest.approx(70, abs=15)
    wrong = ada.get(f"/recordings/{kept}/analyses?cursor=zzz")
    assert (wrong.status_code, wrong.json()["field"]) == (422, "cursor")


def test_an_analysis_that_is_deleted_is_gone_and_its_recording_stays(ada, normal):
    stored = predicted(ada, normal).stored
    assert ada.delete(f"/analyses/{stored.analysis_id}").status_code == 204
    assert ada.get(f"/analyses/{stored.analysis_id}").status_code == 404
    assert ada.delete(f"/analyses/{stored.analysis_id}").status_code == 404
    assert ada.get(f"/recordings/{stored.recording_id}/analyses").json()["items"] == []


def test_what_belongs_to_another_does_not_exist(ada, bob, admin, normal):
    stored = predicted(ada, normal).stored
    for other in (bob, admin):
        assert other.get(f"/analyses/{stored.analysis_id}").status_code == 404
        assert other.delete(f"/analyses/{stored.analysis_id}").status_code == 404
        assert other.get(f"/recordings/{stored.recording_id}/analyses").status_code == 404
        assert other.post(f"/recordings/{stored.recording_id}/analyses").status_code == 404
    theirs = predicted(bob, normal).stored
    assert theirs.recording_id != stored.recording_id, "the same bytes are another record of another account"


def test_a_recording_too_long_to_wait_for_is_pointed_to_the_batches():
    with running_app(max_duration_s=5.0) as anonymous:
        answer = as_user(anonymous).post("/predict", files=upload())
    assert (answer.status_code, answer.json()["code"]) == (413, "recording_too_long")
    assert answer.json()["options"] == ["POST /batches"]
