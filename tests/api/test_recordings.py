"""Recordings: sent, shown, changed, deleted, and each only by whom it belongs to."""

from __future__ import annotations

import io
import json
import tarfile
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import pytest
from sqlalchemy import select

from api.schemas import KeptRecording
from api.tables import AuditEvent
from ecg_core.leads import STANDARD_12
from ecg_core.recording import Recording, Subject
from tests.helpers import make_recording
from tests.service import as_upload, files_of, runtime_of


@pytest.fixture(scope="module")
def wfdb() -> dict[str, bytes]:
    return files_of(make_recording(), "wfdb", "rest")


@pytest.fixture(scope="module")
def npz() -> dict[str, bytes]:
    recording = make_recording(("I", "II", "V1"))
    return files_of(Recording(recording.signal, 500, recording.leads, Subject("P-7", 44, "female")))


def send(client, files, status=201, **fields):
    answer = client.post("/recordings", files=as_upload(files), data=fields)
    assert answer.status_code == status, answer.text
    return answer


def events(client, recording_id):
    with runtime_of(client).database.read() as session:
        found = session.scalars(select(AuditEvent).where(AuditEvent.object_id == recording_id).order_by(AuditEvent.at))
        return [event.action for event in found]


def test_a_recording_is_kept_with_all_that_is_known_of_it(ada, wfdb):
    answer = send(ada, wfdb, age="63", sex="male", height_cm="1.8 m", subject_id="P-1", notes="before ablation")
    shown = KeptRecording.model_validate(answer.json())
    assert answer.headers["location"] == f"/recordings/{shown.id}"
    assert (shown.name, shown.format, shown.fs, shown.duration_s, shown.n_samples) == ("rest.hea", "wfdb", 500, 4, 2000)
    assert shown.leads == list(STANDARD_12)
    assert [(file.name, file.size, file.sha256) for file in shown.files] == [
        (name, len(content), sha256(content).hexdigest()) for name, content in wfdb.items()
    ]
    assert shown.subject.model_dump() == {"id": "P-1", "age": 63, "sex": "male", "facts": {"height_cm": 180}}
    assert shown.notes == "before ablation"
    assert shown.quality.leads.keys() == set(STANDARD_12)
    again = ada.get(f"/recordings/{shown.id}")
    assert KeptRecording.model_validate(again.json()) == shown
    assert again.headers["etag"] == answer.headers["etag"]


def test_the_same_recording_again_is_the_same_and_nothing_of_it_is_changed(ada, npz):
    first = send(ada, npz, age="70", notes="one").json()
    answer = send(ada, npz, 200, age="20", notes="two", subject_id="Q")
    assert answer.headers["location"] == f"/recordings/{first['id']}"
    again = answer.json()
    assert "nothing of it was changed" in again.pop("note")
    assert again == {name: value for name, value in first.items() if name != "note"}


def test_other_reading_options_are_another_recording_and_so_is_another_owner_s(ada, bob):
    signal = (make_recording(("II",)).signal[0] * 1000).round().astype(int)
    files = {"ecg.csv": ("II\n" + "\n".join(map(str, signal)) + "\n").encode()}
    ids = {
        send(ada, files, fs="250", units="uV").json()["id"],
        send(ada, files, fs="500", units="uV").json()["id"],
        send(bob, files, fs="500", units="uV").json()["id"],
    }
    assert len(ids) == 3


def test_what_the_sender_states_goes_before_the_file_with_a_warning(ada, npz):
    shown = send(ada, npz, age="45", subject_id="X").json()
    assert shown["subject"]["sex"] == "female"
    assert "subject: age 45.0 as stated by the sender; the file says 44.0" in shown["warnings"]
    assert "subject: id X as stated by the sender; the file says P-7" in shown["warnings"]


def test_several_recordings_are_sent_to_batches(ada, wfdb, npz):
    problem = send(ada, {**wfdb, **npz}, 422).json()
    assert problem["code"] == "several_recordings"
    assert any("/batches" in option for option in problem["options"])


