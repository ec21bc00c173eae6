"""Loading a model: nothing is used that is not what its manifest says."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from ecg_core import artefacts
from ecg_core.artefacts import load_artefact, load_model, record_hash
from ecg_core.errors import ModelError
from ecg_core.quality.unacceptable import UnacceptableModel
from ecg_core.readers import READERS
from ecg_core.reading import read
from ecg_core.recording import Recording, Source
from tests.helpers import make_recording, with_gap
from training.artefact import write_artefact

MANIFEST = {
    "name": "toy",
    "version": "1",
    "title": 'A "toy"',
    "task": "toy",
    "labels": ["ä"],
    "inputs": {"least_fs": 100.0},
    "preprocessing": [{"name": "select", "parameters": {"leads": ["II"]}}],
    "training_data": [],
}


@pytest.fixture
def toy(tmp_path, monkeypatch) -> Path:
    monkeypatch.setitem(artefacts.RUNNERS._items, "toy", lambda _, recording: {"mean": np.nanmean(recording.signal)})
    return write_artefact(tmp_path, MANIFEST, {"weights.json": b"[1]", "records.json": b'{"ludb": ["x"]}'}, [])


def test_a_written_model_is_read_as_it_was_stated(toy):
    model = load_artefact(toy)
    assert {key: model.manifest[key] for key in MANIFEST} == MANIFEST
    assert model.json("weights.json") == [1]
    assert [(step.name, dict(step.parameters)) for step in model.preprocessing] == [("select", {"leads": ["II"]})]
    assert model.trained_on("ludb") == {"x"}
    assert model.trained_on("ptbxl") == frozenset()


def test_a_model_is_read_once_and_again_when_its_manifest_changes(toy):
    first = load_artefact(toy)
    assert load_artefact(toy) is first
    os.utime(toy / "manifest.toml", ns=(1, 1))
    assert load_artefact(toy) is not first


def test_an_altered_file_is_refused(toy):
    (toy / "weights.json").write_bytes(b"[2]")
    with pytest.raises(ModelError, match=r"weights\.json: a file of the model is not what its manifest says"):
        load_artefact(toy)


def test_a_missing_file_is_refused(toy):
    (toy / "weights.json").unlink()
    with pytest.raises(ModelError, match=r"weights\.json: a file of the model cannot be read"):
        load_artefact(toy)


def test_a_manifest_cannot_name_a_file_elsewhere(toy):
    path = toy / "manifest.toml"
    path.write_text(path.read_text().replace('"weights.json"', '"../secret"'))
    with pytest.raises(ModelError, match="own folder"):
        load_artefact(toy)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda text: text.replace('title = "A', 'titel = "A'), "incomplete; expected: title"),
        (lambda text: text.replace('version = "1"', 'version = "2"'), "does not bear the model's name; found: toy/2"),
        (lambda _: "name = ", "cannot be read"),
    ],
)
def test_a_manifest_that_is_not_right_is_refused(toy, change, sentence):
    path = toy / "manifest.toml"
    path.write_text(change(path.read_text()))
    with pytest.raises(ModelError, match=sentence):
        load_artefact(toy)


def test_a_folder_without_manifest_is_no_model(tmp_path):
    with pytest.raises(ModelError, match="is no model"):
        load_artefact(tmp_path)


def test_a_file_that_the_model_has_not_is_named(toy):
    with pytest.raises(ModelError, match=r"found: other\.json; options: golden\.npz, records\.json, weights\.json"):
        load_artefact(toy).json("other.json")


def test_a_model_that_lacks_what_its_code_needs_is_refused(toy):
    (toy / "weights.json").write_text(json.dumps({"features": []}))
    folder = write_artefact(toy.parents[1], MANIFEST, {"weights.json": b'{"features": []}'}, [])
    with pytest.raises(ModelError, match="lacks what this model needs"):
        UnacceptableModel(load_artefact(folder))


def test_a_second_writing_replaces_the_first_and_leaves_nothing_else(toy):
    write_artefact(toy.parents[1], MANIFEST, {"weights.json": b"[3]"}, [make_recording()])
    assert load_artefact(toy).json("weights.json") == [3]
    assert sorted(path.name for path in toy.iterdir()) == ["golden.npz", "manifest.toml", "weights.json"]
    assert [path.name for path in toy.parents[1].iterdir()] == ["toy"]


def test_shipped_quality_model_is_found_by_name():
    assert load_model("quality").name == "quality"


# --- the hash of what was recorded ----------------------------------------------------------------------------------


def test_a_record_has_one_hash_in_every_format():
    base = make_recording(n_samples=1000)
    coarse = Recording(np.rint(base.signal.astype(np.float64) / 0.005) * 0.005, base.fs, base.leads)
    hashes = set()
    for name in ("wfdb", "hdf5", "npz", "csv"):
        files = READERS[name].write(coarse, "x")
        hashes.add(record_hash(read(files)))
    assert hashes == {record_hash(coarse)}


def test_recordings_without_signal_are_told_apart_by_name():
    dead = [
        Recording(np.full((2, 100), 5.0), 500, ("I", "II"), source=Source(format_, name, "0"))
        for format_, name in (("wfdb", "1.hea"), ("cinc2011-text", "1.txt"), ("wfdb", "2.hea"))
    ]
    hashes = [record_hash(recording) for recording in dead]
    assert hashes[0] == hashes[1] != hashes[2]


def test_order_of_leads_and_other_facts_do_not_change_the_hash():
    base = with_gap(make_recording())
    turned = base.select(tuple(reversed(base.leads))).with_warnings("turned")
    assert record_hash(turned) == record_hash(base)


def test_another_sample_lead_gap_or_rate_is_another_record():
    base = make_recording()
    moved = np.array(base.signal)
    moved[3, 7] += 0.005
    others = [
        Recording(moved, base.fs, base.leads),
        Recording(base.signal, base.fs * 2, base.leads),
        Recording(base.signal[:, :-1], base.fs, base.leads),
        base.select(base.leads[:-1]),
        with_gap(base),
    ]
    assert len({record_hash(other) for other in (base, *others)}) == 6
