"""A network whose answers are known to rest on two waves: ST segments of V2 to V4, and the P wave of II."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from ecg_core.engine import Network
from ecg_core.explain.value import WAVES
from ecg_core.leads import INDEPENDENT_8
from ecg_core.predictors.activation import LinearHead
from ecg_core.synthesis import synthesize

N_SAMPLES, N_LEADS = 1000, len(INDEPENDENT_8)
PLANTED = {0: (("V2", "V3", "V4"), "st"), 1: (("II",), "p")}
"""Number of the answer to the leads and the wave that alone it hangs on."""
_HEIGHT_MV = {"st": 0.5, "p": 0.6}
_LEARN, _LOOK = 90, 20
_EXAMPLES, _EPOCHS = 2000, 6


@dataclass(frozen=True, eq=False)
class Heart:
    """A made ECG."""

    strip: np.ndarray
    """mV at 100 Hz, each lead less its median, shape (1000, 8)."""
    spans: dict[str, list[tuple[int, int]]]
    """Wave to the samples [begin, end) of each, on all leads alike."""

    def mask(self, wave: str) -> np.ndarray:
        found = np.zeros(N_SAMPLES, bool)
        for begin, end in self.spans[wave]:
            found[begin:end] = True
        return found

    def masks(self) -> np.ndarray:
        """Return which sample of each lead is of which wave, shape (8, 6, 1000); what is planted before its edges."""
        found = np.zeros((len(WAVES), N_SAMPLES), bool)
        for wave in ("st", "p", "qrs", "t", "pr"):
            found[WAVES.index(wave)] = self.mask(wave) & ~found.any(axis=0)
        found[WAVES.index("rest")] = ~found.any(axis=0)
        return np.repeat(found[None], N_LEADS, axis=0)


@dataclass(frozen=True, eq=False)
class Planted:
    """The network, what it learned from, and ECGs that it has not seen."""

    graph: bytes
    head: LinearHead
    hearts: list[Heart]
    labels: np.ndarray
    """Whether each has each planted wave, shape (n, 2)."""
    halves: list[Heart]
    """ECGs that have both, in their first half alone."""

    def answers(self, strips: np.ndarray, answer: int) -> np.ndarray:
        return Network(self.graph)(strips)["logits"][:, answer].astype(np.float64)


def _heart(seed: int) -> Heart:
    rng = np.random.default_rng([11, seed])
    rate, axis = float(rng.uniform(55, 95)), float(rng.uniform(0, 70))
    options = {"rate_bpm": rate, "qrs_axis_deg": axis, "noise": "muscle", "snr_db": 30}
    made = synthesize(fs=100, leads=INDEPENDENT_8, seed=seed, **options)
    signal, truth = made.recording.signal.T, made.truth
    edges = {
        "p": (truth.p.onset_s, truth.p.end_s),
        "pr": (truth.p.end_s, truth.qrs.onset_s),
        "qrs": (truth.qrs.onset_s, truth.qrs.end_s),
        "st": (truth.qrs.end_s, truth.t.onset_s),
        "t": (truth.t.onset_s, truth.t.end_s),
    }
    spans = {
        wave: [
            (max(0, int(begin)), int(np.ceil(end)) + 1)
            for begin, end in zip(*(100 * side for side in sides), strict=True)
            if np.isfinite(begin) and np.isfinite(end)
        ]
        for wave, sides in edges.items()
    }
    return Heart((signal - np.median(signal, axis=0)).astype(np.float32), spans)


def _planted(heart: Heart, has: np.ndarray, rng: np.random.Generator, until: int = N_SAMPLES) -> Heart:
    """Return an ECG with the waves that it is to have; all other waves are of either sign and any size up to
    two fifths of a heart's, whatever it has."""
    strip = heart.strip.copy()
    for wave in ("p", "qrs", "t"):
        sizes = rng.uniform(-0.4, 0.4, N_LEADS)
        strip[heart.mask(wave)] *= sizes
    for answer, (leads, wave) in PLANTED.items():
        columns = [INDEPENDENT_8.index(lead) for lead in leads]
        height = _HEIGHT_MV[wave] * rng.uniform(0.7, 1.3)
        for begin, end in (span for span in heart.spans[wave] if has[answer] and span[1] <= until):
            along = (np.arange(begin, end) - begin + 0.5) / (end - begin)
            arch = np.sin(np.pi * along)[:, None] ** (2 if wave == "p" else 0.5)
            strip[begin:end, columns] += (height * arch)[: len(strip) - begin]
    return Heart(strip, heart.spans)


@pytest.fixture(scope="session")
def planted() -> Planted:
    """Return a small network, learned from ECGs that are alike but for the planted waves."""
    import keras

    from training.heart12_network import build, committee, linear_head
    from training.onnx_graph import graph_of

    rng = np.random.default_rng(0)
    hearts = [_heart(seed) for seed in range(_LEARN + _LOOK)]
    labels = rng.integers(0, 2, (_EXAMPLES, len(PLANTED)))
    strips = np.stack([_planted(hearts[rng.integers(_LEARN)], has, rng).strip for has in labels])
    keras.utils.set_random_seed(1)
    network = build(N_SAMPLES, len(PLANTED), widths=[8, 16], depths=[1, 1], kernel=5, heads=1, dropout=0.0)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    rate = keras.optimizers.schedules.CosineDecay(0.005, _EPOCHS * _EXAMPLES // 32)
    network.compile(keras.optimizers.AdamW(rate, weight_decay=0.05), loss)
    network.fit(strips, labels.astype(np.float32), batch_size=32, epochs=_EPOCHS, verbose=0)
    seen = np.tile([[1, 0], [0, 1], [1, 1], [0, 0]], (_LOOK // 4, 1))
    looked = [_planted(heart, has, rng) for heart, has in zip(hearts[_LEARN:], seen, strict=True)]
    halves = [_planted(heart, np.ones(2), rng, N_SAMPLES // 2) for heart in hearts[_LEARN:]]
    graph = graph_of(committee([network])).SerializeToString()
    return Planted(graph, LinearHead(**linear_head([network])), looked, seen, halves)