@pytest.mark.parametrize(
    ("files", "fields", "status", "code"),
    [
        ({"x.bin": b"no ecg"}, {}, 415, "unknown_format"),
        ({"x.csv": b"II\n" + b"0.1\n0.2\n0.3\n" * 100}, {"units": "mV"}, 422, "needs_option"),
        ({"x.bin": b"no ecg"}, {"age": "200"}, 422, "invalid_request"),
        ({"x.bin": b"no ecg"}, {"height_cm": "tall"}, 422, "invalid_value"),
        ({"x.bin": b"no ecg"}, {"subject_id": "a\0b"}, 422, "invalid_request"),
    ],
)
def test_what_cannot_be_kept_is_refused_and_leaves_nothing(ada, files, fields, status, code):
    assert send(ada, files, status, **fields).json()["code"] == code
    assert ada.get("/recordings").json()["items"] == []


def test_another_s_recording_is_not_there(ada, bob, admin, npz):
    path = f"/recordings/{send(ada, npz).json()['id']}"
    for other in (bob, admin):
        for answer in (
            other.get(path),
            other.patch(path, json={"notes": "mine"}),
            other.delete(path),
            *(other.get(f"{path}/{part}") for part in ("signal", "annotations", "file", "plot.svg", "plot.png")),
            other.get(f"{path}/export?format=csv"),
        ):
            assert (answer.status_code, answer.json()["code"]) == (404, "not_found"), answer.url
    assert ada.get(path).json()["notes"] == ""


def test_a_merge_patch_changes_what_it_names_and_null_removes(ada, npz):
    path = f"/recordings/{send(ada, npz, age='50', height_cm='180', smoker='yes', notes='old').json()['id']}"
    changed = ada.patch(
        path, json={"notes": "new", "subject": {"sex": None, "facts": {"smoker": None, "weight_kg": 80}}}
    )
    assert changed.status_code == 200, changed.text
    assert changed.json()["notes"] == "new"
    assert changed.json()["subject"] == {
        "id": "P-7",
        "age": 50,
        "sex": None,
        "facts": {"height_cm": 180, "weight_kg": 80},
    }
    changed = ada.patch(path, json={"name": "Ada at rest", "subject": {"id": "P-8", "facts": {"diabetes": "unknown"}}})
    assert changed.json()["name"] == "Ada at rest"
    assert changed.json()["subject"]["id"] == "P-8"
    changed = ada.patch(
        path,
        content=json.dumps({"name": None, "notes": None, "subject": None}),
        headers={"Content-Type": "application/merge-patch+json"},
    )
    assert changed.json()["name"] == "ecg.npz"
    assert changed.json()["notes"] == ""
    assert changed.json()["subject"] == {"id": None, "age": None, "sex": None, "facts": {}}
    assert ada.get(path).json() == changed.json()


