"""The serving engine: ONNX graphs, networks and boosted trees alike, run by ONNX Runtime on the CPU.

Why this engine: ``docs/decisions/0007-onnx-runtime.md``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from ecg_core.artefacts import Artefact
from ecg_core.errors import InvalidValue, ModelError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

NETWORK = "network.onnx"
_KEPT = 32


class Network:
    """A graph, ready to run; one instance may be called from several threads at once."""

    def __init__(self, graph: bytes, origin: str = "the model") -> None:
        """Read the graph; ``origin`` names it in errors."""
        self._session = _session(graph, origin)
        self.inputs = tuple(item.name for item in self._session.get_inputs())
        self.outputs = tuple(item.name for item in self._session.get_outputs())

    def __call__(self, values: np.ndarray | Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the outputs by name.

        Parameters
        ----------
        values
            The only input, or every input by name; made float32.
        """
        given = values if isinstance(values, Mapping) else dict.fromkeys(self.inputs, values)
        if set(given) != set(self.inputs) or (len(self.inputs) > 1 and given is not values):
            found = ", ".join(given) if given is values else "one array"
            raise InvalidValue("not what the network reads", field="inputs", found=found, options=self.inputs)
        arrays = {name: np.ascontiguousarray(array, np.float32) for name, array in given.items()}
        return dict(zip(self.outputs, self._session.run(None, arrays), strict=True))

    def start(self, values: np.ndarray | Mapping[str, np.ndarray]) -> Future[dict[str, np.ndarray]]:
        """Return the outputs by name once they are there: computed in the background, beside whatever Python does."""
        return _background(os.getpid()).submit(self, values)


def network_of(artefact: Artefact, file: str = NETWORK) -> Network:
    """Return a graph of a model, loaded once a process."""
    return _network(artefact, file, artefact.sha256)


@lru_cache(_KEPT)
def _network(artefact: Artefact, file: str, _sha256: str) -> Network:
    if file not in artefact.files:
        raise ModelError("the model has no such file", file=str(artefact.path), found=file, options=artefact.files)
    return Network(artefact.files[file], str(artefact.path / file))


@lru_cache(1)
def _background(_process: int) -> ThreadPoolExecutor:
    """Return the threads that networks run in; a process that was forked has its own."""
    return ThreadPoolExecutor(os.cpu_count(), "network")


def _session(graph: bytes, origin: str) -> InferenceSession:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    # Networks this small gain little from a second thread (a tenth of the time, for half as much work again) unless
    # threads wait by spinning, which takes the cores from the other models. So each runs in its caller's thread.
    options.intra_op_num_threads = 1
    try:
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors have no common class but Exception.
        raise ModelError("is not a graph that can be run", file=origin, found=error) from error
