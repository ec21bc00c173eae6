"""Tiny models of other people: an ONNX graph, and Keras networks with the heads of ECG2AF and planted answers."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from ecg_core.guests import ecg2af
from ecg_core.recording import Recording, Subject

LEADS = ("V1", "I", "II")
ONNX_MANIFEST: dict[str, Any] = {
    "title": "A toy",
    "inputs": {"leads": list(LEADS), "fs": 100, "samples": 200, "layout": "leads_samples", "normalise": "none"},
    "heads": [
        {
            "name": "findings", "output": "logits", "kind": "multi_label", "labels": ["A", "B"], "logits": True,
            "thresholds": {"A": 0.5},
        },
        {"name": "age", "output": 1, "kind": "regression", "unit": "years", "scale": 10, "offset": 60},
    ],
}  # fmt: skip
WEIGHTS = np.array([[1.0, 0.0], [0.0, -2.0], [0.5, 0.0]], np.float32)
"""From the mean of each lead to the two logits; the age is the mean of the second lead."""


def onnx_toy(n_leads: int = 3, samples: int = 200) -> bytes:
    """Return a graph that reads the mean of each lead."""
    from onnx import TensorProto, helper, numpy_helper

    constants = {
        "axes": np.array([2], np.int64),
        "weights": WEIGHTS,
        "second": np.eye(3, dtype=np.float32)[:, 1:2],
    }
    nodes = [
        helper.make_node("ReduceMean", ["ecg", "axes"], ["means"], keepdims=0),
        helper.make_node("MatMul", ["means", "weights"], ["logits"]),
        helper.make_node("MatMul", ["means", "second"], ["years"]),
    ]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in (("ecg", ["n", n_leads, samples]), ("logits", ["n", 2]), ("years", ["n", 1]))
    ]
    initialisers = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "toy", ends[:1], ends[1:], initialisers)
    return helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 18)]).SerializeToString()


# --- ECG2AF ---------------------------------------------------------------------------------------------------------

LEVELS = dict(zip(ecg2af.STANDARD_ORDER, np.linspace(-1.0, 1.2, 12), strict=True))
"""Millivolts that each lead of the recording is at, so that a network that reads means tells the order of leads."""
NAMES = {
    "af_survival": "output_survival_curve_af_survival_curve",
    "sex": "output_sex_from_wide_categorical",
    "age": "output_age_from_wide_csv_continuous",
    "af_in_read": "output_af_in_read_categorical",
    "death_survival": "output_death_event_survival_curve",
}
PLACE = {"af_survival": 3, "sex": 11, "age": 5, "af_in_read": 9, "death_survival": 4}
"""Position of the lead that each head reads: another lead in each of the two public orders."""
WIDTH = {"af_survival": 50, "sex": 2, "age": 1, "af_in_read": 2, "death_survival": 50}


def kernel(role: str) -> tuple[np.ndarray, np.ndarray]:
    """Return weights and biases of a head, from the means of twelve leads."""
    weights = np.zeros((12, WIDTH[role]), np.float32)
    bias = np.zeros(WIDTH[role], np.float32)
    slope = {"af_survival": 1.0, "death_survival": 0.7, "age": 1.0, "sex": 2.0, "af_in_read": -2.0}[role]
    weights[PLACE[role], -1 if WIDTH[role] == 2 else slice(None)] = slope
    if WIDTH[role] == 50:
        bias += np.linspace(2, 6, 50, dtype=np.float32)
    if role == "af_in_read":
        bias += np.array([1, 0], np.float32)
    return weights, bias


def keras_ecg2af(path: Path, roles: tuple[str, ...]) -> Path:
    """Write a network with the inputs and heads of ECG2AF that reads nothing but the mean of each lead."""
    import keras

    signal = keras.Input((5000, 12), name="input_ecg_5000_std_continuous")
    means = keras.layers.GlobalAveragePooling1D()(signal)
    activation = {50: "sigmoid", 2: "softmax", 1: None}
    heads = [keras.layers.Dense(WIDTH[role], activation[WIDTH[role]], name=NAMES[role])(means) for role in roles]
    model = keras.Model(signal, heads)
    for role in roles:
        model.get_layer(NAMES[role]).set_weights(list(kernel(role)))
    with warnings.catch_warnings():
        # Keras 3 on TensorFlow uses what NumPy 2 deprecates.
        warnings.simplefilter("ignore", DeprecationWarning)
        model.save(path)
    return path


def saved_model(folder: Path) -> Path:
    """Write the head of sex alone as a SavedModel, as TensorFlow does, without a trace of Keras."""
    import tensorflow as tf

    weights, bias = (tf.constant(values) for values in kernel("sex"))

    @tf.function(input_signature=[tf.TensorSpec((None, 5000, 12), tf.float32, name="ecg")])
    def serve(ecg):
        return {"sex": tf.nn.softmax(tf.reduce_mean(ecg, axis=1) @ weights + bias)}

    tf.saved_model.save(tf.Module(), str(folder), signatures={"serving_default": serve})
    return folder


def planted(order: tuple[str, ...], role: str) -> np.ndarray:
    """Return what a head gives for `recording_at_levels`, by the rules as published: one mean and SD over all leads."""
    values = np.stack([row_of(LEVELS[lead]) for lead in order], axis=1)
    means = ((values - values.mean()) / (values.std() + 1e-7)).mean(axis=0)
    weights, bias = kernel(role)
    found = means @ weights + bias
    if WIDTH[role] == 50:
        return 1 / (1 + np.exp(-found))
    if WIDTH[role] == 2:
        return np.exp(found) / np.exp(found).sum()
    return found


def row_of(level: float, n: int = 5000) -> np.ndarray:
    """Return a lead at a level, with a wave on it that its mean does not show."""
    return level + 0.1 * np.sin(2 * np.pi * np.arange(n) / 500)


def recording_at_levels(age: float | None = 60.0, **changes: Any) -> Recording:
    """Return 10 s of twelve leads, each at its level, in an order that no model asks for."""
    leads = tuple(reversed(ecg2af.STANDARD_ORDER))
    signal = np.stack([row_of(LEVELS[lead]) for lead in leads])
    return Recording(signal, 500.0, leads, Subject(age=age), **changes)
