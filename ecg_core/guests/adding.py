"""Adding a guest: its manifest is checked, the model run once on a made ECG, and only then is it put in place."""

from __future__ import annotations

import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ecg_core.artefacts import ModelFolder
from ecg_core.errors import InvalidValue, ModelError
from ecg_core.guests import ecg2af
from ecg_core.guests.engine import PACKED, Guest, is_saved_model, open_guest, pack_saved_model
from ecg_core.guests.inputs import prepare
from ecg_core.guests.spec import GuestSpec, parse_spec
from ecg_core.guests.store import add_model
from ecg_core.predictors.guest_outputs import decode, select_outputs
from ecg_core.predictors.value import Head
from ecg_core.recording import Recording

TASK = "plugin"
CARD = "card.md"
_FIELDS = (
    "name", "title", "version", "licence", "citation", "page", "inputs", "preprocessing", "heads", "scope", "accuracy",
    "cautions",
)  # fmt: skip
_TRIAL_FS, _TRIAL_S = 500.0, 10.0


@dataclass(frozen=True)
class Added:
    """What was added."""

    folder: ModelFolder
    sha256: str
    """Of the weights."""
    recognised: bool | None
    """Whether the weights are a published file; None where none is known by this name."""
    trial: Mapping[str, Head]
    """What the model said of a made ECG of normal sinus rhythm."""


def add_guest(name: str, path: Path, manifest: Path | None = None, *, replace: bool = False) -> Added:
    """Add a model to the user's.

    Parameters
    ----------
    name
        How it is to be called; ``ecg2af`` is known, and needs no manifest.
    path
        ``.onnx``, ``.keras``, ``.h5``, or the folder of a SavedModel.
    manifest
        TOML, see `ecg_core.guests.spec`.
    replace
        Whether a model of this name and version makes way.

    Raises
    ------
    InvalidValue
        A field of the manifest is missing or cannot be.
    ModelError
        The model cannot be loaded or run, or does not give what its manifest states.
    DuplicateName
        There is a model of this name and version.
    """
    stated = _read_manifest(manifest)
    origin = manifest.name if manifest else "manifest"
    if manifest is None and name != ecg2af.NAME:
        raise InvalidValue(
            "only ecg2af is known without one",
            field="--manifest",
            found=name,
            expected="a TOML file on inputs and heads",
        )
    with tempfile.TemporaryDirectory() as scratch:
        source = path
        if is_saved_model(path):
            source = Path(scratch) / f"{path.name}{PACKED}"
            source.write_bytes(pack_saved_model(path))
        input_name = stated.get("inputs", {}).get("name") if isinstance(stated.get("inputs", {}), Mapping) else None
        guest = _opened(source, path, input_name)
        if name == ecg2af.NAME and "heads" not in stated:
            values = ecg2af.build_manifest(guest.sha256, _ask_ecg2af(guest), stated, origin)
        else:
            values = _plain(stated, origin)
        spec = parse_spec(values, origin)
        trial = try_out(guest, spec)
        weights = f"model{source.suffix.lower()}"
        is_ecg2af = name == ecg2af.NAME
        folder = add_model(
            _final(name, values, spec, guest, weights, path.name),
            {weights: source, **({CARD: ecg2af.CARD.encode()} if is_ecg2af else {})},
            replace=replace,
        )
    return Added(folder, guest.sha256, guest.sha256 in ecg2af.KNOWN if is_ecg2af else None, trial)


def try_out(guest: Guest, spec: GuestSpec) -> dict[str, Head]:
    """Return what a model says of a made ECG, or raise what is wrong with it or with its manifest."""
    prepared = prepare(_made(max(_TRIAL_S, spec.duration_s + 1)), spec)
    if isinstance(prepared, str):
        raise ModelError("its manifest asks for what an ECG of twelve leads has not", file=guest.label, found=prepared)
    outputs = guest.run(prepared[0][None])
    return decode(spec, select_outputs(spec, outputs, guest.label), 0, guest.label)


def _made(duration_s: float) -> Recording:
    from ecg_core.synthesis import synthesize

    return synthesize("sinus", duration_s=duration_s, fs=_TRIAL_FS).recording


def _opened(source: Path, path: Path, input_name: str | None) -> Guest:
    if source is path:
        return open_guest(path, input_name)
    from ecg_core.artefacts import sha256_of

    return Guest(source, "saved_model", sha256_of(source), path.name, input_name)


def _ask_ecg2af(guest: Guest) -> dict[str, np.ndarray]:
    """Return the outputs of a file that is to be ECG2AF for one record, from which its heads are told."""
    rng = np.random.default_rng(0)
    return guest.run(rng.standard_normal((1, ecg2af.SAMPLES, 12)).astype(np.float32))


def _read_manifest(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise InvalidValue("cannot be read", file=str(path), found=error.strerror or error) from error
    except ValueError as error:
        raise InvalidValue("is not TOML", file=str(path), found=error) from error


def _plain(stated: Mapping[str, Any], origin: str) -> dict[str, Any]:
    """Return a user's manifest, which may hold nothing that would be left unread."""
    if strange := [field for field in stated if field not in _FIELDS]:
        raise InvalidValue("no such field", file=origin, field=strange[0], options=_FIELDS)
    for field in ("title", "version", "licence", "citation", "page"):
        if field in stated and not isinstance(stated[field], str):
            raise InvalidValue("of the wrong kind", file=origin, field=field, found=stated[field], expected="a text")
    return dict(stated)


def _final(
    name: str, values: Mapping[str, Any], spec: GuestSpec, guest: Guest, weights: str, original: str
) -> dict[str, Any]:
    """Return the manifest as it is kept: plain values first, then tables."""
    rest = {key: value for key, value in values.items() if key not in ("name", "title", "version")}
    return {
        "name": name,
        "version": str(values.get("version", "1")),
        "title": values.get("title", name),
        "task": ecg2af.TASK if name == ecg2af.NAME else TASK,
        "engine": guest.engine,
        "weights": weights,
        "original": original,
        "labels": [label for head in spec.heads for label in head.labels],
        "training_data": [],
        **{key: value for key, value in rest.items() if not isinstance(value, Mapping)},
        "preprocessing": values.get("preprocessing", []),
        **{key: value for key, value in rest.items() if isinstance(value, Mapping)},
    }
