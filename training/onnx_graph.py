"""A Keras network as an ONNX graph: channels before time, batch normalisation folded into the convolution before it.

`_WRITERS` at the bottom lists the layers that are known; one of our own may write itself, by a method
``write_onnx(graph, inputs, tensors)``; any other is refused by name. Tensors of Keras have shape (batch, time,
channels) or (batch, channels). Inside the graph, not at its ends, the former are pictures one row high, (batch,
channels, 1, time): ONNX Runtime has its fast convolutions for pictures alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ecg_core.errors import InvalidValue

if TYPE_CHECKING:
    import keras
    import onnx

OPSET = 18
_IR_VERSION = 10
_PASSED = ("Dropout", "SpatialDropout1D", "GaussianNoise", "GaussianDropout")
"""Layers that do something in training alone."""
_PLAIN_ACTIVATIONS = {
    "relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh", "softplus": "Softplus", "elu": "Elu"
}  # fmt: skip
_MERGES = {"Add": "Add", "Multiply": "Mul", "Subtract": "Sub", "Maximum": "Max"}


def graph_of(model: keras.Model) -> onnx.ModelProto:
    """Return the graph of a functional network; its inputs and outputs are named as in Keras."""
    return _Graph(model).finished()


class _Graph:
    """A graph in the making."""

    def __init__(self, model: keras.Model) -> None:
        from onnx import TensorProto, helper

        self._model = model
        self._nodes: list[Any] = []
        self.weights: dict[str, np.ndarray] = {}
        self._names: dict[int, str] = {}
        self.convolutions: dict[str, tuple[str, str]] = {}
        """Output of a convolution to the names of its kernel and bias."""
        nodes = [node for depth in sorted(model._nodes_by_depth, reverse=True) for node in model._nodes_by_depth[depth]]
        self.uses = Counter(id(tensor) for node in nodes for tensor in node.input_tensors)
        self.uses.update(id(tensor) for tensor in model.outputs)
        self._ends: list[list[Any]] = [[], []]
        for tensor in model.inputs:
            value = helper.make_tensor_value_info(tensor.name, TensorProto.FLOAT, ["n", *tensor.shape[1:]])
            self._ends[0].append(value)
            timed = len(tensor.shape) == 3
            self._names[id(tensor)] = self.as_picture(tensor.name) if timed else tensor.name
        for node in nodes:
            if node.operation.__class__.__name__ != "InputLayer":
                self._names[id(node.output_tensors[0])] = self._written(node)
        for tensor, name in zip(model.outputs, model.output_names, strict=True):
            found = self._names[id(tensor)]
            plain = self.as_sequence(found) if len(tensor.shape) == 3 else found
            self._nodes.append(helper.make_node("Identity", [plain], [name]))
            self._ends[1].append(helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", *tensor.shape[1:]]))

    def finished(self) -> onnx.ModelProto:
        from onnx import checker, helper, numpy_helper

        for at, node in enumerate(self._nodes):
            node.name = f"n{at}"
        weights = [numpy_helper.from_array(array, name) for name, array in self.weights.items()]
        graph = helper.make_graph(self._nodes, self._model.name, *self._ends, weights)
        opset = [helper.make_opsetid("", OPSET)]
        made = helper.make_model(graph, opset_imports=opset, producer_name="einthoven", ir_version=_IR_VERSION)
        checker.check_model(made, full_check=True)
        return made

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add an operation with one output, and return that."""
        from onnx import helper

        name = f"t{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def weight(self, values: np.ndarray | Sequence[int]) -> str:
        """Add a constant and return its name; lists are of int64."""
        name = f"w{len(self.weights)}"
        array = np.asarray(values)
        self.weights[name] = np.ascontiguousarray(array, np.int64 if array.dtype.kind == "i" else np.float32)
        return name

    def as_picture(self, name: str) -> str:
        """Turn (batch, time, channels) into (batch, channels, 1, time)."""
        return self.add("Unsqueeze", self.add("Transpose", name, perm=[0, 2, 1]), self.weight([2]))

    def as_sequence(self, name: str) -> str:
        """Turn (batch, channels, 1, time) into (batch, time, channels)."""
        return self.add("Transpose", self.add("Squeeze", name, self.weight([2])), perm=[0, 2, 1])

    def activated(self, name: str, function: Any) -> str:
        """Apply an activation function of Keras."""
        kind = getattr(function, "__name__", str(function))
        if kind == "linear":
            return name
        if kind in ("silu", "swish"):
            return self.add("Mul", name, self.add("Sigmoid", name))
        if kind == "gelu":
            halved = self.add("Mul", name, self.weight(np.array(0.5)))
            scaled = self.add("Erf", self.add("Mul", name, self.weight(np.array(np.sqrt(0.5)))))
            return self.add("Mul", halved, self.add("Add", scaled, self.weight(np.array(1.0))))
        if kind == "softmax":
            return self.add("Softmax", name, axis=1)
        if kind == "leaky_relu":
            return self.add("LeakyRelu", name, alpha=0.2)
        if kind not in _PLAIN_ACTIVATIONS:
            raise InvalidValue("no such activation can be served", field="activation", found=kind)
        return self.add(_PLAIN_ACTIVATIONS[kind], name)

    def convolution(self, name: str, kernel: np.ndarray, bias: np.ndarray | None, **attributes: Any) -> str:
        """Add a convolution; ``kernel`` has shape (out, in, width)."""
        values = np.zeros(len(kernel)) if bias is None else bias
        weights = self.weight(kernel[:, :, None]), self.weight(values)
        made = self.add("Conv", name, *weights, **attributes)
        self.convolutions[made] = weights
        return made

    def _written(self, node: Any) -> str:
        layer = node.operation
        kind = layer.__class__.__name__
        inputs = [self._names[id(tensor)] for tensor in node.input_tensors]
        if kind in _PASSED:
            return inputs[0]
        if hasattr(layer, "write_onnx"):
            return str(layer.write_onnx(self, inputs, node.input_tensors))
        if kind not in _WRITERS:
            raise InvalidValue(
                "no such layer can be served", field=layer.name, found=kind, options=(*_WRITERS, *_PASSED)
            )
        return _WRITERS[kind](self, layer, inputs, node.input_tensors)


