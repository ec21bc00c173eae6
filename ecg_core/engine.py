"""The serving engine: ONNX graphs, networks and boosted trees alike, run by ONNX Runtime on the CPU.

Why this engine: ``docs/decisions/0007-onnx-runtime.md``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from ecg_core.artefacts import Artefact
from ecg_core.errors import InvalidValue, ModelError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession, NodeArg

NETWORK = "network.onnx"
_KEPT = 32
_DTYPES = {
    "tensor(float)": "float32",
    "tensor(double)": "float64",
    "tensor(float16)": "float16",
    "tensor(bool)": "bool",
    **{f"tensor({kind})": kind for size in (8, 16, 32, 64) for kind in (f"int{size}", f"uint{size}")},
}


@dataclass(frozen=True)
class Tensor:
    """An input or an output of a graph, as the graph declares it."""

    name: str
    dtype: str | None
    """Of NumPy; None where NumPy has none: strings, sequences, ..."""
    shape: tuple[int | str | None, ...]
    """Size of each dimension; a name, or None, where any will do. What bears one name is of one size."""


class Network:
    """A graph, ready to run; one instance may be called from several threads at once."""

    def __init__(self, graph: bytes, origin: str = "the model") -> None:
        """Read the graph; ``origin`` names it in errors, and to those who observe its runs."""
        self._origin = origin
        self._session = _session(graph, origin)
        self.input_tensors = tuple(_tensor(item) for item in self._session.get_inputs())
        self.output_tensors = tuple(_tensor(item) for item in self._session.get_outputs())
        self.inputs = tuple(item.name for item in self.input_tensors)
        self.outputs = tuple(item.name for item in self.output_tensors)

    def __call__(
        self, values: np.ndarray | Mapping[str, np.ndarray], outputs: Sequence[str] | None = None
    ) -> dict[str, np.ndarray]:
        """Return the outputs by name.

        Parameters
        ----------
        values
            The only input, or every input by name; made what the graph reads, which mostly is float32.
        outputs
            The outputs that are wanted; without it, all.
        """
        given = values if isinstance(values, Mapping) else dict.fromkeys(self.inputs, values)
        if set(given) != set(self.inputs) or (len(self.inputs) > 1 and given is not values):
            found = ", ".join(given) if given is values else "one array"
            raise InvalidValue("not what the network reads", field="inputs", found=found, options=self.inputs)
        arrays = {item.name: np.ascontiguousarray(given[item.name], item.dtype) for item in self.input_tensors}
        names = self.outputs if outputs is None else tuple(outputs)
        began = time.perf_counter()
        answers = self._session.run(names, arrays)
        for tell in _observers:
            tell(self._origin, time.perf_counter() - began)
        return dict(zip(names, answers, strict=True))

    def start(self, values: np.ndarray | Mapping[str, np.ndarray]) -> Future[dict[str, np.ndarray]]:
        """Return the outputs by name once they are there: computed in the background, beside whatever Python does."""
        return _background(os.getpid()).submit(self, values)


_observers: list[Callable[[str, float], None]] = []


def observe_runs(tell: Callable[[str, float], None]) -> None:
    """Have ``tell(origin, seconds)`` called after every run of a graph, in the thread that ran it."""
    _observers.append(tell)


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
    return ThreadPoolExecutor(max(1, (os.cpu_count() or 1) - 1), "network")


def _tensor(item: NodeArg) -> Tensor:
    return Tensor(item.name, _DTYPES.get(item.type), tuple(item.shape))


def _session(graph: bytes, origin: str) -> InferenceSession:
    # It gathers data on its use, in files in the user's folder, unless it is told not to before it is imported.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
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
