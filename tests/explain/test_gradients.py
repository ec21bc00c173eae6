"""Integrated gradients of functions whose answer can be worked out, and of the shipped network."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from ecg_core.artefacts import load_model
from ecg_core.engine import Network
from ecg_core.errors import InvalidValue
from ecg_core.explain.gradient_graph import gradient_graph, gradient_network
from ecg_core.explain.gradients import integrated_gradients
from ecg_core.leads import INDEPENDENT_8
from ecg_core.synthesis import synthesize

RNG = np.random.default_rng(0)
KERNEL = RNG.normal(size=(2, 3)).astype(np.float32)
STRIP = RNG.normal(size=(6, 2)).astype(np.float32)


def network(*, squared: bool) -> Network:
    """Return three sums over six samples of two leads, or of their squares, each lead counted as `KERNEL` has it."""
    nodes = [
        helper.make_node("Mul", ["signal", "signal" if squared else "one"], ["x"]),
        helper.make_node("ReduceMean", ["x", "axes"], ["means"], keepdims=0),
        helper.make_node("Gemm", ["means", "kernel", "bias"], ["logits"], alpha=6.0),
    ]
    weights = {"axes": np.array([1]), "kernel": KERNEL, "bias": np.ones(3, np.float32), "one": np.ones((1, 1, 1), "f")}
    signal = helper.make_tensor_value_info("signal", TensorProto.FLOAT, ["n", 6, 2])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 3])
    held = [numpy_helper.from_array(values, name) for name, values in weights.items()]
    graph = helper.make_graph(nodes, "sums", [signal], [logits], held)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    return Network(gradient_graph(made.SerializeToString()))


def test_each_sample_of_a_sum_adds_what_it_is():
    added, here, there = integrated_gradients(network(squared=False), STRIP, np.array([0.0, 2.0, 0.0]))
    np.testing.assert_allclose(added, 2 * STRIP * KERNEL[:, 1], atol=1e-5)
    assert added.dtype == np.float64
    assert there == pytest.approx(2.0)
    assert here - there == pytest.approx(added.sum(), abs=1e-5)


@pytest.mark.parametrize("steps", [2, 16, 40])
def test_way_from_a_baseline_counts_not_the_gradient_at_its_end(steps):
    baseline = np.full_like(STRIP, 0.5)
    weights = np.array([1.0, 0.0, -1.0])
    added, here, there = integrated_gradients(network(squared=True), STRIP, weights, baseline=baseline, steps=steps)
    slope = KERNEL[:, 0] - KERNEL[:, 2]
    np.testing.assert_allclose(added, (STRIP.astype(np.float64) ** 2 - 0.25) * slope, atol=1e-4)
    assert here - there == pytest.approx(added.sum(), abs=1e-4)


def test_number_of_steps_is_one_or_more():
    with pytest.raises(InvalidValue, match="steps"):
        integrated_gradients(network(squared=False), STRIP, np.ones(3), steps=0)


@pytest.fixture(scope="module")
def shipped() -> Network:
    return gradient_network(load_model("heart12"))


@pytest.fixture(scope="module")
def strip() -> np.ndarray:
    signal = synthesize(shape="anterior_mi_acute", fs=100, leads=INDEPENDENT_8, seed=3).recording.signal.T
    return (signal - np.median(signal, axis=0)).astype(np.float32)


def test_parts_of_the_shipped_network_sum_to_its_answer(shipped, strip):
    weights = np.zeros(shipped.output_tensors[0].shape[1])
    weights[load_model("heart12").json("heads.json")["outputs"].index("superclass.MI")] = 1.0
    added, here, there = integrated_gradients(shipped, strip, weights, steps=48)
    plain = Network(load_model("heart12").files["network.onnx"])
    expected = plain(np.stack([strip, np.zeros_like(strip)]), ["logits"])["logits"] @ weights
    np.testing.assert_allclose([here, there], expected, atol=1e-4)
    assert added.sum() == pytest.approx(here - there, rel=0.05)


def test_lead_that_was_not_recorded_adds_nothing(shipped, strip):
    without = strip.copy()
    without[:, 4] = 0
    added, _, _ = integrated_gradients(shipped, without, np.eye(shipped.output_tensors[0].shape[1])[0])
    assert not added[:, 4].any()
    assert added[:, 5].any()


def test_gradient_network_of_a_model_is_made_once():
    assert gradient_network(load_model("heart12")) is gradient_network(load_model("heart12"))
