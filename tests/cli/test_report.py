from __future__ import annotations

import json

import pypdfium2
import pytest
from typer.testing import CliRunner

from cli.main import app
from ecg_core.synthesis import bundled_cases
from tests.helpers import make_recording
from tests.service import files_of


@pytest.fixture
def recording(tmp_path):
    ((name, content),) = files_of(make_recording()).items()
    path = tmp_path / name
    path.write_bytes(content)
    return path


def run(*arguments: object):
    return CliRunner().invoke(app, ["report", *map(str, arguments)])


@pytest.mark.parametrize(("kind", "start"), [("pdf", b"%PDF-"), ("txt", b"ECG REPORT"), ("json", b"{")])
def test_a_report_is_written_in_each_form(recording, tmp_path, kind, start):
    out = tmp_path / f"out.{kind}"
    result = run(recording, "-o", out, "--age", 71, "--sex", "female", "--height", "1.6m", "--notes", "Seen.")
    assert result.exit_code == 0, result.output
    assert out.read_bytes().startswith(start)


def test_what_is_stated_is_on_it(recording, tmp_path):
    out = tmp_path / "out.json"
    run(recording, "-o", out, "--sex", "female")
    kinds = {entry["resource"]["resourceType"]: entry["resource"] for entry in json.loads(out.read_text())["entry"]}
    assert kinds["Patient"]["gender"] == "female"
    assert kinds["DiagnosticReport"]["presentedForm"]


def test_another_ending_is_refused_before_anything_is_read(tmp_path):
    result = run(tmp_path / "absent.npz", "-o", tmp_path / "out.docx")
    assert result.exit_code == 2
    assert ".pdf" in result.output


def test_a_report_that_exists_is_not_replaced_unasked(recording, tmp_path):
    out = tmp_path / "out.txt"
    out.write_text("mine")
    assert run(recording, "-o", out).exit_code != 0
    assert out.read_text() == "mine"


@pytest.fixture(scope="module")
def hypertrophy(tmp_path_factory):
    ((name, content),) = files_of(bundled_cases()["left_ventricular_hypertrophy"].synthesize().recording).items()
    path = tmp_path_factory.mktemp("report") / name
    path.write_bytes(content)
    return path


def pages(path) -> int:
    return len(pypdfium2.PdfDocument(path.read_bytes()))


@pytest.mark.parametrize(("options", "n"), [(("--explain", "none"), 1), (("--explain", "MI"), 2)])
def test_a_second_page_tells_why_where_it_is_asked_for(hypertrophy, tmp_path, options, n):
    out = tmp_path / "out.pdf"
    result = run(hypertrophy, "-o", out, "--method", "activation", *options)
    assert result.exit_code == 0, result.output
    assert pages(out) == n


def test_unasked_what_is_most_notable_is_explained(hypertrophy, tmp_path):
    out = tmp_path / "out.txt"
    assert run(hypertrophy, "-o", out, "--method", "activation").exit_code == 0
    assert "WHY: " in out.read_text()


def test_where_nothing_is_notable_there_is_one_page(tmp_path):
    poor = bundled_cases()["poor_quality"].synthesize().recording
    ((name, content),) = files_of(poor).items()
    (tmp_path / name).write_bytes(content)
    assert run(tmp_path / name, "-o", tmp_path / "out.pdf").exit_code == 0
    assert pages(tmp_path / "out.pdf") == 1


def test_a_label_that_there_is_not_is_refused(hypertrophy, tmp_path):
    result = run(hypertrophy, "-o", tmp_path / "out.pdf", "--explain", "XX")
    assert result.exit_code == 2
    assert "superclass.MI" in result.stderr
