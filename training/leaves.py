"""From boosters of XGBoost to the leaves that `ecg_core.predictors.tree_shap` reads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ecg_core.predictors.tree_shap import Leaves
from training.trees import booster_base

if TYPE_CHECKING:
    import xgboost

_LEAF = -1


def leaves_of(boosters: Sequence[xgboost.Booster]) -> Leaves:
    """Return the leaves of boosters, one an answer, of plain trees on numeric features."""
    paths: list[tuple[dict[int, list[Any]], float]] = []
    start, base = [0], []
    for booster in boosters:
        learner = json.loads(bytes(booster.save_raw("json")))["learner"]
        for tree in learner["gradient_booster"]["model"]["trees"]:
            paths += _leaves(tree)
        start.append(len(paths))
        base.append(booster_base(learner))
    depth = max((len(path) for path, _ in paths), default=1) or 1
    shape = (len(paths), depth)
    feature = np.full(shape, -1, np.int16)
    low, high = np.full(shape, -np.inf, np.float32), np.full(shape, np.inf, np.float32)
    missing, share = np.ones(shape, bool), np.ones(shape)
    for row, (path, _) in enumerate(paths):
        for place, (number, (from_, to, is_missing, part)) in enumerate(path.items()):
            feature[row, place] = number
            low[row, place], high[row, place] = from_, to
            missing[row, place], share[row, place] = is_missing, part
    value = np.array([value for _, value in paths], np.float64)
    return Leaves(feature, low, high, missing, share, value, np.array(start, np.int64), np.array(base, np.float64))


def _leaves(tree: Mapping[str, Any]) -> Iterator[tuple[dict[int, list[Any]], float]]:
    """Yield each leaf of a tree: feature to (low, high, whether missing goes there, part of the rows), and value."""
    left, right = tree["left_children"], tree["right_children"]
    split, at = tree["split_conditions"], tree["split_indices"]
    cover, default = tree["sum_hessian"], tree["default_left"]
    waiting: list[tuple[int, dict[int, list[Any]]]] = [(0, {})]
    while waiting:
        node, path = waiting.pop()
        if left[node] == _LEAF:
            yield path, float(split[node])
            continue
        number, edge = at[node], float(np.float32(split[node]))
        for child, is_left in ((left[node], True), (right[node], False)):
            low, high, missing, part = path.get(number, [-np.inf, np.inf, True, 1.0])
            waiting.append(
                (
                    child,
                    path
                    | {
                        number: [
                            low if is_left else max(low, edge),
                            min(high, edge) if is_left else high,
                            missing and bool(default[node]) == is_left,
                            part * cover[child] / cover[node],
                        ]
                    },
                )
            )
