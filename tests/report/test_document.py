"""The page is measured with a ruler, and read as a reader of PDF reads it."""

from __future__ import annotations

import copy
import re
import shutil
import subprocess

import numpy as np
import pypdfium2
import pytest

from ecg_core.errors import InvalidValue
from ecg_core.recording import Recording
from ecg_core.report import words
from ecg_core.report.document import PAGES_MM, to_report
from tests.helpers import make_recording

MM = 72 / 25.4
PEN = 0.25
"""Width of the pen, in mm, which counts to the bounds on either side."""


def text_of(pdf: bytes) -> str:
    page = pypdfium2.PdfDocument(pdf)[0]
    return " ".join(page.get_textpage().get_text_range().split())


def paths_of(pdf: bytes) -> np.ndarray:
    """Return left, bottom, right, top in mm of every path of the page."""
    page = pypdfium2.PdfDocument(pdf)[0]
    return np.array([item.get_bounds() for item in page.get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_PATH])]) / MM


@pytest.mark.parametrize("page", PAGES_MM)
def test_the_page_is_one_sheet_of_its_size_and_small(said, page):
    pdf = to_report(*said, page=page)
    document = pypdfium2.PdfDocument(pdf)
    assert len(document) == 1
    assert np.array(document[0].get_size()) / MM == pytest.approx(PAGES_MM[page], abs=0.01)
    assert len(pdf) < 300_000
    assert not list(document[0].get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_IMAGE])), "all is lines and letters"


def test_the_same_analysis_gives_the_same_bytes(normal):
    assert to_report(*normal) == to_report(*normal)


def test_the_calibration_pulse_and_the_tracing_measure_what_they_say(normal):
    """1 mV is 10 mm, 10 s are 250 mm, within half a percent."""
    edges = paths_of(to_report(*normal))
    width, height = (edges[:, 2:] - edges[:, :2] - 2 * PEN).T
    pulses = (abs(width - 8) < 0.5) & (abs(height - 10) < 0.5)
    assert pulses.sum() == 4
    assert height[pulses] == pytest.approx(10, rel=0.005)
    assert width[(height > 1) & (height < 40)].max() == pytest.approx(250, rel=0.005), "ten seconds of the strip"


def test_all_that_matters_is_on_it(said):
    analysis, _ = said
    text = text_of(to_report(*said, notes="Seen in the ward."))
    assert words.UNCONFIRMED in text
    assert words.NOTICE in text
    assert "Seen in the ward." in text
    assert "Confirmed by (name, signature, date)" in text
    assert "25 mm/s 10 mm/mV" in text or "25 mm/s 5 mm/mV" in text
    for name, value, *_ in words.measured(analysis):
        assert f"{name} {value}" in text
    for model in words.models(analysis):
        assert model in text
    for item in analysis["findings"]:
        assert " ".join(item["text"].split()) in text
    if any(item["kind"] == "urgent" for item in analysis["findings"]):
        assert "CRITICAL BY RULE" in text


def test_a_figure_that_could_not_be_had_is_a_dash_with_its_reason():
    from tests.report.conftest import _said

    text = text_of(to_report(*_said("atrial_fibrillation")))
    assert "PR -" in text
    assert "there is no P wave to measure" in text


def test_a_tall_tracing_is_drawn_at_half_the_gain_and_says_so(normal):
    analysis, recording = normal
    tall = Recording(recording.signal * 3, recording.fs, recording.leads)
    assert "25 mm/s 5 mm/mV" in text_of(to_report(analysis, tall))


@pytest.mark.parametrize("leads", [("II",), ("I", "II", "V1"), tuple(f"ECG{n}" for n in range(15))])
def test_any_leads_fit_the_page(normal, leads):
    analysis, _ = normal
    pdf = to_report(analysis, make_recording(leads))
    assert len(pypdfium2.PdfDocument(pdf)) == 1


def test_a_page_that_says_far_too_much_still_is_one_page(normal):
    analysis = copy.deepcopy(normal[0])
    analysis["findings"] = analysis["findings"] * 40
    analysis["subject"]["id"] = "<b>&" + "x" * 300
    pdf = to_report(analysis, normal[1], notes="word " * 4000)
    assert len(pypdfium2.PdfDocument(pdf)) == 1


def test_another_sheet_is_refused_with_those_that_there_are(normal):
    with pytest.raises(InvalidValue, match="letter"):
        to_report(*normal, page="a5")


@pytest.mark.skipif(shutil.which("pdftotext") is None, reason="poppler (pdftotext) is not installed")
def test_poppler_opens_it_and_finds_its_text(infarction, tmp_path):
    path = tmp_path / "report.pdf"
    path.write_bytes(to_report(*infarction))
    found = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, check=True, text=True)
    assert not found.stderr
    assert re.search(r"Heart rate\s+\d+ /min", found.stdout)
