"""Planted truth: explanations find the leads and the wave that alone an answer was made to hang on."""

from __future__ import annotations

import numpy as np
import pytest

from ecg_core.engine import Network
from ecg_core.explain.gradient_graph import gradient_graph, randomised
from ecg_core.explain.gradients import integrated_gradients
from ecg_core.explain.occlusion import occlude
from ecg_core.explain.segments import Segments
from ecg_core.explain.shapley import shapley_values
from ecg_core.explain.value import WAVES
from ecg_core.leads import INDEPENDENT_8
from tests.explain.conftest import N_LEADS, PLANTED

ANSWERS = pytest.mark.parametrize("answer", PLANTED, ids=[f"{wave} of {leads[0]}" for leads, wave in PLANTED.values()])
ENOUGH = 0.8


def share(values: np.ndarray, answer: int) -> float:
    """Return which share of what speaks for an answer, by lead and wave (8, 6), lies where it was planted."""
    leads, wave = PLANTED[answer]
    favourable = np.maximum(values, 0)
    there = [INDEPENDENT_8.index(lead) for lead in leads]
    return float(favourable[there, WAVES.index(wave)].sum() / favourable.sum())


def by_wave(cells: np.ndarray, masks: np.ndarray) -> np.ndarray:
    return np.einsum("lkt,tl->lk", masks, cells)


def with_wave(planted, answer):
    return [heart for heart, has in zip(planted.hearts, planted.labels, strict=True) if has[answer]]


def gradients(planted, answer, graph=None) -> list[np.ndarray]:
    """Return what each sample of each ECG with the planted wave adds, shape (1000, 8)."""
    network = Network(gradient_graph(graph or planted.graph))
    counts = np.eye(len(PLANTED), dtype=np.float32)[answer]
    return [integrated_gradients(network, heart.strip, counts)[0] for heart in with_wave(planted, answer)]


def mean_share(planted, answer, found) -> float:
    hearts = with_wave(planted, answer)
    return float(np.mean([share(by_wave(cells, h.masks()), answer) for cells, h in zip(found, hearts, strict=True)]))


def segments_of(heart) -> Segments:
    masks = heart.masks().astype(np.float64)
    return Segments((masks * heart.strip.T[:, None]).astype(np.float32), None, masks)


@ANSWERS
def test_network_has_learned_what_was_planted(planted, answer):
    said = planted.answers(np.stack([heart.strip for heart in planted.hearts]), answer) > 0
    np.testing.assert_array_equal(said, planted.labels[:, answer] == 1)


@ANSWERS
def test_integrated_gradients_find_the_planted_wave(planted, answer):
    assert mean_share(planted, answer, gradients(planted, answer)) >= ENOUGH


@ANSWERS
def test_integrated_gradients_of_shuffled_weights_do_not(planted, answer):
    networks = [randomised(planted.graph, seed) for seed in range(1, 9)]
    assert np.mean([mean_share(planted, answer, gradients(planted, answer, graph)) for graph in networks]) < 0.4


@ANSWERS
def test_leads_in_another_order_or_another_time_would_not_pass(planted, answer):
    found = gradients(planted, answer)
    assert mean_share(planted, answer, [np.roll(cells, 3, axis=1) for cells in found]) < 0.3
    assert mean_share(planted, answer, [np.roll(cells, 10, axis=0) for cells in found]) < 0.3


@ANSWERS
def test_occlusion_finds_the_planted_wave(planted, answer):
    shares = []
    for heart in with_wave(planted, answer):
        (here,) = planted.answers(heart.strip[None], answer)
        found = occlude(segments_of(heart), range(N_LEADS), lambda strips: planted.answers(strips, answer))
        lost = np.zeros((N_LEADS, len(WAVES)))
        for variant, there in found.items():
            if variant.lead is not None and variant.wave is not None:
                lost[variant.lead, WAVES.index(variant.wave)] = here - there
        shares.append(share(lost, answer))
    assert np.mean(shares) >= ENOUGH


@ANSWERS
def test_shapley_values_find_the_planted_wave(planted, answer):
    shares = []
    for heart in with_wave(planted, answer)[:5]:
        segments = segments_of(heart)

        def game(coalitions, segments=segments):
            return planted.answers(segments.strips(coalitions.reshape(-1, N_LEADS, len(WAVES))), answer)

        found = shapley_values(game, N_LEADS * len(WAVES), budget=480)
        shares.append(share(found.values.reshape(N_LEADS, len(WAVES)), answer))
    assert np.mean(shares) >= ENOUGH


@ANSWERS
def test_class_activation_finds_when_the_wave_was_planted(planted, answer):
    """It tells of time alone, and of stretches as wide as what a moment of the maps sees: here, of halves.

    Moments without the wave have a little of the answer, too, so that less is asked than of the others.
    """
    network = Network(planted.graph)
    shares = []
    for heart in planted.halves:
        found = network(np.stack([heart.strip, np.zeros_like(heart.strip)]))
        added, even = planted.head.contributions(found["maps"], np.array([answer]))[:, :, 0]
        assert (added - even).sum() == pytest.approx(np.diff(found["logits"][::-1, answer])[0], abs=1e-3)
        favourable = np.maximum(added - even, 0)
        shares.append(favourable[: len(added) // 2].sum() / favourable.sum())
    assert np.mean(shares) >= 0.7
