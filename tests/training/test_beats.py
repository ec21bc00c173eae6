"""What the beat network learns from: beats that leads agree on, spans that are known, strips whose marks stay true."""

from __future__ import annotations

import numpy as np
import pytest

from ecg_core.datasets import Item, folds
from ecg_core.datasets.ludb import LudbTruth
from ecg_core.datasets.mitdb import MitdbTruth
from ecg_core.datasets.qtdb import Qtdb, QtdbTruth
from ecg_core.recording import Recording
from ecg_core.robust.inputs import LENGTH
from training import beats_batches, beats_examples
from training.beats import _of
from training.beats_batches import as_faults, make_batches
from training.beats_examples import Example
from training.beats_network import HEADS, targets
from training.beats_pseudo import agreed_beats
from training.beats_shapes import reshape
from training.beats_store import kept
from training.noise import Faults, NoiseBank
from training.recipe import Recipe

QUIET = Faults(noise=0, wander=0, mains=0, spikes=0, steps=0, gain_steps=0, saturation=0, polarity=0, band=0)


@pytest.fixture
def bank():
    rng = np.random.default_rng(0)
    return NoiseBank({kind: rng.standard_normal((2, 4 * LENGTH)).astype(np.float32) for kind in ("bw", "em", "ma")})


def example(data="mitdb", name="1", group="mitdb:1", n=3000, beats=(), known=None, leads=1) -> Example:
    signal = np.zeros((leads, n), np.float16)
    at = np.array(beats, np.float32)
    for place in beats:
        signal[:, int(place)] = 1.0
    spans = [(0.0, float(n))] if known is None else known
    return Example(data, name, group, f"hash {data} {name}", signal, (at,) * leads, (spans,) * leads)


def test_what_most_leads_find_is_a_beat_what_few_find_is_none_and_the_rest_is_left_open():
    everyone = np.array([200, 400, 600, 800, 900])
    found = [everyone + lead for lead in range(8)]
    found[0] = np.sort(np.append(found[0], 500))
    for lead in range(4):
        found[lead] = np.sort(np.append(found[lead], 700))
    beats, known = agreed_beats(found, 1000, 100.0)
    assert beats.tolist() == [203.5, 403.5, 603.5, 803.5, 903.5]
    assert known == [(10, 680), (720, 990)]


def test_leads_that_agree_on_too_little_are_not_learnt_from():
    rng = np.random.default_rng(0)
    assert agreed_beats([np.sort(rng.integers(0, 1000, 12)) for _ in range(8)], 1000, 100.0) is None
    assert agreed_beats([np.empty(0)] * 8, 1000, 100.0) is None


def item(truth, fs, n=10_000, leads=("II",)) -> Item:
    return Item("x", Recording(np.zeros((len(leads), n)), fs, leads), truth)


def test_ludb_is_known_between_the_first_and_the_last_mark_of_a_lead():
    waves = {"p": np.array([[300, 320, 340]]), "qrs": np.array([[400, 420, -1], [900, 920, 940]])}
    truth = LudbTruth({"II": waves}, None, False, None, "", {})
    ((beats, known),) = beats_examples._marks_ludb(item(truth, 500))
    assert (beats.tolist(), known) == ([420, 920], [(300, 940)])


def test_qtdb_is_known_where_marked_beats_follow_each_other():
    peaks = np.array([1000, 1200, 1410, 2400, 2600])
    truth = QtdbTruth({"qrs": np.stack((peaks - 10, peaks, peaks + 10), axis=1)}, ("N",) * 5)
    ((_, known),) = beats_examples._marks_qtdb(item(truth, 250))
    assert known == [(962.5, 1447.5), (2362.5, 2637.5)]


def test_mitdb_is_not_known_in_flutter():
    truth = MitdbTruth(np.array([100]), ("N",), np.array([]), (), np.array([3600, 7200]), ("[", "]"))
    ((_, known),) = beats_examples._marks_mitdb(item(truth, 360))
    assert known == [(0, 3600), (7200, 10_000)]


def test_marks_stay_on_their_beats_however_a_strip_is_cut_and_stretched(bank, monkeypatch):
    monkeypatch.setattr(beats_batches, "_DROPPED", 0)
    monkeypatch.setattr(beats_batches, "_SILENT", 0)
    rng = np.random.default_rng(0)
    long, short = example(beats=range(50, 3000, 170)), example(n=900, beats=range(40, 900, 150))
    for number in range(40):
        strip, target, weight = beats_batches._draw((long, short)[number % 2], QUIET, 0.0, bank, rng)
        assert strip.shape == target.shape == weight.shape == (LENGTH,)
        peaks = np.flatnonzero((strip[1:-1] > 0.2) & (strip[1:-1] >= strip[:-2]) & (strip[1:-1] > strip[2:])) + 1
        assert len(peaks) >= 5
        assert (target[peaks] > 0.8).all()
        marked = np.flatnonzero(target > 0.95)
        assert np.abs(marked[:, None] - peaks).min(axis=1).max() <= 2


