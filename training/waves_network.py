"""The network ``waves``: a U-Net a lead, whose leads tell each other what they see.

At every level, each lead receives a linear map of the mean over the leads of its recording; so any number of leads in
any order is read by the same weights, and a wave that most leads show is found in the others. Rows of one recording
bear the same number in the input ``record``.

The output, at 125 Hz, holds logits of four classes (none, P, QRS, T) and of nine marks (onset, peak, end of each wave),
for the lead and then for its recording as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ecg_core.delineation.inputs import WINDOW
from training.waves_targets import CLASSES, MARKS, WIDTH

if TYPE_CHECKING:
    import keras

N_LOGITS = len(CLASSES) + len(MARKS)


def build(channels: Sequence[int], kernel: int) -> keras.Model:
    """Return the network, with ``channels`` at 125 Hz, 62.5 Hz and so on."""
    import keras
    from keras import layers

    signal = keras.Input((WINDOW, 1), name="signal")
    recorded = keras.Input((WINDOW, 1), name="recorded")
    record = keras.Input((1,), name="record")
    share_layer = _mean_over_leads()

    def conv(x: Any, n: int, size: int = kernel, stride: int = 1) -> Any:
        x = layers.Conv1D(n, size, strides=stride, padding="same", use_bias=False)(x)
        return layers.BatchNormalization(momentum=0.95)(x)

    def block(x: Any, n: int) -> Any:
        y = conv(layers.ReLU()(conv(x, n)), n)
        return layers.ReLU()(layers.Add()([x if x.shape[-1] == n else conv(x, n, 1), y]))

    def share(x: Any, seen: Any) -> Any:
        mean = share_layer()([x, seen, record])
        return layers.Add()([x, layers.Conv1D(x.shape[-1], 1)(mean)])

    seen = [layers.AveragePooling1D(2 ** (level + 1))(recorded) for level in range(len(channels))]
    x = layers.ReLU()(conv(layers.Concatenate()([signal, recorded]), channels[0], 7, 2))
    skips = []
    for level, n in enumerate(channels):
        x = share(block(layers.MaxPooling1D(2)(x) if level else x, n), seen[level])
        skips.append(x)
    for level in reversed(range(len(channels) - 1)):
        n = channels[level]
        x = block(layers.Add()([layers.UpSampling1D(2)(conv(x, n, 1)), skips[level]]), n)
    x = share(x, seen[0])
    lead = layers.Conv1D(N_LOGITS, kernel, padding="same", dtype="float32")(x)
    pooled = layers.ReLU()(conv(share_layer()([x, seen[0], record]), channels[0]))
    whole = layers.Conv1D(N_LOGITS, kernel, padding="same", dtype="float32")(pooled)
    logits = layers.Concatenate(name="logits", dtype="float32")([lead, whole])
    return keras.Model([signal, recorded, record], logits, name="waves")


def loss(whole: float, marks: float) -> Any:
    """Return the loss of the logits against what `training.waves_targets.render` draws, for lead and whole in turn.

    The whole weighs ``whole`` beside the lead, and the marks ``marks`` beside the classes.
    """
    from keras import ops

    n, m = len(CLASSES), len(MARKS)

    def part(targets: Any, logits: Any) -> Any:
        kind, counts, heat, known = (targets[..., at] for at in (0, 1, slice(2, 2 + m), slice(2 + m, WIDTH)))
        log = ops.log_softmax(logits[..., :n], axis=-1)
        chosen = ops.sum(ops.one_hot(ops.cast(kind, "int32"), n) * log, axis=-1)
        cross = ops.softplus(logits[..., n:]) - heat * logits[..., n:]
        classes = -ops.sum(chosen * counts) / (ops.sum(counts) + 1.0)
        return classes + marks * ops.sum(cross * known) / (ops.sum(known) + 1.0)

    def total(targets: Any, logits: Any) -> Any:
        lead = part(targets[..., :WIDTH], logits[..., :N_LOGITS])
        return lead + whole * part(targets[..., WIDTH:], logits[..., N_LOGITS:])

    return total


def _mean_over_leads() -> Any:
    """Return the layer that replaces each row by the mean, over the rows of its recording, of what was recorded."""
    import keras
    from keras import ops

    class MeanOverLeads(keras.layers.Layer):  # type: ignore[misc]
        def call(self, inputs: Any) -> Any:
            values, seen, record = inputs
            time, channels = values.shape[1:]
            same = ops.cast(ops.equal(record, ops.transpose(record)), values.dtype)
            total = ops.matmul(same, ops.reshape(values * seen, (-1, time * channels)))
            count = ops.matmul(same, ops.reshape(seen, (-1, time)))
            return ops.reshape(total, (-1, time, channels)) / ops.expand_dims(ops.maximum(count, 0.5), -1)

        def compute_output_shape(self, shapes: Any) -> Any:
            return shapes[0]

        def write_onnx(self, graph: Any, inputs: Sequence[str], tensors: Sequence[Any]) -> str:
            from onnx import TensorProto

            values, seen, record = inputs
            time, channels = tensors[0].shape[1:]
            flat = graph.weight([0, -1])
            turned = graph.add("Transpose", record, perm=[1, 0])
            same = graph.add("Cast", graph.add("Equal", record, turned), to=TensorProto.FLOAT)
            total = graph.add("MatMul", same, graph.add("Reshape", graph.add("Mul", values, seen), flat))
            count = graph.add("MatMul", same, graph.add("Reshape", seen, flat))
            count = graph.add(
                "Reshape", graph.add("Max", count, graph.weight(np.array([0.5]))), graph.weight([0, 1, 1, time])
            )
            return str(graph.add("Div", graph.add("Reshape", total, graph.weight([0, channels, 1, time])), count))

    return MeanOverLeads
