"""Running a guest: ONNX graphs here, Keras files and SavedModels in the process of their own."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np

from ecg_core.artefacts import Artefact, sha256_of
from ecg_core.engine import Network, network_of
from ecg_core.errors import ModelError
from ecg_core.guests.keras_process import ModelFile, keras_process

Engine = Literal["onnx", "keras", "saved_model"]
SUFFIXES: Mapping[str, Engine] = {".onnx": "onnx", ".keras": "keras", ".h5": "keras", ".hdf5": "keras"}
PACKED = ".zip"
"""A SavedModel is a folder; it is kept as one file."""
_MARK = "saved_model.pb"
_THEN = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, eq=False)
class Guest:
    """A weights file that can be run."""

    path: Path
    engine: Engine
    sha256: str
    label: str
    """Its name in errors."""
    input_name: str | None = None
    artefact: Artefact | None = None
    """The model that was added, whose graph is shared with whoever else runs it; None of a file on its own."""

    def run(self, batch: np.ndarray) -> dict[str, np.ndarray]:
        """Return the outputs by name for float32 records, shape (n_records, ...)."""
        if self.engine != "onnx":
            file = ModelFile(self.path, self.sha256, self.engine, self.label, self.input_name)
            return dict(keras_process().run(file, batch).outputs)
        network = self._network
        name = self.input_name or network.inputs[0]
        if network.inputs != (name,):
            raise ModelError(
                "has other inputs than its manifest names", file=self.label, found=name, options=network.inputs
            )
        try:
            return network({name: batch})
        except Exception as error:  # ONNX Runtime's errors have no common class but Exception.
            raise ModelError(
                "cannot be run on what its manifest states",
                file=self.label,
                found=" ".join(str(error).split()),
                expected=f"an input of shape {list(batch.shape[1:])}",
            ) from error

    @cached_property
    def _network(self) -> Network:
        if self.artefact is not None:
            return network_of(self.artefact, self.path.name)
        return Network(self.path.read_bytes(), self.label)


def open_guest(path: Path, input_name: str | None = None) -> Guest:
    """Return the guest in a file that a user names.

    Raises
    ------
    ModelError
        There is no such file, or it is of no kind that can be run.
    """
    engine = SUFFIXES.get(path.suffix.lower())
    if engine is None or not path.is_file():
        there = path.exists()
        raise ModelError(
            "no model of a kind that can be run" if there else "there is no such file",
            file=str(path),
            found=path.suffix or "a folder" if there else None,
            options=(*SUFFIXES, "a SavedModel's folder") if there else (),
        )
    return Guest(path, engine, sha256_of(path), path.name, input_name)


def is_saved_model(path: Path) -> bool:
    """Return whether a path is the folder of a SavedModel."""
    return (path / _MARK).is_file()


def pack_saved_model(folder: Path) -> bytes:
    """Return the folder of a SavedModel as one zip file, the same for the same content."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as out:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                out.writestr(zipfile.ZipInfo(path.relative_to(folder).as_posix(), _THEN), path.read_bytes())
    return packed.getvalue()


def guest_of(artefact: Artefact, input_name: str | None) -> Guest:
    """Return the guest of an added model."""
    manifest, weights = artefact.manifest, artefact.manifest["weights"]
    label = f"{artefact.name}/{artefact.version}"
    sha256 = manifest["files"][weights]
    return Guest(artefact.path / weights, manifest["engine"], sha256, label, input_name, artefact)
