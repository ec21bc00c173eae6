"""Training a Keras network on the CPU and turning it into the served graph.

TensorFlow is imported by what needs it alone. Checkpoints lie outside the repository, in the folder that
``EINTHOVEN_CHECKPOINTS`` names, else in the user's cache.
"""

from __future__ import annotations

import itertools
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import platformdirs

from ecg_core.engine import Network
from ecg_core.errors import ModelError
from training.onnx_graph import graph_of

if TYPE_CHECKING:
    import keras

Batch = tuple[Any, ...]
"""Inputs, targets and, where there are any, weights of the loss: each an array or a dictionary of arrays."""

_PARITY = 1e-3
"""Greatest difference between network and graph, as a share of the greatest output or of 1."""
_STATISTICS_BATCHES = 60


@dataclass(frozen=True)
class Schedule:
    """How long and how fast a network learns: a warm-up, then a cosine down to nothing."""

    steps: int
    rate: float
    """Greatest learning rate, of AdamW."""
    warm_up: float = 0.1
    """Part of the steps."""
    decay: float = 1e-4
    """Weight decay."""
    average: float = 0.995
    """Momentum of the running average of the weights, which replaces them at the end."""
    clip: float = 1.0
    """Greatest norm of the gradient."""


def checkpoints(name: str) -> Path:
    """Return the folder for what training ``name`` keeps between runs."""
    chosen = os.environ.get("EINTHOVEN_CHECKPOINTS")
    folder = (Path(chosen) if chosen else platformdirs.user_cache_path("einthoven") / "training") / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def use_mixed_precision() -> None:
    """Let networks that are built from now on compute in bfloat16; weights and outputs stay float32."""
    import keras

    keras.mixed_precision.set_global_policy("mixed_bfloat16")


def fit(
    model: keras.Model,
    batches: Iterator[Batch],
    loss: Any,
    schedule: Schedule,
    *,
    checkpoint: Path | None = None,
    save_every: int = 500,
    loss_weights: Any = None,
    report: Callable[[int, float], None] | None = None,
) -> None:
    """Train ``model`` in place, ending with the averaged weights and with batch statistics that belong to them.

    Parameters
    ----------
    model
        Its initial weights are where training starts.
    batches
        Endless; made in a thread of its own, one batch ahead.
    loss
        What Keras takes: a function, or one by output.
    schedule
        Length and rates.
    checkpoint
        Folder from which a stopped training goes on and which holds its state every ``save_every`` steps.
    report
        Called with (steps done, mean loss since the last call) every ``save_every`` steps.
    """
    import keras
    import tensorflow as tf

    warm = max(1, int(schedule.warm_up * schedule.steps))
    rate = keras.optimizers.schedules.CosineDecay(
        schedule.rate / 25,
        max(1, schedule.steps - warm),
        alpha=1e-3,
        warmup_target=schedule.rate,
        warmup_steps=warm,
    )
    optimizer = keras.optimizers.AdamW(
        rate,
        weight_decay=schedule.decay,
        global_clipnorm=schedule.clip,
        use_ema=True,
        ema_momentum=schedule.average,
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    model.compile(optimizer, loss, loss_weights=loss_weights, jit_compile=False)
    first = next(batches)
    signature = tf.nest.map_structure(
        lambda array: tf.TensorSpec((None, *np.shape(array)[1:]), tf.as_dtype(np.asarray(array).dtype)), first
    )

    recent: deque[Any] = deque(maxlen=_STATISTICS_BATCHES)

    def chained() -> Iterator[Batch]:
        for batch in itertools.chain((first,), batches):
            recent.append(batch[0])
            yield batch

    data = tf.data.Dataset.from_generator(chained, output_signature=signature).prefetch(2)
    epochs = max(1, round(schedule.steps / save_every))
    per_epoch = -(-schedule.steps // epochs)
    callbacks: list[Any] = [_Reporter(report, per_epoch)] if report else []
    if checkpoint is not None:
        checkpoint.mkdir(parents=True, exist_ok=True)
        callbacks.append(keras.callbacks.BackupAndRestore(str(checkpoint / "state"), delete_checkpoint=False))
    model.fit(data, shuffle=False, epochs=epochs, steps_per_epoch=per_epoch, verbose=0, callbacks=callbacks)
    optimizer.finalize_variable_values(model.trainable_variables)
    _restate_statistics(model, list(recent))


def to_onnx(model: keras.Model) -> bytes:
    """Return the network as a float32 ONNX graph of any batch size, the same bytes for the same weights.

    Raises
    ------
    ModelError
        The graph, run as it will be served, does not answer as the network does.
    """
    import keras

    policy = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_global_policy("float32")
    try:
        plain = keras.models.clone_model(model, clone_function=_in_float32)
    finally:
        keras.mixed_precision.set_global_policy(policy)
    plain.set_weights(model.get_weights())
    graph = bytes(graph_of(plain).SerializeToString(deterministic=True))
    rng = np.random.default_rng(0)
    sample = {tensor.name: rng.standard_normal((2, *tensor.shape[1:]), np.float32) for tensor in plain.inputs}
    served = Network(graph)(sample)
    answers = plain(
        [sample[tensor.name] for tensor in plain.inputs] if len(sample) > 1 else next(iter(sample.values()))
    )
    for name, answer in zip(plain.output_names, answers if isinstance(answers, list) else [answers], strict=True):
        error = float(np.abs(served[name] - np.asarray(answer)).max())
        if not error <= _PARITY * max(1.0, float(np.abs(answer).max())):
            raise ModelError("the graph does not answer as the network", field=name, found=f"{error:.2g} off")
    return graph


def _in_float32(layer: Any) -> Any:
    config = layer.get_config()
    config["dtype"] = "float32"
    return layer.__class__.from_config(config)


def _restate_statistics(model: keras.Model, batches: Sequence[Any]) -> None:
    """Take mean and variance of every batch normalisation anew, as the plain mean over batches of inputs."""
    import keras

    layers = [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.BatchNormalization)]
    if not layers:
        return
    before = [layer.momentum for layer in layers]
    totals: list[list[np.ndarray]] = []
    for layer in layers:
        layer.momentum = 0.0
    for batch in batches:
        model(batch, training=True)
        totals.append([np.concatenate([layer.moving_mean, layer.moving_variance]) for layer in layers])
    for at, layer in enumerate(layers):
        mean, variance = np.split(np.mean([row[at] for row in totals], axis=0), 2)
        layer.moving_mean.assign(mean)
        layer.moving_variance.assign(variance)
        layer.momentum = before[at]


def _Reporter(report: Callable[[int, float], None], per_epoch: int) -> Any:
    import keras

    class Reporter(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            report((epoch + 1) * per_epoch, (logs or {}).get("loss", float("nan")))

    return Reporter()