Writer = Callable[[_Graph, Any, Sequence[str], Sequence[Any]], str]


def _values(variable: Any) -> np.ndarray:
    return np.asarray(variable, np.float32)


def _padding(layer: Any, width: int) -> dict[str, Any]:
    """Return the padding of a layer whose window, dilation included, has this width."""
    if layer.padding == "valid":
        return {}
    if layer.padding == "causal":
        return {"pads": [0, width - 1, 0, 0]}
    if layer.strides[0] == 1:
        return {"pads": [0, (width - 1) // 2, 0, width // 2]}
    return {"auto_pad": "SAME_UPPER"}


def _conv(graph: _Graph, layer: Any, inputs: Sequence[str], _: Sequence[Any]) -> str:
    (width,), (dilation,) = layer.kernel_size, layer.dilation_rate
    made = graph.convolution(
        inputs[0],
        _values(layer.kernel).transpose(2, 1, 0),
        _values(layer.bias) if layer.use_bias else None,
        group=layer.groups,
        strides=[1, *layer.strides],
        dilations=[1, dilation],
        **_padding(layer, (width - 1) * dilation + 1),
    )
    return graph.activated(made, layer.activation)


def _depthwise(graph: _Graph, layer: Any, inputs: Sequence[str], _: Sequence[Any]) -> str:
    kernel = _values(layer.kernel)
    (width,), (dilation,) = layer.kernel_size, layer.dilation_rate
    made = graph.convolution(
        inputs[0],
        kernel.transpose(1, 2, 0).reshape(-1, 1, width),
        _values(layer.bias) if layer.use_bias else None,
        group=kernel.shape[1],
        strides=[1, *layer.strides],
        dilations=[1, dilation],
        **_padding(layer, (width - 1) * dilation + 1),
    )
    return graph.activated(made, layer.activation)


def _batch_norm(graph: _Graph, layer: Any, inputs: Sequence[str], tensors: Sequence[Any]) -> str:
    gain = 1 / np.sqrt(_values(layer.moving_variance).astype(np.float64) + layer.epsilon)
    if layer.scale:
        gain = gain * _values(layer.gamma)
    offset = -_values(layer.moving_mean) * gain + (_values(layer.beta) if layer.center else 0.0)
    if inputs[0] in graph.convolutions and graph.uses[id(tensors[0])] == 1:
        kernel, bias = graph.convolutions[inputs[0]]
        graph.weights[kernel] = np.asarray(graph.weights[kernel] * gain[:, None, None, None], np.float32)
        graph.weights[bias] = np.asarray(graph.weights[bias] * gain + offset, np.float32)
        return inputs[0]
    shape = (-1, 1, 1) if len(tensors[0].shape) == 3 else (-1,)
    scaled = graph.add("Mul", inputs[0], graph.weight(gain.reshape(shape)))
    return graph.add("Add", scaled, graph.weight(offset.reshape(shape)))


def _layer_norm(graph: _Graph, layer: Any, inputs: Sequence[str], tensors: Sequence[Any]) -> str:
    size = tensors[0].shape[-1]
    gain = _values(layer.gamma) if layer.scale else np.ones(size)
    offset = _values(layer.beta) if layer.center else np.zeros(size)
    timed = len(tensors[0].shape) == 3
    name = graph.as_sequence(inputs[0]) if timed else inputs[0]
    made = graph.add(
        "LayerNormalization", name, graph.weight(gain), graph.weight(offset), axis=-1, epsilon=layer.epsilon
    )
    return graph.as_picture(made) if timed else made


def _activation(graph: _Graph, layer: Any, inputs: Sequence[str], _: Sequence[Any]) -> str:
    return graph.activated(inputs[0], layer.activation)


def _relu(graph: _Graph, _layer: Any, inputs: Sequence[str], _: Sequence[Any]) -> str:
    return graph.add("Relu", inputs[0])


def _softmax(graph: _Graph, layer: Any, inputs: Sequence[str], tensors: Sequence[Any]) -> str:
    axis = layer.axis % len(tensors[0].shape)
    return graph.add("Softmax", inputs[0], axis={1: 3, 2: 1}[axis] if len(tensors[0].shape) == 3 else axis)


def _dot(graph: _Graph, layer: Any, inputs: Sequence[str], tensors: Sequence[Any]) -> str:
    """Sum over time of the products of two sequences: (batch, time, n), (batch, time, m) -> (batch, n, m)."""
    axes = (layer.axes,) * 2 if isinstance(layer.axes, int) else tuple(layer.axes)
    if any(len(tensor.shape) != 3 for tensor in tensors) or axes != (1, 1) or layer.normalize:
        raise InvalidValue("only sums over time can be served", field=layer.name, found=layer.axes, expected="1")
    channels_first = graph.add("Squeeze", inputs[0], graph.weight([2]))
    return graph.as_picture(graph.add("MatMul", channels_first, graph.as_sequence(inputs[1])))


def _dense(graph: _Graph, layer: Any, inputs: Sequence[str], tensors: Sequence[Any]) -> str:
    kernel = _values(layer.kernel)
    bias = _values(layer.bias) if layer.use_bias else np.zeros(kernel.shape[1])
    if len(tensors[0].shape) == 3:
        made = graph.convolution(inputs[0], kernel.T[:, :, None], bias)
    else:
        made = graph.add("Gemm", inputs[0], graph.weight(kernel), graph.weight(bias))
    return graph.activated(made, layer.activation)


def _pool(kind: str, **attributes: Any) -> Writer:
    def write(graph: _Graph, layer: Any, inputs: Sequence[str], _: Sequence[Any]) -> str:
        where = {} if layer.padding == "valid" else {"auto_pad": "SAME_UPPER"}
        shape = {"kernel_shape": [1, *layer.pool_size], "strides": [1, *layer.strides]}
        return graph.add(kind, inputs[0], **shape, **where, **attributes)

    return write


def _global(kind: str) -> Writer:
    def write(graph: _Graph, layer: Any, inputs: Sequence[str], _: Sequence[Any]) -> str:
        pooled = graph.add(kind, inputs[0], graph.weight([2, 3]), keepdims=0)
        return graph.add("Unsqueeze", pooled, graph.weight([2, 3])) if layer.keepdims else pooled

    return write


def _upsample(graph: _Graph, layer: Any, inputs: Sequence[str], _: Sequence[Any]) -> str:
    scales = graph.weight(np.array([1.0, 1.0, 1.0, layer.size]))
    return graph.add(
        "Resize", inputs[0], "", scales, mode="nearest", nearest_mode="floor",
        coordinate_transformation_mode="asymmetric",
    )  # fmt: skip


def _pad(graph: _Graph, layer: Any, inputs: Sequence[str], _: Sequence[Any]) -> str:
    before, after = layer.padding
    return graph.add("Pad", inputs[0], graph.weight([0, 0, 0, before, 0, 0, 0, after]))


def _crop(graph: _Graph, layer: Any, inputs: Sequence[str], tensors: Sequence[Any]) -> str:
    before, after = layer.cropping
    ends = (graph.weight([before]), graph.weight([tensors[0].shape[1] - after]), graph.weight([3]))
    return graph.add("Slice", inputs[0], *ends)


def _merge(graph: _Graph, layer: Any, inputs: Sequence[str], _: Sequence[Any]) -> str:
    total = inputs[0]
    for name in inputs[1:]:
        total = graph.add(_MERGES[layer.__class__.__name__], total, name)
    return total


def _concatenate(graph: _Graph, layer: Any, inputs: Sequence[str], tensors: Sequence[Any]) -> str:
    axis = layer.axis % len(tensors[0].shape)
    return graph.add("Concat", *inputs, axis={1: 3, 2: 1}[axis] if len(tensors[0].shape) == 3 else axis)


def _reshape(graph: _Graph, layer: Any, inputs: Sequence[str], tensors: Sequence[Any]) -> str:
    shape = [0, *layer.compute_output_shape(tensors[0].shape)[1:]]
    timed = len(tensors[0].shape) == 3
    name = graph.as_sequence(inputs[0]) if timed else inputs[0]
    made = graph.add("Reshape", name, graph.weight(shape))
    return graph.as_picture(made) if len(shape) == 3 else made


def _recurrent(graph: _Graph, layer: Any, inputs: Sequence[str], _: Sequence[Any]) -> str:
    """LSTM or GRU, in one direction or both."""
    both = layer.__class__.__name__ == "Bidirectional"
    ways = [layer.forward_layer, layer.backward_layer] if both else [layer]
    kind, units = ways[0].__class__.__name__, ways[0].units
    # Keras keeps the gates of an LSTM as i f c o, ONNX as i o f c; those of a GRU are z r h in both.
    order = (0, 3, 1, 2) if kind == "LSTM" else (0, 1, 2)
    parts: list[list[np.ndarray]] = [[], [], []]
    for way in ways:
        bias = _values(way.cell.bias)
        bias = np.stack([bias, np.zeros_like(bias)]) if bias.ndim == 1 else bias
        for at, array in enumerate((_values(way.cell.kernel), _values(way.cell.recurrent_kernel), bias)):
            gates = np.split(array, len(order), axis=-1)
            parts[at].append(np.concatenate([gates[gate] for gate in order], axis=-1))
    weights = [graph.weight(np.stack([array.T for array in part])) for part in parts[:2]]
    weights.append(graph.weight(np.stack([array.reshape(-1) for array in parts[2]])))
    extra = {"linear_before_reset": int(ways[0].reset_after)} if kind == "GRU" else {}
    sequence = graph.add("Transpose", graph.add("Squeeze", inputs[0], graph.weight([2])), perm=[2, 0, 1])
    made = graph.add(
        kind, sequence, *weights, hidden_size=units, direction="bidirectional" if both else "forward", **extra
    )
    # Shape (time, direction, batch, units) to (batch, direction, units, time), then directions behind each other.
    turned = graph.add("Transpose", made, perm=[2, 1, 3, 0])
    joined = graph.add("Reshape", turned, graph.weight([0, units * len(ways), 1, -1]))
    if not ways[0].return_sequences:
        raise InvalidValue("only whole sequences can be served", field=layer.name, expected="return_sequences=True")
    return joined


_WRITERS: Mapping[str, Writer] = {
    "Activation": _activation,
    "Add": _merge,
    "AveragePooling1D": _pool("AveragePool", count_include_pad=0),
    "BatchNormalization": _batch_norm,
    "Bidirectional": _recurrent,
    "Concatenate": _concatenate,
    "Conv1D": _conv,
    "Cropping1D": _crop,
    "Dense": _dense,
    "Dot": _dot,
    "DepthwiseConv1D": _depthwise,
    "Flatten": _reshape,
    "GRU": _recurrent,
    "GlobalAveragePooling1D": _global("ReduceMean"),
    "GlobalMaxPooling1D": _global("ReduceMax"),
    "LSTM": _recurrent,
    "LayerNormalization": _layer_norm,
    "MaxPooling1D": _pool("MaxPool"),
    "Maximum": _merge,
    "Multiply": _merge,
    "ReLU": _relu,
    "Reshape": _reshape,
    "Softmax": _softmax,
    "Subtract": _merge,
    "UpSampling1D": _upsample,
    "ZeroPadding1D": _pad,
}
