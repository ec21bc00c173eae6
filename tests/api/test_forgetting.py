"""What is deleted is gone: its rows, what was said of it, and its bytes on the disk."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from hashlib import sha256
from uuid import uuid4

import pytest
from sqlalchemy import func, select, update

from api import tables
from api.errors import Refusal
from api.principal import Principal
from api.services.forgetting import forget_account, forget_recording
from api.services.sweeping import Sweeper, forget_old
from api.tables import now
from tests.databases import new_database
from tests.helpers import make_recording
from tests.service import access_token, add_account, as_upload, as_user, bearer, files_of, running_app, runtime_of

SECRET = "shibboleth-7319"
LONG_AGO = timedelta(days=40)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def service(request, tmp_path_factory):
    """A service of its own on each database, that keeps recordings for 30 days."""
    state = tmp_path_factory.mktemp("state")
    with new_database(request.param) as settings, running_app(**settings, state_dir=state, retention_days=30) as client:
        yield client


@pytest.fixture
def ada(service):
    return as_user(service, f"ada {uuid4()}")


@pytest.fixture
def bob(service):
    return as_user(service, f"bob {uuid4()}")


@pytest.fixture
def files() -> dict[str, bytes]:
    """A WFDB record that no other test sends."""
    return files_of(make_recording(("II",), seed=int(uuid4()) % 2**32), "wfdb")


def send(client, files, **fields) -> str:
    answer = client.post("/recordings", files=as_upload(files), data=fields)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def user_of(client) -> str:
    return client.get("/me").json()["id"]


def on_disk(client, content: bytes) -> list[str]:
    folder = runtime_of(client).settings.state_dir / "files"
    digest = sha256(content).hexdigest()
    found = [path for path in folder.rglob("*") if path.is_file()]
    return [path.name for path in found if digest in path.name or path.read_bytes() == content]


def rows(client, table, *where) -> int:
    with runtime_of(client).database.read() as session:
        return session.scalar(select(func.count()).select_from(table).where(*where)) or 0


def make_old(client, table, *where, **columns) -> None:
    with runtime_of(client).database.write() as session:
        session.execute(update(table).where(*where).values(columns))


def test_a_deleted_recording_is_gone_with_its_analyses_its_bytes_and_its_samples(ada, files):
    runtime = runtime_of(ada)
    recording_id = send(ada, files, notes=SECRET)
    said = ada.post(f"/recordings/{recording_id}/analyses", data={"parts": "summary"}).json()["id"]
    with runtime.database.read() as session:
        fingerprint = session.get(tables.Recording, recording_id).fingerprint
    assert all(on_disk(ada, content) for content in files.values())
    assert fingerprint in runtime.signals.at_hand()
    assert ada.delete(f"/recordings/{recording_id}").status_code == 204
    assert not any(on_disk(ada, content) for content in files.values())
    assert fingerprint not in runtime.signals.at_hand()
    assert rows(ada, tables.Analysis, tables.Analysis.id == said) == 0
    assert rows(ada, tables.Blob, tables.Blob.sha256.in_([sha256(item).hexdigest() for item in files.values()])) == 0
    for path in (f"/recordings/{recording_id}", f"/analyses/{said}", f"/recordings/{recording_id}/file"):
        assert ada.get(path).status_code == 404
    assert ada.delete(f"/recordings/{recording_id}").status_code == 404


def test_nothing_of_it_is_left_in_any_file_of_the_embedded_service(tmp_path):
    with running_app(state_dir=tmp_path) as service:
        ada = as_user(service)
        content = files_of(make_recording(("II",)), "csv")
        key = {"Idempotency-Key": "once"}
        answer = ada.post("/recordings", files=as_upload(content), data={"notes": SECRET}, headers=key)
        found = [path for path in tmp_path.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]
        assert found, "what is searched for can be found"
        ada.delete(f"/recordings/{answer.json()['id']}")
        for path in tmp_path.rglob("*"):
            if path.is_file():
                assert SECRET.encode() not in path.read_bytes(), path
        # The kept answer, which is packed, is gone too: the same request is done again.
        again = ada.post("/recordings", files=as_upload(content), data={"notes": SECRET}, headers=key)
        assert (again.status_code, again.json()["id"] != answer.json()["id"]) == (201, True)


def test_bytes_that_another_has_sent_too_stay_with_that(ada, bob, files):
    mine, theirs = send(ada, files), send(bob, files)
    ada.delete(f"/recordings/{mine}")
    assert bob.get(f"/recordings/{theirs}/signal").status_code == 200
    assert all(len(on_disk(bob, content)) == 1 for content in files.values())
    bob.delete(f"/recordings/{theirs}")
    assert not any(on_disk(bob, content) for content in files.values())


def test_the_same_files_can_be_sent_again_after_they_were_deleted(ada, files):
    first = send(ada, files, notes="one")
    ada.delete(f"/recordings/{first}")
    second = send(ada, files, notes="two")
    assert second != first
    shown = ada.get(f"/recordings/{second}")
    assert shown.json()["notes"] == "two"
    assert ada.get(f"/recordings/{second}/signal").status_code == 200


def test_deleting_and_sending_the_same_at_the_same_moment_loses_nothing(ada, bob, files):
    def come_and_go(client):
        for _ in range(4):
            answer = client.post("/recordings", files=as_upload(files))
            assert answer.status_code == 201, answer.text
            path = f"/recordings/{answer.json()['id']}"
            assert client.get(f"{path}/file").status_code == 200
            assert client.delete(path).status_code == 204

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(come_and_go, (ada, bob)))
    forget_old(runtime_of(ada))
    kept = send(ada, files)
    assert ada.get(f"/recordings/{kept}/file").status_code == 200


def test_a_recording_is_deleted_once_however_often_that_is_asked_at_a_time(ada, files):
    runtime, who = runtime_of(ada), Principal(user_of(ada), "ada", "user", frozenset())
    recording_id = send(ada, files)

    def delete(_number):
        try:
            forget_recording(runtime, who, recording_id)
        except Refusal as refusal:
            return refusal.status
        return 204

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(delete, range(4))) == [204, 404, 404, 404]


def test_what_is_older_than_the_retention_is_deleted_and_what_is_younger_stays(ada, files):
    runtime = runtime_of(ada)
    old = send(ada, files)
    young = send(ada, files_of(make_recording(("V1",), seed=int(uuid4()) % 2**32)))
    make_old(ada, tables.Recording, tables.Recording.id == old, created_at=now() - LONG_AGO)
    assert forget_old(runtime)["recordings"] == 1
    assert ada.get(f"/recordings/{old}").status_code == 404
    assert not any(on_disk(ada, content) for content in files.values())
    assert ada.get(f"/recordings/{young}").status_code == 200
    assert rows(ada, tables.AuditEvent, tables.AuditEvent.object_id == old, tables.AuditEvent.action == "deleted") == 1


def test_many_old_recordings_are_deleted_by_several_at_a_time(ada):
    runtime = runtime_of(ada)
    owner = user_of(ada)
    with runtime.database.write() as session:
        for number in range(70):
            content = f"{owner} {number}".encode()
            blob = tables.Blob(id=tables.new_id(), sha256=sha256(content).hexdigest(), size=len(content))
            runtime.store.put(blob.key, content)
            row = tables.Recording(
                owner_id=owner, fingerprint=blob.sha256, sha256=blob.sha256, name=f"{number}", format="npz", fs=500,
                leads=["II"], derived=[], n_samples=500, duration_s=1, subject={"id": None, "age": None, "sex": None,
                "facts": {}}, notes="", annotations={}, warnings=[], quality="good", quality_detail={}, options={},
                created_at=now() - LONG_AGO,
            )  # fmt: skip
            row.files = [tables.RecordingFile(position=0, name="x", blob=blob)]
            session.add(row)
    with ThreadPoolExecutor(3) as pool:
        counts = list(pool.map(lambda _number: forget_old(runtime), range(3)))
    assert sum(count["recordings"] for count in counts) == 70
    assert rows(ada, tables.Recording, tables.Recording.owner_id == owner) == 0
    assert not on_disk(ada, f"{owner} 0".encode())
    assert not on_disk(ada, f"{owner} 69".encode())


def test_finished_jobs_go_with_their_files_and_unfinished_ones_stay(ada):
    runtime, owner = runtime_of(ada), user_of(ada)
    ids, contents = [], []
    with runtime.database.write() as session:
        for finished in (now() - LONG_AGO, now(), None):
            content = str(uuid4()).encode()
            blob = tables.Blob(id=tables.new_id(), sha256=sha256(content).hexdigest(), size=len(content))
            runtime.store.put(blob.key, content)
            job = tables.Job(
                owner_id=owner, kind="batch", parameters={}, created_at=now() - LONG_AGO, finished_at=finished
            )
            job.files = [tables.JobFile(position=0, name="x", blob=blob)]
            session.add(job)
            session.flush()
            ids.append(job.id)
            contents.append(content)
    assert forget_old(runtime)["jobs"] == 1
    left = [rows(ada, tables.Job, tables.Job.id == job_id) for job_id in ids]
    assert left == [0, 1, 1]
    assert [len(on_disk(ada, content)) for content in contents] == [0, 1, 1]


def test_what_has_expired_is_deleted(ada):
    runtime, owner = runtime_of(ada), user_of(ada)
    past, future = now() - timedelta(days=2), now() + timedelta(days=2)
    with runtime.database.write() as session:
        session.add_all(
            [
                *(tables.SignIn(user_id=owner, refresh_hash="0" * 64, expires_at=at) for at in (past, future)),
                *(
                    tables.ApiToken(user_id=owner, name=str(at), secret_hash="0" * 64, scopes=[], expires_at=at)
                    for at in (past, future, None)
                ),
                *(
                    tables.IdempotentRequest(owner_id=owner, key=str(at), request_hash="0" * 64, created_at=at)
                    for at in (past, now())
                ),
                *(tables.LoginFailure(key=f"{owner} {at:%d}", weight=1, last_at=at) for at in (past, now())),
                *(
                    tables.AuditEvent(action="read", object_kind="recording", owner_id=owner, at=at, object_id="x")
                    for at in (now() - timedelta(days=400), now())
                ),
            ]
        )
    mine = (
        (tables.SignIn, tables.SignIn.user_id == owner, tables.SignIn.refresh_hash == "0" * 64),
        (tables.ApiToken, tables.ApiToken.user_id == owner),
        (tables.IdempotentRequest, tables.IdempotentRequest.owner_id == owner),
        (tables.LoginFailure, tables.LoginFailure.key.startswith(owner)),
        (tables.AuditEvent, tables.AuditEvent.owner_id == owner, tables.AuditEvent.object_id == "x"),
    )
    before = [rows(ada, *one) for one in mine]
    forget_old(runtime)
    assert [one - rows(ada, *which) for one, which in zip(before, mine, strict=True)] == [1, 1, 1, 1, 1]
    assert ada.get("/me").status_code == 200


def test_files_without_a_row_are_deleted_once_they_are_old(ada, files):
    runtime = runtime_of(ada)
    kept = send(ada, files)
    folder = runtime.settings.state_dir / "files"
    keys = [f"{sha256(name).hexdigest()}-{uuid4()}" for name in (b"old orphan", b"new orphan")]
    for key in keys:
        runtime.store.put(key, b"orphan")
    hour_ago = time.time() - 4000
    for path in folder.rglob("*"):
        if path.is_file() and path.name != keys[1]:
            os.utime(path, (hour_ago, hour_ago))
    assert forget_old(runtime)["files"] >= 1
    assert runtime.store.get(keys[1]) == b"orphan"
    with pytest.raises(KeyError):
        runtime.store.get(keys[0])
    assert ada.get(f"/recordings/{kept}/file").status_code == 200
    runtime.store.delete(keys[1])


def test_contents_that_nothing_refers_to_are_deleted(ada):
    runtime = runtime_of(ada)
    blob = tables.Blob(id=tables.new_id(), sha256=sha256(str(uuid4()).encode()).hexdigest(), size=1)
    blob.created_at = now() - timedelta(hours=2)
    runtime.store.put(blob.key, b"x")
    with runtime.database.write() as session:
        session.add(blob)
    assert forget_old(runtime)["contents"] == 1
    with pytest.raises(KeyError):
        runtime.store.get(blob.key)


def test_samples_at_hand_go_when_another_process_deleted_their_recording(ada, files):
    runtime = runtime_of(ada)
    recording_id = send(ada, files)
    before = set(runtime.signals.at_hand())
    with runtime.database.write() as session:
        row = session.get(tables.Recording, recording_id)
        fingerprint = row.fingerprint
        session.delete(row)
    assert fingerprint in before
    forget_old(runtime)
    assert fingerprint not in runtime.signals.at_hand()


def test_an_account_goes_with_all_that_it_kept_and_nothing_of_others(service, files):
    runtime = runtime_of(service)
    user_id = add_account(service, f"eve {uuid4()}")
    eve = bearer(access_token(service, user_id))
    bob = as_user(service, f"bob {uuid4()}")
    shared = files_of(make_recording(("V2",), seed=int(uuid4()) % 2**32))
    theirs = send(bob, shared)
    for upload in (files, shared):
        made = service.post("/recordings", files=as_upload(upload), headers=eve)
        assert made.status_code == 201
    service.post(f"/recordings/{made.json()['id']}/analyses", data={"parts": "summary"}, headers=eve)
    assert forget_account(runtime, user_id)
    assert service.get("/me", headers=eve).status_code == 401
    for table in (tables.Recording, tables.Analysis, tables.Job, tables.IdempotentRequest):
        assert rows(service, table, table.owner_id == user_id) == 0
    assert rows(service, tables.User, tables.User.id == user_id) == 0
    assert rows(service, tables.AuditEvent, tables.AuditEvent.owner_id == user_id) > 0
    assert not any(on_disk(service, content) for content in files.values())
    assert bob.get(f"/recordings/{theirs}/file").status_code == 200
    assert not forget_account(runtime, user_id)


def test_the_sweeper_deletes_now_and_then_and_ends_with_its_block(tmp_path):
    with running_app(state_dir=tmp_path, forget_every_s=0.01, audit_days=1.0) as service:
        runtime = runtime_of(service)
        with runtime.database.write() as session:
            session.add(tables.AuditEvent(action="read", object_kind="recording", object_id="x", at=now() - LONG_AGO))
        with Sweeper(runtime) as sweeper:
            until = time.monotonic() + 10
            while rows(service, tables.AuditEvent, tables.AuditEvent.object_id == "x") and time.monotonic() < until:
                time.sleep(0.01)
        assert rows(service, tables.AuditEvent, tables.AuditEvent.object_id == "x") == 0
        assert not sweeper.is_alive


def test_without_a_retention_setting_recordings_are_kept(tmp_path, files):
    with running_app(state_dir=tmp_path) as service:
        ada = as_user(service)
        kept = send(ada, files)
        make_old(ada, tables.Recording, created_at=now() - timedelta(days=10_000))
        assert forget_old(runtime_of(ada))["recordings"] == 0
        assert ada.get(f"/recordings/{kept}").status_code == 200
