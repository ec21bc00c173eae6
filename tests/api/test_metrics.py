from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families
from pydantic import ValidationError

from api.settings import Settings
from api.tables import Job
from ecg_core.synthesis import synthesize
from tests.api.test_errors import problem_of
from tests.service import as_upload, as_user, bearer, files_of, running_app, runtime_of

TOKEN = "scrape-0123456789"


def figures(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Return every figure by its name and labels."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.fixture(scope="module")
def scraped():
    with running_app(metrics_token=TOKEN) as client:
        yield client


def scrape(client) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    answer = client.get("/metrics", headers=bearer(TOKEN))
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return figures(answer.text)


def of_route(found, name: str, **labels: str) -> float:
    return found.get((name, tuple(sorted(labels.items()))), 0.0)


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({}, 401, "not_authenticated"),
        (bearer("scrape-012345678"), 401, "invalid_token"),
        (bearer("ümlaut".encode().decode("latin-1")), 401, "invalid_token"),
    ],
)
def test_nobody_else_sees_the_figures(scraped, headers, status, code):
    headers = {name: value.encode("latin-1") for name, value in headers.items()}
    answer = scraped.get("/metrics", headers=headers)
    assert (answer.status_code, problem_of(answer).code) == (status, code)


def test_an_account_sees_them_only_as_an_administrator(scraped):
    assert problem_of(as_user(scraped, "curious").get("/metrics")).code == "not_an_admin"
    assert as_user(scraped, "root", role="admin").get("/metrics").status_code == 200


def test_without_a_token_in_the_settings_none_opens_them(anonymous):
    assert anonymous.get("/metrics", headers=bearer("")).status_code == 401
    assert anonymous.get("/metrics", headers=bearer("None")).status_code == 401


@pytest.mark.parametrize("token", ["", "short"])
def test_a_token_that_is_soon_guessed_is_no_setting(token):
    with pytest.raises(ValidationError, match="metrics_token"):
        Settings(metrics_token=token)


def test_requests_are_counted_by_route_and_status(scraped):
    before = scrape(scraped)
    for path in ("/info", "/info?a=1", "/analyses/1", "/nowhere", "/nowhere/else"):
        scraped.get(path)
    scraped.post("/login", content=b"x" * 1_100_000)
    after = scrape(scraped)

    def more(name: str, **labels: str) -> float:
        return of_route(after, name, **labels) - of_route(before, name, **labels)

    assert more("einthoven_requests_total", method="GET", route="/info", status="200") == 2
    assert more("einthoven_requests_total", method="GET", route="/analyses/{analysis_id}", status="401") == 1
    assert more("einthoven_requests_total", method="GET", route="unknown", status="404") == 2
    assert more("einthoven_requests_total", method="POST", route="/login", status="413") == 1
    assert more("einthoven_request_seconds_count", method="GET", route="/info") == 2
    assert more("einthoven_request_seconds_sum", method="GET", route="/info") > 0
    assert not [labels for _, labels in after if "nowhere" in str(labels)]


def test_analyses_and_models_are_timed(scraped):
    before = scrape(scraped)
    answer = as_user(scraped, "timed").post("/predict", files=as_upload(files_of(synthesize(seed=4).recording)))
    assert answer.status_code == 200
    after = scrape(scraped)
    assert of_route(after, "einthoven_analysis_seconds_count") > of_route(before, "einthoven_analysis_seconds_count")
    assert of_route(after, "einthoven_analysis_batch_size_sum") > of_route(before, "einthoven_analysis_batch_size_sum")
    assert of_route(after, "einthoven_analyses_waiting") == 0
    run = [dict(labels) for name, labels in after if name == "einthoven_model_seconds_count"]
    heart12 = answer.json()["provenance"]["models"]["heart12"]
    assert {"model": "heart12", "version": heart12["version"], "graph": "network.onnx"} in run
    assert {labels["model"] for labels in run} >= set(answer.json()["provenance"]["models"]) - {"quality"}


def test_jobs_are_counted_by_their_status(scraped):
    owner_id = as_user(scraped, "busy").get("/me").json()["id"]
    before = of_route(scrape(scraped), "einthoven_jobs", status="done")
    with runtime_of(scraped).database.write() as session:
        session.add(Job(owner_id=owner_id, kind="batch", status="done", parameters={}))
    found = scrape(scraped)
    assert of_route(found, "einthoven_jobs", status="done") == before + 1
    assert of_route(found, "einthoven_jobs", status="running") == 0


def test_the_process_says_what_it_takes(scraped):
    found = scrape(scraped)
    assert of_route(found, "process_resident_memory_bytes") > 1e7
    assert of_route(found, "process_cpu_seconds_total") > 0
    assert [labels for name, labels in found if name == "einthoven_build"]
