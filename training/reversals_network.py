"""The network of ``reversals``: from potentials of a beat to how much it looks like one recorded in order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from training.network import Schedule, fit, to_onnx
from training.recipe import Recipe
from training.reversals_data import batches

if TYPE_CHECKING:
    import keras


def train_network(recipe: Recipe, beats: np.ndarray) -> bytes:
    """Train the members and return the served graph: ``beat`` (n, 9 * n_times) to ``score`` (n, 1), their mean.

    Parameters
    ----------
    recipe
        Settings ``network``, ``fit`` and ``seed``.
    beats
        As the network reads them, float32, shape (n, 9, n_times).
    """
    import keras

    network, settings = recipe["network"], recipe["fit"]
    n_inputs = beats.shape[1] * beats.shape[2]
    members = []
    for member in range(network["members"]):
        seed = recipe["seed"] + member
        keras.utils.set_random_seed(seed)
        model = _network(network["hidden"], network["dropout"], settings["batches"]["ways"], n_inputs)
        fit(
            model,
            batches(beats, **settings["batches"], seed=seed),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            Schedule(settings["steps"], settings["rate"], decay=settings["decay"]),
        )
        members.append(model)
    return to_onnx(_mean_of(members, network["hidden"], n_inputs))


def _network(hidden: Sequence[int], dropout: float, ways: int, n_inputs: int) -> keras.Model:
    """Return the network in training: ways to show a beat, (batch, ways, inputs), to the score of each."""
    import keras

    shown = keras.Input((ways, n_inputs), name="shown")
    values = shown
    for number, units in enumerate(hidden):
        values = keras.layers.Dense(units, "gelu", name=f"hidden_{number}")(values)
        values = keras.layers.Dropout(dropout)(values)
    score = keras.layers.Dense(1, name="score")(values)
    return keras.Model(shown, keras.layers.Reshape((ways,))(score))


def _mean_of(members: Sequence[keras.Model], hidden: Sequence[int], n_inputs: int) -> keras.Model:
    """Return the served network: one beat, (batch, inputs), to the mean of the members' scores."""
    import keras

    beat = keras.Input((n_inputs,), name="beat")
    last = []
    for at in range(len(members)):
        values = beat
        for number, units in enumerate(hidden):
            values = keras.layers.Dense(units, "gelu", name=f"hidden_{at}_{number}")(values)
        last.append(values)
    score = keras.layers.Dense(1, name="score")(keras.layers.Concatenate()(last))
    served = keras.Model(beat, score)
    for at, member in enumerate(members):
        for number in range(len(hidden)):
            served.get_layer(f"hidden_{at}_{number}").set_weights(member.get_layer(f"hidden_{number}").get_weights())
    kernels, offsets = zip(*(member.get_layer("score").get_weights() for member in members), strict=True)
    served.get_layer("score").set_weights([np.concatenate(kernels) / len(members), np.mean(offsets, axis=0)])
    return served
