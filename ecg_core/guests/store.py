"""The user's folder of models: putting one in, and taking it out. Nothing else is ever changed."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ecg_core.artefacts import (
    MANIFEST,
    ModelFolder,
    list_models,
    load_artefact,
    sha256_of,
    shipped_models,
    user_models,
)
from ecg_core.errors import DuplicateName, InvalidValue, ModelError, UnknownName

NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
"""What a model and its version may be called: both are names of folders."""


def add_model(manifest: Mapping[str, Any], files: Mapping[str, bytes | Path], *, replace: bool = False) -> ModelFolder:
    """Put a model into the user's folder, in place only once it is whole, and return where it lies.

    Parameters
    ----------
    manifest
        Without ``files``, which is added.
    files
        Name in the model's folder to content, or to a file that is copied.
    replace
        Whether a user's model of this name and version makes way.

    Raises
    ------
    DuplicateName
        A model of this name came with Einthoven, or there is one of this name and version.
    """
    name, version = str(manifest["name"]), str(manifest["version"])
    for field, value in (("name", name), ("version", version)):
        if not NAME.fullmatch(value):
            raise InvalidValue(
                "cannot be a model's", field=field, found=repr(value), expected="small letters, digits, . _ and -"
            )
    if (shipped_models() / name).is_dir():
        raise DuplicateName("a model of this name came with Einthoven", field="name", found=name)
    root = user_models()
    final = root / name / version
    if final.exists() and not replace:
        raise DuplicateName("there is such a model already", field="model", found=f"{name}/{version}")
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=root, prefix=".adding-") as scratch:
            folder = Path(scratch) / name / version
            folder.mkdir(parents=True)
            for file, content in files.items():
                if isinstance(content, Path):
                    shutil.copyfile(content, folder / file)
                else:
                    (folder / file).write_bytes(content)
            sums = {file: sha256_of(folder / file) for file in sorted(files)}
            (folder / MANIFEST).write_text(to_toml({**manifest, "files": sums}), "utf-8")
            load_artefact(folder)
            final.parent.mkdir(exist_ok=True)
            if final.exists():
                shutil.rmtree(final)
            folder.rename(final)
    except OSError as error:
        raise ModelError("cannot be written", file=str(root), found=error.strerror or error) from error
    return ModelFolder(name, version, final)


def remove_model(name: str, version: str | None = None) -> list[ModelFolder]:
    """Delete a user's model, in one version or in all, and return what is gone; those that ship stay.

    Raises
    ------
    UnknownName
        The user has added no such model.
    """
    root = user_models()
    mine = [model for model in list_models() if model.path.is_relative_to(root)]
    gone = [model for model in mine if model.name == name and version in (None, model.version)]
    if not gone:
        wanted = name if version is None else f"{name}/{version}"
        raise UnknownName(
            "you have added no such model", field="model", found=wanted, options=[f"{m.name}/{m.version}" for m in mine]
        )
    try:
        for model in gone:
            shutil.rmtree(model.path)
            if not any(model.path.parent.iterdir()):
                model.path.parent.rmdir()
    except OSError as error:
        raise ModelError("cannot be removed", file=str(root), found=error.strerror or error) from error
    return gone


def to_toml(value: Mapping[str, Any], path: tuple[str, ...] = ()) -> str:
    """Return a mapping as TOML: plain values first, then tables, then lists of tables; None is left out."""
    plain, tables = [], []
    for key, item in value.items():
        if isinstance(item, Mapping):
            tables.append(f"\n[{_dotted((*path, key))}]\n{to_toml(item, (*path, key))}")
        elif isinstance(item, Sequence) and not isinstance(item, str) and item and isinstance(item[0], Mapping):
            tables += [f"\n[[{_dotted((*path, key))}]]\n{to_toml(row, (*path, key))}" for row in item]
        elif item is not None:
            # Of these kinds, every JSON value is a TOML value.
            plain.append(f"{_dotted((key,))} = {json.dumps(item, ensure_ascii=False, allow_nan=False)}\n")
    return "".join((*plain, *tables))


def _dotted(path: Sequence[str]) -> str:
    return ".".join(key if re.fullmatch("[A-Za-z0-9_-]+", key) else json.dumps(key) for key in path)
