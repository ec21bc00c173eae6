"""Batches for the network ``waves``: leads of a few recordings, disturbed, with their targets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ecg_core.delineation.inputs import FS, WINDOW, network_windows
from training.noise import Faults, NoiseBank, add_faults, crop
from training.waves_data import Example
from training.waves_targets import ALL, Strip, render

_OUTSIDE_S = 3.0
"""A window may begin this long before a recording, or after its beginning."""


def batches(
    sources: Mapping[str, Sequence[Example]],
    groups: Sequence[Mapping[str, Any]],
    faults: Mapping[str, Any],
    bank: NoiseBank,
    seed: int,
) -> Iterator[tuple[dict[str, np.ndarray], np.ndarray]]:
    """Yield inputs and targets without end.

    Parameters
    ----------
    sources
        Examples by the name of their set.
    groups
        What a batch is made of: so many recordings (``count``) of so many ``leads``, each from a set drawn by weight
        (``from``).
    faults
        Of `training.noise`, and ``share``, the part of the recordings that get any; ``stretch``, how far time is
        stretched, and ``missing``, how often a lead lacks a part.
    """
    rng = np.random.default_rng(seed)
    plan = [group for group in groups for _ in range(group["count"])]
    settings = {name: tuple(value) if isinstance(value, list) else value for name, value in faults.items()}
    share, stretch, missing = (settings.pop(name) for name in ("share", "stretch", "missing"))
    kinds = Faults(**settings)
    while True:
        signals: list[np.ndarray] = []
        targets: list[np.ndarray] = []
        record: list[int] = []
        for number, group in enumerate(plan):
            names = list(group["from"])
            weights = np.array([group["from"][name] for name in names], np.float64)
            source = sources[names[rng.choice(len(names), p=weights / weights.sum())]]
            example = source[rng.integers(len(source))]
            rows = rng.permutation(len(example.signal))[: group["leads"]].tolist()
            factor = float(np.exp(rng.uniform(-1, 1) * np.log(stretch))) if rng.random() < 0.5 else 1.0
            start = _start(rng, example.signal.shape[1], factor)
            strips = [crop(example.signal[row], start, WINDOW, factor) for row in rows]
            if rng.random() < share:
                strips = [_disturbed(strip, rng, bank, kinds) for strip in strips]
            whole = example.whole(rows).moved(start / FS, factor)
            drawn_whole = render(_within(whole, example.signal.shape[1], start, factor))
            for row, strip in zip(rows, strips, strict=True):
                lead = _within(example.lead(row).moved(start / FS, factor), example.signal.shape[1], start, factor)
                if rng.random() < missing:
                    first = rng.integers(0, WINDOW - 400)
                    stop = first + rng.integers(200, WINDOW // 2)
                    strip[first:stop] = np.nan
                    lead = lead.without((first / FS, stop / FS, ALL))
                    if len(rows) == 1:
                        drawn_whole = render(lead)
                signals.append(strip)
                targets.append(np.concatenate([render(lead), drawn_whole], axis=1))
                record.append(number)
        values, recorded = network_windows(np.stack(signals))
        inputs = {"signal": values, "recorded": recorded, "record": np.array(record, np.float32)[:, None]}
        yield inputs, np.stack(targets)


def _start(rng: np.random.Generator, n: int, stretch: float) -> float:
    """Return the sample, of ``n``, at which a window begins: most cover as much of the recording as they can."""
    length = WINDOW / stretch
    slack = n - length
    outside = _OUTSIDE_S * FS if rng.random() < 0.3 else 0.0
    low, high = sorted((0.0, slack))
    return float(np.rint(rng.uniform(low - outside, high + outside)))


def _within(strip: Strip, n: int, start: float, stretch: float) -> Strip:
    """Return the truth of a window, unknown where it reaches beyond the recording."""
    first, stop = -start * stretch / FS, (n - start) * stretch / FS
    return strip.without((-1e3, first, ALL), (stop, 1e3, ALL))


def _disturbed(strip: np.ndarray, rng: np.random.Generator, bank: NoiseBank, faults: Faults) -> np.ndarray:
    gone = np.isnan(strip)
    found = add_faults(np.nan_to_num(strip), FS, rng, bank, faults)
    found[gone] = np.nan
    return found
