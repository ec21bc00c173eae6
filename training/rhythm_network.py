"""The network of the model ``rhythm``: a residual network that tells the statements of PTB-XL from one lead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ecg_core.datasets import DATASETS
from ecg_core.leads import STANDARD_12
from ecg_core.preprocess.resampling import resample_array
from ecg_core.rhythm.model import LOGITS
from ecg_core.rhythm.morphology import FS
from ecg_core.rhythm.strip import NETWORK_FS, NETWORK_LENGTH, filter_band, relative_to_size
from training.network import Schedule, fit
from training.noise import NoiseBank

if TYPE_CHECKING:
    import keras

_STRIDE = 32
_HALF = round(FS / NETWORK_FS)
_FAR, _LITTLE = 1e4, 1e-3


def build(settings: Mapping[str, Any], n_out: int) -> keras.Model:
    """Return the network: strips (n, `NETWORK_LENGTH`, 1) with 0 beyond their end -> logits (n, ``n_out``).

    Only places that hold a signal are pooled: their mean, their greatest value, and a mean weighed by attention.
    """
    import keras
    from keras import layers

    def conv(x: Any, n: int, kernel: int, stride: int = 1, dilation: int = 1) -> Any:
        x = layers.Conv1D(n, kernel, stride, padding="same", dilation_rate=dilation, use_bias=False)(x)
        return layers.BatchNormalization(momentum=0.95)(x)

    def block(x: Any, dilation: int) -> Any:
        y = layers.ReLU()(conv(x, x.shape[-1], settings["kernel"], dilation=dilation))
        y = layers.SpatialDropout1D(settings["dropout"])(y)
        y = conv(y, x.shape[-1], settings["kernel"], dilation=dilation)
        return layers.ReLU()(layers.Add()([x, y]))

    strip = keras.Input((NETWORK_LENGTH, 1), name="strip")
    x = layers.ReLU()(conv(strip, settings["channels"][0], 15, 2))
    for n in settings["channels"][1:]:
        x = layers.ReLU()(conv(x, n, settings["kernel"], 2))
        x = block(x, 1)
    for dilation in settings["dilations"]:
        x = block(x, dilation)
    votes = layers.Conv1D(settings["heads"], 1, dtype="float32")(x)
    pooled = _pool(dtype="float32")([x, votes, strip])
    pooled = layers.Dropout(settings["pool_dropout"], dtype="float32")(pooled)
    logits = layers.Dense(n_out, dtype="float32", name=LOGITS)(pooled)
    return keras.Model(strip, logits, name="rhythm")


def read_ptbxl(settings: Mapping[str, Any], root: Path | None) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Return strips of PTB-XL, (n_records, n_leads, n) float16 at `NETWORK_FS`, their statements and the codes.

    Statements are bool, shape (n_records, n_codes).
    """
    stack = DATASETS["ptbxl"].stack(root, settings["split"], fs=100.0)
    rows = [STANDARD_12.index(lead) for lead in settings["leads"]]
    strips = []
    for first in range(0, len(stack.names), 512):
        part = np.nan_to_num(stack.signal[first : first + 512, rows])
        flat = resample_array(part.reshape(-1, part.shape[-1]), stack.fs, FS)
        flat = relative_to_size(filter_band(flat)[:, ::_HALF])
        strips.append(flat.reshape(len(part), len(rows), -1).astype(np.float16))
    counts: dict[str, int] = {}
    for truth in stack.truths:
        for code in truth.statements:
            counts[code] = counts.get(code, 0) + 1
    codes = sorted(code for code, n in counts.items() if n >= settings["least_records"])
    labels = np.array([[code in truth.statements for code in codes] for truth in stack.truths])
    return np.concatenate(strips), labels, codes


def fit_network(
    settings: Mapping[str, Any], strips: np.ndarray, labels: np.ndarray, bank: NoiseBank, seed: int, checkpoint: Path
) -> keras.Model:
    """Return a network that tells the statements of PTB-XL, bool of shape (n_records, n_codes)."""
    import keras

    keras.utils.set_random_seed(seed)
    model = build(settings, labels.shape[1])
    rng = np.random.default_rng(seed)

    def batches() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        while True:
            order = rng.permutation(len(strips))
            for first in range(0, len(order) - settings["batch"] + 1, settings["batch"]):
                chosen = order[first : first + settings["batch"]]
                lead = rng.integers(strips.shape[1], size=len(chosen))
                rows = [strips[at, which].astype(np.float32) for at, which in zip(chosen, lead, strict=True)]
                given = np.stack([_placed(_changed(row, rng, bank, settings), NETWORK_LENGTH, rng) for row in rows])
                yield given[..., None], labels[chosen].astype(np.float32)

    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    schedule = Schedule(settings["steps"], settings["rate"])
    fit(model, batches(), loss, schedule, checkpoint=checkpoint, save_every=100, report=_say)
    return model


