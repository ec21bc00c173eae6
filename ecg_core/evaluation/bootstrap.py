"""Values with bootstrap intervals.

A `Score` is given how often each record counts and returns its metrics: once each for the value, and as often as a
resample drew it for the interval. Many resamples are scored in one call. Metrics made of sums over records (counts,
squared errors) come from a `Tally`, where a resample is one matrix product.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ecg_core.errors import InvalidValue
from ecg_core.evaluation.report import Metric

Score = Callable[[np.ndarray], Mapping[str, np.ndarray]]
"""Weights of the records, shape (n_resamples, n_records) -> metrics, each of shape (n_resamples,), NaN = undefined."""

RESAMPLES = 1000
FEWER_RESAMPLES = 300
"""Of the intervals of what is measured many times: curves, subgroups, conditions."""
LEVEL = 0.95
_CHUNK = 4_000_000
"""Weights held at a time."""


class Tally:
    """Additive figures of every record, and their sums over weighted records."""

    def __init__(self, records: Sequence[Mapping[str, float]]) -> None:
        """Take one mapping a record; a figure that a record lacks is 0."""
        self._names = list(dict.fromkeys(name for record in records for name in record))
        rows = [[record.get(name, 0.0) for name in self._names] for record in records]
        self._matrix = np.array(rows, np.float64).reshape(len(records), len(self._names))

    def __call__(self, weights: np.ndarray) -> Sums:
        """Return the sums, each of shape (n_resamples,), for weights of shape (n_resamples, n_records)."""
        totals = weights @ self._matrix
        return Sums(dict(zip(self._names, totals.T, strict=True)), np.zeros(len(weights)))


class Sums:
    """Figures summed over records, by name; what no record has is 0."""

    def __init__(self, totals: Mapping[str, np.ndarray], zero: np.ndarray) -> None:
        self._totals = totals
        self._zero = zero

    def __getitem__(self, name: str) -> np.ndarray:
        """Return one sum, shape (n_resamples,)."""
        return self._totals.get(name, self._zero)


def ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return part / whole, NaN where the whole is zero; shapes as numpy broadcasts them."""
    whole = np.asarray(whole, np.float64)
    shape = np.broadcast_shapes(np.shape(part), whole.shape)
    found: np.ndarray = np.divide(part, whole, out=np.full(shape, np.nan), where=np.broadcast_to(whole != 0, shape))
    return found


def measure(
    score: Score, groups: Sequence[str], *, resamples: int = RESAMPLES, level: float = LEVEL, seed: int = 0
) -> dict[str, Metric]:
    """Return every metric of ``score`` with its percentile interval.

    Parameters
    ----------
    score
        Metrics of weighted records.
    groups
        Group of each record: resamples draw whole groups (patients, tapes), since the records of one are alike.
    resamples
        Number of resamples.
    level
        Coverage of the interval.
    seed
        The same seed gives the same interval.

    Returns
    -------
    The metrics in the order of ``score``. A value that is undefined is None. The interval is that of the resamples in
    which the metric is defined, and None where there are fewer than two groups, since one group says nothing about
    the spread between groups.
    """
    if not groups:
        raise InvalidValue("no records", field="groups", found=0, expected="one or more")
    names, group_of = np.unique(np.asarray(groups, dtype=object).astype(str), return_inverse=True)
    value = {name: float(found[0]) for name, found in score(np.ones((1, len(groups)))).items()}
    if len(names) < 2 or resamples < 1:
        return {name: Metric(_known(found)) for name, found in value.items()}
    rng = np.random.default_rng(seed)
    drawn: dict[str, list[np.ndarray]] = {name: [] for name in value}
    step = max(1, _CHUNK // len(groups))
    for start in range(0, resamples, step):
        times = _draw(rng, min(step, resamples - start), len(names))
        for name, found in score(times[:, group_of]).items():
            drawn[name].append(found)
    return {name: _metric(value[name], np.concatenate(found), level) for name, found in drawn.items()}


def _draw(rng: np.random.Generator, resamples: int, n: int) -> np.ndarray:
    """Return how often each of ``n`` things is drawn when ``n`` are drawn with replacement, shape (resamples, n)."""
    chosen = rng.integers(n, size=(resamples, n))
    chosen += np.arange(resamples)[:, None] * n
    return np.bincount(chosen.ravel(), minlength=resamples * n).reshape(resamples, n).astype(np.float64)


def _metric(value: float, drawn: np.ndarray, level: float) -> Metric:
    defined = drawn[np.isfinite(drawn)]
    if not np.isfinite(value) or not len(defined):
        return Metric(_known(value))
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return Metric(value, float(low), float(high))


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None
