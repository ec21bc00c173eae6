"""``ecg data`` as a user meets it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.data import app
from ecg_core.datasets import DATASETS

NOISE = "{0} 1 360 4\n{0}.dat 16 200(0)/mV 16 0 0 0 0 noise1\n"


def make_nstdb(folder: Path) -> None:
    """Write the noise records with the publisher's kind of checksums beside them."""
    folder.mkdir(parents=True)
    sums = []
    for record in ("bw", "em", "ma"):
        for name, data in ((f"{record}.hea", NOISE.format(record).encode()), (f"{record}.dat", bytes(8))):
            (folder / name).write_bytes(data)
            sums.append(f"{hashlib.sha256(data).hexdigest()} {name}")
    (folder / "SHA256SUMS.txt").write_text("\n".join(sums) + "\n")


def test_list_shows_every_set_and_which_are_here(tmp_path: Path) -> None:
    make_nstdb(tmp_path / "nstdb")
    result = CliRunner().invoke(app, ["list", "--root", str(tmp_path), "--json"])
    assert result.exit_code == 0
    rows = {row["name"]: row for row in json.loads(result.stdout)["datasets"]}
    assert set(rows) == set(DATASETS)
    assert [name for name, row in rows.items() if row["installed"]] == ["bundled", "nstdb"]
    assert rows["nstdb"]["files"] == 7
    assert rows["ptbxl"]["bytes"] is None
    text = CliRunner().invoke(app, ["list", "--root", str(tmp_path)], env={"COLUMNS": "200"}).stdout
    assert all(dataset.licence in text and dataset.page in text for dataset in DATASETS.values())


def test_get_of_a_whole_set_fetches_nothing_and_verify_agrees(tmp_path: Path) -> None:
    make_nstdb(tmp_path / "nstdb")
    got = CliRunner().invoke(app, ["get", "nstdb", "--root", str(tmp_path), "--json"])
    assert (got.exit_code, json.loads(got.stdout)["ok"], json.loads(got.stdout)["fetched"]) == (0, 6, 0)
    verified = CliRunner().invoke(app, ["verify", "--root", str(tmp_path), "--json"])
    assert verified.exit_code == 0
    assert [report["ok"] for report in json.loads(verified.stdout)] == [6]


def test_verify_names_what_is_damaged_and_missing_with_exit_code_1(tmp_path: Path) -> None:
    make_nstdb(tmp_path / "nstdb")
    (tmp_path / "nstdb/bw.dat").write_bytes(b"changed!")
    (tmp_path / "nstdb/em.dat").unlink()
    result = CliRunner().invoke(app, ["verify", "nstdb", "--root", str(tmp_path)])
    assert result.exit_code == 1
    assert "4 files as published, 1 missing, 1 damaged" in result.stdout
    assert "missing  em.dat" in result.stdout
    assert "damaged  bw.dat" in result.stdout


def test_verify_without_checksums_claims_nothing(tmp_path: Path) -> None:
    make_nstdb(tmp_path / "nstdb")
    (tmp_path / "nstdb/SHA256SUMS.txt").unlink()
    result = CliRunner().invoke(app, ["verify", "--root", str(tmp_path)])
    assert result.exit_code == 0
    assert result.stdout == "nstdb: not verified: no SHA256SUMS.txt in the folder\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["get", "ptbxxl"], "no such data set, did you mean 'ptbxl'?"),
        (["verify", "mitdb"], "the data set mitdb (MIT-BIH Arrhythmia Database) is not here"),
        (["get", "cpsc2019"], "cannot be downloaded by a program"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_with_exit_code_2(
    tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    result = CliRunner().invoke(app, [*arguments, "--root", str(tmp_path)])
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert "Traceback" not in result.output


def test_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    result = CliRunner().invoke(app, ["get", "nstdb", "--root", str(tmp_path / "file")])
    assert result.exit_code == 2
    assert "the disk refuses" in result.stderr


@pytest.mark.parametrize("command", ["list", "get", "verify"])
def test_help_gives_examples(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert f"ecg data {command}" in result.stdout
