from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from cli.main import app
from ecg_core.synthesis import bundled_cases
from tests.service import files_of

MI = ("--label", "MI")


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    ((name, content),) = files_of(bundled_cases()["left_ventricular_hypertrophy"].synthesize().recording).items()
    path = tmp_path_factory.mktemp("explain") / name
    path.write_bytes(content)
    return path


def run(*arguments: object):
    return CliRunner().invoke(app, ["explain", *map(str, arguments)])


def test_the_sentence_and_what_adds_most_are_printed(recording):
    result = run(recording, *MI)
    assert result.exit_code == 0, result.output
    assert "Why: Infarct pattern (probability" in result.output
    assert "sum: the answer" in result.output
    assert "not a medical device" in result.output
    assert max(map(len, result.output.splitlines()[2:-4])) <= 80


@pytest.mark.parametrize(("kind", "start"), [("svg", b"<svg "), ("png", b"\x89PNG"), ("pdf", b"%PDF-")])
def test_it_is_drawn_in_each_format(recording, tmp_path, kind, start):
    out = tmp_path / f"why.{kind}"
    result = run(recording, *MI, "--method", "activation", "-o", out)
    assert result.exit_code == 0, result.output
    assert out.read_bytes().startswith(start)


def test_json_holds_parts_that_sum_to_the_answer(recording, tmp_path):
    out = tmp_path / "why.json"
    assert run(recording, *MI, "--model", "tabular", "--age", 71, "-o", out).exit_code == 0
    found = json.loads(out.read_text())
    assert (found["label"], found["method"]) == ("superclass.MI", "shap")
    assert found["base"] + sum(item["added"] for item in found["figures"]) == pytest.approx(found["answer"])
    printed = json.loads(run(recording, *MI, "--method", "activation", "--json").output)
    assert printed["file"] == recording.name


def test_without_a_label_the_most_notable_answer_is_explained_and_named(recording):
    result = run(recording, "--method", "activation")
    assert result.exit_code == 0, result.output
    assert "is explained: the most notable answer" in result.stderr


def test_what_can_be_explained_is_listed_the_called_first(recording):
    rows = json.loads(run(recording, "--list", "--json").output)
    assert {"superclass.MI", "age.years"} <= {row["label"] for row in rows}
    listed = run(recording, "--list").output.splitlines()
    called = [" yes " in line for line in listed if "%" in line]
    assert called == sorted(called, reverse=True)
    assert "methods  shap, occlusion, gradients, activation" in listed


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--label", "XX"), "superclass.MI"),
        ((*MI, "--method", "tea"), "shap, occlusion, gradients, activation"),
        ((*MI, "--model", "tabular", "--method", "gradients"), "shap"),
        ((*MI, "--model", "beats"), "heart12"),
        ((*MI, "-o", "why.docx"), ".svg, .png, .pdf, .json"),
    ],
)
def test_what_cannot_be_explained_is_refused_with_what_can(recording, arguments, says):
    result = run(recording, *arguments)
    assert result.exit_code == 2
    assert says in result.stderr


def test_a_picture_that_exists_is_not_replaced_unasked(recording, tmp_path):
    out = tmp_path / "why.svg"
    out.write_text("mine")
    assert run(recording, *MI, "--method", "activation", "-o", out).exit_code == 2
    assert out.read_text() == "mine"


def test_of_leads_that_no_model_reads_nothing_is_explained(tmp_path):
    case = bundled_cases()["normal"].synthesize().recording.select(["V6"])
    ((name, content),) = files_of(case).items()
    (tmp_path / name).write_bytes(content)
    result = run(tmp_path / name)
    assert result.exit_code == 2
    assert "reads one of these sets of leads" in result.stderr