@pytest.mark.parametrize(
    ("patch", "code"),
    [
        ({"note": "a typo"}, "invalid_request"),
        ({"name": ""}, "invalid_request"),
        ({"notes": "a\0b"}, "invalid_request"),
        ({"notes": "\ud800"}, "invalid_request"),
        ({"subject": {"age": -1}}, "invalid_request"),
        ({"subject": {"facts": {"height_cm": 20}}}, "invalid_value"),
        ({"subject": {"facts": {"shoe_size": 42}}}, "invalid_value"),
        ({"subject": {"facts": {"diastolic_mmhg": 150}}}, "invalid_value"),
        ([], "invalid_request"),
    ],
)
def test_a_change_that_cannot_be_is_refused_and_changes_nothing(ada, npz, patch, code):
    kept = send(ada, npz, systolic_mmhg="120", diastolic_mmhg="80").json()
    answer = ada.patch(
        f"/recordings/{kept['id']}", content=json.dumps(patch), headers={"Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert ada.get(f"/recordings/{kept['id']}").json() == kept


def test_a_change_on_top_of_another_s_is_refused(ada, npz):
    sent = send(ada, npz)
    path, first = f"/recordings/{sent.json()['id']}", sent.headers["etag"]
    changed = ada.patch(path, json={"notes": "one"}, headers={"If-Match": first})
    assert changed.status_code == 200
    assert changed.headers["etag"] != first
    stale = ada.patch(path, json={"notes": "two"}, headers={"If-Match": first})
    assert (stale.status_code, stale.json()["code"]) == (412, "changed_meanwhile")
    assert ada.get(path).json()["notes"] == "one"
    tags = f"{first}, {changed.headers['etag']}"
    assert ada.patch(path, json={"notes": "two"}, headers={"If-Match": tags}).status_code == 200
    assert ada.patch(path, json={"notes": "three"}, headers={"If-Match": "*"}).status_code == 200


def test_a_recording_that_the_client_has_is_not_sent_again_until_it_changes(ada, npz):
    sent = send(ada, npz)
    path, tag = f"/recordings/{sent.json()['id']}", sent.headers["etag"]
    assert ada.get(path, headers={"If-None-Match": tag}).status_code == 304
    unchanged = ada.patch(path, json={"notes": "", "subject": {"facts": {}}})
    assert unchanged.headers["etag"] == tag
    ada.patch(path, json={"notes": "new"})
    assert ada.get(path, headers={"If-None-Match": tag}).status_code == 200


def test_the_next_analysis_takes_into_account_what_was_changed(ada, npz):
    path = f"/recordings/{send(ada, npz).json()['id']}"
    first = ada.post(f"{path}/analyses", data={"parts": "subject"})
    assert first.status_code == 201
    ada.patch(path, json={"subject": {"age": 71}})
    second = ada.post(f"{path}/analyses", data={"parts": "subject"})
    assert (second.status_code, second.json()["subject"]["age"]) == (201, 71)
    ada.patch(path, json={"notes": "says nothing of the person"})
    third = ada.post(f"{path}/analyses", data={"parts": "subject"})
    assert (third.status_code, third.json()["id"]) == (200, second.json()["id"])


def test_every_look_and_every_change_is_in_the_audit_trail(ada, npz):
    recording_id = send(ada, npz).json()["id"]
    path = f"/recordings/{recording_id}"
    ada.get(path)
    ada.get(f"{path}/signal")
    ada.get(f"{path}/file")
    ada.get(f"{path}/export?format=csv")
    ada.patch(path, json={"notes": "new"})
    ada.patch(path, json={"notes": "new"})
    ada.delete(path)
    said = ["created", "read", "read", "exported", "exported", "changed", "deleted"]
    assert events(ada, recording_id) == said


def test_a_token_that_reads_cannot_send_change_or_delete(ada, npz):
    path = f"/recordings/{send(ada, npz).json()['id']}"
    made = ada.post("/tokens", json={"name": "reader", "scopes": ["read"], "expires_in_days": 1})
    assert made.status_code == 201, made.text
    reader = {"Authorization": f"Bearer {made.json()['token']}"}
    assert ada.get(path, headers=reader).status_code == 200
    for answer in (
        ada.post("/recordings", files=as_upload(npz), headers=reader),
        ada.patch(path, json={"notes": "x"}, headers=reader),
        ada.delete(path, headers=reader),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "wrong_scope")


def test_of_changes_on_top_of_the_same_state_at_a_time_one_is_made(ada, npz):
    sent = send(ada, npz)
    path, headers = f"/recordings/{sent.json()['id']}", {"If-Match": sent.headers["etag"]}

    def change(number):
        return ada.patch(path, json={"notes": f"by {number}"}, headers=headers).status_code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(change, range(4))) == [200, 412, 412, 412]


def test_the_same_files_sent_at_a_time_are_one_recording(ada, npz):
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _number: ada.post("/recordings", files=as_upload(npz)), range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert ada.get("/recordings", params={"total": True}).json()["total"] == 1


def test_an_archive_with_names_that_are_no_text_is_kept_and_analysed(ada, npz):
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", format=tarfile.GNU_FORMAT, encoding="latin-1") as archive:
        for name, content in (("d\xffr/\xe9.npz", npz["ecg.npz"]), ("stray\xfe.bin", b"no ecg")):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    kept = send(ada, {"x.tar.gz": packed.getvalue()}).json()
    assert kept["name"] == "d\N{REPLACEMENT CHARACTER}r/\N{REPLACEMENT CHARACTER}.npz"
    assert ada.post(f"/recordings/{kept['id']}/analyses", data={"parts": "recording"}).status_code == 201
