"""Whether an explanation is faithful: whether the network hangs on what the explanation says that it hangs on.

A strip is cut into cells, 40 ms of one lead each, and an explanation ranks them. Cells are taken away in that order,
each replaced by a straight line between what is left beside it (*deletion*): the sooner the answer falls, the better
the order. From straight lines, they are put back in the same order (*insertion*): the sooner it rises, the better. The
area under a curve is the mean answer along it. Beside it stand the same for a random order, and for the order of an
edge detector, which knows the signal but no network: a method that does no better explains nothing.

Petsiuk, Das and Saenko, "RISE", BMVC 2018, for the curves; Adebayo et al., "Sanity checks for saliency maps", NeurIPS
2018, for comparing with the explanation of a network whose weights were shuffled. Departures: what is taken away is
bridged by lines rather than set to 0 or blurred, so that no edges come up that no ECG has; and shares at which curves
are taken lie closer together where answers change most.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ecg_core.evaluation.bootstrap import RESAMPLES, measure, ratio
from ecg_core.evaluation.report import Metric

CELL = 4
"""Samples to a cell: 40 ms at 100 Hz."""
SHARES = (0.0, 0.01, 0.02, 0.04, 0.06, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0)
"""Of the cells, taken away or put back."""
RANDOM, EDGES = "random", "edges"
RANDOM_ORDERS = 3

Answers = Callable[[np.ndarray], np.ndarray]
"""Strips, float32, shape (n, n_samples, n_leads), to answers, shape (n,)."""


@dataclass(frozen=True, eq=False)
class Curves:
    """Answers along both ways, at `SHARES`; each of shape (len(SHARES),)."""

    deletion: np.ndarray
    insertion: np.ndarray


def in_cells(values: np.ndarray) -> np.ndarray:
    """Return the sums of samples (n_samples, n_leads) over cells, shape (n_cells, n_leads)."""
    return np.asarray(values.reshape(-1, CELL, values.shape[1]).sum(axis=1))


def edges(strip: np.ndarray) -> np.ndarray:
    """Return the mean slope of each cell of a strip (n_samples, n_leads), whichever way it goes, (n_cells, n_leads)."""
    return in_cells(np.abs(np.gradient(strip.astype(np.float64), axis=0)))


def without(strip: np.ndarray, removed: np.ndarray) -> np.ndarray:
    """Return a strip whose cells ``removed``, bool (n_cells, n_leads), are straight lines between those that remain.

    Before the first and after the last that remains a line is level; a lead of which nothing remains is 0.
    """
    found = np.zeros_like(strip)
    at = np.arange(len(strip))
    for lead, kept in enumerate(~np.repeat(removed, CELL, axis=0).T):
        if kept.any():
            found[:, lead] = np.interp(at, at[kept], strip[kept, lead])
    return found


def trace(answers: Answers, strip: np.ndarray, scores: np.ndarray) -> Curves:
    """Return the curves of a strip, its cells in falling order of ``scores``, shape (n_cells, n_leads)."""
    order = np.argsort(-scores, axis=None, kind="stable")
    place = np.argsort(order).reshape(scores.shape)
    counts = np.rint(np.array(SHARES) * order.size)
    strips = [without(strip, chosen) for n in counts for chosen in (place < n, place >= n)]
    found = np.asarray(answers(np.stack(strips)), np.float64)
    return Curves(found[::2], found[1::2])


def trace_all(
    answers: Answers, strip: np.ndarray, methods: Mapping[str, np.ndarray], seed: int = 0
) -> dict[str, Curves]:
    """Return the curves of each method by its scores, of `EDGES`, and of `RANDOM`, the mean of `RANDOM_ORDERS`."""
    found = {name: trace(answers, strip, scores) for name, scores in {**methods, EDGES: edges(strip)}.items()}
    rng = np.random.default_rng(seed)
    shape = in_cells(strip).shape
    by_chance = [trace(answers, strip, rng.permutation(np.prod(shape)).reshape(shape)) for _ in range(RANDOM_ORDERS)]
    curves = (np.mean([getattr(each, way) for each in by_chance], axis=0) for way in ("deletion", "insertion"))
    return {**found, RANDOM: Curves(*curves)}


def area(curve: np.ndarray) -> float:
    """Return the mean answer along a curve, shape (len(SHARES),)."""
    return float(np.trapezoid(curve, SHARES))


def likeness(one: np.ndarray, other: np.ndarray) -> float:
    """Return how alike two explanations of one answer rank the cells: Spearman's correlation, NaN where one is flat."""
    from scipy.stats import rankdata

    ranks = np.stack([rankdata(values) for values in (one, other)])
    away = ranks - ranks.mean(axis=1, keepdims=True)
    return float(ratio(np.prod(away, axis=0).sum(), np.sqrt((away**2).sum(axis=1).prod())))


def summarise(
    records: Sequence[Mapping[str, Curves]], names: Sequence[str], *, resamples: int = RESAMPLES, seed: int = 0
) -> dict[str, Metric]:
    """Return the mean areas of every method over records, and how far they are from those by chance and by edges.

    Parameters
    ----------
    records
        What `trace_all` returned of each; all of the same methods.
    names
        Of the patient or record of each: what is drawn as one.

    Returns
    -------
    ``METHOD.deletion`` and ``METHOD.insertion``, and of all but `RANDOM` also ``METHOD.deletion.gain.random``
    and so on: by how much the area is better, smaller for deletion and larger for insertion.
    """
    figures = {}
    for method in records[0]:
        for way, better in (("deletion", -1), ("insertion", 1)):
            values = figures[f"{method}.{way}"] = np.array([area(getattr(record[method], way)) for record in records])
            for other in (RANDOM, EDGES):
                if method not in (other, RANDOM):
                    plain = np.array([area(getattr(record[other], way)) for record in records])
                    figures[f"{method}.{way}.gain.{other}"] = better * (values - plain)
    return mean_of(figures, names, resamples=resamples, seed=seed)


def mean_of(
    figures: Mapping[str, np.ndarray], names: Sequence[str], *, resamples: int = RESAMPLES, seed: int = 0
) -> dict[str, Metric]:
    """Return the means of figures of records, each of shape (n_records,), those that are NaN left out."""

    def score(weights: np.ndarray) -> dict[str, np.ndarray]:
        return {
            name: ratio(weights @ np.nan_to_num(values), weights @ np.isfinite(values).astype(np.float64))
            for name, values in figures.items()
        }

    return measure(score, names, resamples=resamples, seed=seed)
