"""The page is measured with a ruler, and read as a reader of PDF reads it."""

from __future__ import annotations

import copy
import io
import re
import shutil
import subprocess

import numpy as np
import pypdfium2
import pytest
from PIL import Image

from ecg_core.errors import InvalidValue
from ecg_core.explain import Segment
from ecg_core.recording import Recording
from ecg_core.report import words
from ecg_core.report.document import PAGES_MM, to_report
from ecg_core.report.explanation import rows_of
from tests.helpers import make_recording
from tests.report.conftest import figures_by_hand

MM = 72 / 25.4
PEN = 0.25
"""Width of the pen, in mm, which counts to the bounds on either side."""


def text_of(pdf: bytes, at: int = 0) -> str:
    page = pypdfium2.PdfDocument(pdf)[at]
    return " ".join(page.get_textpage().get_text_range().split())


def paths_of(pdf: bytes, at: int = 0) -> np.ndarray:
    """Return left, bottom, right, top in mm of every path of a page."""
    page = pypdfium2.PdfDocument(pdf)[at]
    return np.array([item.get_bounds() for item in page.get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_PATH])]) / MM


@pytest.mark.parametrize("page", PAGES_MM)
def test_the_page_is_one_sheet_of_its_size_and_small(said, page):
    pdf = to_report(*said, page=page)
    document = pypdfium2.PdfDocument(pdf)
    assert len(document) == 1
    assert np.array(document[0].get_size()) / MM == pytest.approx(PAGES_MM[page], abs=0.01)
    assert len(pdf) < 300_000
    assert not list(document[0].get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_IMAGE])), "all is lines and letters"


def test_the_same_analysis_gives_the_same_bytes(normal, explained):
    assert to_report(*normal) == to_report(*normal)
    assert to_report(*normal, explanation=explained()) == to_report(*normal, explanation=explained())


@pytest.mark.parametrize("at", [0, 1])
def test_the_calibration_pulse_and_the_tracing_measure_what_they_say(normal, explained, at):
    """1 mV is 10 mm, 10 s are 250 mm, within half a percent, on both pages."""
    edges = paths_of(to_report(*normal, explanation=explained()), at)
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
        if item["kind"] != "risk":
            assert " ".join(item["text"].split()) in text
        for grounds in item["evidence"]:
            assert " ".join(grounds.split()) in text
    for line in (*words.af_risk(analysis), *words.quality(analysis)):
        assert " ".join(line.split()) in text
    assert words.person(analysis) in text
    assert f"sha256 {analysis['recording']['sha256'][:16]}" in text
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


def test_a_recording_of_one_lead_goes_on_in_strips_beneath_each_other(normal):
    recording = make_recording(("II",), n_samples=14_000)
    text = text_of(to_report(normal[0], recording))
    for part in ("0.0 to 10.0 s", "10.0 to 20.0 s", "20.0 to 28.0 s"):
        assert f"{part} of 28.0 s" in text


def test_no_wave_is_cut_at_the_edge_of_the_paper(normal):
    analysis, recording = normal
    signal = recording.signal.copy()
    signal[recording.leads.index("V4"), 4000:4050] = 2.4
    text = text_of(to_report(analysis, Recording(signal, recording.fs, recording.leads)))
    assert "25 mm/s 10 mm/mV" in text, "rows move together"
    signal[recording.leads.index("V4"), 4000:4050] = 7.0
    assert "25 mm/s 5 mm/mV" in text_of(to_report(analysis, Recording(signal, recording.fs, recording.leads)))


@pytest.mark.parametrize("page", PAGES_MM)
def test_an_explanation_is_a_second_page_as_small_and_as_vector_as_the_first(said, explained, page):
    pdf = to_report(*said, page=page, explanation=explained())
    document = pypdfium2.PdfDocument(pdf)
    assert len(document) == 2
    assert len(pdf) < 300_000
    for sheet in document:
        assert np.array(sheet.get_size()) / MM == pytest.approx(PAGES_MM[page], abs=0.01)
        assert not list(sheet.get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_IMAGE]))


def test_the_second_page_says_why_and_how_that_was_found(infarction, explained):
    explanation = explained()
    first, second = (text_of(to_report(*infarction, explanation=explanation), at) for at in (0, 1))
    assert "Page 1 of 2" in first
    assert "Page" not in text_of(to_report(*infarction))
    for text in (
        "Page 2 of 2",
        "Why: Infarct pattern (probability 82 %)",
        explanation["sentence"],
        "speaks for: Infarct pattern (bar above)",
        "speaks against (bar below)",
        "Integrated gradients",
        "heart12 1.0.0, superclass.MI",
        explanation["model"]["sha256"],
        "The age is not stated: an adult is assumed.",
        "25 mm/s 10 mm/mV",
        words.person(infarction[0]),
        words.NOTICE,
        words.UNCONFIRMED,
    ):
        assert text in second
    for row in rows_of(explanation):
        assert row.name in second
        if row.value is not None and not row.total:
            assert f"{row.value:+.2f}" in second


def test_figures_are_explained_without_a_tracing(infarction):
    pdf = to_report(*infarction, explanation=figures_by_hand())
    second = text_of(pdf, 1)
    assert "QRS duration: 142 ms" in second
    assert "mm/mV" not in second


def test_what_explains_far_too_much_still_is_one_page(normal, explained):
    many = tuple(Segment(lead, "st", 0.5) for lead in ("I", "II", "V1", "V2") * 20)
    hostile = explained(title="<b>&" + "x" * 300, sentence="word " * 2000, cautions=("note " * 300,) * 9, segments=many)
    assert len(pypdfium2.PdfDocument(to_report(*normal, explanation=hostile))) == 2


needs_poppler = pytest.mark.skipif(
    shutil.which("pdftotext") is None or shutil.which("pdftoppm") is None, reason="poppler is not installed"
)


@needs_poppler
def test_poppler_opens_it_and_finds_its_text(infarction, explained, tmp_path):
    path = tmp_path / "report.pdf"
    path.write_bytes(to_report(*infarction, explanation=explained()))
    found = subprocess.run(["pdftotext", "-layout", path, "-"], capture_output=True, check=True, text=True)
    assert not found.stderr
    first, second, _ = found.stdout.split("\f")
    assert re.search(r"Heart rate\s+\d+ /min", first)
    assert re.search(r"V3, ST segment\s+\+2\.00\s", second)


@needs_poppler
@pytest.mark.parametrize("at", [1, 2])
@pytest.mark.parametrize("page", PAGES_MM)
def test_a_ruler_on_popplers_page_measures_the_grid(infarction, explained, tmp_path, page, at):
    """The paper is 260 mm long, for the pulse and 10 s, and its heavy lines are 5 mm apart, within half a percent."""
    path = tmp_path / "report.pdf"
    path.write_bytes(to_report(*infarction, page=page, explanation=explained()))
    dots = 8
    command = ["pdftoppm", "-r", f"{dots * 25.4}", "-gray", "-f", str(at), "-l", str(at), path]
    image = np.asarray(Image.open(io.BytesIO(subprocess.run(command, capture_output=True, check=True).stdout)))
    rows = np.flatnonzero((image < 250).mean(axis=1) > 0.8)
    chart = image[rows[0] : rows[-1] + 1]
    columns = np.flatnonzero(np.median(chart, axis=0) < 205)
    assert (columns[-1] - columns[0]) / dots == pytest.approx(260, rel=0.005)
    lines = np.array([group.mean() for group in np.split(columns, np.flatnonzero(np.diff(columns) > 2) + 1)]) / dots
    assert np.median(np.diff(lines)) == pytest.approx(5, rel=0.005)
