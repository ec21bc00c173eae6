"""What the client does where the service is busy, starts, or is cut off in the middle."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from api.schemas import NotReady
from dashboard.client import ApiProblem, ApiUnreachable, Client, SignedOut
from dashboard.client.forms import path_of

JOB = {
    "id": "j", "kind": "batch", "status": "queued", "total": 0, "done": 0, "failed": 0, "message": None,
    "cancel_asked": False, "error": None, "parameters": {}, "created_at": "2026-03-01T12:00:00Z", "started_at": None,
    "finished_at": None,
}  # fmt: skip
LIVE = {"status": "ok"}


def problem(status: int, code: str, after: str | None = None, **more: Any) -> httpx.Response:
    body = {"type": code, "title": code, "status": status, "code": code, "detail": code, **more}
    return httpx.Response(status, json=body, headers={} if after is None else {"Retry-After": after})


class Service:
    """Answers with one thing after the other; the last it says again and again."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        request.read()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def keys(self) -> list[str | None]:
        return [request.headers.get("idempotency-key") for request in self.requests]


Waited = list[float]


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> Waited:
    """Seconds waited; nobody waits in truth, and the clock goes on by just these."""
    found: Waited = []
    monkeypatch.setattr("dashboard.client.http.sleep", found.append)
    monkeypatch.setattr("dashboard.client.http.monotonic", lambda: sum(found))
    return found


@pytest.fixture
def speak() -> Callable[..., Client]:
    def speak(service: Service, patience_s: float = 0.0) -> Client:
        transport = httpx.Client(base_url="http://ecg.example", transport=httpx.MockTransport(service))
        return Client(transport, patience_s=patience_s)

    return speak


@pytest.mark.parametrize(("status", "code"), [(429, "too_many_requests"), (503, "busy")])
def test_who_is_patient_comes_again_when_the_service_says_so(speak, waited, status, code):
    service = Service(problem(status, code, "5"), problem(status, code, "2"), httpx.Response(200, json=LIVE))
    assert speak(service, 60).health_live().status == "ok"
    assert waited == [5, 2]


def test_who_is_not_is_refused_at_once(speak, waited):
    service = Service(problem(503, "busy", "5"))
    with pytest.raises(ApiProblem, match="busy"):
        speak(service).health_live()
    assert (len(service.requests), waited) == (1, [])


def test_patience_ends(speak, waited):
    with pytest.raises(ApiProblem, match="busy"):
        speak(Service(problem(503, "busy", "5")), 12).health_live()
    assert waited == [5, 5]


@pytest.mark.parametrize("answer", [problem(503, "not_ready"), problem(500, "internal_error", "1")])
def test_what_does_not_say_when_to_come_again_is_a_refusal(speak, waited, answer):
    with pytest.raises(ApiProblem):
        speak(Service(answer), 60).health_live()
    assert waited == []


def test_a_service_that_is_not_there_yet_is_waited_for(speak, waited):
    service = Service(httpx.ConnectError("refused"), httpx.ConnectError("refused"), httpx.Response(200, json=LIVE))
    assert speak(service, 60).health_live().status == "ok"
    assert len(waited) == 2


def test_an_upload_that_was_cut_off_is_sent_again_under_the_same_key_with_the_same_files(speak, waited):
    service = Service(
        httpx.ReadError("reset"), problem(409, "idempotency_in_progress", "2"), httpx.Response(202, json=JOB)
    )
    job = speak(service, 60).jobs.create_batch({"study.zip": io.BytesIO(b"all of it")})
    assert job.id == "j"
    assert len(service.requests) == 3
    assert len(set(service.keys)) == 1
    assert service.keys[0]
    assert all(b"all of it" in request.content for request in service.requests)


def test_two_uploads_have_two_keys_and_a_chosen_key_is_kept(speak):
    service = Service(httpx.Response(202, json=JOB))
    jobs = speak(service, 60).jobs
    jobs.create_batch({"a.zip": b"a"})
    jobs.create_batch({"a.zip": b"a"})
    jobs.create_batch({"a.zip": b"a"}, idempotency_key="night-17")
    assert len(set(service.keys)) == 3
    assert service.keys[2] == "night-17"