def test_nothing_is_learnt_outside_what_is_known(bank, monkeypatch):
    monkeypatch.setattr(beats_batches, "_SILENT", 0)
    rng = np.random.default_rng(0)
    strips = [beats_batches._draw(example(n=1250, known=[(300.0, 600.0)]), QUIET, 0.0, bank, rng) for _ in range(20)]
    for _, _, weight in strips:
        assert 0 < weight.sum() <= 1.4 * 300 + 2


def test_batches_are_finite_the_same_for_the_same_seed_and_drawn_by_share(bank):
    pool = [example("mitdb", beats=range(50, 3000, 100)), example("ludb", "2", "ludb:2", n=1250, known=[])]
    faults = {"mitdb": as_faults({"noise": 1.0, "snr_db": [0.0, 3.0]}), "ludb": Faults()}
    one, two = (
        next(make_batches(pool, {"mitdb": 0.75, "ludb": 0.25, "qtdb": 1.0}, faults, {"mitdb": 1.0}, bank, 64, 3))
        for _ in "ab"
    )
    assert one[0].shape == (64, LENGTH, 2)
    assert np.isfinite(one[0]).all()
    np.testing.assert_array_equal(one[0], two[0])
    known = (one[1]["beat"][..., 1] > 0).any(axis=1).mean()
    assert 0.6 < known < 0.9


def test_coarser_heads_are_taught_the_same():
    marks, weights = np.zeros((1, LENGTH)), np.ones((1, LENGTH))
    marks[0, 640:648], weights[0, :8] = 1.0, 0.0
    found = targets(marks, weights)
    assert list(found) == list(HEADS)
    for level, name in enumerate(HEADS):
        assert found[name].shape == (1, LENGTH >> (level + 1), 2)
        assert found[name][0, :, 0].sum() * (2 << level) == pytest.approx(8)
        assert found[name][0, 0, 1] == 0


def test_examples_come_back_from_where_they_are_kept(tmp_path):
    made = [example(name="a", beats=[10, 20], leads=2), example(name="b", n=500, known=[], leads=2)]
    path = tmp_path / "kept.npz"
    for found in (kept(path, lambda: made), kept(path, list)):
        for one, two in zip(found, made, strict=True):
            assert (one.data, one.name, one.group, one.hash) == (two.data, two.name, two.group, two.hash)
            np.testing.assert_array_equal(one.signal, two.signal)
            np.testing.assert_array_equal(one.beats, two.beats)
            assert [list(spans) for spans in one.known] == [list(spans) for spans in two.known]


def test_leads_of_one_heart_are_one_group():
    beats = np.array([100, 220, 345, 480, 600])
    made = [
        example("cpsc2019", str(at), f"cpsc2019:{at}", beats=row)
        for at, row in enumerate((beats, beats + 60, beats + 3, beats[:3], beats - 2))
    ]
    groups = [one.group for one in beats_examples._with_siblings(made)]
    assert groups == ["cpsc2019:0", "cpsc2019:1", "cpsc2019:0", "cpsc2019:3", "cpsc2019:0"]


def test_reshaped_strips_are_finite_and_beats_that_are_not_touched_stay():
    rng = np.random.default_rng(0)
    beats = np.arange(50, LENGTH, 100)
    strip = np.zeros(LENGTH, np.float32)
    strip[beats] = 1.0
    changed = [reshape(strip, beats, rng, 1.0) for _ in range(60)]
    assert np.isfinite(changed).all()
    assert 0.2 < np.mean([np.array_equal(row, strip) for row in changed]) < 0.8
    np.testing.assert_array_equal(reshape(strip, beats, rng, 0.0), strip)


def test_excerpts_of_a_tape_are_dealt_with_it(tmp_path):
    for name in ("sel102", "sel16265"):
        (tmp_path / f"{name}.hea").touch()
        (tmp_path / f"{name}.dat").touch()
        (tmp_path / f"{name}.q1c.json").touch()
    groups = {entry.name: entry.group for entry in Qtdb().listing(tmp_path)}
    pool = [example("qtdb", name, group) for name, group in groups.items()]
    pool += [example("mitdb", name, f"mitdb:{name}") for name in ("101", "102", "103")]
    (together,) = (part for part in folds(pool, 3) if any(one.name == "102" for one in part))
    assert "sel102" in {one.name for one in together}


def test_recipe_says_how_every_set_is_drawn_and_spoilt():
    recipe = Recipe.named("beats")
    for stage in ("base", "harden", "tune"):
        shares = recipe[stage]["shares"]
        assert sum(shares.values()) == pytest.approx(1)
        for data in shares:
            as_faults(recipe["faults"][data])
    for stage in ("base", "harden"):
        assert not set(recipe[stage]["shares"]) & set(beats_examples.LABELLED)


def test_metrics_of_one_set_go_by_their_own_names():
    assert _of({"mitdb.se_150ms": 1, "leadi.se_150ms": 2}, "leadi") == {"se_150ms": 2}
