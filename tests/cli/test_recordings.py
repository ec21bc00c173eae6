from __future__ import annotations

import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest
from typer.testing import CliRunner

from cli.main import app
from ecg_core.readers import READERS
from ecg_core.reading import read
from tests.helpers import assert_same_signal, make_recording


@pytest.fixture
def run():
    runner = CliRunner()

    def call(*arguments: object):
        return runner.invoke(app, [str(argument) for argument in arguments])

    return call


@pytest.fixture
def recording():
    return make_recording(n_samples=5000)


def put(folder, files: dict[str, bytes]):
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder / next(iter(files))


def test_info_as_json_says_what_the_file_holds(run, tmp_path, recording):
    path = put(tmp_path, READERS["wfdb"].write(recording, "one"))
    result = run("info", path, "--json")
    assert result.exit_code == 0
    facts = json.loads(result.stdout)
    assert {"format", "fs", "leads", "n_samples", "start", "subject", "sha256", "warnings"} <= set(facts)
    assert facts["format"] == "wfdb"
    assert facts["fs"] == 500
    assert facts["leads"] == list(recording.leads)
    assert facts["n_samples"] == 5000
    assert facts["start"] == "2021-03-04T05:06:07"
    assert facts["subject"]["sex"] == "female"


def test_info_for_people_shows_leads_and_notes(run, tmp_path, recording):
    path = put(tmp_path, READERS["npz"].write(recording, "one"))
    text = run("info", path).stdout
    assert "12: I, II, III, aVR" in text
    assert "units:" in text


def test_files_of_one_recording_are_shown_once(run, tmp_path, recording):
    put(tmp_path, READERS["wfdb"].write(recording, "one"))
    result = run("info", tmp_path / "one.dat", tmp_path / "one.hea", "--json")
    assert [row["name"] for row in json.loads(result.stdout)] == ["one.hea"]


def test_archive_of_many_gives_an_array_with_errors_as_rows(run, tmp_path, recording):
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        for stem in ("a", "b"):
            for name, data in READERS["wfdb"].write(recording, stem).items():
                archive.writestr(name, data)
        archive.writestr("c.edf", b"0       not an EDF")
    result = run("info", tmp_path / "many.zip", "--json")
    rows = json.loads(result.stdout)
    assert [row["file"] for row in rows] == ["a.hea", "b.hea", "c.edf"]
    assert rows[2]["error"]["file"] == "c.edf"
    assert result.exit_code == 2


def test_unreadable_file_is_one_sentence_and_exit_code_2(run, tmp_path):
    (tmp_path / "x.bin").write_bytes(b"\1\2\3 nothing")
    for command in (
        ("info", tmp_path / "x.bin"),
        ("info", tmp_path / "missing.edf"),
        ("convert", tmp_path / "x.bin", "--to", "edf"),
        ("plot", tmp_path / "x.bin", "-o", tmp_path / "x.svg"),
    ):
        result = run(*command)
        assert result.exit_code == 2
        assert result.stdout == ""
        assert result.stderr.startswith("ecg: ")
        assert result.stderr.count("\n") == 1
        assert "Traceback" not in result.output


@pytest.mark.parametrize("to", sorted(name for name, reader in READERS.items() if reader.write))
def test_convert_to_every_format_and_back(run, tmp_path, recording, to):
    path = put(tmp_path, READERS["npz"].write(recording, "one"))
    result = run("convert", path, "--to", to, "-o", tmp_path / "out", "--json")
    assert result.exit_code == 0, result.stderr
    written = json.loads(result.stdout)["files"]
    back = read(written[0])
    assert back.source.format == to
    assert_same_signal(back, recording)


def test_convert_to_npz_holds_signal_rate_and_leads(run, tmp_path, recording):
    path = put(tmp_path, READERS["wfdb"].write(recording, "one"))
    assert run("convert", path, "--to", "npz", "-o", tmp_path / "x.npz").exit_code == 0
    with np.load(tmp_path / "x.npz") as file:
        assert file["signal"].dtype == np.float32
        assert file["signal"].shape == (12, 5000)
        assert float(file["fs"]) == 500
        assert [str(name) for name in file["leads"]] == list(recording.leads)


