from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from cli.main import app
from ecg_core.reading import read
from ecg_core.synthesis import NOISES, RHYTHMS, SHAPES, bundled_cases


def run(*arguments: object):
    return CliRunner().invoke(app, ["synth", *map(str, arguments)])


@pytest.mark.parametrize("ending", ["hea", "edf", "csv", "npz", "dcm"])
def test_ending_chooses_the_format(tmp_path, ending):
    assert run("-o", tmp_path / f"x.{ending}").exit_code == 0
    assert read(tmp_path / f"x.{ending}").n_leads == 12


def test_same_seed_gives_the_same_file(tmp_path):
    for name in ("a", "b"):
        assert run("--rhythm", "af", "--seed", 7, "-o", tmp_path / f"{name}.csv").exit_code == 0
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_truth_is_written_beside_it(tmp_path):
    result = run("--set", "qrs_axis_deg=-45", "-o", tmp_path / "x.edf", "--truth", tmp_path / "t.json", "--json")
    assert result.exit_code == 0, result.stderr
    truth = json.loads((tmp_path / "t.json").read_text())
    assert json.loads(result.stdout)["truth"] == truth
    assert truth["rhythm"] == "sinus"


def test_list_names_everything_there_is():
    listed = json.loads(run("--list", "--json").stdout)
    assert listed == {
        "rhythms": list(RHYTHMS),
        "shapes": list(SHAPES),
        "noises": list(NOISES),
        "cases": list(bundled_cases()),
    }


def test_every_case_can_be_written(tmp_path):
    for name in bundled_cases():
        assert run("--case", name, "-o", tmp_path / f"{name}.npz").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--rhythm", "afib"), "options:"),
        (("--shape", "lbb"), "did you mean 'lbbb'"),
        (("--set", "qrs_axis_deg"), "NAME=VALUE"),
        (("--set", "nothing=1"), "no such option"),
        (("--case", "x"), "no such case"),
    ],
)
def test_mistakes_are_one_sentence_with_the_choices(tmp_path, arguments, says):
    result = run(*arguments, "-o", tmp_path / "x.csv")
    assert result.exit_code == 2
    assert says in result.stderr
    assert not (tmp_path / "x.csv").exists()


def test_unknown_ending_lists_those_there_are(tmp_path):
    result = run("-o", tmp_path / "x.gif")
    assert result.exit_code == 2
    assert ".edf" in result.stderr
