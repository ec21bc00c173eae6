from __future__ import annotations

import socket

import httpx
import pytest

from api.schemas import NOTICE
from dashboard.client import ApiProblem, ApiUnreachable, Client, connect
from tests.helpers import make_recording
from tests.service import files_of


def test_a_prediction_is_typed(client):
    found = client.predict(files_of(make_recording(), "wfdb"), age=71, signal=True)
    assert found.beats.heart_rate.bpm == pytest.approx(75, abs=1)
    assert found.subject.age == 71
    assert len(found.signal.values) == len(found.signal.leads) == 12
    assert found.notice == NOTICE


def test_what_is_known_and_chosen_reaches_the_service(client):
    files = files_of(make_recording(("II",)))
    found = client.predict(files, facts={"height_cm": "171", "smoker": "no"}, models=[], operating_point="sp95")
    assert found.subject.facts == {"height_cm": 171, "smoker": False}
    assert found.provenance.settings["operating_point"] == "sp95"
    with pytest.raises(ApiProblem) as caught:
        client.predict(files, facts={"height_cm": "17"})
    assert caught.value.problem.field == "height_cm"


def test_the_service_describes_itself(client):
    assert "wfdb" in [item.name for item in client.info().formats]


def test_a_refusal_carries_the_problem(client):
    with pytest.raises(ApiProblem, match=r"a\.pdf") as caught:
        client.predict({"a.pdf": b"%PDF"})
    assert (caught.value.problem.code, caught.value.problem.status) == ("unknown_format", 415)


def test_what_the_file_leaves_out_can_be_stated(client):
    rows = "\n".join(f"{value:.4f}" for value in make_recording(("II",)).signal[0])
    files = {"a.csv": f"II\n{rows}\n".encode()}
    with pytest.raises(ApiProblem) as caught:
        client.predict(files)
    assert caught.value.problem.code == "needs_option"
    assert client.predict(files, fs=500, units="mV").recording.fs == 500


def test_nobody_at_the_address_is_said_so():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as transport, pytest.raises(ApiUnreachable, match=str(port)):
        Client(transport).info()


@pytest.mark.parametrize(
    "answer",
    [httpx.Response(200, html="<p>hello"), httpx.Response(502, text="Bad gateway"), httpx.Response(200, json={})],
)
def test_somebody_else_at_the_address_is_said_so(answer):
    transport = httpx.Client(base_url="http://elsewhere", transport=httpx.MockTransport(lambda _: answer))
    with transport, pytest.raises(ApiUnreachable, match="not an answer of this API"):
        Client(transport).info()


def test_the_address_is_a_setting(monkeypatch):
    monkeypatch.setenv("EINTHOVEN_API_URL", "http://ecg.example:9000/")
    assert connect().url == "http://ecg.example:9000"