def _pool(**settings: Any) -> Any:
    """Return the layer that pools [features, votes, strip] over the places where the strip holds a signal."""
    import keras
    from keras import ops

    class Pool(keras.layers.Layer):  # type: ignore[misc]
        def call(self, inputs: Any) -> Any:
            features, votes, strip = inputs
            held = ops.sign(ops.max_pool(ops.abs(strip), _STRIDE, _STRIDE))
            absent = (held - 1.0) * _FAR
            attention = ops.softmax(votes + absent, axis=1)
            weighed = ops.matmul(ops.transpose(attention, (0, 2, 1)), features)
            weighed = ops.reshape(weighed, (-1, votes.shape[2] * features.shape[2]))
            mean = ops.sum(features * held, axis=1) / (ops.sum(held, axis=1) + _LITTLE)
            return ops.concatenate([mean, ops.max(features + absent, axis=1), weighed], axis=1)

        def compute_output_shape(self, shapes: Any) -> Any:
            features, votes, _ = shapes
            return features[0], features[2] * (2 + votes[2])

        def write_onnx(self, graph: Any, inputs: Sequence[str], tensors: Sequence[Any]) -> str:
            features, votes, strip = inputs
            over_time = graph.weight([2, 3])
            window = {"kernel_shape": [1, _STRIDE], "strides": [1, _STRIDE]}
            held = graph.add("Sign", graph.add("MaxPool", graph.add("Abs", strip), **window))
            absent = graph.add("Mul", graph.add("Sub", held, graph.weight(np.array(1.0))), graph.weight(np.array(_FAR)))
            attention = graph.add("Softmax", graph.add("Add", votes, absent), axis=3)
            rows = [graph.add("Squeeze", name, graph.weight([2])) for name in (attention, features)]
            weighed = graph.add("MatMul", rows[0], graph.add("Transpose", rows[1], perm=[0, 2, 1]))
            size = tensors[1].shape[2] * tensors[0].shape[2]
            weighed = graph.add("Reshape", weighed, graph.weight([0, size]))
            total = graph.add("ReduceSum", graph.add("Mul", features, held), over_time, keepdims=0)
            count = graph.add("ReduceSum", held, over_time, keepdims=0)
            mean = graph.add("Div", total, graph.add("Add", count, graph.weight(np.array(_LITTLE))))
            greatest = graph.add("ReduceMax", graph.add("Add", features, absent), over_time, keepdims=0)
            return str(graph.add("Concat", mean, greatest, weighed, axis=1))

    return Pool(**settings)


def _say(step: int, loss: float) -> None:
    print(f"step {step}: {loss:.4f}", flush=True)


def _changed(row: np.ndarray, rng: np.random.Generator, bank: NoiseBank, settings: Mapping[str, Any]) -> np.ndarray:
    """Return a strip as another recorder, or a slower heart, might have given it."""
    changes = settings["changes"]
    stretch = rng.uniform(*changes["stretch"])
    n = int(len(row) * stretch)
    row = np.interp(np.arange(n) / stretch, np.arange(len(row)), row).astype(np.float32)
    row *= np.float32(rng.uniform(*changes["gain"]))
    if rng.random() < changes["polarity"]:
        row = -row
    if rng.random() < changes["noise"]:
        kind = str(rng.choice(("bw", "em", "ma")))
        level = 0.25 * 10 ** (-rng.uniform(*changes["snr_db"]) / 20)
        noise = bank.draw(rng, kind, n) * np.float32(level)
        row += noise if kind != "bw" else noise - np.convolve(noise, np.full(125, 1 / 125, np.float32), "same")
    return row


def _placed(row: np.ndarray, length: int, rng: np.random.Generator) -> np.ndarray:
    """Return ``length`` samples: a random part of a longer strip, a shorter one at a random place among zeros."""
    if len(row) >= length:
        start = int(rng.integers(len(row) - length + 1))
        return row[start : start + length]
    made = np.zeros(length, np.float32)
    start = int(rng.integers(length - len(row) + 1))
    made[start : start + len(row)] = row
    return made
