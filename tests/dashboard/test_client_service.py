"""Every subject of the client against the real service."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime, timedelta

import pytest

from dashboard.client import ApiProblem, Client, SignedOut, Tokens
from tests.helpers import SUBJECT, make_recording
from tests.service import PASSWORD, access_token, add_account, files_of


@pytest.fixture
def kept(client):
    return client.recordings.upload(
        files_of(make_recording(), "wfdb"), subject_id="P-7", facts={"height_cm": 171, "smoker": False}, notes="first"
    )


def test_a_recording_is_sent_found_shown_and_deleted(client, kept):
    assert (kept.subject.id, kept.subject.age, kept.notes) == ("P-7", SUBJECT.age, "first")
    assert kept.subject.facts == {"height_cm": 171, "smoker": False}
    assert client.recordings.get(kept.id) == kept
    again = client.recordings.upload(files_of(make_recording(), "wfdb"))
    assert (again.id, bool(again.note)) == (kept.id, True)
    client.recordings.delete(kept.id)
    with pytest.raises(ApiProblem) as caught:
        client.recordings.get(kept.id)
    assert caught.value.problem.code == "not_found"


def test_recordings_are_listed_page_by_page_and_filtered(client):
    for n in range(3):
        client.recordings.upload(files_of(make_recording(("I", "II")[: 1 + n % 2], seed=n)), notes=f"day {n}")
    assert [item.notes for item in client.recordings.list(limit=1)] == ["day 2", "day 1", "day 0"]
    first = client.recordings.page(limit=2, sort="created_at", order="asc", total=True)
    assert ([item.notes for item in first.items], first.total) == (["day 0", "day 1"], 3)
    rest = client.recordings.page(limit=2, sort="created_at", order="asc", cursor=first.next_cursor)
    assert ([item.notes for item in rest.items], rest.next_cursor) == (["day 2"], None)
    assert [item.notes for item in client.recordings.list(search="Day 1")] == ["day 1"]
    assert [item.notes for item in client.recordings.list(n_leads=2)] == ["day 1"]
    now = datetime.now(UTC)
    recent = client.recordings.list(created_from=now - timedelta(hours=1), created_to=now + timedelta(hours=1))
    assert len(list(recent)) == 3
    assert list(client.recordings.list(analysed=True, urgent=False)) == []


def test_a_change_overwrites_no_other(client, kept):
    changed = client.recordings.change(
        kept.id, notes=None, subject={"age": 64, "facts": {"smoker": None}}, if_match=kept.etag
    )
    assert (changed.notes, changed.subject.age, changed.subject.id) == ("", 64, "P-7")
    assert changed.subject.facts == {"height_cm": 171}
    assert changed.etag != kept.etag
    with pytest.raises(ApiProblem) as caught:
        client.recordings.change(kept.id, name="mine", if_match=kept.etag)
    assert caught.value.problem.code == "changed_meanwhile"


def test_samples_marks_drawings_and_files_of_a_recording(client, kept):
    window = client.recordings.signal(kept.id, leads=("II", "V1"), start_s=1, end_s=2, fs=250)
    assert (window.leads, window.fs, len(window.values[0])) == (["II", "V1"], 250, 250)
    thinned = client.recordings.signal(kept.id, max_points=100)
    assert thinned.decimation is not None
    found = client.analyses.create(kept.id, models=())
    marks = client.recordings.annotations(kept.id, source="analysis", analysis_id=found.id, end_s=3)
    assert [mark.time_s for mark in marks.annotators["beats"]] == pytest.approx(
        [time for time in found.beats.times_s if time < 3]
    )
    assert client.recordings.annotations(kept.id).annotators == {}
    svg = client.recordings.plot_svg(kept.id, layout="strip", speed=50, leads=("II",), overlay=True)
    assert (svg.media_type, svg.content[:5]) == ("image/svg+xml", b"<svg ")
    assert client.recordings.plot_png(kept.id, dpi=72).content.startswith(b"\x89PNG")
    with zipfile.ZipFile(io.BytesIO(client.recordings.file(kept.id).content)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == files_of(make_recording(), "wfdb")
    header = client.recordings.file(kept.id, "ecg.hea")
    assert (header.name, header.content) == ("ecg.hea", files_of(make_recording(), "wfdb")["ecg.hea"])
    exported = client.recordings.export(kept.id, "edf", identity=False)
    assert exported.name == "ecg.edf"
    assert b"P-7" not in exported.content


def test_analyses_are_made_once_listed_given_again_and_deleted(client, kept):
    made = client.analyses.create(kept.id, operating_point="sp95")
    assert made.recording_id == kept.id
    assert client.analyses.create(kept.id, operating_point="sp95").id == made.id
    assert client.analyses.get(made.id) == made
    assert [item.id for item in client.analyses.list(kept.id)] == [made.id]
    client.analyses.delete(made.id)
    assert list(client.analyses.list(kept.id)) == []


def test_cases_can_be_looked_at_and_downloaded(client):
    names = [case.name for case in client.cases.list()]
    assert "atrial_fibrillation" in names
    assert client.cases.get("atrial_fibrillation").planted.rhythm == "af"
    assert client.cases.file("normal", "csv").media_type == "text/csv"
    assert client.cases.plot_svg("normal").media_type == "image/svg+xml"


def test_models_show_their_cards_and_figures(client):
    (latest,) = [model for model in client.models.list(task="heart12") if model.latest]
    shown = client.models.get("heart12", parts=("metrics",))
    assert shown == client.models.get("heart12", latest.version, parts=("metrics",))
    assert shown.metrics
    assert shown.card is None
    assert client.models.card("heart12", latest.version).startswith("#")
    assert client.models.metrics("heart12", latest.version)
    assert all(model.answers for model in client.models.list(answers=True))


def test_a_batch_is_watched_and_read(client):
    files = {f"p{n}/{name}": content for n in range(2) for name, content in files_of(make_recording(seed=n)).items()}
    seen = []
    job = client.jobs.create_batch({**files, "broken.edf": b"0       "}, models=(), age=50)
    job = client.jobs.wait(job.id, timeout_s=60, progress=seen.append)
    assert (job.status, job.done, job.failed) == ("done", 2, 1)
    assert seen[-1] == job
    results = {result.file: result for result in client.jobs.results(job.id)}
    assert results["broken.edf"].error.code == "unknown_format"
    assert results["p0/ecg.npz"].analysis.subject.age == 50
    table = client.jobs.csv(job.id)
    assert (table.name, table.media_type) == (f"job-{job.id}.csv", "text/csv")
    assert table.content.count(b"\n") == 4
    assert [item.id for item in client.jobs.list(kind="batch", status="done")] == [job.id]
    assert client.jobs.cancel(job.id) is None
    with pytest.raises(ApiProblem):
        client.jobs.get(job.id)


def test_a_repeated_batch_under_its_key_is_one_job(client):
    jobs = [client.jobs.create_batch(files_of(make_recording()), idempotency_key="night-17") for _ in range(2)]
    assert jobs[0].id == jobs[1].id
    client.jobs.wait(jobs[0].id, timeout_s=60)
    assert len(list(client.jobs.list())) == 1


def test_models_are_examined_on_the_bundled_set_and_on_labelled_files(client):
    choices = client.evaluation.sets()
    assert "beats" in choices.bundled
    bundled = client.evaluation.bundled(grade="-6dB")
    lost = bundled.lost[0]
    shown = client.evaluation.record(lost.name)
    assert (len(shown.missed_s), len(shown.extra_s)) == (lost.missed, lost.extra)
    rows = "ecg,N\n"
    job = client.evaluation.create(
        files_of(make_recording(("I",), n_samples=5000)), labels=rows.encode(), model="rhythm"
    )
    job = client.jobs.wait(job.id, timeout_s=120)
    assert job.status == "done", job.error
    report = client.evaluation.report(job.id)
    assert (report.model, report.data, report.n) == ("rhythm", "upload", 1)
    with pytest.raises(ApiProblem) as caught:
        next(client.jobs.results(job.id))
    assert caught.value.problem.field == "format"


def test_accounts_sign_in_and_change_and_go(nobody):
    client = nobody.speaking_for(Tokens())
    client.accounts.register("ada.client@example.org", PASSWORD)
    client.accounts.sign_in("ada.client@example.org", PASSWORD)
    assert client.accounts.me().name == "ada.client@example.org"
    script = nobody.speaking_for(Tokens(client.accounts.create_token("script", ["read"], 1).token))
    assert script.accounts.me().scopes == ["read"]
    (token,) = client.accounts.tokens()
    client.accounts.delete_token(token.id)
    with pytest.raises(SignedOut):
        script.accounts.me()
    client.accounts.change_password(PASSWORD, "the cat sat on the other mat")
    assert "signed_in" in {event.action for event in client.accounts.audit(object_kind="account")}
    client.accounts.close("the cat sat on the other mat")
    with pytest.raises(SignedOut):
        client.accounts.me()


def test_a_sign_in_is_renewed_when_it_runs_out_also_in_the_middle_of_a_stream(nobody):
    client = nobody.speaking_for(Tokens())
    client.accounts.register("bob.client@example.org", PASSWORD)
    client.accounts.sign_in("bob.client@example.org", PASSWORD)
    job = client.jobs.create_batch({"broken.edf": b"0       "})
    client.jobs.wait(job.id, timeout_s=60)
    client.tokens.access = "run.out.now"
    assert [result.status for result in client.jobs.results(job.id)] == ["failed"]
    assert client.tokens.access != "run.out.now"
    client.accounts.sign_out()
    with pytest.raises(SignedOut):
        client.accounts.me()


def test_administrators_see_accounts_and_jobs_of_all(service, client):
    admin = Client(service, Tokens(access_token(service, add_account(service, "root.client", "admin"))))
    made = admin.accounts.create_user("eve.client", PASSWORD)
    assert [user.id for user in admin.accounts.users("eve.cl", role="user", is_active=True)] == [made.id]
    assert admin.accounts.change_user(made.id, is_active=False).is_active is False
    job = client.jobs.create_batch({"broken.edf": b"0       "})
    owner_id = client.accounts.me().id
    assert [item.id for item in admin.jobs.list_all(owner_id=owner_id, kind="batch")] == [job.id]
    client.jobs.wait(job.id, timeout_s=60)
    admin.accounts.delete_user(made.id)
    assert list(admin.accounts.users("eve.cl")) == []


def test_the_service_says_how_it_is(service):
    assert Client(service).health_live().status == "ok"
    # The models are loaded soon after the start: until then it says that it is not ready.
    assert Client(service, patience_s=60).health_ready().checks.models.state == "ok"
