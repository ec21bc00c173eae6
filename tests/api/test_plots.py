"""Drawings: of their true size, of what was asked for, and never of more than can be drawn."""

from __future__ import annotations

import io
import re
from xml.etree import ElementTree

import pytest
from PIL import Image

from ecg_core.leads import STANDARD_12
from ecg_core.synthesis import synthesize
from tests.helpers import make_recording
from tests.service import as_upload, as_user, files_of

EIGHT = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")


@pytest.fixture(scope="module")
def owner(anonymous):
    return as_user(anonymous, "owner of plots")


def send(client, recording, **fields) -> str:
    answer = client.post("/recordings", files=as_upload(files_of(recording)), data=fields)
    assert answer.status_code == 201, answer.text
    return f"/recordings/{answer.json()['id']}"


@pytest.fixture(scope="module")
def path(owner) -> str:
    return send(owner, make_recording(n_samples=10_000), subject_id="P-1 <b>")


def svg(client, path, **query) -> tuple[ElementTree.Element, list[str]]:
    answer = client.get(f"{path}/plot.svg", params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/svg+xml"
    root = ElementTree.fromstring(answer.content)  # noqa: S314 - our own
    return root, [item.text or "" for item in root.iter("{http://www.w3.org/2000/svg}text")]


def test_a_drawing_is_on_true_paper_with_all_that_identifies_it(owner, path):
    root, texts = svg(owner, path)
    width = float(root.get("width", "").removesuffix("mm"))
    assert root.get("viewBox", "").split()[2] == f"{width:g}"
    assert width == pytest.approx(10 * 25 + 10 + 16, abs=5)
    assert texts.count("II") == 2
    assert set(STANDARD_12) <= set(texts)
    assert "25 mm/s   10 mm/mV   no filter   500 Hz" in texts
    assert "0.0 to 10.0 s of 20.0 s" in texts
    assert "ecg.npz" in texts
    assert any("P-1 <b>" in text for text in texts)


def test_speed_and_gain_are_those_that_were_asked_for(owner, path):
    root, texts = svg(owner, path, speed=50, gain=20, layout="12x1", length_s=4)
    assert float(root.get("width", "").removesuffix("mm")) == pytest.approx(4 * 50 + 10 + 16, abs=5)
    assert any(text.startswith("50 mm/s   20 mm/mV") for text in texts)


def test_a_later_window_is_drawn_filtered_and_both_are_said(owner, path):
    _, texts = svg(owner, path, start_s=12.5, length_s=5, filter="monitor", leads="V1,II", rhythm_lead="II")
    assert "12.5 to 17.5 s of 20.0 s" in texts
    assert any("0.5-40 Hz" in text for text in texts)
    assert [text for text in texts if text in STANDARD_12] == ["V1", "II"]
    _, texts = svg(owner, path, start_s=15)
    assert "15.0 to 20.0 s of 20.0 s" in texts


def test_eight_leads_are_drawn_as_twelve_with_the_derived_ones_marked(owner):
    path = send(owner, make_recording(EIGHT, seed=5))
    _, texts = svg(owner, path)
    assert {"III*", "aVR*", "aVL*", "aVF*", "V6"} <= set(texts)
    _, texts = svg(owner, path, leads="aVF,V1")
    assert {"aVF*", "V1"} <= set(texts)
    assert "III*" not in texts


def test_few_leads_are_drawn_as_strips(owner):
    _, texts = svg(owner, send(owner, make_recording(("II", "V5"))))
    assert [text for text in texts if text in STANDARD_12] == ["II", "V5"]


def test_without_identity_nobody_can_be_told(owner, path):
    _, texts = svg(owner, path, identity=False)
    written = " ".join(texts)
    for trace in ("P-1", "ecg.npz", "20"):
        assert trace not in re.sub(r"[\d.]+ to [\d.]+ s of [\d.]+ s|25 mm/s.*Hz", "", written)


def test_beats_and_waves_of_an_analysis_are_drawn_along(owner):
    recording = synthesize(seed=3).recording
    path = send(owner, recording)
    bare, _ = svg(owner, path)
    refused = owner.get(f"{path}/plot.svg", params={"overlay": True})
    assert (refused.status_code, refused.json()["code"]) == (404, "not_analysed")
    said = owner.post(f"{path}/analyses").json()
    marked, texts = svg(owner, path, overlay=True)
    assert {"P", "QRS", "T"} <= set(texts)
    strokes = [item.get("stroke") for item in marked.iter("{http://www.w3.org/2000/svg}path")]
    assert {"#2a7f4f", "#1f4e9e", "#9a5b00"} <= set(strokes)
    assert "#2a7f4f" not in {item.get("stroke") for item in bare.iter("{http://www.w3.org/2000/svg}path")}
    by_id, _ = svg(owner, path, analysis_id=said["id"])
    assert ElementTree.tostring(by_id) == ElementTree.tostring(marked)


@pytest.mark.parametrize("dpi", [100, 203.2])
def test_a_png_states_its_resolution_so_that_it_prints_in_its_true_size(owner, path, dpi):
    root, _ = svg(owner, path)
    answer = owner.get(f"{path}/plot.png", params={"dpi": dpi})
    assert answer.status_code == 200, answer.text
    image = Image.open(io.BytesIO(answer.content))
    width = float(root.get("width", "").removesuffix("mm"))
    assert image.format == "PNG"
    assert image.width == pytest.approx(width / 25.4 * dpi, abs=2)
    assert image.info["dpi"][0] == pytest.approx(dpi, rel=0.01)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"speed": 30}, "speed"),
        ({"gain": 0}, "gain"),
        ({"layout": "4x3"}, "layout"),
        ({"leads": "V9"}, "leads"),
        ({"leads": "V1", "layout": "6x2"}, "layout"),
        ({"rhythm_lead": "V9"}, "lead"),
        ({"start_s": 20}, "start_s"),
        ({"length_s": 0}, None),
        ({"length_s": 121}, None),
        ({"filter": "wide"}, None),
        ({"speed": "nan"}, "speed"),
        ({"dpi": 5000}, None),
        ({"dpi": 600, "speed": 50, "length_s": 20}, "dpi"),
    ],
)
def test_what_cannot_be_drawn_is_refused(owner, path, query, field):
    answer = owner.get(f"{path}/plot.png", params=query)
    assert answer.status_code == 422, answer.text
    assert answer.json().get("field") == field


def test_a_drawing_changes_with_what_is_noted_of_the_person(owner):
    path = send(owner, make_recording(("II",), seed=8))
    tag = owner.get(f"{path}/plot.svg").headers["etag"]
    owner.patch(path, json={"name": "Renamed", "subject": {"id": "P-9"}})
    answer = owner.get(f"{path}/plot.svg", headers={"If-None-Match": tag})
    assert answer.status_code == 200
    assert "Renamed" in answer.text
    assert "P-9" in answer.text
