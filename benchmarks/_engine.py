"""One engine in a process of its own: ``python -m benchmarks._engine ENGINE FOLDER`` prints its figures as JSON.

FOLDER holds ``network.keras``, ``network.onnx``, ``int8.onnx`` and ``signal.npy`` (n, 1000, 8); the answers for all of
it are left in ``ENGINE.npy``.
"""

from __future__ import annotations

import time

STARTED = time.perf_counter()

import argparse  # noqa: E402
import json  # noqa: E402
import statistics  # noqa: E402
from collections.abc import Callable  # noqa: E402
from pathlib import Path  # noqa: E402

import numpy as np  # noqa: E402

Answer = Callable[[np.ndarray], np.ndarray]
"""Strips (n, 1000, 8) to logits."""
BATCH = 64


def keras_predict(folder: Path) -> Answer:
    """Return Keras' own ``predict``."""
    import keras

    model = keras.models.load_model(folder / "network.keras", compile=False)
    return lambda signal: np.asarray(model.predict(signal, verbose=0, batch_size=BATCH)[0])


def tensorflow_function(folder: Path) -> Answer:
    """Return the network as a compiled TensorFlow function."""
    import keras
    import tensorflow as tf

    model = keras.models.load_model(folder / "network.keras", compile=False)
    call = tf.function(lambda signal: model(signal, training=False)[0])
    return lambda signal: np.asarray(call(tf.constant(signal)))


def onnx_runtime(folder: Path, file: str) -> Answer:
    """Return the graph as it is served."""
    from ecg_core.engine import Network

    network = Network((folder / file).read_bytes())
    return lambda signal: network(signal)["logits"]


def openvino(folder: Path, file: str, precision: str | None) -> Answer:
    """Return the graph in OpenVINO, for one record at a time or many."""
    import openvino as ov

    core = ov.Core()
    settings = {"PERFORMANCE_HINT": "LATENCY"}
    if precision:
        settings["INFERENCE_PRECISION_HINT"] = precision
    request = core.compile_model(core.read_model(folder / file), "CPU", settings).create_infer_request()
    return lambda signal: np.array(request.infer({"signal": signal})["logits"])


ENGINES: dict[str, Callable[[Path], Answer]] = {
    "Keras predict": keras_predict,
    "TensorFlow function": tensorflow_function,
    "ONNX Runtime f32": lambda folder: onnx_runtime(folder, "network.onnx"),
    "ONNX Runtime int8": lambda folder: onnx_runtime(folder, "int8.onnx"),
    "OpenVINO f32": lambda folder: openvino(folder, "network.onnx", "f32"),
    "OpenVINO bf16": lambda folder: openvino(folder, "network.onnx", "bf16"),
    "OpenVINO int8": lambda folder: openvino(folder, "int8.onnx", None),
}


def memory_mb() -> float:
    """Return what this process holds in memory, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def timed(call: Callable[[], object], *, seconds: float, least: int) -> dict[str, float]:
    """Return the least and the median milliseconds of a call, and the median of processor time."""
    walls, processor = [], []
    end = time.perf_counter() + seconds
    while len(walls) < least or time.perf_counter() < end:
        wall, used = time.perf_counter(), time.process_time()
        call()
        walls.append(1e3 * (time.perf_counter() - wall))
        processor.append(1e3 * (time.process_time() - used))
    return {"least_ms": min(walls), "median_ms": statistics.median(walls), "processor_ms": statistics.median(processor)}


def main() -> None:
    """Measure one engine."""
    parser = argparse.ArgumentParser()
    parser.add_argument("engine", choices=ENGINES)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    signal = np.load(arguments.folder / "signal.npy", mmap_mode="r")
    one, many = (np.ascontiguousarray(signal[:n], np.float32) for n in (1, BATCH))
    answer = ENGINES[arguments.engine](arguments.folder)
    answer(one)
    figures: dict[str, object] = {"start_s": time.perf_counter() - STARTED, "memory_mb": memory_mb()}
    figures["one"] = timed(lambda: answer(one), seconds=1.5, least=20)
    answer(many)
    batch = timed(lambda: answer(many), seconds=1.5, least=5)
    figures["many"] = {name: value / len(many) for name, value in batch.items()}
    answers = [answer(np.ascontiguousarray(signal[at : at + BATCH], np.float32)) for at in range(0, len(signal), BATCH)]
    np.save(arguments.folder / f"{arguments.engine}.npy", np.concatenate(answers))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
