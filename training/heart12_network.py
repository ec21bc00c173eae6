"""The network ``heart12``: a residual network over eight leads whose answers are sums over time.

Its last feature maps are pooled by their mean and by attention (softmax over time, a few heads), and each answer is a
linear function of what was pooled. So an answer is exactly the sum of what each moment adds to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import keras

N_LEADS = 8
_LOG_SPREADS = (-2.5, 2.5)
"""Beyond these a first guess of the age could cost more than all else together."""


def build(
    n_samples: int,
    n_outputs: int,
    *,
    widths: Sequence[int],
    depths: Sequence[int],
    kernel: int,
    heads: int,
    dropout: float,
    squeeze: int = 0,
) -> keras.Model:
    """Return the network for strips of ``n_samples`` at 100 Hz, with the output ``logits``.

    Parameters
    ----------
    widths, depths
        Channels and blocks of each stage; every stage but the first halves the time, which the stem has quartered.
    kernel
        Samples that each convolution of a block sees.
    heads
        Of the attention.
    squeeze
        Every block weighs its channels by a small network of this many times fewer; 0 leaves that out.
    """
    import keras
    from keras import layers

    def conv(x: Any, n: int, size: int = kernel, stride: int = 1) -> Any:
        x = layers.Conv1D(n, size, strides=stride, padding="same", use_bias=False)(x)
        return layers.BatchNormalization(momentum=0.97)(x)

    def relu(x: Any) -> Any:
        return layers.ReLU()(x)

    def excite(x: Any, n: int) -> Any:
        gate = layers.GlobalAveragePooling1D(keepdims=True)(x)
        gate = layers.Dense(n, activation="sigmoid")(layers.Dense(n // squeeze, activation="relu")(gate))
        return layers.Multiply()([x, gate])

    def block(x: Any, n: int, stride: int) -> Any:
        y = conv(relu(conv(x, n, stride=stride)), n)
        if squeeze:
            y = excite(y, n)
        if stride > 1:
            x = layers.AveragePooling1D(stride, padding="same")(x)
        if x.shape[-1] != n:
            x = conv(x, n, 1)
        return relu(layers.Add()([x, y]))

    signal = keras.Input((n_samples, N_LEADS), name="signal")
    x = relu(conv(signal, widths[0] // 2, 5, 2))
    x = relu(conv(relu(conv(x, widths[0] // 2, 5)), widths[0], 5))
    x = layers.MaxPooling1D(2, padding="same")(x)
    for stage, (width, depth) in enumerate(zip(widths, depths, strict=True)):
        for at in range(depth):
            x = block(x, width, 2 if stage and not at else 1)
    maps = layers.Activation("linear", name="maps", dtype="float32")(x)
    drive = layers.Conv1D(heads, 1, dtype="float32", name="attention_logits")(maps)
    attention = layers.Softmax(axis=1, dtype="float32")(drive)
    attended = layers.Flatten()(layers.Dot(axes=1, dtype="float32")([attention, maps]))
    pooled = layers.Concatenate()([layers.GlobalAveragePooling1D()(maps), attended])
    logits = layers.Dense(n_outputs, dtype="float32", name="logits")(layers.Dropout(dropout)(pooled))
    return keras.Model(signal, logits, name="heart12")


def committee(members: Sequence[keras.Model]) -> keras.Model:
    """Return the network that is served: ``logits``, the mean of the members', and ``maps``, theirs side by side."""
    import keras
    from keras import layers

    signal = keras.Input(members[0].input.shape[1:], name="signal")
    logits, maps = [], []
    for number, member in enumerate(members):
        copy = keras.models.clone_model(member, input_tensors=signal, clone_function=_renamed(f"member{number}_"))
        copy.set_weights(member.get_weights())
        last = copy.get_layer(f"member{number}_logits")
        last.set_weights([values / len(members) for values in last.get_weights()])
        logits.append(last.output)
        maps.append(copy.get_layer(f"member{number}_maps").output)
    several = len(members) > 1
    outputs = {
        "logits": layers.Add(name="logits")(logits) if several else _as(logits[0], "logits"),
        "maps": layers.Concatenate(name="maps")(maps) if several else _as(maps[0], "maps"),
    }
    return keras.Model(signal, list(outputs.values()), name="heart12")


def linear_head(members: Sequence[keras.Model]) -> dict[str, np.ndarray]:
    """Return how the answers of a `committee` follow from its maps, see `ecg_core.predictors.activation.LinearHead`.

    Each member's attention and answers rest on its own channels of the maps alone.
    """
    attention = [[np.asarray(w) for w in member.get_layer("attention_logits").get_weights()] for member in members]
    dense = [[np.asarray(w) for w in member.get_layer("logits").get_weights()] for member in members]
    channels = [kernel.shape[1] for kernel, _ in attention]
    heads = [kernel.shape[2] for kernel, _ in attention]
    outputs = dense[0][0].shape[1]
    drive = np.zeros((sum(channels), sum(heads)), np.float32)
    kernel = np.zeros((1 + sum(heads), sum(channels), outputs), np.float32)
    for number, ((drive_kernel, _), (answer_kernel, _)) in enumerate(zip(attention, dense, strict=True)):
        own = slice(sum(channels[:number]), sum(channels[: number + 1]))
        first = sum(heads[:number])
        drive[own, first : first + heads[number]] = drive_kernel[0]
        weights = answer_kernel.reshape(1 + heads[number], channels[number], outputs) / len(members)
        kernel[0, own] = weights[0]
        kernel[1 + first : 1 + first + heads[number], own] = weights[1:]
    return {
        "attention_kernel": drive,
        "attention_bias": np.concatenate([bias for _, bias in attention]),
        "kernel": kernel.reshape(-1, outputs),
        "bias": np.mean([bias for _, bias in dense], axis=0),
    }


def _renamed(prefix: str) -> Any:
    def clone(layer: Any) -> Any:
        config = layer.get_config()
        config["name"] = prefix + layer.name
        return layer.__class__.from_config(config)

    return clone


def _as(tensor: Any, name: str) -> Any:
    from keras import layers

    return layers.Activation("linear", name=name, dtype="float32")(tensor)


def loss(weights: Mapping[str, float], columns: Mapping[str, Sequence[int]], unknown: float) -> Any:
    """Return the loss of the outputs against targets; a target under ``unknown`` is not known.

    Cross-entropy, the mean over the labels of each head times the head's weight; for the age, of which the outputs
    are a median and the logarithm of a spread, the negative log-likelihood of a Laplace distribution.

    Parameters
    ----------
    columns
        Outputs of each head, in one run each; ``age`` comes last.
    """
    from keras import ops

    age = columns["age"][0]
    spans = {name: slice(cols[0], cols[-1] + 1) for name, cols in columns.items() if name != "age"}

    def total(targets: Any, outputs: Any) -> Any:
        targets = ops.cast(targets, "float32")
        known = ops.cast(targets > unknown, "float32")
        labels, logits = targets[:, :age], outputs[:, :age]
        cross = (ops.softplus(logits) - labels * logits) * known[:, :age]
        spread = ops.clip(outputs[:, age + 1], *_LOG_SPREADS)
        error = ops.abs(targets[:, age] - outputs[:, age]) * ops.exp(-spread) + spread
        result = weights["age"] * ops.mean(error * known[:, age])
        for name, span in spans.items():
            result += weights[name] * ops.mean(ops.mean(cross[:, span], axis=1))
        return result

    return total
