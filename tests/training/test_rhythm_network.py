"""The network of the rhythm model: it learns, what is served answers as it does, and it sees signal alone."""

from __future__ import annotations

import numpy as np
import pytest

from ecg_core.engine import Network
from ecg_core.rhythm.model import LOGITS
from ecg_core.rhythm.strip import NETWORK_LENGTH
from training.network import to_onnx
from training.noise import NoiseBank
from training.rhythm_network import fit_network

# Keras saves its weights through an interface that NumPy has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SETTINGS = {
    "channels": [4, 4, 4, 4, 8],
    "kernel": 3,
    "dilations": [2],
    "heads": 2,
    "dropout": 0.1,
    "pool_dropout": 0.1,
    "steps": 6,
    "batch": 8,
    "rate": 1e-2,
    "changes": {"stretch": [0.9, 1.1], "gain": [0.7, 1.4], "polarity": 0.3, "noise": 0.5, "snr_db": [0.0, 18.0]},
}


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    pytest.importorskip("tensorflow")
    rng = np.random.default_rng(0)
    labels = rng.random((32, 3)) < 0.4
    time = np.arange(1250) / 125
    strips = np.stack([np.sin(2 * np.pi * time * (3 + 12 * row[0])) for row in labels])[:, None].astype(np.float16)
    bank = NoiseBank({kind: rng.standard_normal((2, 5000)).astype(np.float32) for kind in ("bw", "em", "ma")})
    return fit_network(SETTINGS, strips, labels, bank, 0, tmp_path_factory.mktemp("state"))


@pytest.fixture(scope="module")
def served(model) -> Network:
    return Network(to_onnx(model))


def placed(values: np.ndarray, start: int) -> np.ndarray:
    row = np.zeros((1, NETWORK_LENGTH, 1), np.float32)
    row[0, start : start + len(values), 0] = values
    return row


@pytest.mark.parametrize("n", [300, 1250])
def test_what_is_served_answers_as_the_network_does_on_strips_of_any_length(model, served, n):
    row = placed(np.random.default_rng(n).standard_normal(n), 0)
    np.testing.assert_allclose(served(row)[LOGITS], np.asarray(model(row)), rtol=1e-3, atol=1e-3)


def test_it_hardly_matters_where_in_its_window_a_strip_lies(served):
    values = np.sin(np.arange(640) / 5)
    first, last = (served(placed(values, start))[LOGITS] for start in (0, 640))
    np.testing.assert_allclose(first, last, atol=0.15 * np.abs(first).max())
