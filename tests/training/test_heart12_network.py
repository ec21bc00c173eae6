"""The network heart12: what it reads, what it learns by, and that its answers are sums over time."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("tensorflow")
pytest.importorskip("onnx")

from ecg_core.engine import Network
from ecg_core.predictors.activation import LinearHead
from training.heart12_network import build, committee, linear_head, loss
from training.network import to_onnx

SMALL = {"widths": (8, 12), "depths": (1, 1), "kernel": 3, "heads": 2, "dropout": 0.0}


@pytest.fixture(scope="module", params=[0, 4], ids=["plain", "squeezed"])
def squeeze(request):
    return request.param


@pytest.fixture(scope="module")
def model(squeeze):
    import keras

    keras.utils.set_random_seed(3)
    return build(160, 7, **SMALL, squeeze=squeeze)


def test_answers_of_one_network_are_sums_over_time_of_served_maps(model):
    check_sums([model])


def test_answers_of_a_committee_are_the_mean_and_sums_over_time_of_served_maps(model):
    import keras

    keras.utils.set_random_seed(4)
    check_sums([model, build(160, 7, **{**SMALL, "widths": (8, 16), "heads": 3}), build(160, 7, **SMALL)])


def check_sums(members):
    graph = Network(to_onnx(committee(members)))
    signal = np.random.default_rng(0).standard_normal((3, 160, 8)).astype(np.float32)
    said = graph(signal)
    assert graph.outputs == ("logits", "maps")
    head = LinearHead(**linear_head(members))
    parts = head.contributions(said["maps"], np.arange(7))
    np.testing.assert_allclose(parts.sum(axis=1) + head.bias, said["logits"], atol=1e-4)
    mean = np.mean([np.asarray(member(signal)) for member in members], axis=0)
    np.testing.assert_allclose(said["logits"], mean, atol=1e-4)


def test_same_weights_read_strips_of_another_length(model, squeeze):
    longer = build(320, 7, **SMALL, squeeze=squeeze)
    longer.set_weights(model.get_weights())
    assert np.isfinite(np.asarray(longer(np.ones((1, 320, 8), np.float32)))).all()


def test_unknown_targets_cost_nothing_and_known_ones_do():
    columns = {"statements": [0, 1], "superclass": [2], "age": [3, 4]}
    weights = {"statements": 1.0, "superclass": 2.0, "age": 0.5}
    cost = loss(weights, columns, -5.0)
    outputs = np.array([[0.3, -2.0, 1.5, 0.2, -0.4]], np.float32)
    assert float(cost(np.full((1, 4), -9, np.float32), outputs)) == pytest.approx(0)
    of_class = float(cost(np.array([[-9, -9, 0, -9]], np.float32), outputs))
    assert of_class == pytest.approx(2 * np.log1p(np.exp(1.5)), rel=1e-4)
    of_age = float(cost(np.array([[-9, -9, -9, 1.0]], np.float32), outputs))
    assert of_age == pytest.approx(0.5 * (0.8 * np.exp(0.4) - 0.4), rel=1e-4)
