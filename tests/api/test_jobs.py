"""Jobs over HTTP: listed, cancelled, deleted. Nothing works them here, so that they stay as they are put."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import update
from starlette.testclient import TestClient

from api.jobs.engine import JobEngine
from api.schemas import JobDetails, JobPage
from api.tables import Job, JobItem, now
from tests.databases import new_database
from tests.jobs.workshop import several
from tests.service import as_upload, as_user, running_app, runtime_of


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def idle(request: pytest.FixtureRequest) -> Iterator[TestClient]:
    """A service whose jobs nobody works."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JobEngine, "__enter__", lambda engine: engine)
        patch.setattr(JobEngine, "__exit__", lambda *_: None)
        with new_database(request.param) as settings, running_app(**settings) as client:
            yield client


@pytest.fixture
def eve(idle: TestClient, request: pytest.FixtureRequest) -> TestClient:
    return as_user(idle, f"eve {request.node.nodeid}"[-200:])


def send(client: TestClient, count: int = 1) -> str:
    return str(client.post("/batches", files=as_upload(several(count))).json()["id"])


def change(client: TestClient, job_id: str, **values: object) -> None:
    with runtime_of(client).database.write() as session:
        session.execute(update(Job).where(Job.id == job_id).values(values))


def test_jobs_are_listed_by_page_the_newest_first(eve):
    sent = [send(eve) for _ in range(5)]
    seen: list[str] = []
    asked = {"limit": "2"}
    while True:
        page = JobPage.model_validate(eve.get("/jobs", params=asked).json())
        seen += [job.id for job in page.items]
        if page.next_cursor is None:
            break
        asked["cursor"] = page.next_cursor
    assert seen == sent[::-1]
    assert eve.get("/jobs", params={"cursor": "none of ours"}).status_code == 422


def test_jobs_are_found_by_status_and_kind(eve):
    first, second = send(eve), send(eve)
    change(eve, first, status="done")
    for wanted, found in (
        ({"status": "done"}, [first]),
        ({"status": "queued"}, [second]),
        ({"kind": "batch"}, [second, first]),
        ({"kind": "evaluation"}, []),
    ):
        assert [job["id"] for job in eve.get("/jobs", params=wanted).json()["items"]] == found
    assert eve.get("/jobs", params={"status": "lost"}).status_code == 422


def test_a_job_that_waits_is_cancelled_at_once_and_then_deleted(eve):
    job_id = send(eve)
    answer = eve.delete(f"/jobs/{job_id}")
    assert (answer.status_code, answer.json()["status"]) == (202, "cancelled")
    assert eve.delete(f"/jobs/{job_id}").status_code == 204
    assert eve.get(f"/jobs/{job_id}").status_code == 404


def test_a_job_that_is_worked_is_asked_to_end_as_often_as_one_likes(eve):
    job_id = send(eve)
    change(eve, job_id, status="running", worker="somebody", lease_until=now() + timedelta(hours=1))
    for _ in range(2):
        answer = eve.delete(f"/jobs/{job_id}")
        assert (answer.status_code, answer.json()["status"], answer.json()["cancel_asked"]) == (202, "running", True)


def test_the_time_left_is_told_once_there_is_ground_for_it(eve):
    job_id = send(eve)
    items = [
        {"position": at, "name": f"{at}.csv", "status": "done" if at < 10 else "waiting", "tries": 1}
        for at in range(30)
    ]
    began = now() - timedelta(seconds=100)
    with runtime_of(eve).database.write() as session:
        for item in items:
            ended_at = began + timedelta(seconds=2 * item["position"]) if item["status"] == "done" else None
            session.add(JobItem(job_id=job_id, finished_at=ended_at, **item))

    def left() -> int | None:
        return JobDetails.model_validate(eve.get(f"/jobs/{job_id}").json()).seconds_left

    change(eve, job_id, status="running", total=30, done=10, lease_until=now() + timedelta(hours=1))
    assert left() == 40
    # Nobody works on it: it may take any time.
    change(eve, job_id, lease_until=now() - timedelta(seconds=1))
    assert left() is None
    with runtime_of(eve).database.write() as session:
        session.execute(update(JobItem).where(JobItem.position > 3).values(finished_at=None))
    change(eve, job_id, lease_until=now() + timedelta(hours=1), done=4)
    assert left() is None


def test_an_evaluation_has_no_results_before_it_is_done_and_no_lines(eve):
    job_id = send(eve)
    change(eve, job_id, kind="evaluation")
    early = eve.get(f"/jobs/{job_id}/results")
    assert (early.status_code, early.json()["code"], early.json()["found"]) == (409, "no_results", "queued")
    change(eve, job_id, status="done", result={"model": "beats"})
    assert eve.get(f"/jobs/{job_id}/results").json() == {"model": "beats"}
    lines = eve.get(f"/jobs/{job_id}/results", params={"format": "csv"})
    assert (lines.status_code, lines.json()["code"]) == (422, "invalid_value")


def test_results_of_a_batch_that_waits_are_empty(eve):
    job_id = send(eve)
    assert eve.get(f"/jobs/{job_id}/results").text == ""
    assert eve.get(f"/jobs/{job_id}/results", params={"format": "csv"}).text.count("\n") == 1


def test_a_token_that_may_only_read_can_follow_a_job_and_not_cancel_it(eve):
    job_id = send(eve)
    token = eve.post("/tokens", json={"name": "watch", "scopes": ["read"]}).json()["token"]
    reader = TestClient(eve.app, headers={"Authorization": f"Bearer {token}"})
    assert reader.get(f"/jobs/{job_id}").status_code == 200
    assert reader.get(f"/jobs/{job_id}/results").status_code == 200
    assert reader.delete(f"/jobs/{job_id}").status_code == 403
    assert reader.post("/batches", files=as_upload(several(1))).status_code == 403
