"""Where models live: those that ship with Einthoven, and those that a user added.

A model is a folder ``<name>/<version>/`` with a ``manifest.toml``. The shipped ones lie in ``models/`` of a checkout,
or inside the installed package; a user's in the folder that ``EINTHOVEN_MODELS`` names, else in the user's data folder.

The manifest lists every other file of the folder with its sha256, and nothing is used before it was compared. Which
records a model was trained on stands in ``records.json``, data set by data set, each record by its `record_hash`.

A user's models are added and removed by `ecg_core.guests`.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs

from ecg_core.errors import DuplicateName, ModelError, UnknownName
from ecg_core.recording import Recording, Step
from ecg_core.registry import Registry

MANIFEST = "manifest.toml"
RECORDS = "records.json"
REQUIRED = ("name", "version", "title", "task", "inputs", "preprocessing", "labels", "training_data", "files")
"""What every manifest states; the rest is the business of the code that uses the model."""
LARGE = 32 * 1024**2
"""Bytes from which a file of a model is not kept in memory, but read when it is asked for."""
_KEPT = 16
_CHUNK = 1 << 20
_STEPS_PER_MV = 1000
_SETTLED_NS = 1_000_000_000
_NOT_RECORDED = -(1 << 62)


@dataclass(frozen=True)
class ModelFolder:
    """One version of one model, on disk."""

    name: str
    version: str
    path: Path


@dataclass(frozen=True, eq=False)
class Artefact:
    """A model, read whole and compared with its checksums."""

    name: str
    version: str
    path: Path
    manifest: Mapping[str, Any]
    sha256: str
    """Of the manifest, and so of all that it lists."""
    files: Mapping[str, bytes]
    """Content of every file that the manifest lists; of one from `LARGE` on, read anew and compared each time."""

    @property
    def preprocessing(self) -> tuple[Step, ...]:
        """What `ecg_core.preprocess.replay` does with a recording before the model reads it."""
        return tuple(Step(step["name"], step["parameters"]) for step in self.manifest["preprocessing"])

    def json(self, name: str) -> Any:
        """Return the content of one JSON file."""
        if name not in self.files:
            raise ModelError("the model has no such file", file=str(self.path), found=name, options=self.files)
        try:
            return json.loads(self.files[name])
        except ValueError as error:
            raise ModelError("is not JSON", file=str(self.path / name), found=error) from error

    def trained_on(self, data: str) -> frozenset[str]:
        """Return the hashes of the records of the data set ``data`` that the model has seen."""
        return frozenset(self.json(RECORDS).get(data, ())) if RECORDS in self.files else frozenset()


Runner = Callable[[Artefact, Recording], Mapping[str, np.ndarray]]
"""(model, recording) -> its outputs by name, as its golden vectors hold them; NaN where it declines."""

RUNNERS: Registry[Runner] = Registry("task of a model")
"""How the models of a task (the manifest's ``task``) are run, whatever they are."""


def user_models() -> Path:
    """Return the folder of user-added models (it need not exist)."""
    chosen = os.environ.get("EINTHOVEN_MODELS")
    return Path(chosen) if chosen else _users_own(os.environ.get("HOME"), os.environ.get("XDG_DATA_HOME"))


@lru_cache(4)
def _users_own(*_environment: str | None) -> Path:
    return platformdirs.user_data_path("einthoven") / "models"


def shipped_models() -> Path:
    """Return the folder of the models that came with Einthoven."""
    package = Path(__file__).parent
    installed = package / "_models"
    return installed if installed.is_dir() else package.parent / "models"


def list_models() -> list[ModelFolder]:
    """Return every model version, by name and then version.

    Raises
    ------
    DuplicateName
        A user's model has the name and version of a shipped one, so that a name would not say which is meant.
    """
    roots = (shipped_models(), user_models())
    held = _listed.get(roots)
    if held is None or any(_changed(path) != when for path, when in held[0].items()):
        looked = time.time_ns()
        times = {path: _changed(path) for root in roots for path in (root, *root.glob("*"), *root.glob("*/*"))}
        held = times, _list(roots)
        # Clocks of file systems are coarse: what has just changed may change again unseen.
        if max(times.values()) < looked - _SETTLED_NS:
            _listed[roots] = held
    return list(held[1])


_listed: dict[tuple[Path, ...], tuple[dict[Path, int], tuple[ModelFolder, ...]]] = {}
"""What `list_models` found, and when the folders that it looked into had last been changed."""


def _list(roots: tuple[Path, ...]) -> tuple[ModelFolder, ...]:
    found: dict[tuple[str, str], ModelFolder] = {}
    for root in roots:
        for manifest in sorted(root.glob(f"*/*/{MANIFEST}")):
            folder = manifest.parent
            key = (folder.parent.name, folder.name)
            if key in found:
                raise DuplicateName(
                    "a model of this name and version exists already", file=str(folder), found=found[key].path
                )
            found[key] = ModelFolder(*key, folder)
    return tuple(found[key] for key in sorted(found))


def _changed(path: Path) -> int:
    """Return when a folder was last changed, 0 where there is none."""
    try:
        return os.stat(path).st_mtime_ns  # noqa: PTH116 - a third of the time, and this is done a hundred times a second
    except OSError:
        return 0


def find_model(name: str, version: str | None = None) -> ModelFolder:
    """Return one model, in its highest version unless one is named."""
    models = list_models()
    matching = [model for model in models if model.name == name and version in (None, model.version)]
    if not matching:
        wanted = name if version is None else f"{name}/{version}"
        raise UnknownName(
            "no such model", field="model", found=wanted, options=[f"{m.name}/{m.version}" for m in models]
        )
    return max(matching, key=lambda model: _as_numbers(model.version))


_held: ContextVar[dict[tuple[str, str | None], Artefact] | None] = ContextVar("_held", default=None)
"""Models that `load_model` has loaded within `models_held`."""


@contextmanager
def models_held() -> Iterator[None]:
    """Within, a model that was loaded once is not looked for on disk again: each is asked for by several steps."""
    if _held.get() is not None:
        yield
        return
    token = _held.set({})
    try:
        yield
    finally:
        _held.reset(token)


def load_model(name: str, version: str | None = None) -> Artefact:
    """Return one model, in its highest version unless one is named, with its files compared with their checksums.

    Raises
    ------
    UnknownName
        There is no such model.
    ModelError
        It is incomplete, damaged or altered.
    """
    held = _held.get()
    if held is None:
        return load_artefact(find_model(name, version).path)
    if (name, version) not in held:
        held[name, version] = load_artefact(find_model(name, version).path)
    return held[name, version]


def load_artefact(folder: Path) -> Artefact:
    """Return the model in ``folder``; one that was read before is read again only if its manifest has changed."""
    path = folder / MANIFEST
    try:
        changed = path.stat().st_mtime_ns
    except OSError as error:
        raise ModelError("is no model", file=str(folder), found=error.strerror, expected=f"a {MANIFEST}") from error
    return _load(folder, changed)


@lru_cache(_KEPT)
def _load(folder: Path, _changed: int) -> Artefact:
    try:
        content = (folder / MANIFEST).read_bytes()
        manifest = tomllib.loads(content.decode())
    except (OSError, ValueError) as error:
        raise ModelError("cannot be read", file=str(folder / MANIFEST), found=error, expected="TOML") from error
    if missing := [key for key in REQUIRED if key not in manifest]:
        raise ModelError("the manifest is incomplete", file=str(folder / MANIFEST), expected=", ".join(missing))
    stated = (manifest["name"], manifest["version"])
    if stated != (folder.parent.name, folder.name):
        raise ModelError(
            "the folder does not bear the model's name",
            file=str(folder),
            found="/".join(map(str, stated)),
            expected=f"{folder.parent.name}/{folder.name}",
        )
    files = _Files(folder, manifest["files"])
    return Artefact(*stated, folder, manifest, hashlib.sha256(content).hexdigest(), files)


class _Files(Mapping[str, bytes]):
    """The files of a model, compared with their checksums on being made; large ones stay on disk."""

    def __init__(self, folder: Path, sums: Mapping[str, str]) -> None:
        self._folder = folder
        self._sums = dict(sums)
        self._small: dict[str, bytes] = {}
        for name, sha256 in sums.items():
            if _size(folder, name) < LARGE:
                self._small[name] = _read_checked(folder, name, sha256)
            else:
                _check(folder, name, sha256_of(folder / name), sha256)

    def __getitem__(self, name: str) -> bytes:
        if name in self._small:
            return self._small[name]
        return _read_checked(self._folder, name, self._sums[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._sums)

    def __len__(self) -> int:
        return len(self._sums)


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            digest.update(piece)
    return digest.hexdigest()


def _size(folder: Path, name: str) -> int:
    if Path(name).name != name:
        raise ModelError("a model's files lie in its own folder", file=str(folder / MANIFEST), found=name)
    try:
        return (folder / name).stat().st_size
    except OSError as error:
        raise ModelError("a file of the model cannot be read", file=str(folder / name), found=error.strerror) from error


def _read_checked(folder: Path, name: str, sha256: str) -> bytes:
    """Return a file of the folder itself, if it is what the manifest says."""
    try:
        content = (folder / name).read_bytes()
    except OSError as error:
        raise ModelError("a file of the model cannot be read", file=str(folder / name), found=error.strerror) from error
    _check(folder, name, hashlib.sha256(content).hexdigest(), sha256)
    return content


def _check(folder: Path, name: str, found: str, sha256: str) -> None:
    if found != sha256:
        raise ModelError(
            "a file of the model is not what its manifest says", file=str(folder / name), found=found, expected=sha256
        )


def record_hash(recording: Recording) -> str:
    """Return a name for what was recorded, whatever format it is kept in: the sha256 of rate, leads and signal.

    The signal counts to the microvolt, lead by lead in the order of their names. Recordings with no signal in any lead
    are all alike, so the name of the file, without suffix, tells them apart.
    """
    digest = hashlib.sha256(f"{recording.fs:.6g} {recording.n_samples}".encode())
    for name, row in sorted(zip(recording.leads, recording.signal, strict=True), key=lambda lead: lead[0]):
        digest.update(f" {name} ".encode())
        steps = np.rint(row.astype(np.float64) * _STEPS_PER_MV)
        digest.update(np.where(np.isnan(steps), _NOT_RECORDED, steps).astype("<i8").tobytes())
    if recording.source and not np.nan_to_num(np.diff(recording.signal, axis=1)).any():
        digest.update(Path(recording.source.name).stem.encode())
    return digest.hexdigest()


def _as_numbers(version: str) -> tuple[tuple[int, str], ...]:
    """Return a sortable form in which 10 comes after 9."""
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in version.split("."))
