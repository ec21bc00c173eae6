"""The beat network: a residual U-Net with a dilated bottom, which says at each sample whether a beat is there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ecg_core.robust.inputs import LENGTH, STEP

if TYPE_CHECKING:
    import keras

HEADS = ("beat", "half", "quarter")
"""The answer, and the same at a half and a quarter of its rate, which are learnt but not served."""


def build(channels: tuple[int, ...], dilations: tuple[int, ...], dropout: float) -> keras.Model:
    """Return the untrained network: ``channels`` of each level, the first at the answer's rate, each next at half."""
    import keras
    from keras import layers

    def normal(x: Any) -> Any:
        return layers.Activation("relu")(layers.BatchNormalization()(x))

    def block(x: Any, width: int, dilation: int = 1) -> Any:
        short = x if x.shape[-1] == width else layers.Conv1D(width, 1, use_bias=False)(x)
        y = layers.Conv1D(width, 5, padding="same", dilation_rate=dilation, use_bias=False)(normal(x))
        y = layers.Conv1D(width, 5, padding="same", dilation_rate=dilation, use_bias=False)(normal(y))
        return layers.Add()([short, y])

    def head(x: Any, name: str) -> Any:
        return layers.Conv1D(1, 1, dtype="float32", name=name)(normal(x))

    inputs = keras.Input((LENGTH, 2), name="strip")
    x = layers.Conv1D(channels[0], 10, strides=STEP, padding="same", use_bias=False)(inputs)
    x = block(x, channels[0])
    skips = []
    for width in channels[1:]:
        skips.append(x)
        x = layers.Conv1D(width, 4, strides=2, padding="same", use_bias=False)(normal(x))
        x = block(x, width)
    for dilation in dilations:
        x = block(x, channels[-1], dilation)
    x = layers.SpatialDropout1D(dropout)(x)
    outputs = {}
    for level, skip in reversed(list(enumerate(skips))):
        x = layers.UpSampling1D(2)(layers.Conv1D(skip.shape[-1], 1, use_bias=False)(normal(x)))
        x = block(layers.Add()([x, skip]), skip.shape[-1])
        if level < len(HEADS):
            outputs[HEADS[level]] = head(x, HEADS[level])
    return keras.Model(inputs, {name: outputs[name] for name in HEADS}, name="beats")


def served(model: keras.Model) -> keras.Model:
    """Return the network with its first head alone: log odds, shape (n_strips, `LENGTH` / `STEP`, 1)."""
    import keras

    return keras.Model(model.input, model.output["beat"], name=model.name)


def loss(truth: Any, answer: Any) -> Any:
    """Return the cross entropy of log odds; ``truth`` holds target and weight, shape (n_strips, n_samples, 2)."""
    import tensorflow as tf

    each = tf.nn.sigmoid_cross_entropy_with_logits(labels=truth[..., :1], logits=tf.cast(answer, tf.float32))
    return tf.reduce_sum(each * truth[..., 1:]) / (tf.reduce_sum(truth[..., 1:]) + 1.0)


def targets(marks: np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
    """Return the truth of every head from that of the first, shapes (n_strips, `LENGTH`)."""
    both = np.stack((marks, weights), axis=2).astype(np.float32)
    found = {}
    for level, name in enumerate(HEADS):
        width = STEP << level
        parts = both.reshape(len(both), LENGTH // width, width, 2)
        found[name] = np.stack((parts[..., 0].mean(axis=2), parts[..., 1].min(axis=2)), axis=2)
    return found
