"""Serving engines: the shipped networks on 12 leads of 10 s, in ONNX Runtime and in OpenVINO (f32, bf16).

Latency of one call beside ONNX Runtime's, the time until a first answer, and how far the answers are apart.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from benchmarks.timing import compare
from ecg_core.artefacts import load_model
from ecg_core.engine import NETWORK, Network

ROWS = 12
PRECISIONS = ("f32", "bf16")

Answer = Callable[[], list[np.ndarray]]


def served(graph: bytes, inputs: Mapping[str, np.ndarray]) -> Answer:
    """Return the call as `ecg_core.engine` makes it."""
    network = Network(graph)
    return lambda: list(network(inputs).values())


def openvino(graph: bytes, inputs: Mapping[str, np.ndarray], precision: str) -> Answer:
    """Return the same call in OpenVINO."""
    import openvino as ov

    core = ov.Core()
    settings = {"INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": "LATENCY"}
    compiled = core.compile_model(core.read_model(graph), "CPU", settings)
    request = compiled.create_infer_request()
    return lambda: [np.array(value) for value in request.infer(dict(inputs)).values()]


def sample(graph: bytes) -> dict[str, np.ndarray]:
    """Return random inputs of the shapes that a graph reads, for `ROWS` rows."""
    import onnx

    rng = np.random.default_rng(0)
    inputs = {}
    for item in onnx.load_from_string(graph).graph.input:
        shape = [part.dim_value or ROWS for part in item.type.tensor_type.shape.dim]
        inputs[item.name] = rng.standard_normal(shape, np.float32)
    return inputs


def started(make: Callable[[], Answer]) -> tuple[Answer, float]:
    """Return the call, and the seconds until its first answer."""
    start = time.perf_counter()
    call = make()
    call()
    return call, time.perf_counter() - start


def main() -> dict[str, Any]:
    """Print a row for each network and engine, and return the figures."""
    results: dict[str, Any] = {}
    print("| network | engine | time / ONNX Runtime's (quartiles) | start, s | largest difference |")
    print("|---|---|---|---|---|")
    for name in ("beats", "waves", "rhythm"):
        graph = load_model(name).files[NETWORK]
        inputs = sample(graph)
        base, start = started(lambda graph=graph, inputs=inputs: served(graph, inputs))
        print(f"| {name} | ONNX Runtime | 1 | {start:.2f} | |")
        reference = base()
        for precision in PRECISIONS:
            call, start = started(lambda graph=graph, inputs=inputs, p=precision: openvino(graph, inputs, p))
            apart = max(float(np.abs(a - b).max()) for a, b in zip(call(), reference, strict=True))
            row = compare(call, base)
            results[f"{name}, OpenVINO {precision}"] = row | {"start_s": start, "difference": apart}
            ratio = f"{row['ratio']:.2f} ({row['ratio_low']:.2f}-{row['ratio_high']:.2f})"
            print(f"| {name} | OpenVINO {precision} | {ratio} | {start:.2f} | {apart:.2g} |")
    return results
