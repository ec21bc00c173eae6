"""Deletion and insertion on an answer whose truth is known, a sum over a few cells; what the shipped model states."""

from __future__ import annotations

import numpy as np
import pytest

from ecg_core.artefacts import load_model
from ecg_core.evaluation.faithfulness import (
    CELL,
    EDGES,
    RANDOM,
    SHARES,
    area,
    edges,
    in_cells,
    likeness,
    mean_of,
    summarise,
    trace,
    trace_all,
    without,
)
from ecg_core.explain import METHODS

N_CELLS, N_LEADS = 50, 8
CARRIES = [(10, 2), (11, 2), (30, 5), (31, 5)]
"""Cells that alone carry the answer, each a quarter."""


@pytest.fixture
def strip() -> np.ndarray:
    """Return leads that swing about their line, with steep waves beside what carries the answer."""
    strip = np.random.default_rng(0).normal(0, 0.05, (N_CELLS * CELL, N_LEADS)).astype(np.float32)
    strip[14::20] += 3.0
    for cell, lead in CARRIES:
        strip[cell * CELL : (cell + 1) * CELL, lead] = 1.0
    return strip


def answers(strips: np.ndarray) -> np.ndarray:
    return np.mean([strips[:, cell * CELL : (cell + 1) * CELL, lead].mean(axis=1) for cell, lead in CARRIES], axis=0)


def truth() -> np.ndarray:
    scores = np.random.default_rng(1).uniform(0, 0.1, (N_CELLS, N_LEADS))
    scores[tuple(zip(*CARRIES, strict=True))] = 1.0
    return scores


def test_removed_cells_are_bridged_by_a_line(strip):
    removed = np.zeros((N_CELLS, N_LEADS), bool)
    removed[3:6, 1] = True
    found = without(strip, removed)
    ends = strip[3 * CELL - 1, 1], strip[6 * CELL, 1]
    np.testing.assert_allclose(found[3 * CELL - 1 : 6 * CELL + 1, 1], np.linspace(*ends, 3 * CELL + 2), atol=1e-6)
    found[3 * CELL : 6 * CELL, 1] = strip[3 * CELL : 6 * CELL, 1]
    np.testing.assert_array_equal(found, strip)


def test_ends_are_level_and_a_lead_without_anything_left_is_zero(strip):
    removed = np.zeros((N_CELLS, N_LEADS), bool)
    removed[:2, 0] = True
    removed[:, 3] = True
    found = without(strip, removed)
    assert (found[: 2 * CELL, 0] == strip[2 * CELL, 0]).all()
    assert not found[:, 3].any()


def test_curves_begin_and_end_where_they_must(strip):
    curves = trace(answers, strip, truth())
    assert curves.deletion[0] == curves.insertion[-1] == pytest.approx(answers(strip[None])[0])
    assert curves.deletion[-1] == curves.insertion[0] == 0
    assert len(curves.deletion) == len(SHARES)


def test_what_carries_the_answer_is_the_first_to_take_it_away_and_to_bring_it_back(strip):
    curves = trace(answers, strip, truth())
    at = SHARES.index(0.01)  # 1 % of 400 cells are the four
    assert curves.deletion[at] < 0.1
    assert curves.insertion[at] > 0.9
    worst = trace(answers, strip, -truth())
    assert worst.deletion[-2] > 0.9
    assert area(curves.deletion) < 0.1 < 0.8 < area(worst.deletion)


def test_true_order_beats_chance_and_edges_and_edges_see_the_steep_waves(strip):
    found = trace_all(answers, strip, {"truth": truth()})
    for other in (RANDOM, EDGES):
        assert area(found["truth"].deletion) < area(found[other].deletion) - 0.2
        assert area(found["truth"].insertion) > area(found[other].insertion) + 0.2
    assert edges(strip)[13].min() > edges(strip)[10].max()
    assert trace_all(answers, strip, {}, seed=1)[RANDOM].deletion.tolist() != found[RANDOM].deletion.tolist()


def test_area_of_a_straight_curve_is_its_mean():
    assert area(np.array(SHARES)) == pytest.approx(0.5)


def test_cells_are_sums_of_samples():
    values = np.arange(2 * CELL * 3, dtype=np.float64).reshape(2 * CELL, 3)
    assert in_cells(values).shape == (2, 3)
    assert in_cells(values).sum() == values.sum()
    np.testing.assert_array_equal(in_cells(values)[0], values[:CELL].sum(axis=0))


def test_likeness_is_that_of_ranks():
    one = np.random.default_rng(0).normal(size=(N_CELLS, N_LEADS))
    assert likeness(one, np.exp(one)) == pytest.approx(1)
    assert likeness(one, -(one**3)) == pytest.approx(-1)
    assert abs(likeness(one, np.random.default_rng(1).normal(size=one.shape))) < 0.2
    assert np.isnan(likeness(one, np.zeros_like(one)))


def test_summary_holds_areas_and_what_is_gained_over_chance(strip):
    records = [trace_all(answers, strip * size, {"truth": truth()}) for size in (0.5, 1.0, 1.5)]
    found = summarise(records, ["a", "b", "c"], resamples=200)
    assert found["truth.deletion.gain.random"].value == pytest.approx(
        found["random.deletion"].value - found["truth.deletion"].value
    )
    assert found["truth.insertion.gain.edges"].value == pytest.approx(
        found["truth.insertion"].value - found["edges.insertion"].value
    )
    assert found["truth.insertion.gain.random"].low > 0
    assert "edges.deletion.gain.random" in found
    assert not any(name.startswith("random.") and "gain" in name for name in found)


def test_mean_leaves_out_what_is_not_known():
    found = mean_of({"x": np.array([1.0, np.nan, 3.0])}, ["a", "b", "c"], resamples=50)
    assert found["x"].value == pytest.approx(2.0)


def test_explanations_of_the_shipped_model_are_measured_and_better_than_chance():
    artefact = load_model("heart12")
    found = artefact.json("metrics.json")["explanations"]
    areas = found["faithfulness"]["log_odds"]["all"]
    for method in METHODS:
        for way in ("deletion", "insertion"):
            assert areas[f"{method}.{way}.gain.random"]["low"] > 0
    alike = found["shuffled_weights"]["metrics"]["spearman"]
    assert alike["high"] < 0.2
    assert f"{areas['gradients.deletion']['value']:.3f}" in artefact.files["card.md"].decode()
