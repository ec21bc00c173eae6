"""The process that runs Keras files and SavedModels: the only one in which TensorFlow is loaded to predict.

It answers one request after the other over a socket (`ecg_core.isolation.wire`) until its parent closes it: JSON and
raw numbers in both directions. A model is loaded once, after its checksum was compared.
"""

from __future__ import annotations

import contextlib
import io
import os
import socket
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from ecg_core.artefacts import sha256_of
from ecg_core.errors import EcgError, ModelError
from ecg_core.isolation.wire import Line, pack

KERAS, SAVED_MODEL = "keras", "saved_model"
INSTALL = "pip install 'einthoven[guests]'"
_MOST_MODELS = 4
"""Models kept loaded; one more makes the first make way."""

Run = Callable[[np.ndarray], Mapping[str, np.ndarray]]


class Loaded:
    """A model that is ready to run."""

    def __init__(self, run: Run, inputs: Mapping[str, list[int | None]], loader: str) -> None:
        self.run = run
        self.inputs = dict(inputs)
        """Name to shape, None where it is free."""
        self.loader = loader


def main(settings: Mapping[str, Any]) -> None:
    """Serve requests until the parent closes the connection."""
    line = Line(socket.socket(fileno=settings["fd"]))
    loaded: dict[tuple[str, str], Loaded] = {}
    with contextlib.suppress(EOFError, ConnectionError):
        line.send(pack({"ready": True}))
        while True:
            request, _ = line.receive()
            batch = line.take_array(np.float32, tuple(request["shape"]))
            header, arrays = _answer(request, batch, loaded)
            line.send(pack(header), *(array.reshape(-1).view(np.uint8).data for array in arrays if array.size))
    # TensorFlow's threads may be in any state: no clean-up.
    os._exit(0)


def _answer(
    request: Mapping[str, Any], batch: np.ndarray, loaded: dict[tuple[str, str], Loaded]
) -> tuple[dict[str, Any], list[np.ndarray]]:
    """Return the header and the arrays of an answer; whatever goes wrong is an answer too."""
    path, label = Path(request["path"]), request["label"]
    try:
        key = (request["path"], request["sha256"])
        if key not in loaded:
            while len(loaded) >= _MOST_MODELS:
                del loaded[next(iter(loaded))]
            loaded[key] = load(path, request["kind"], request["sha256"], request["input"])
        model = loaded[key]
        outputs = {name: np.ascontiguousarray(value, np.float32) for name, value in model.run(batch).items()}
    except EcgError as error:
        return {"error": error.to_dict()}, []
    except Exception as error:  # The edge of the process: whatever Keras or TensorFlow raise reaches the parent.
        problem = ModelError(
            "cannot be run on what its manifest states",
            file=label,
            found=_words(error),
            expected=f"an input of shape {list(batch.shape[1:])}",
        )
        return {"error": problem.to_dict()}, []
    shapes = [[name, list(value.shape)] for name, value in outputs.items()]
    return {"outputs": shapes, "inputs": model.inputs, "loader": model.loader}, list(outputs.values())


def load(path: Path, kind: str, sha256: str, input_name: str | None = None) -> Loaded:
    """Return the model in a file, once it was seen to be the file that is meant."""
    found = sha256_of(path)
    if found != sha256:
        raise ModelError(
            "a file of the model is not what its manifest says", file=str(path), found=found, expected=sha256
        )
    return _load_saved_model(path, input_name) if kind == SAVED_MODEL else load_keras(path)


def load_keras(path: Path, find: Callable[[str], Any] = import_module) -> Loaded:
    """Return the Keras model in a file, by Keras 3, else by tf-keras, which reads what older versions wrote.

    Parameters
    ----------
    path
        ``.keras`` or ``.h5``.
    find
        What imports a module by its name.
    """
    keras = _module("keras", path, find)
    try:
        return _of_keras(keras.models.load_model(path, compile=False, safe_mode=True), f"keras {keras.__version__}")
    except Exception as error:  # Keras raises errors of many kinds for a file that it cannot make sense of.
        refusal = _words(error)
    try:
        older = find("tf_keras")
    except ImportError:
        raise ModelError(
            "Keras 3 refuses it, and tf-keras, which reads older files, is not installed",
            file=str(path),
            found=refusal,
            options=(INSTALL,),
        ) from None
    try:
        return _of_keras(older.models.load_model(path, compile=False), f"tf-keras {older.__version__}")
    except Exception as error:
        raise ModelError(
            "neither Keras 3 nor tf-keras can load it",
            file=str(path),
            found=f"Keras 3: {refusal}; tf-keras: {_words(error)}",
        ) from error


def _module(name: str, path: Path, find: Callable[[str], Any]) -> Any:
    try:
        return find(name)
    except ImportError as error:
        raise ModelError(
            "needs TensorFlow, which is not installed", file=str(path), found=_words(error), options=(INSTALL,)
        ) from error


def _of_keras(model: Any, loader: str) -> Loaded:
    names = list(getattr(model, "output_names", None) or ())

    def run(batch: np.ndarray) -> Mapping[str, np.ndarray]:
        found = model(batch, training=False)
        if isinstance(found, Mapping):
            return {str(name): np.asarray(value) for name, value in found.items()}
        values = list(found) if isinstance(found, list | tuple) else [found]
        # Two outputs of one layer share its name.
        known = names if len(set(names)) == len(values) else [str(at) for at in range(len(values))]
        return {name: np.asarray(value) for name, value in zip(known, values, strict=True)}

    inputs = {str(item.name).split(":")[0]: list(item.shape) for item in model.inputs}
    return Loaded(run, inputs, loader)


def _load_saved_model(path: Path, input_name: str | None) -> Loaded:
    """Return a SavedModel, which is kept as a zip file; what it was unpacked to goes once it is loaded."""
    tensorflow = _module("tensorflow", path, import_module)
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as packed:
            packed.extractall(folder)
        model = tensorflow.saved_model.load(folder)
    signature = model.signatures.get("serving_default")
    if signature is None:
        raise ModelError(
            "has no signature of this name", file=str(path), found="serving_default", options=list(model.signatures)
        )
    inputs = signature.structured_input_signature[1]
    if input_name is None and len(inputs) != 1:
        raise ModelError("has several inputs; the manifest names none", file=str(path), options=list(inputs))
    wanted = input_name or next(iter(inputs))
    if wanted not in inputs or len(inputs) != 1:
        raise ModelError("has other inputs", file=str(path), found=wanted, options=list(inputs))

    def run(batch: np.ndarray) -> Mapping[str, np.ndarray]:
        found = signature(**{wanted: tensorflow.cast(batch, inputs[wanted].dtype)})
        return {name: np.asarray(value) for name, value in sorted(found.items())}

    # The signature holds on to nothing of the model by itself.
    run.model = model  # type: ignore[attr-defined]
    shapes = {name: list(item.shape) for name, item in inputs.items()}
    return Loaded(run, shapes, f"tensorflow {tensorflow.__version__}")


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:400]
