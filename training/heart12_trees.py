"""The boosted trees of ``heart12``: each answer its own trees, on figures of `ecg_core.predictors.figures`.

Some of the rows that they learn from are shown again without some leads, as `without_leads` makes them, so that the
trees know what to do without. Of a rare label only so many negatives are shown, each counting for several.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ecg_core.leads import CHEST, INDEPENDENT_8
from ecg_core.predictors.figures import without_leads
from training.heart12_heads import AGE, UNKNOWN
from training.trees import to_onnx_logits

if TYPE_CHECKING:
    import xgboost

logger = logging.getLogger(__name__)

SETTINGS: Mapping[str, Any] = {
    "least_positives": 10,
    "few": 150,
    "most_negatives_each": 40,
    "least_negatives": 3000,
    "lost": 0.2,
    "seed": 0,
    "common": {"rounds": 120, "eta": 0.1, "max_depth": 4, "reg_lambda": 5.0, "min_child_weight": 3.0},
    "rare": {"rounds": 100, "eta": 0.06, "max_depth": 3, "reg_lambda": 10.0, "min_child_weight": 1.0},
    "age": {"rounds": 250, "eta": 0.07, "max_depth": 5, "reg_lambda": 5.0, "min_child_weight": 5.0},
    "shared": {"subsample": 0.7, "colsample_bytree": 0.2, "max_bin": 32},
}
"""What the trees are fitted by: ``few`` positives or fewer make a label rare; ``lost``: part of the rows that are shown
again without some leads."""

_SHOWN_AGAIN = (("only limb leads", 0.3), ("limb leads and V1", 0.3), ("some lost", 0.4))


@dataclass(frozen=True, eq=False)
class Trees:
    """Boosters, and which output each column of their answers is."""

    boosters: tuple[xgboost.Booster, ...]
    outputs: tuple[str, ...]
    columns: tuple[int, ...]
    """Number of the booster that answers for each output: some outputs have the same truth."""

    def logits(self, figures: np.ndarray) -> np.ndarray:
        """Return log odds of rows of figures, float32, shape (n, n_outputs); NaN for rows without any figure."""
        import xgboost

        rows = xgboost.DMatrix(figures, nthread=1)
        said = [booster.predict(rows, output_margin=True) for booster in self.boosters]
        found = np.stack([said[at] for at in self.columns], axis=1).astype(np.float32)
        found[~np.isfinite(figures).any(axis=1)] = np.nan
        return found

    def save(self, path: Path) -> None:
        """Keep the trees in a file."""
        kept = {
            f"booster{at}": np.frombuffer(booster.save_raw("ubj"), np.uint8) for at, booster in enumerate(self.boosters)
        }
        part = path.with_name(f".{path.name}.part.npz")
        np.savez(part, outputs=np.array(self.outputs), columns=np.array(self.columns), **kept)
        part.replace(path)

    @classmethod
    def load(cls, path: Path) -> Trees:
        """Return what was kept."""
        import xgboost

        with np.load(path) as kept:
            boosters = [xgboost.Booster() for name in kept.files if name.startswith("booster")]
            for at, booster in enumerate(boosters):
                booster.load_model(bytearray(kept[f"booster{at}"].tobytes()))
            return cls(tuple(boosters), tuple(kept["outputs"].tolist()), tuple(kept["columns"].tolist()))

    def to_onnx(self) -> bytes:
        """Return the graph, from ``features`` to ``logits`` in the order of ``outputs``."""
        return to_onnx_logits(self.boosters, self.columns)


def fit(
    figures: np.ndarray,
    targets: np.ndarray,
    outputs: Sequence[str],
    rows: np.ndarray,
    names: Sequence[str],
    settings: Mapping[str, Any] = SETTINGS,
) -> Trees:
    """Fit trees for every label with enough positives, and for the standardised age where it is among the outputs.

    Parameters
    ----------
    figures
        Float32, NaN where missing, shape (n_records, n_names).
    targets
        0 or 1, the age as it is, or less than `UNKNOWN`, shape (n_records, n_outputs or more).
    outputs
        Names of the first columns of the targets.
    rows
        Numbers of the records to learn from.
    names
        Of the figures.
    settings
        As `SETTINGS`.
    """
    rows = rows[np.isfinite(figures[rows]).any(axis=1)]
    truth = targets[rows]
    known = truth > UNKNOWN
    chosen = [
        at
        for at in range(len(outputs))
        if min((truth[known[:, at], at] > 0).sum(), (truth[known[:, at], at] <= 0).sum()) >= settings["least_positives"]
    ]
    unique: list[int] = []
    columns: list[int] = []
    for at in chosen:
        twin = next((k for k, other in enumerate(unique) if _same(truth, known, at, other)), None)
        columns.append(len(unique) if twin is None else twin)
        if twin is None:
            unique.append(at)
    x, origin = figures[rows], np.arange(len(rows))
    if any(name.startswith(CHEST) for name in names):
        x = np.concatenate([x, _shown_again(x, names, settings)])
        origin = np.concatenate([origin, _again(len(rows), settings)])
    boosters = []
    for at in unique:
        there = known[origin, at]
        logger.info("trees for %s: %d positives", outputs[at], int((truth[known[:, at], at] > 0).sum()))
        learn = fit_age if outputs[at] == AGE else fit_one
        boosters.append(learn(x[there], truth[origin[there], at], settings))
    return Trees(tuple(boosters), tuple(outputs[at] for at in chosen), tuple(columns))


def fit_age(x: np.ndarray, age: np.ndarray, settings: Mapping[str, Any] = SETTINGS) -> xgboost.Booster:
    """Return trees for the median of a number, given figures (n, n_names) and the number, shape (n,)."""
    import xgboost

    kind = dict(settings["age"])
    rounds = kind.pop("rounds")
    parameters = {
        "objective": "reg:absoluteerror",
        "tree_method": "hist",
        "nthread": 1,
        "seed": settings["seed"],
        **settings["shared"],
        **kind,
    }
    return xgboost.train(parameters, xgboost.DMatrix(x, age, nthread=1), rounds)


def fit_one(x: np.ndarray, truth: np.ndarray, settings: Mapping[str, Any] = SETTINGS) -> xgboost.Booster:
    """Return the trees of one label, given figures (n, n_names) and 0 or 1, shape (n,)."""
    import xgboost

    positive, negative = np.flatnonzero(truth > 0), np.flatnonzero(truth <= 0)
    kept = max(settings["least_negatives"], settings["most_negatives_each"] * len(positive))
    weight = np.ones(len(truth))
    if kept < len(negative):
        dealt = np.random.default_rng(settings["seed"]).permutation(negative)[:kept]
        weight[dealt] = len(negative) / kept
        negative = np.sort(dealt)
    shown = np.sort(np.concatenate([positive, negative]))
    kind = dict(settings["rare" if len(positive) <= settings["few"] else "common"])
    rounds = kind.pop("rounds")
    parameters = {
        "objective": "binary:logistic",
        "tree_method": "hist",
        "nthread": 1,
        "seed": settings["seed"],
        **settings["shared"],
        **kind,
    }
    data = xgboost.DMatrix(x[shown], truth[shown], weight=weight[shown], nthread=1)
    return xgboost.train(parameters, data, rounds)


def out_of_fold(
    figures: np.ndarray,
    targets: np.ndarray,
    outputs: Sequence[str],
    parts: Sequence[np.ndarray],
    names: Sequence[str],
    settings: Mapping[str, Any] = SETTINGS,
) -> np.ndarray:
    """Return log odds of each record by trees that have not seen its part, shape (n_records, n_outputs), else NaN.

    Parameters are those of `fit`, with ``parts`` the numbers of the records of each part.
    """
    found = np.full((len(figures), len(outputs)), np.nan, np.float32)
    for held in parts:
        others = np.concatenate([part for part in parts if part is not held])
        trees = fit(figures, targets, outputs, others, names, settings)
        columns = [list(outputs).index(name) for name in trees.outputs]
        found[np.ix_(held, columns)] = trees.logits(figures[held])
    return found


def _same(truth: np.ndarray, known: np.ndarray, first: int, second: int) -> bool:
    """Return whether the second of two labels is known wherever the first is, with the same truth."""
    both = known[:, first] & known[:, second]
    return bool(both.sum() == known[:, first].sum() and (truth[both, first] == truth[both, second]).all())


def _again(n: int, settings: Mapping[str, Any]) -> np.ndarray:
    """Return the numbers of the rows that are shown again, of ``n``."""
    return np.sort(np.random.default_rng(settings["seed"] + 1).permutation(n)[: round(settings["lost"] * n)])


def _shown_again(figures: np.ndarray, names: Sequence[str], settings: Mapping[str, Any]) -> np.ndarray:
    """Return some of the rows of figures (n, n_names), each without some leads."""
    rng = np.random.default_rng(settings["seed"] + 2)
    chosen = figures[_again(len(figures), settings)]
    kinds = rng.choice(len(_SHOWN_AGAIN), size=len(chosen), p=[share for _, share in _SHOWN_AGAIN])
    found = np.empty_like(chosen)
    for at, (row, kind) in enumerate(zip(chosen, kinds.tolist(), strict=True)):
        if kind == 0:
            lost = CHEST
        elif kind == 1:
            lost = CHEST[1:]
        else:
            lost = tuple(rng.choice(INDEPENDENT_8, size=int(rng.integers(1, 5)), replace=False).tolist())
        found[at] = without_leads(row[None], names, lost)[0]
    return found
