"""Exact Shapley values of boosted trees: what each feature adds to an answer.

Lundberg et al., Nature Machine Intelligence 2020;2:56 (doi:10.1038/s42256-019-0138-9), "path-dependent": where a
feature is not known, a split sends both ways the parts that the training rows took. Their algorithm walks the trees;
this one takes each leaf as a box of features. The game of a leaf with value v is v times the product over the features
of its path, each of which is 1 or 0 where known (the row is inside or not) and the part of the rows that went this way
where not. The Shapley values of that product have a closed form over the few features of a path, and those of the trees
are sums over leaves, so no walk is needed and everything is an array. A path that is shorter than others is filled up
with features that change nothing, which leaves Shapley values as they are.
"""

from __future__ import annotations

import io
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np

from ecg_core.errors import ModelError


@dataclass(frozen=True, eq=False)
class Leaves:
    """The leaves of the trees of several answers, each a box: ``low <= x < high`` for the features of its path."""

    feature: np.ndarray
    """Number of each feature of the path, int16, shape (n_leaves, depth); -1 fills up."""
    low: np.ndarray
    """Float32, shape (n_leaves, depth)."""
    high: np.ndarray
    missing: np.ndarray
    """Whether the leaf is reached without the feature, bool, shape (n_leaves, depth)."""
    share: np.ndarray
    """Part of the training rows that went this way at the splits on the feature, float64, shape (n_leaves, depth)."""
    value: np.ndarray
    """Float64, shape (n_leaves,)."""
    start: np.ndarray
    """Of each answer, its first leaf, then the number of leaves, int64, shape (n_answers + 1,)."""
    base: np.ndarray
    """What each answer starts from, float64, shape (n_answers,)."""

    @classmethod
    def unpack(cls, content: bytes, origin: str = "the model") -> Leaves:
        """Read leaves as `pack` writes them."""
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as found:
                return cls(**{item.name: found[item.name] for item in fields(cls)})
        except (ValueError, KeyError, OSError) as error:
            raise ModelError("are not the leaves of trees", file=origin, found=repr(error)) from error

    def pack(self) -> bytes:
        """Return the leaves as npz."""
        arrays: Mapping[str, np.ndarray] = {item.name: getattr(self, item.name) for item in fields(self)}
        packed = io.BytesIO()
        np.savez_compressed(packed, allow_pickle=False, **arrays)
        return packed.getvalue()

    @cached_property
    def expected(self) -> np.ndarray:
        """What each answer is on average, where nothing is known, float64, shape (n_answers,)."""
        average = self.value * self.share.prod(axis=1)
        sums = [average[first:stop].sum() for first, stop in zip(self.start[:-1], self.start[1:], strict=True)]
        return np.asarray(self.base + np.array(sums))

    def contributions(self, row: np.ndarray, answer: int) -> np.ndarray:
        """Return what each feature adds to one answer, float64, shape (n_features,); with `expected`, its log odds.

        Parameters
        ----------
        row
            The features, float32, shape (n_features,), NaN where missing.
        answer
            Number of the answer.
        """
        mine = slice(int(self.start[answer]), int(self.start[answer + 1]))
        feature, inside = self.feature[mine], self._inside(row, mine)
        gain = _shapley(inside.astype(np.float64), self.share[mine]) * self.value[mine, None]
        real = feature >= 0
        return np.bincount(feature[real], gain[real], len(row))

    def logits(self, row: np.ndarray) -> np.ndarray:
        """Return the answers themselves, float64, shape (n_answers,)."""
        reached = self.value * self._inside(row, slice(None)).all(axis=1)
        sums = [reached[first:stop].sum() for first, stop in zip(self.start[:-1], self.start[1:], strict=True)]
        return np.asarray(self.base + np.array(sums))

    def _inside(self, row: np.ndarray, leaves: slice) -> np.ndarray:
        """Return whether a row is where each feature of a path leads to the leaf, shape (n, depth)."""
        feature = self.feature[leaves]
        x = np.asarray(row, np.float32)[feature]
        held = np.where(np.isnan(x), self.missing[leaves], (x >= self.low[leaves]) & (x < self.high[leaves]))
        return np.asarray(held | (feature < 0))


def _shapley(one: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Return the Shapley values of the game prod(one over the known, share over the unknown), shape (n, depth).

    Feature i gets ``(one_i - share_i) * sum over sets S of the others of |S|! (d - |S| - 1)! / d! * prod(one over S) *
    prod(share over the rest)``: the sums over all S of one size are the coefficients of prod(share_j + one_j t).
    """
    n, depth = one.shape
    weights = [math.factorial(k) * math.factorial(depth - 1 - k) / math.factorial(depth) for k in range(depth)]
    found = np.empty((n, depth))
    for i in range(depth):
        sums = np.zeros((n, depth))
        sums[:, 0] = 1.0
        for j in range(depth):
            if j != i:
                sums[:, 1:] = sums[:, 1:] * share[:, j, None] + sums[:, :-1] * one[:, j, None]
                sums[:, 0] *= share[:, j]
        found[:, i] = (one[:, i] - share[:, i]) * (sums @ np.array(weights))
    return found
