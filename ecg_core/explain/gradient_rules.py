"""What the gradient of each kind of operation is, as operations: the table `RULES`.

Where a function has an edge, one side is taken: the gradient of ``Relu`` at 0 is 0, and a maximum that several samples
reach passes its gradient to the first of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ecg_core.errors import ModelError

if TYPE_CHECKING:
    import onnx

    from ecg_core.explain.gradient_graph import Backward

Gradients = Iterator[tuple[str, str]]
"""An input of the operation, and the gradient by it."""
Rule = Callable[["Backward", "onnx.NodeProto", str], Gradients]
"""(graph, operation, gradient by its output) -> gradients by its inputs."""


def _attributes(node: onnx.NodeProto) -> dict[str, Any]:
    from onnx import helper

    return {item.name: helper.get_attribute_value(item) for item in node.attribute}


def _same(_: Backward, node: onnx.NodeProto, gradient: str) -> Gradients:
    yield node.input[0], gradient


def _reshape(graph: Backward, node: onnx.NodeProto, gradient: str) -> Gradients:
    yield node.input[0], graph.shaped(gradient, graph.sizes(node.input[0]))


def _transpose(graph: Backward, node: onnx.NodeProto, gradient: str) -> Gradients:
    yield node.input[0], graph.add("Transpose", gradient, perm=np.argsort(_attributes(node)["perm"]).tolist())


def _concat(graph: Backward, node: onnx.NodeProto, gradient: str) -> Gradients:
    axis, begin = _attributes(node)["axis"], 0
    for name in node.input:
        end = begin + graph.sizes(name)[axis]
        yield name, graph.add("Slice", gradient, *(graph.weight([value]) for value in (begin, end, axis)))
        begin = end


def _add(graph: Backward, node: onnx.NodeProto, gradient: str) -> Gradients:
    for name in node.input:
        if graph.moved(name):
            yield name, _narrowed(graph, node, name, gradient)


def _mul(graph: Backward, node: onnx.NodeProto, gradient: str) -> Gradients:
    for name, other in (node.input, node.input[::-1]):
        if graph.moved(name):
            yield name, _narrowed(graph, node, name, graph.add("Mul", gradient, other))


def _narrowed(graph: Backward, node: onnx.NodeProto, name: str, gradient: str) -> str:
    """Sum a gradient over the axes along which an input was repeated."""
    wide, own = graph.sizes(node.output[0]), graph.sizes(name)
    if len(wide) != len(own):
        raise ModelError("no gradient is known of such a shape", field=name, found=own, expected=str(wide))
    axes = [axis for axis, (size, of_own) in enumerate(zip(wide, own, strict=True)) if size != of_own]
    return graph.add("ReduceSum", gradient, graph.weight(axes), keepdims=1) if axes else gradient


def _relu(graph: Backward, node: onnx.NodeProto, gradient: str) -> Gradients:
    yield node.input[0], graph.add("Mul", gradient, graph.add("Sign", node.output[0]))


def _sigmoid(graph: Backward, node: onnx.NodeProto, gradient: str) -> Gradients:
    said = node.output[0]
    slope = graph.add("Sub", said, graph.add("Mul", said, said))
    yield node.input[0], graph.add("Mul", gradient, slope)


def _softmax(graph: Backward, node: onnx.NodeProto, gradient: str) -> Gradients:
    weighted = graph.add("Mul", gradient, node.output[0])
    axes = graph.weight([_attributes(node)["axis"]])
    mean = graph.add("ReduceSum", weighted, axes, keepdims=1)
    yield node.input[0], graph.add("Sub", weighted, graph.add("Mul", node.output[0], mean))


def _reduce_mean(graph: Backward, node: onnx.NodeProto, gradient: str) -> Gradients:
    sizes, axes = graph.sizes(node.input[0]), graph.constant(node.input[1])
    kept = [1 if axis in axes % len(sizes) else size for axis, size in enumerate(sizes)]
    spread = [size if axis in axes % len(sizes) else 1 for axis, size in enumerate(sizes)]
    even = graph.weight(np.full(spread, 1 / np.prod(spread)))
    yield node.input[0], graph.add("Mul", graph.shaped(gradient, kept), even)


def _mat_mul(graph: Backward, node: onnx.NodeProto, gradient: str) -> Gradients:
    left, right = node.input
    if graph.moved(left):
        yield left, graph.add("MatMul", gradient, _turned(graph, right))
    if graph.moved(right):
        yield right, graph.add("MatMul", _turned(graph, left), gradient)


def _turned(graph: Backward, name: str) -> str:
    """Return a tensor with its last two dimensions exchanged; a matrix of weights may have no others."""
    order = [*range(len(graph.sizes(name)))]
    return graph.add("Transpose", name, perm=[*order[:-2], order[-1], order[-2]])


def _gemm(graph: Backward, node: onnx.NodeProto, gradient: str) -> Gradients:
    how = _attributes(node)
    if how.get("transA") or any(graph.moved(name) for name in node.input[1:]):
        raise ModelError("no gradient is known of such a product", field=node.name, found=node.op_type)
    yield (
        node.input[0],
        graph.add("Gemm", gradient, node.input[1], alpha=how.get("alpha", 1.0), transB=1 - how.get("transB", 0)),
    )


def _window(graph: Backward, node: onnx.NodeProto, kernel: Sequence[int]) -> dict[str, Any]:
    """Return steps and margins of a window that slides over pictures, and how much at their ends it never reaches."""
    how = _attributes(node)
    sizes = graph.sizes(node.input[0])[2:], graph.sizes(node.output[0])[2:]
    steps, spread = (how.get(name) or [1] * len(kernel) for name in ("strides", "dilations"))
    given = how.get("pads") or [0] * 2 * len(kernel)
    before, after, missed = [], [], []
    rows = zip(*sizes, steps, spread, kernel, given[: len(kernel)], given[len(kernel) :], strict=True)
    for size, made, step, dilation, width, begin, end in rows:
        reach = (made - 1) * step + (width - 1) * dilation + 1
        if (way := how.get("auto_pad")) in (b"SAME_UPPER", b"SAME_LOWER"):
            lack = max(reach - size, 0)
            begin = lack // 2 if way == b"SAME_UPPER" else lack - lack // 2
            end = lack - begin
        end = max(end, reach - size - begin)
        before.append(begin)
        after.append(end)
        missed.append(size + begin + end - reach)
    return {"strides": steps, "dilations": spread, "pads": [*before, *after], "output_padding": missed}


def _conv(graph: Backward, node: onnx.NodeProto, gradient: str) -> Gradients:
    if any(graph.moved(name) for name in node.input[1:]):
        raise ModelError("no gradient is known of such weights", field=node.name, found=node.op_type)
    window = _window(graph, node, graph.sizes(node.input[1])[2:])
    group = _attributes(node).get("group", 1)
    yield node.input[0], graph.add("ConvTranspose", gradient, node.input[1], group=group, **window)


def _average_pool(graph: Backward, node: onnx.NodeProto, gradient: str) -> Gradients:
    how = _attributes(node)
    kernel, sizes, made = how["kernel_shape"], graph.sizes(node.input[0]), graph.sizes(node.output[0])
    window = _window(graph, node, kernel)
    counts = np.ones(made[2:])
    for axis, (step, dilation, width) in enumerate(zip(window["strides"], window["dilations"], kernel, strict=True)):
        at = np.arange(made[2 + axis])[:, None] * step + np.arange(width) * dilation - window["pads"][axis]
        inside = (
            np.full(len(at), width) if how.get("count_include_pad") else ((at >= 0) & (at < sizes[2 + axis])).sum(1)
        )
        counts *= inside.reshape([-1 if other == axis else 1 for other in range(len(kernel))])
    shared = graph.add("Mul", gradient, graph.weight(1 / counts))
    alike = graph.weight(np.ones((made[1], 1, *kernel)))
    yield node.input[0], graph.add("ConvTranspose", shared, alike, group=made[1], **window)


def _max_pool(graph: Backward, node: onnx.NodeProto, gradient: str) -> Gradients:
    if len(node.output) == 1:
        node.output.append(f"{node.output[0]}_at")
    flat = graph.weight([-1])
    at, values = (graph.add("Reshape", name, flat) for name in (node.output[1], gradient))
    shape = graph.add("Shape", node.input[0])
    empty = graph.add("ConstantOfShape", graph.add("ReduceProd", shape, keepdims=1))
    placed = graph.add("ScatterElements", empty, at, values, axis=0, reduction="add")
    yield node.input[0], graph.add("Reshape", placed, shape)


RULES: Mapping[str, Rule] = {
    "Add": _add,
    "AveragePool": _average_pool,
    "Concat": _concat,
    "Conv": _conv,
    "Gemm": _gemm,
    "Identity": _same,
    "MatMul": _mat_mul,
    "MaxPool": _max_pool,
    "Mul": _mul,
    "ReduceMean": _reduce_mean,
    "Relu": _relu,
    "Reshape": _reshape,
    "Sigmoid": _sigmoid,
    "Softmax": _softmax,
    "Squeeze": _reshape,
    "Transpose": _transpose,
    "Unsqueeze": _reshape,
}
