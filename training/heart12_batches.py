"""Batches for ``heart12``: strips of eight leads with what happens to recordings elsewhere done to them.

Never mirrored in time or polarity: both would make another heart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from training.heart12_data import NOT_KNOWN
from training.heart12_heads import UNKNOWN, VIEWS
from training.noise import NoiseBank

_LIMB = len(VIEWS["limb"])
"""Leads that come first."""
_MOST_UNLIKE = 1.5
"""Leads of one strip have noise of up to this many times its level."""


def batches(
    signal: np.ndarray,
    targets: np.ndarray,
    size: int,
    n_samples: int,
    *,
    rng: np.random.Generator,
    bank: NoiseBank | None,
    changes: Mapping[str, Any],
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield strips and their targets without end, each epoch in another order.

    Parameters
    ----------
    signal
        Millivolts, shape (n_records, 8, time).
    targets
        Shape (n_records, n_targets); below `UNKNOWN`: not known.
    size
        Strips in a batch.
    n_samples
        Of the pieces that are cut out of the records.
    changes
        See `changed`; ``mixed``, where it is not 0, is the parameter of the beta distribution by which strips are
        blended.
    """
    while True:
        order = rng.permutation(len(signal))
        for first in range(0, len(order) - size + 1, size):
            rows = np.sort(order[first : first + size])
            x = cut(np.asarray(signal[rows], np.float32), n_samples, rng)
            y = targets[rows]
            if changes["mixed"]:
                x, y = mixed(x, y, changes["mixed"], rng)
            yield changed(x, rng, bank, changes), y


def cut(x: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Return a window of ``n`` samples of each strip; x (batch, 8, time) -> (batch, n, 8)."""
    total = x.shape[2]
    if n < total:
        starts = rng.integers(total - n + 1, size=len(x))
        x = np.take_along_axis(x, (starts[:, None] + np.arange(n))[:, None, :], axis=2)
    return np.ascontiguousarray(x.transpose(0, 2, 1))


def mixed(x: np.ndarray, y: np.ndarray, alpha: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Blend each strip with a smaller share of another, and their targets; what either lacks is unknown."""
    share = rng.beta(alpha, alpha, len(x)).astype(np.float32)
    share = np.maximum(share, 1 - share)
    other = rng.permutation(len(x))
    x = share[:, None, None] * x + (1 - share)[:, None, None] * x[other]
    both = (y > UNKNOWN) & (y[other] > UNKNOWN)
    y = np.where(both, share[:, None] * y + (1 - share)[:, None] * y[other], NOT_KNOWN)
    return x, y.astype(np.float32)


def changed(x: np.ndarray, rng: np.random.Generator, bank: NoiseBank | None, changes: Mapping[str, Any]) -> np.ndarray:
    """Do to strips (batch, time, 8) what ``changes`` names.

    ``gain`` and ``lead_gain`` are spreads of the logarithm of a factor for all leads and for each; the others are
    probabilities: that a strip is ``soft`` (smoothed), that it is ``short`` (empty outside a part of it), that it keeps
    ``only_first`` lead, ``only_limb`` leads or ``only_one`` of any, or has ``some_lost``. ``noise`` names a kind of
    recorded noise with its probability and the least and greatest SD in millivolts.
    """
    n, length, leads = x.shape
    gain = np.exp(rng.normal(0, changes["gain"], (n, 1, 1)) + rng.normal(0, changes["lead_gain"], (n, 1, leads)))
    x = x * gain.astype(np.float32)
    soft = rng.random(n) < changes["soft"]
    if soft.any():
        part = x[soft]
        side = np.concatenate([part[:, :1], part, part[:, -1:]], axis=1)
        x[soft] = 0.5 * part + 0.25 * (side[:, :-2] + side[:, 2:])
    if bank is not None:
        for kind, (share, low, high) in changes["noise"].items():
            rows = np.flatnonzero(rng.random(n) < share)
            if not rows.size:
                continue
            level = 10 ** rng.uniform(np.log10(low), np.log10(high), (len(rows), 1, 1))
            each = rng.uniform(0, _MOST_UNLIKE, (len(rows), 1, leads))
            x[rows] += (_noise(bank.kinds[kind], (len(rows), length, leads), rng) * level * each).astype(np.float32)
    x *= _leads_kept(n, leads, rng, changes)[:, None, :]
    short = np.flatnonzero(rng.random(n) < changes["short"])
    for row in short:
        keep = int(rng.integers(length // 4, length))
        start = int(rng.integers(0, length - keep + 1))
        x[row, :start] = 0
        x[row, start + keep :] = 0
    return x


def _noise(source: np.ndarray, shape: tuple[int, int, int], rng: np.random.Generator) -> np.ndarray:
    """Return pieces of recorded noise, each with no mean and an SD of 1, shape (rows, time, leads)."""
    rows, length, leads = shape
    channel = rng.integers(len(source), size=(rows, 1, leads))
    starts = rng.integers(source.shape[1] - length, size=(rows, 1, leads))
    pieces = source[channel, starts + np.arange(length)[None, :, None]]
    pieces = pieces - pieces.mean(axis=1, keepdims=True)
    return pieces / np.maximum(pieces.std(axis=1, keepdims=True), 1e-3)


def _leads_kept(n: int, leads: int, rng: np.random.Generator, changes: Mapping[str, Any]) -> np.ndarray:
    """Return which leads of each strip are there, as 0 and 1."""
    kept = np.ones((n, leads), np.float32)
    kind = rng.random(n)
    edges = np.cumsum([changes[name] for name in ("only_first", "only_limb", "only_one", "some_lost")])
    for row in np.flatnonzero(kind < edges[-1]):
        if kind[row] < edges[0]:
            kept[row, 1:] = 0
        elif kind[row] < edges[1]:
            kept[row, _LIMB:] = 0
        elif kind[row] < edges[2]:
            kept[row] = 0
            kept[row, rng.integers(leads)] = 1
        else:
            lost = rng.random(leads) < rng.uniform(0.1, 0.7)
            if not lost.all():
                kept[row, lost] = 0
    return kept
