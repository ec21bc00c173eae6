"""Serving engines: the networks of a signal in ONNX Runtime and OpenVINO, and ``heart12`` in every engine at hand.

Of the small networks: the time of a call beside ONNX Runtime's, until a first answer, and how far answers are apart.

Of ``heart12``, each engine in a process of its own: one record, a batch, memory, and the time from the start to a first
answer; Keras and TensorFlow, ONNX Runtime and OpenVINO in float32, bfloat16 and eight bits. Where EINTHOVEN_DATA_DIR
holds PTB-XL, its fold 9 is answered by all, and the AUC of every label set beside ONNX Runtime's. Without the trained
model a network of its recipe with random weights stands in, whose AUC means nothing and is not taken.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np

from benchmarks._engine import ENGINES
from benchmarks.timing import compare
from ecg_core.artefacts import Artefact, load_model
from ecg_core.datasets import DATASETS, data_dir
from ecg_core.datasets.ptbxl import PtbXl
from ecg_core.engine import NETWORK, Network
from ecg_core.errors import UnknownName
from ecg_core.evaluation.classification import auc
from ecg_core.leads import INDEPENDENT_8
from ecg_core.preprocess import resample_array
from ecg_core.synthesis import synthesize
from training.recipe import Recipe

ROWS = 12
PRECISIONS = ("f32", "bf16")
MODEL = "heart12"
REFERENCE = "ONNX Runtime f32"
FOLD, CALIBRATION_FOLD = 9, 8
LEAST_POSITIVES = 10
"""Labels with so many positives and negatives have an AUC that is compared."""
CALIBRATED_ON = 128
"""Strips from which the ranges of eight-bit numbers are taken."""

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


def small_networks() -> dict[str, Any]:
    """Print a row for each small network and engine, and return the figures."""
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


def shipped() -> Artefact | None:
    """Return the trained model, where there is one."""
    try:
        return load_model(MODEL)
    except UnknownName:
        return None


def write_network(folder: Path, artefact: Artefact | None) -> None:
    """Leave the network in ``folder`` as Keras and as ONNX have it."""
    import keras

    from training.heart12_network import build, committee
    from training.network import to_onnx

    recipe = Recipe.named(MODEL)
    members = [build(1000, 102, **{**recipe["network"], **member.get("network", {})}) for member in recipe["members"]]
    for number, member in enumerate(members if artefact else ()):
        file = folder / f"member{number}.weights.h5"
        file.write_bytes(artefact.files[file.name])
        member.load_weights(file)
    network = committee(members)
    network.save(folder / "network.keras")
    graph = to_onnx(network) if artefact is None else artefact.files[NETWORK]
    (folder / NETWORK).write_bytes(graph)
    keras.backend.clear_session()


def write_int8(folder: Path, strips: np.ndarray) -> None:
    """Leave the graph with eight-bit weights and activations in ``folder``, their ranges taken from ``strips``."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._left = iter(np.split(strips, range(16, len(strips), 16)))

        def get_next(self) -> dict[str, np.ndarray] | None:
            part = next(self._left, None)
            return None if part is None else {"signal": part}

    prepared = folder / "prepared.onnx"
    quant_pre_process(folder / NETWORK, prepared, skip_symbolic_shape=True)
    quantize_static(
        prepared,
        folder / "int8.onnx",
        Reader(),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        # Weights of seven bits: with eight, processors without instructions for them overflow.
        reduce_range=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        op_types_to_quantize=["Conv", "Add", "Relu", "MaxPool", "AveragePool"],
    )


def fold(number: int, limit: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return strips of a fold of PTB-XL (n, 1000, 8), and the truth of every label, NaN where it is not known."""
    from training.heart12_data import targets_of
    from training.heart12_heads import UNKNOWN, Layout

    data = cast(PtbXl, DATASETS["ptbxl"])
    layout = Layout.of(data.statements(data_dir()))
    strips, truths = [], []
    for _, recording, truth in data.iterate(data_dir(), str(number), limit, fs=100.0):
        rows = np.stack([recording.lead(lead) for lead in INDEPENDENT_8])
        strips.append(np.nan_to_num(rows - np.nanmedian(rows, axis=1, keepdims=True))[:, :1000].T)
        truths.append(truth)
    targets = targets_of(truths, layout)[:, : len(layout.binary)]
    return np.stack(strips), np.where(targets > UNKNOWN, targets, np.nan)


def synthetic(count: int) -> np.ndarray:
    """Return strips of synthetic ECGs, shape (count, 1000, 8)."""
    strips = []
    for seed in range(count):
        made = synthesize(fs=500, seed=seed).recording
        rows = resample_array(np.stack([made.lead(lead) for lead in INDEPENDENT_8]), made.fs, 100.0)
        strips.append((rows - np.median(rows, axis=1, keepdims=True)).T)
    return np.stack(strips)


def in_own_process(engine: str, folder: Path) -> dict[str, Any]:
    """Return the figures of one engine."""
    command = [sys.executable, "-m", "benchmarks._engine", engine, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def worst_auc(answers: np.ndarray, reference: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Return by how much AUCs differ: of the label where most, and on the mean over labels."""
    apart = []
    for label in range(truth.shape[1]):
        known = ~np.isnan(truth[:, label])
        positive = truth[known, label] > 0
        if min(positive.sum(), (~positive).sum()) >= LEAST_POSITIVES:
            mine, other = (float(auc(positive, said[known, label])) for said in (answers, reference))
            apart.append(mine - other)
    return {"auc_most": float(np.abs(apart).max()), "auc_mean": float(np.mean(apart)), "labels": len(apart)}


def heart12() -> dict[str, Any]:
    """Print a row for each engine, and return the figures."""
    artefact = shipped()
    real = (data_dir() / "ptbxl").is_dir()
    truth = None
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_network(folder, artefact)
        if real:
            signal, truth = fold(FOLD)
            calibration, _ = fold(CALIBRATION_FOLD, CALIBRATED_ON)
        else:
            signal, calibration = synthetic(128), synthetic(CALIBRATED_ON)
        write_int8(folder, np.ascontiguousarray(calibration, np.float32))
        np.save(folder / "signal.npy", signal.astype(np.float32))
        for engine in [REFERENCE, *(engine for engine in ENGINES if engine != REFERENCE)]:
            results[engine] = in_own_process(engine, folder)
        reference = np.load(folder / f"{REFERENCE}.npy")
        for engine, row in results.items():
            answers = np.load(folder / f"{engine}.npy")
            row["difference"] = float(np.abs(answers - reference).max())
            if artefact is not None and truth is not None:
                row |= worst_auc(answers, reference, truth)
    weights = f"heart12 {artefact.version}" if artefact else "a network of its size, random weights"
    print(f"\n{weights}; {len(signal)} {'records of fold 9' if real else 'synthetic records'}\n")
    print(
        "| engine | one record, ms: least / median (processor) | in batches of 64, ms a record | memory, MB | start, s "
        "| largest difference of a logit | of an AUC |"
    )
    print("|---|---|---|---|---|---|---|")
    for engine, row in results.items():
        one, many = row["one"], row["many"]
        print(
            f"| {engine} | {one['least_ms']:.1f} / {one['median_ms']:.1f} ({one['processor_ms']:.1f}) "
            f"| {many['least_ms']:.2f} ({many['processor_ms']:.2f}) | {row['memory_mb']:.0f} | {row['start_s']:.1f} "
            f"| {row['difference']:.2g} | {row.get('auc_most', float('nan')):.4f} |"
        )
    return results


def main() -> dict[str, Any]:
    """Print both tables, and return the figures."""
    return small_networks() | {MODEL: heart12()}
