"""The gradient of a network's answers by its signal: a graph like any other, written from the network's own graph.

Reverse-mode differentiation by rewriting: behind every operation between the signal and the answers stands, in reverse
order, what `ecg_core.explain.gradient_rules` says for its kind. The result is served by ONNX Runtime with the weights
of the network, so that nothing that trained it is needed. Only operations that our networks consist of are known; any
other is refused by name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from ecg_core.artefacts import Artefact
from ecg_core.engine import NETWORK, Network
from ecg_core.errors import ModelError
from ecg_core.explain.gradient_rules import RULES

SIGNAL, LOGITS, WEIGHTS, GRADIENT = "signal", "logits", "weights", "gradient"
_KEPT = 2
"""Gradient networks held: each holds the weights of its model once more."""


def gradient_graph(graph: bytes, *, signal: str = SIGNAL, logits: str = LOGITS) -> bytes:
    """Return a graph that tells the gradient of a network's answers.

    Parameters
    ----------
    graph
        An ONNX graph, its sizes known but for the first of each tensor, that of the batch.
    signal, logits
        The input by which to differentiate, and the output that holds the answers, shape (n, n_outputs).

    Returns
    -------
    A graph with the inputs ``signal`` and ``weights``, what each answer counts, shape (n, n_outputs); and the outputs
    ``logits`` and ``gradient``, that of the weighted sum of the answers, of the shape of the signal.

    Raises
    ------
    ModelError
        The graph has an operation that is not known here, or none of these names.
    """
    return Backward(graph, signal, logits).finished()


def gradient_network(artefact: Artefact) -> Network:
    """Return the gradient of a model's network, made once a process."""
    return _network(artefact, artefact.sha256)


@lru_cache(_KEPT)
def _network(artefact: Artefact, _sha256: str) -> Network:
    return Network(gradient_graph(artefact.files[NETWORK]), f"{artefact.path / NETWORK} (gradient)")


def randomised(graph: bytes, seed: int) -> bytes:
    """Return the same graph with the values of each weight shuffled: a network that has learned nothing."""
    import onnx
    from onnx import numpy_helper

    model = onnx.load_from_string(graph)
    rng = np.random.default_rng(seed)
    for weight in model.graph.initializer:
        values = numpy_helper.to_array(weight)
        if values.dtype.kind == "f":
            shuffled = rng.permutation(values.reshape(-1)).reshape(values.shape)
            weight.CopyFrom(numpy_helper.from_array(shuffled, weight.name))
    return bytes(model.SerializeToString())


class Backward:
    """A graph, and behind it its gradient in the making."""

    def __init__(self, graph: bytes, signal: str, logits: str) -> None:
        import onnx
        from onnx import shape_inference

        self._model = shape_inference.infer_shapes(onnx.load_from_string(graph), strict_mode=True)
        body = self._model.graph
        self._ends = signal, logits
        self._values = {item.name: item for item in (*body.input, *body.value_info, *body.output)}
        self._weights = {item.name: item for item in body.initializer}
        if signal not in (item.name for item in body.input) or logits not in (item.name for item in body.output):
            found = ", ".join(item.name for item in (*body.input, *body.output))
            raise ModelError("no such input or output", found=found, expected=f"{signal}, {logits}")
        self._made: list[Any] = []
        self._moved = {signal}
        """Tensors that change with the signal."""
        for node in body.node:
            if not self._moved.isdisjoint(node.input):
                self._moved.update(node.output)

    def finished(self) -> bytes:
        """Return the graph with its gradient."""
        from onnx import TensorProto, checker, helper

        signal, logits = self._ends
        body = self._model.graph
        found = defaultdict(list, {logits: [WEIGHTS]})
        for node in reversed(body.node):
            if not (node.output[0] in found and node.output[0] in self._moved):
                continue
            if node.op_type not in RULES:
                raise ModelError(
                    "no gradient is known of an operation", field=node.name, found=node.op_type, options=RULES
                )
            for name, gradient in RULES[node.op_type](self, node, self._total(found.pop(node.output[0]))):
                found[name].append(gradient)
        if signal not in found:
            raise ModelError("the output does not depend on the input", found=logits, expected=f"a path from {signal}")
        self._made.append(helper.make_node("Identity", [self._total(found[signal])], [GRADIENT]))
        body.node.extend(self._made)
        ends = {name: self._values[name].type.tensor_type.shape.dim for name in (signal, logits)}
        sizes = {name: [dim.dim_value or dim.dim_param for dim in dims] for name, dims in ends.items()}
        body.input.append(helper.make_tensor_value_info(WEIGHTS, TensorProto.FLOAT, sizes[logits]))
        kept = self._values[logits]
        del body.output[:]
        body.output.extend([kept, helper.make_tensor_value_info(GRADIENT, TensorProto.FLOAT, sizes[signal])])
        checker.check_model(self._model)
        return bytes(self._model.SerializeToString())

    def add(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add an operation with one output, and return that."""
        from onnx import helper

        name = f"gradient{len(self._made)}"
        self._made.append(helper.make_node(kind, list(inputs), [name], f"{kind}_{name}", **attributes))
        return name

    def weight(self, values: np.ndarray | Sequence[int]) -> str:
        """Add a constant and return its name; lists are of int64."""
        from onnx import numpy_helper

        array = np.asarray(values)
        array = np.ascontiguousarray(array, np.int64 if array.dtype.kind == "i" else np.float32)
        name = f"constant{len(self._model.graph.initializer)}"
        self._model.graph.initializer.append(numpy_helper.from_array(array, name))
        return name

    def sizes(self, name: str) -> tuple[int, ...]:
        """Return the sizes of a tensor, 0 for that of the batch."""
        if name in self._weights:
            return tuple(self._weights[name].dims)
        sizes = tuple(dim.dim_value for dim in self._values[name].type.tensor_type.shape.dim)
        if not all(sizes[1:]):
            raise ModelError("the size of a tensor is not known", field=name, found=sizes)
        return sizes

    def constant(self, name: str) -> np.ndarray:
        """Return the values of a weight."""
        from onnx import numpy_helper

        return np.asarray(numpy_helper.to_array(self._weights[name]))

    def moved(self, name: str) -> bool:
        """Return whether a tensor changes with the signal."""
        return name in self._moved

    def shaped(self, name: str, sizes: Sequence[int]) -> str:
        """Reshape a tensor, its batch left as it is."""
        return self.add("Reshape", name, self.weight([-1, *sizes[1:]]))

    def _total(self, parts: Sequence[str]) -> str:
        total = parts[0]
        for part in parts[1:]:
            total = self.add("Add", total, part)
        return total
