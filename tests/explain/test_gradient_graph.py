"""Gradients by rewriting a graph, beside differences of its answers and beside TensorFlow's own."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper, shape_inference

from ecg_core.engine import Network
from ecg_core.errors import ModelError
from ecg_core.explain.gradient_graph import gradient_graph, randomised

CHANNELS = 3
RNG = np.random.default_rng(0)
WIDE = {"kernel_shape": [1, 3], "strides": [1, 2]}


def graph_of(nodes, length: int, **weights) -> bytes:
    """Return the graph of operations from ``x``, a picture of three channels and one row, to ``y``."""
    weights |= {"picture": np.array([2]), "flat": np.array([0, -1])}
    body = [
        helper.make_node("Transpose", ["signal"], ["turned"], perm=[0, 2, 1]),
        helper.make_node("Unsqueeze", ["turned", "picture"], ["x"]),
        *nodes,
        helper.make_node("Reshape", ["y", "flat"], ["logits"]),
    ]
    held = [numpy_helper.from_array(np.asarray(values), name) for name, values in weights.items()]
    signal = helper.make_tensor_value_info("signal", TensorProto.FLOAT, ["n", length, CHANNELS])

    def whole(n_outputs):
        logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", n_outputs])
        graph = helper.make_graph(body, "test", [signal], [logits], held)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)

    inferred = shape_inference.infer_shapes(whole(None)).graph.value_info
    (sizes,) = ([dim.dim_value for dim in item.type.tensor_type.shape.dim] for item in inferred if item.name == "y")
    return whole(int(np.prod(sizes[1:]))).SerializeToString()


def gradient_of(graph: bytes, signal: np.ndarray, weights: np.ndarray) -> np.ndarray:
    found = Network(gradient_graph(graph))({"signal": signal, "weights": weights})
    np.testing.assert_allclose(found["logits"], Network(graph)(signal)["logits"], atol=1e-5)
    return found["gradient"]


def differences(graph: bytes, signal: np.ndarray, weights: np.ndarray, step: float = 1e-2) -> np.ndarray:
    """Return the gradient of the weighted sum of the answers to one signal, by moving each sample a little."""
    network = Network(graph)
    moved = step * np.eye(signal.size, dtype=np.float32).reshape(signal.size, *signal.shape[1:])
    up, down = (network(signal + sign * moved)["logits"].astype(np.float64) @ weights[0] for sign in (1, -1))
    return ((up - down) / (2 * step)).reshape(signal.shape)


def kernel(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype(np.float32)


def node(kind: str, *inputs: str, output: str = "y", **attributes):
    return helper.make_node(kind, list(inputs), [output], **attributes)


OPERATIONS = {
    "Conv": ([node("Conv", "x", "k", "b", pads=[0, 1, 0, 2])], {"k": kernel(4, 3, 1, 4), "b": kernel(4)}),
    "Conv without margins": ([node("Conv", "x", "k")], {"k": kernel(4, 3, 1, 3)}),
    "Conv that misses the end": ([node("Conv", "x", "k", strides=[1, 3])], {"k": kernel(4, 3, 1, 2)}),
    "Conv, same": ([node("Conv", "x", "k", strides=[1, 2], auto_pad="SAME_UPPER")], {"k": kernel(4, 3, 1, 5)}),
    "Conv, same below": ([node("Conv", "x", "k", strides=[1, 2], auto_pad="SAME_LOWER")], {"k": kernel(4, 3, 1, 4)}),
    "Conv, dilated": ([node("Conv", "x", "k", dilations=[1, 2], pads=[0, 2, 0, 2])], {"k": kernel(4, 3, 1, 3)}),
    "Conv, by channel": ([node("Conv", "x", "k", group=3, pads=[0, 1, 0, 1])], {"k": kernel(6, 1, 1, 3)}),
    "AveragePool": ([node("AveragePool", "x", kernel_shape=[1, 2], strides=[1, 2])], {}),
    "AveragePool, same": ([node("AveragePool", "x", auto_pad="SAME_UPPER", **WIDE)], {}),
    "AveragePool, margins counted": ([node("AveragePool", "x", pads=[0, 1, 0, 1], count_include_pad=1, **WIDE)], {}),
    "AveragePool beyond the end": ([node("AveragePool", "x", ceil_mode=1, kernel_shape=[1, 2], strides=[1, 2])], {}),
    "MaxPool": ([node("MaxPool", "x", kernel_shape=[1, 2], strides=[1, 2])], {}),
    "MaxPool, same": ([node("MaxPool", "x", auto_pad="SAME_UPPER", **WIDE)], {}),
    "MaxPool, overlapping": ([node("MaxPool", "x", kernel_shape=[1, 3])], {}),
    "ReduceMean": ([node("ReduceMean", "x", "axes", keepdims=0)], {"axes": np.array([2, 3])}),
    "ReduceMean, kept": ([node("ReduceMean", "x", "axes", keepdims=1)], {"axes": np.array([-1])}),
    "Relu": ([node("Relu", "x")], {}),
    "Sigmoid": ([node("Sigmoid", "x")], {}),
    "Softmax": ([node("Softmax", "x", axis=3)], {}),
    "Add of constants": ([node("Add", "x", "c")], {"c": kernel(1, 3, 1, 1)}),
    "Mul by constants": ([node("Mul", "c", "x")], {"c": kernel(1, 3, 1, 1)}),
    "Mul by itself": ([node("Mul", "x", "x")], {}),
    "Mul by its mean": (
        [node("ReduceMean", "x", "axes", output="m", keepdims=1), node("Mul", "x", "m")], {"axes": np.array([2, 3])},
    ),
    "Concat": ([node("Relu", "x", output="r"), node("Concat", "x", "r", "x", axis=1)], {}),
    "MatMul": (
        [
            node("Squeeze", "x", "row", output="s"),
            node("Transpose", "s", output="t", perm=[0, 2, 1]),
            node("MatMul", "s", "t"),
        ],
        {"row": np.array([2])},
    ),
    "Gemm": (
        [node("ReduceMean", "x", "axes", output="m", keepdims=0), node("Gemm", "m", "k", "b", alpha=0.5)],
        {"axes": np.array([2, 3]), "k": kernel(3, 5), "b": kernel(5)},
    ),
    "Gemm, turned": (
        [node("ReduceMean", "x", "axes", output="m", keepdims=0), node("Gemm", "m", "k", "b", transB=1)],
        {"axes": np.array([2, 3]), "k": kernel(5, 3), "b": kernel(5)},
    ),
    "Identity": ([node("Identity", "x")], {}),
}  # fmt: skip


@pytest.mark.parametrize("length", [8, 9])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_gradient_is_what_the_answers_change_by(operation, length):
    nodes, weights = OPERATIONS[operation]
    graph = graph_of(nodes, length, **weights)
    rng = np.random.default_rng(length)
    # No two samples, nor a sample and zero, are closer than a step, so that no difference is taken across an edge.
    levels = (np.arange(length * CHANNELS) - length * CHANNELS // 2 + 0.5) / 10
    signal = rng.permutation(levels).astype(np.float32).reshape(1, length, CHANNELS)
    counts = rng.normal(size=(1, Network(graph).output_tensors[0].shape[1])).astype(np.float32)
    found = gradient_of(graph, signal, counts)
    assert np.abs(found).max() > 0
    np.testing.assert_allclose(found, differences(graph, signal, counts), atol=3e-3)


def test_each_signal_of_a_batch_has_its_own_gradient():
    graph = graph_of(OPERATIONS["MaxPool, same"][0], 9)
    rng = np.random.default_rng(5)
    signal = rng.normal(size=(4, 9, CHANNELS)).astype(np.float32)
    counts = rng.normal(size=(4, Network(graph).output_tensors[0].shape[1])).astype(np.float32)
    together = gradient_of(graph, signal, counts)
    alone = [gradient_of(graph, signal[at : at + 1], counts[at : at + 1])[0] for at in range(4)]
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_of_equal_maxima_the_first_has_the_gradient():
    graph = graph_of(OPERATIONS["MaxPool"][0], 8)
    found = gradient_of(graph, np.ones((1, 8, CHANNELS), np.float32), np.ones((1, 12), np.float32))
    np.testing.assert_array_equal(found[0, :, 0], [1, 0] * 4)


def test_operation_without_a_rule_is_refused_by_name():
    with pytest.raises(ModelError, match="Erf"):
        gradient_graph(graph_of([node("Erf", "x")], 8))


def test_weights_that_hang_on_the_signal_are_refused():
    nodes = [node("ReduceMean", "x", "axes", output="b", keepdims=0), node("Conv", "x", "k", "b")]
    with pytest.raises(ModelError, match="weights"):
        gradient_graph(graph_of(nodes, 8, axes=np.array([0, 2, 3]), k=kernel(3, 3, 1, 2)))


def test_names_that_a_graph_lacks_are_refused():
    with pytest.raises(ModelError, match="no such input or output"):
        gradient_graph(graph_of([node("Identity", "x")], 8), signal="ecg")


def test_answer_that_does_not_hang_on_the_signal_is_refused():
    nodes = [node("Relu", "x", output="z"), node("Identity", "c")]
    with pytest.raises(ModelError, match="does not depend"):
        gradient_graph(graph_of(nodes, 8, c=kernel(1, 3)))


@pytest.fixture(scope="module")
def served():
    """Return a small committee with every kind of layer of the shipped one, as Keras and as the served graph."""
    import keras

    from training.heart12_network import build, committee
    from training.onnx_graph import graph_of as served_graph

    keras.utils.set_random_seed(3)
    settings = {"widths": [8, 12], "depths": [1, 2], "kernel": 5, "heads": 2, "dropout": 0.1}
    network = committee([build(250, 4, **settings, squeeze=squeeze) for squeeze in (0, 2)])
    rng = np.random.default_rng(4)
    for weight in network.weights:
        if "moving" in weight.path or "gamma" in weight.path:
            weight.assign(rng.uniform(0.5, 1.5, weight.shape))
        elif "bias" in weight.path or "beta" in weight.path:
            weight.assign(rng.normal(0, 0.3, weight.shape))
    return network, served_graph(network).SerializeToString()


def test_gradient_of_a_committee_is_that_of_tensorflow(served):
    import tensorflow as tf

    network, graph = served
    rng = np.random.default_rng(6)
    signal = rng.normal(size=(3, 250, 8)).astype(np.float32)
    counts = rng.normal(size=(3, 4)).astype(np.float32)
    with tf.GradientTape() as tape:
        given = tf.constant(signal)
        tape.watch(given)
        answers = network(given, training=False)
        total = tf.reduce_sum((answers["logits"] if isinstance(answers, dict) else answers[0]) * counts)
    expected = tape.gradient(total, given).numpy()
    found = gradient_of(graph, signal, counts)
    np.testing.assert_allclose(found, expected, atol=2e-5 * np.abs(expected).max())


def test_randomised_network_has_the_same_values_in_other_places(served):
    _, graph = served
    shuffled = randomised(graph, 1)
    assert randomised(graph, 1) == shuffled != randomised(graph, 2)
    before, after = (onnx.load_from_string(each).graph.initializer for each in (graph, shuffled))
    for old, new in zip(before, after, strict=True):
        old, new = numpy_helper.to_array(old), numpy_helper.to_array(new)
        np.testing.assert_array_equal(np.sort(old, axis=None), np.sort(new, axis=None))
        if old.dtype.kind == "i":
            np.testing.assert_array_equal(old, new)
    signal = np.random.default_rng(0).normal(size=(1, 250, 8)).astype(np.float32)
    assert np.abs(Network(graph)(signal)["logits"] - Network(shuffled)(signal)["logits"]).max() > 0.01
