"""Training a small network, and the graph that is served in its place."""

from __future__ import annotations

import numpy as np
import pytest

from ecg_core.engine import Network
from ecg_core.errors import InvalidValue
from training.network import Schedule, checkpoints, fit, to_onnx

keras = pytest.importorskip("keras")
layers = keras.layers

# Keras saves its weights through an interface that NumPy has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(autouse=True)
def _seeded(monkeypatch, tmp_path):
    keras.utils.set_random_seed(7)
    monkeypatch.setenv("EINTHOVEN_CHECKPOINTS", str(tmp_path))


def _detector():
    signal = keras.Input((64, 1), name="signal")
    x = layers.Conv1D(4, 5, padding="same", use_bias=False)(signal)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    return keras.Model(signal, layers.Conv1D(1, 1, activation="sigmoid", name="above")(x), name="detector")


def _batches(seed=0, mean=3.0):
    rng = np.random.default_rng(seed)
    while True:
        signal = rng.standard_normal((16, 64, 1), np.float32)
        yield signal + np.float32(mean), (signal > 0).astype(np.float32)


def _zoo():
    """Return a network with every kind of layer that can be served, its batch statistics far from 0 and 1."""
    signal, facts = keras.Input((301, 2), name="signal"), keras.Input((5,), name="facts")
    x = layers.BatchNormalization()(layers.Conv1D(8, 7, padding="same", activation="gelu")(signal))
    x = layers.BatchNormalization()(layers.Conv1D(8, 5, strides=2, padding="same")(x))
    short = layers.Activation("silu")(x)
    x = layers.BatchNormalization()(layers.DepthwiseConv1D(5, padding="same", depth_multiplier=2)(short))
    x = layers.Conv1D(8, 3, dilation_rate=4, padding="causal", use_bias=False)(layers.ReLU()(x))
    x = layers.LayerNormalization()(layers.Add()([x, short]))
    x = layers.AveragePooling1D(3, 2, padding="same")(layers.MaxPooling1D(2, padding="same")(x))
    x = layers.GRU(5, return_sequences=True)(layers.Bidirectional(layers.LSTM(6, return_sequences=True))(x))
    x = layers.Cropping1D((2, 3))(layers.ZeroPadding1D((1, 2))(layers.UpSampling1D(3)(x)))
    x = layers.Maximum()([x, layers.Subtract()([x, layers.Dense(5, activation="leaky_relu")(x)])])
    pooled = [layers.GlobalAveragePooling1D()(x), layers.GlobalMaxPooling1D()(layers.Dropout(0.5)(x))]
    both = layers.Concatenate()([*pooled, layers.BatchNormalization()(layers.Dense(4, activation="tanh")(facts))])
    x = layers.Multiply()([x, layers.Reshape((1, 5))(layers.Dense(5, activation="elu")(both))])
    mask = layers.Activation("sigmoid", name="mask")(layers.Dense(3)(layers.Concatenate(axis=1)([x, x])))
    kind = layers.Softmax(name="kind")(layers.Dense(4)(layers.Concatenate()([both, layers.Flatten()(x)])))
    model = keras.Model([signal, facts], [mask, kind], name="zoo")
    rng = np.random.default_rng(1)
    for weight in model.weights:
        if "variance" in weight.path or "gamma" in weight.path:
            weight.assign(rng.uniform(0.5, 2.0, weight.shape))
        elif "mean" in weight.path or "beta" in weight.path or "bias" in weight.path:
            weight.assign(rng.standard_normal(weight.shape))
    return model


def test_every_layer_is_served_as_it_was_trained():
    model = _zoo()
    graph = to_onnx(model)
    rng = np.random.default_rng(2)
    values = {"signal": rng.standard_normal((3, 301, 2)), "facts": rng.standard_normal((3, 5))}
    found = Network(graph)(values)
    mask, kind = model([values["signal"], values["facts"]])
    np.testing.assert_allclose(found["mask"], mask, atol=2e-5)
    np.testing.assert_allclose(found["kind"], kind, atol=2e-5)
    assert to_onnx(model) == graph


def test_a_network_in_mixed_precision_is_served_in_full_precision():
    policy = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        model = _detector()
        graph = to_onnx(model)
    finally:
        keras.mixed_precision.set_global_policy(policy)
    plain = _detector()
    plain.set_weights(model.get_weights())
    signal = next(_batches())[0]
    np.testing.assert_allclose(Network(graph)(signal)["above"], plain(signal), atol=1e-6)


def test_a_layer_that_cannot_be_served_is_named():
    signal = keras.Input((64, 2), name="signal")
    model = keras.Model(signal, layers.UnitNormalization(name="odd")(signal))
    with pytest.raises(
        InvalidValue, match=r"odd: no such layer can be served; found: UnitNormalization; options: .*Conv1D"
    ):
        to_onnx(model)


def test_training_learns_averages_and_states_its_statistics():
    model = _detector()
    said = []
    fit(
        model,
        _batches(),
        "binary_crossentropy",
        Schedule(60, 2e-2, average=0.9),
        save_every=20,
        report=lambda *now: said.append(now),
    )
    assert [steps for steps, _ in said] == [20, 40, 60]
    assert said[-1][1] < said[0][1]
    signal, above = next(_batches(5))
    assert ((model(signal) > 0.5) == (above > 0)).numpy().mean() > 0.9
    norm = next(layer for layer in model.layers if isinstance(layer, layers.BatchNormalization))
    before = keras.Model(model.inputs, norm.input)([next(_batches(6))[0]]).numpy()
    np.testing.assert_allclose(norm.moving_mean.numpy(), np.mean(before, axis=(0, 1)), atol=0.15)
    np.testing.assert_allclose(norm.moving_variance.numpy(), np.var(before, axis=(0, 1)), rtol=0.25)


def test_a_stopped_training_goes_on_where_it_was():
    class Stop(Exception):
        pass

    def stopping(steps, _loss):
        if steps >= 40:
            raise Stop

    place = checkpoints("toy")
    schedule = Schedule(60, 1e-2, average=0.9)
    with pytest.raises(Stop):
        fit(_detector(), _batches(), "binary_crossentropy", schedule, checkpoint=place, save_every=20, report=stopping)
    said = []
    fit(
        _detector(),
        _batches(),
        "binary_crossentropy",
        schedule,
        checkpoint=place,
        save_every=20,
        report=lambda steps, _: said.append(steps),
    )
    assert said
    assert said[0] > 20
