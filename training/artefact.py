"""Writing an artefact: the same bytes for the same model, and in place only once it is whole."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ecg_core import __version__
from ecg_core.artefacts import MANIFEST, RECORDS, RUNNERS, load_artefact
from ecg_core.datasets import DATASETS
from ecg_core.guests.store import to_toml
from ecg_core.recording import Recording
from training.heart12_text import to_text

GOLDEN, METRICS, CARD = "golden.npz", "metrics.json", "card.md"
STEP_MV = 0.005
"""Golden signals are kept in these steps, as int16; `NOT_RECORDED` stands for NaN."""
NOT_RECORDED = -(1 << 15)


def write_artefact(
    out: Path, manifest: Mapping[str, Any], files: Mapping[str, bytes], golden: Sequence[Recording]
) -> Path:
    """Write a model into ``out``/name/version, replacing it, and return that folder.

    Parameters
    ----------
    manifest
        Without ``files``, which is added; keys with tables last.
    files
        Everything but the manifest and the golden vectors.
    golden
        Recordings on which the finished model is run, by `RUNNERS`, for the golden vectors.
    """
    name, version = manifest["name"], manifest["version"]
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=f".{name}-") as scratch:
        folder = Path(scratch) / name / version
        folder.mkdir(parents=True)
        _write(folder, manifest, files)
        stored = [_stored(recording) for recording in golden]
        runs = [RUNNERS[manifest["task"]](load_artefact(folder), read_golden(item)) for item in stored]
        golden_file = _pack(stored, runs)
        _write(folder, manifest, {**files, GOLDEN: golden_file})
        final: Path = out / name / version
        final.parent.mkdir(exist_ok=True)
        if final.exists():
            shutil.rmtree(final)
        folder.rename(final)
    return final


def add_metrics(folder: Path, found: Mapping[str, Any]) -> Path:
    """Add to what was measured of a model that stands in ``folder``, and write its card anew; weights stay as they are.

    Keys of ``metrics.json`` that are in ``found`` are replaced, the others kept. The manifest's checksums follow, and
    so does the model's own, which is that of the manifest.
    """
    from training.cards import renewed

    manifest = tomllib.loads((folder / MANIFEST).read_text("utf-8"))
    sums = manifest.pop("files")
    files = {name: (folder / name).read_bytes() for name in sums}
    metrics = {**json.loads(files[METRICS]), **found}
    changed = {METRICS: (to_text(metrics) + "\n").encode(), CARD: renewed(manifest, files, metrics).encode()}
    sums |= {name: hashlib.sha256(content).hexdigest() for name, content in changed.items()}
    for name, content in {**changed, MANIFEST: to_toml({**manifest, "files": sums}).encode()}.items():
        part = folder.parent / f".{folder.name}.{name}"
        part.write_bytes(content)
        part.replace(folder / name)
    return folder


def software() -> dict[str, str]:
    """Return what made a model: name, version and, in a checkout, the commit of the code."""
    found = {"name": "einthoven", "version": __version__}
    if git := shutil.which("git"):
        command = [git, "rev-parse", "HEAD"]
        done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False)  # noqa: S603 - no input of others
        if done.returncode == 0:
            found["commit"] = done.stdout.strip()
    return found


def to_json(value: Any) -> bytes:
    """Return readable JSON that is the same for the same value; NaN is refused."""
    return (json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def records_file(trained_on: Mapping[str, Sequence[str]]) -> tuple[str, bytes]:
    """Return name and content of the list of record hashes by data set."""
    return RECORDS, to_json({data: sorted(hashes) for data, hashes in trained_on.items()})


def data_entry(data: str, n: int) -> dict[str, Any]:
    """Return what a manifest states about a data set that ``n`` records were taken from."""
    about = DATASETS[data]
    return {
        "name": data,
        "title": about.title,
        "page": about.page,
        "licence": about.licence,
        "citation": about.citation,
        "n": n,
        "records": RECORDS,
    }


def read_golden(stored: Mapping[str, Any]) -> Recording:
    """Return a recording as the golden vectors hold it: signal, fs, leads."""
    steps = np.asarray(stored["signal"])
    signal = np.where(steps == NOT_RECORDED, np.nan, steps * np.float64(STEP_MV))
    return Recording(signal, float(stored["fs"]), tuple(str(name) for name in stored["leads"]))


def _write(folder: Path, manifest: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        (folder / name).write_bytes(content)
    sums = {name: hashlib.sha256(files[name]).hexdigest() for name in sorted(files)}
    (folder / MANIFEST).write_text(to_toml({**manifest, "files": sums}), "utf-8")


def _stored(recording: Recording) -> dict[str, Any]:
    steps = np.rint(recording.signal.astype(np.float64) / STEP_MV)
    steps = np.where(np.isnan(steps), NOT_RECORDED, np.clip(steps, NOT_RECORDED + 1, -NOT_RECORDED - 1))
    return {"signal": steps.astype(np.int16), "fs": np.float64(recording.fs), "leads": np.array(recording.leads)}


def _pack(stored: Sequence[Mapping[str, Any]], runs: Sequence[Mapping[str, np.ndarray]]) -> bytes:
    """Return ``<number>.signal``, ``.fs``, ``.leads`` and ``<number>.out.<output>`` of every recording as npz."""
    arrays: dict[str, Any] = {}
    for number, (item, outputs) in enumerate(zip(stored, runs, strict=True)):
        arrays |= {f"{number}.{name}": value for name, value in item.items()}
        arrays |= {f"{number}.out.{name}": value for name, value in outputs.items()}
    packed = io.BytesIO()
    np.savez_compressed(packed, **arrays)
    return packed.getvalue()