def test_convert_does_not_replace_a_file_unless_told(run, tmp_path, recording):
    path = put(tmp_path, READERS["npz"].write(recording, "one"))
    assert run("convert", path, "--to", "csv", "-o", tmp_path / "x.csv").exit_code == 0
    again = run("convert", path, "--to", "csv", "-o", tmp_path / "x.csv")
    assert again.exit_code == 2
    assert "exists already" in again.stderr
    assert run("convert", path, "--to", "csv", "-o", tmp_path / "x.csv", "--force").exit_code == 0


def test_convert_can_derive_and_resample(run, tmp_path):
    leads = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
    path = put(tmp_path, READERS["npz"].write(make_recording(leads, n_samples=5000), "one"))
    out = tmp_path / "x.npz"
    assert run("convert", path, "--to", "npz", "-o", out, "--derive", "--rate", 100).exit_code == 0
    back = read(out)
    assert (back.fs, back.n_samples, back.n_leads) == (100, 1000, 12)


def test_unknown_format_lists_the_choices(run, tmp_path, recording):
    path = put(tmp_path, READERS["npz"].write(recording, "one"))
    result = run("convert", path, "--to", "edff")
    assert result.exit_code == 2
    assert "did you mean 'edf'" in result.stderr


def test_rate_can_be_said_for_a_file_that_does_not(run, tmp_path):
    np.save(tmp_path / "x.npy", make_recording(("II",)).signal)
    assert "--fs" in run("info", tmp_path / "x.npy").stderr
    facts = json.loads(run("info", tmp_path / "x.npy", "--fs", 250, "--leads", "V5", "--json").stdout)
    assert (facts["fs"], facts["leads"]) == (250, ["V5"])


@pytest.mark.parametrize(("kind", "magic"), [("svg", b"<svg"), ("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_plot_writes_each_kind_of_picture(run, tmp_path, recording, kind, magic):
    path = put(tmp_path, READERS["npz"].write(recording, "one"))
    out = tmp_path / f"x.{kind}"
    result = run("plot", path, "-o", out, "--filter", "monitor")
    assert result.exit_code == 0, result.stderr
    assert out.read_bytes().startswith(magic)


def test_plot_of_eight_leads_derives_the_others_and_marks_them(run, tmp_path):
    leads = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
    path = put(tmp_path, READERS["npz"].write(make_recording(leads, n_samples=5000), "one"))
    assert run("plot", path, "-o", tmp_path / "x.svg").exit_code == 0
    assert "aVF*" in (tmp_path / "x.svg").read_text()


@pytest.mark.parametrize(("option", "value"), [("--filter", "strong"), ("--speed", 30), ("--layout", "4x4")])
def test_plot_names_the_choices(run, tmp_path, recording, option, value):
    path = put(tmp_path, READERS["npz"].write(recording, "one"))
    result = run("plot", path, "-o", tmp_path / "x.svg", option, value)
    assert result.exit_code == 2
    assert "options:" in result.stderr
    assert not (tmp_path / "x.svg").exists()


def test_help_imports_nothing_heavy():
    code = (
        "import sys, cli.main\n"
        "heavy = {'numpy', 'scipy', 'h5py', 'wfdb', 'pydicom', 'matplotlib', 'fastapi', 'streamlit', 'uvicorn'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"


def test_reading_a_text_format_imports_only_what_it_needs(tmp_path, recording):
    put(tmp_path, READERS["csv"].write(recording, "one"))
    code = (
        "import sys; from ecg_core.reading import read\n"
        f"read({str(tmp_path / 'one.csv')!r})\n"
        "print(sorted({'scipy.signal', 'h5py', 'wfdb', 'pydicom', 'edfio', 'matplotlib', 'pandas'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"


@pytest.mark.parametrize(
    "command",
    ["analyze", "models", "info", "convert", "plot", "synth", "data", "beats", "rhythm", "measure", "evaluate", "train",
     "serve", "dashboard", "up"],
)  # fmt: skip
def test_every_command_has_help_with_an_example(run, command):
    text = run(command, "--help").output
    assert "Usage:" in text
    assert "Examples" in text
