"""Fitting the trees, and choosing how readily each class is called."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ecg_core.beat_classes import CLASSES
from ecg_core.beat_classes.classify import decide
from training.beat_classes_data import NAME, Example, learnt_from, stated
from training.network import checkpoints
from training.recipe import Recipe

if TYPE_CHECKING:
    import xgboost

MAIN_VIEW = "whole_two"
_CLASSES = len(CLASSES)
_N, _S, _V = (CLASSES.index(name) for name in ("N", "S", "V"))


def fit(recipe: Recipe, examples: Sequence[Example]) -> xgboost.Booster:
    """Return trees that learnt from these records; the same ones for the same records, recipe and code."""
    import xgboost

    key = json.dumps([stated(recipe), recipe["examples"], recipe["boosting"], [example.hash for example in examples]])
    path = checkpoints(NAME) / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.ubj"
    if path.is_file():
        return xgboost.Booster(model_file=str(path))
    parts = [learnt_from(recipe, example) for example in examples]
    label = np.concatenate([part[1] for part in parts])
    counts = np.bincount(label, minlength=_CLASSES)
    weight = np.fmax(counts, 1.0) ** -recipe["boosting"]["class_power"]
    data = xgboost.DMatrix(
        np.concatenate([part[0] for part in parts]), label=label, weight=weight[label] / weight[label].mean()
    )
    settings = {
        "objective": "multi:softprob",
        "num_class": len(CLASSES),
        "tree_method": "hist",
        "nthread": 1,
        "seed": recipe["seed"],
        **recipe["boosting"]["parameters"],
    }
    booster = xgboost.train(settings, data, recipe["boosting"]["rounds"])
    booster.save_model(path)
    return booster


def label_of(example: Example) -> np.ndarray:
    """Return the classes of a record's beats, by number, shape (n_beats,)."""
    return example.views[MAIN_VIEW].label


def predict(booster: xgboost.Booster, features: np.ndarray) -> np.ndarray:
    """Return what the trees say, float64, shape (n, 5), before the prior is set right."""
    import xgboost

    return np.asarray(booster.predict(xgboost.DMatrix(features)), np.float64)


def prior_of(recipe: Recipe, examples: Sequence[Example]) -> np.ndarray:
    """Return factors that undo how classes were chosen and weighed in training, shape (5,).

    With them, probabilities are for the shares that the classes have in the records themselves.
    """
    learnt = np.bincount(np.concatenate([learnt_from(recipe, example)[1] for example in examples]), minlength=_CLASSES)
    natural = np.bincount(np.concatenate([label_of(example) for example in examples]), minlength=_CLASSES)
    mass = np.fmax(learnt, 1.0) ** (1 - recipe["boosting"]["class_power"])
    factors = natural / mass
    return np.asarray(factors / factors[_N])


def corrected(said: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Return probabilities with the prior set right."""
    weighed = said * factors
    return np.asarray(weighed / weighed.sum(axis=1, keepdims=True))


def decision_of(settings: Mapping[str, Any], probability: np.ndarray, label: np.ndarray) -> np.ndarray:
    """Return the factors that `decide` weighs probabilities by, shape (5,).

    Of those that leave S the predictivity that the recipe asks for (all, if none does), the factors with the greatest
    sum of the sensitivity of S and the lesser of sensitivity and predictivity of V.
    """
    best, chosen = (False, -1.0), np.ones(len(CLASSES))
    for of_s in settings["s_factors"]:
        for of_v in settings["v_factors"]:
            factors = np.ones(len(CLASSES))
            factors[_S], factors[_V] = of_s, of_v
            called = decide(probability, factors)
            s, v = _found(called, label, _S, ("Q",)), _found(called, label, _V, ("F", "Q"))
            merit = (s[1] >= settings["least_s_ppv"], s[0] + min(v))
            if merit > best:
                best, chosen = merit, factors
    return chosen


def _found(called: np.ndarray, label: np.ndarray, number: int, forgiven: tuple[str, ...]) -> tuple[float, float]:
    """Return sensitivity and positive predictivity of a class as EC57 counts them."""
    right = np.count_nonzero((called == number) & (label == number))
    counted = ~np.isin(label, [CLASSES.index(name) for name in forgiven])  # type: ignore[arg-type]
    all_called = np.count_nonzero((called == number) & counted)
    return right / max(np.count_nonzero(label == number), 1), right / max(all_called, 1)