def test_without_patience_nothing_is_sent_again_and_nothing_has_a_key(speak):
    service = Service(httpx.ReadError("reset"))
    with pytest.raises(ApiUnreachable, match="reset"):
        speak(service).jobs.create_batch({"a.zip": b"a"})
    assert service.keys == [None]


def test_what_may_have_been_done_already_is_not_done_again(speak):
    service = Service(httpx.ReadError("reset"))
    with pytest.raises(ApiUnreachable, match="reset"):
        speak(service, 60).recordings.delete("r")
    assert len(service.requests) == 1


def test_a_service_that_is_not_ready_says_which_part(speak):
    ok = {"state": "ok", "reason": None}
    checks = {"database": ok, "store": ok, "models": {"state": "starting", "reason": "being loaded"}}
    with pytest.raises(ApiProblem) as caught:
        speak(Service(problem(503, "not_ready", "5", checks=checks))).health_ready()
    assert isinstance(caught.value.problem, NotReady)
    assert caught.value.problem.checks.models.state == "starting"


def test_results_are_taken_line_by_line_and_a_stream_that_breaks_is_said_so(speak):
    line = b'{"position": 0, "file": "a\\u2028\xe2\x80\xa8b.edf", "status": "cancelled", "error": null,'
    line += b' "recording_id": null, "analysis": null}\n'

    class Stream(httpx.SyncByteStream):
        def __iter__(self):
            yield line[:20]
            yield line[20:]
            raise httpx.ReadError("reset")

    results = speak(Service(httpx.Response(200, stream=Stream()))).jobs.results("j")
    assert next(results).file == "a\u2028\u2028b.edf"
    with pytest.raises(ApiUnreachable, match="reset"):
        next(results)


def test_a_refusal_to_stream_is_a_refusal(speak):
    with pytest.raises(ApiProblem, match="not_found"):
        next(speak(Service(problem(404, "not_found"))).jobs.results("j"))


def test_ids_lead_nowhere_else():
    assert path_of("recordings", "../users?x=1#", "file") == "/recordings/..%2Fusers%3Fx%3D1%23/file"


def test_files_are_called_as_the_service_calls_them(speak):
    disposition = "attachment; filename=\"a_b.edf\"; filename*=UTF-8''%C3%A4%20b.edf"
    headers = {"Content-Disposition": disposition, "Content-Type": "application/octet-stream"}
    found = speak(Service(httpx.Response(200, content=b"edf", headers=headers))).cases.file("normal")
    assert (found.name, found.media_type, found.content) == ("ä b.edf", "application/octet-stream", b"edf")


def test_a_job_that_goes_on_too_long_is_waited_for_no_more(speak, monkeypatch):
    monkeypatch.setattr("dashboard.client.jobs.sleep", lambda _seconds: None)
    going = {**JOB, "status": "running", "total": 9, "done": 4, "failed": 1, "seconds_left": None, "errors": []}
    ended = {**going, "status": "done"}
    seen: list[int] = []
    service = Service(httpx.Response(200, json=going), httpx.Response(200, json=ended))
    assert speak(service).jobs.wait("j", progress=lambda job: seen.append(job.done)).status == "done"
    assert seen == [4, 4]
    with pytest.raises(TimeoutError, match="5 of 9"):
        speak(Service(httpx.Response(200, json=going))).jobs.wait("j", timeout_s=0)


def test_a_sign_in_that_cannot_be_renewed_just_now_is_kept(speak):
    ended = problem(401, "invalid_token")
    client = speak(Service(ended, problem(503, "busy", "5"), ended, problem(401, "invalid_token")))
    client.tokens.access, client.tokens.refresh = "old", "good"
    with pytest.raises(ApiProblem, match="busy"):
        client.info()
    assert client.tokens.refresh == "good"
    with pytest.raises(SignedOut):
        client.info()
    assert client.tokens.refresh is None
