"""Batches for the beat network: strips of recordings, stretched, spoilt by noise, with their targets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ecg_core.robust.inputs import FS, LENGTH, network_input
from training.beats_examples import Example
from training.beats_network import targets
from training.beats_shapes import reshape
from training.noise import Faults, NoiseBank, add_faults, crop

SIGMA = 3.0
"""Standard deviation of the target around a beat, in samples of the network."""
REACH = 9
"""Half width of the target: 72 ms."""
_STRETCH = (0.7, 1.4)
_DROPPED = 0.05
"""Strips of which a part is replaced by a level, as by an electrode that comes off."""
_SILENT = 0.02
"""Strips of nothing but noise."""


def make_batches(
    examples: Sequence[Example],
    shares: Mapping[str, float],
    faults: Mapping[str, Faults],
    reshaped: Mapping[str, float],
    bank: NoiseBank,
    size: int,
    seed: int,
) -> Iterator[tuple[np.ndarray, dict[str, np.ndarray]]]:
    """Yield inputs and targets without end.

    Parameters
    ----------
    examples
        What to draw from.
    shares
        Data set to the share of strips that come from it.
    faults
        Data set to what is done to its strips.
    reshaped
        Data set to how often its strips are reshaped, relative to the usual (`reshape`); never without it.
    bank
        Recorded noise at `FS`.
    size, seed
        Strips in a batch; another seed, other strips.
    """
    rng = np.random.default_rng(seed)
    by_data: dict[str, list[Example]] = {}
    for example in examples:
        by_data.setdefault(example.data, []).append(example)
    names = [name for name in shares if by_data.get(name)]
    chance = np.array([shares[name] for name in names])
    chance /= chance.sum()
    while True:
        strips = np.empty((size, LENGTH), np.float32)
        marks, weights = np.zeros((2, size, LENGTH), np.float32)
        for row in range(size):
            name = names[rng.choice(len(names), p=chance)]
            pool = by_data[name]
            example = pool[rng.integers(len(pool))]
            strips[row], marks[row], weights[row] = _draw(example, faults[name], reshaped.get(name, 0.0), bank, rng)
        yield network_input(strips), targets(marks, weights)


def _draw(
    example: Example, faults: Faults, reshaped: float, bank: NoiseBank, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a strip, its target and its weights, each of shape (`LENGTH`,)."""
    if rng.random() < _SILENT:
        silent = replace(faults, noise=1.0, patchy=0.0)
        return add_faults(np.zeros(LENGTH, np.float32), FS, rng, bank, silent), np.zeros(LENGTH), np.ones(LENGTH)
    row = rng.integers(len(example.signal))
    lead, beats, known = example.signal[row], example.beats[row], example.known[row]
    stretch = float(np.exp(rng.uniform(*np.log(_STRETCH)))) if rng.random() < 0.8 else 1.0
    need = LENGTH / stretch
    start = rng.uniform(min(0.0, len(lead) - need), max(0.0, len(lead) - need))
    first, last = max(0, int(start) - 1), min(len(lead), int(start + need) + 2)
    strip = crop(lead[first:last].astype(np.float32), start - first, LENGTH, stretch)
    weight = np.zeros(LENGTH, np.float32)
    for a, b in known:
        low, high = (int(np.clip((edge - start) * stretch, 0, LENGTH)) for edge in (a, b))
        weight[low:high] = 1.0
    inside = ~np.isnan(strip)
    at = (beats - start) * stretch
    held = np.flatnonzero(inside)
    if reshaped:
        strip[held] = reshape(strip[held], at - held[0], rng, reshaped)
    strip = np.interp(np.arange(LENGTH), held, add_faults(strip[held], FS, rng, bank, faults)).astype(np.float32)
    if rng.random() < _DROPPED:
        length = int(rng.uniform(0.5, 4.0) * FS)
        low = int(rng.integers(0, LENGTH - length))
        strip[low : low + length] = strip[low]
        edge = int(0.1 * FS)
        weight[max(0, low - edge) : low + edge] = 0
        weight[low + length - edge : low + length + edge] = 0
        at = at[(at < low) | (at >= low + length)]
    return strip, _target(at), weight


def _target(at: np.ndarray) -> np.ndarray:
    """Return a Gaussian around each place, shape (`LENGTH`,)."""
    marks = np.zeros(LENGTH, np.float32)
    for place in at[(at > -REACH) & (at < LENGTH + REACH)]:
        low, high = max(0, int(place) - REACH), min(LENGTH, int(place) + REACH + 2)
        around = np.arange(low, high)
        marks[low:high] = np.maximum(marks[low:high], np.exp(-0.5 * ((around - place) / SIGMA) ** 2))
    return marks


def as_faults(settings: Mapping[str, Any]) -> Faults:
    """Return the faults that a recipe describes by what differs from the usual."""
    changes = {key: tuple(value) if isinstance(value, list) else value for key, value in settings.items()}
    return replace(Faults(), **changes)
