"""The file ``heads.json`` of ``heart12``: from raw answers to probabilities, operating points and conformal sets.

The form of the file, which `ecg_core.predictors.heart12` reads::

    outputs      names of the columns of the network's logits: "statements.NDT", ..., "subclass.AMI", ...,
                 "superclass.NORM", ..., "sex.female", "age.median", "age.log_spread"
    heads        {head: {label: output}}; rhythm, af and normal are views of the same outputs
    trees        {graph: names of the columns of its logits, as in outputs}
    features     {graph: names of the figures that it reads, in order}
    coverage     what conformal sets and the interval of age are stated to cover
    prevalences  shares of positives for which predictive values are stated
    views        {view: {
        leads        that it reads
        trees        graph whose answers are stacked, or null
        n            records that it was fitted on
        labels       {output: {
            net, trees, offset   logit p = net * z_net + trees * z_trees + offset
            alone                {net, offset} for a record without figures for trees; null where trees is 0
            n, positives         records of known truth that it was fitted on
            experimental         under 20 positives or negatives: never called positive, nothing promised
            points               {max_f1|se95|sp95: {threshold, sensitivity, specificity, ppv, ppv_at}}; empty where
                                 experimental. Positive is p >= threshold; ppv is at the share among the n records,
                                 ppv_at at each of prevalences. The figures are those of records left out of the fit
            conformal            {present, absent}: the set holds "present" where p >= present and "absent" where
                                 p <= absent, or null where experimental
        }}
        accuracy     what was measured of answers in this view, in brief: {data, split, n, metrics: {name: {value, low,
                     high}}}
        lost         the same with so many of the view's leads missing, {"1": ..., "2": ...}; of ``full`` alone
        age          {mean, sd, slope, offset, width, stacked}: years = slope * (mean + sd * median) + offset, and the
                     interval is years -+ width * sd * slope * exp(log_spread). Where trees spoke and stacked is not
                     null, it is {slope, trees, offset, width}: years = slope * (mean + sd * median) + trees * (mean +
                     sd * what they said) + offset, the interval years -+ width * sd * exp(log_spread)
    }}
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ecg_core.datasets.ptbxl import SUPERCLASSES, Statement
from training.heart12_stacking import probability

HEADS = "heads.json"
UNKNOWN = -5.0
"""Targets below are not known."""
FEW = 20
"""Under this many positives a label is experimental."""
COVERAGE = 0.9
PREVALENCES = (0.01, 0.05, 0.2)
AGE_MEAN, AGE_SD = 60.0, 17.0
AGE = "age.median"

VIEWS: Mapping[str, tuple[str, ...]] = {
    "full": ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6"),
    "limb_v1": ("I", "II", "V1"),
    "limb": ("I", "II"),
    "I": ("I",),
    "II": ("II",),
}


@dataclass(frozen=True)
class Layout:
    """Which output is which."""

    outputs: tuple[str, ...]
    """Names of the columns of the network's logits."""
    heads: Mapping[str, Mapping[str, str]]
    """Head to label to output."""

    @property
    def binary(self) -> tuple[str, ...]:
        """The outputs that are labels: all but age, and in the order of the targets."""
        return self.outputs[:-2]

    def columns(self, head: str) -> list[int]:
        """Return the columns of a head's labels."""
        return [self.outputs.index(name) for name in self.heads[head].values()]

    @classmethod
    def of(cls, statements: Mapping[str, Statement]) -> Layout:
        """Return the layout for the statements of PTB-XL, in the order of their table."""
        subclasses = sorted({found.subclass for found in statements.values() if found.subclass})
        named = {
            "statements": [*statements],
            "subclass": subclasses,
            "superclass": [*SUPERCLASSES],
            "sex": ["female"],
        }
        heads = {head: {label: f"{head}.{label}" for label in labels} for head, labels in named.items()}
        outputs = tuple(name for labels in heads.values() for name in labels.values())
        rhythms = {code: f"statements.{code}" for code, found in statements.items() if found.rhythm}
        heads |= {
            "rhythm": rhythms,
            "af": {"AFIB": "statements.AFIB"},
            "normal": {"NORM": "superclass.NORM"},
        }
        return cls((*outputs, "age.median", "age.log_spread"), heads)


@dataclass(frozen=True, eq=False)
class Answers:
    """What was said of records in one view."""

    net: np.ndarray
    """Shape (n, n_outputs)."""
    trees: np.ndarray | None = None
    """Shape (n, n_tree_labels); a row of NaN where the figures could not be had."""


def probabilities(heads: Mapping[str, Any], view: str, said: Answers) -> np.ndarray:
    """Return the probability of every label, shape (n, n_labels), in the order of the outputs."""
    fitted = heads["views"][view]
    names = heads["outputs"][:-2]
    rows = [fitted["labels"][name] for name in names]
    net = said.net[:, : len(names)].astype(np.float64)
    logits = np.array([row["net"] for row in rows]) * net + np.array([row["offset"] for row in rows])
    if fitted["trees"] is None or said.trees is None:
        alone = [row["alone"] or row for row in rows]
        return probability(np.array([row["net"] for row in alone]) * net + np.array([row["offset"] for row in alone]))
    for at, name in enumerate(heads["trees"][fitted["trees"]]):
        if name == AGE:
            continue
        column, row, value = names.index(name), fitted["labels"][name], said.trees[:, at].astype(np.float64)
        if row["alone"] is None:
            continue
        without = row["alone"]["net"] * net[:, column] + row["alone"]["offset"]
        stacked = logits[:, column] + row["trees"] * np.nan_to_num(value)
        logits[:, column] = np.where(np.isfinite(value), stacked, without)
    return probability(logits)


def ages(heads: Mapping[str, Any], view: str, said: Answers) -> tuple[np.ndarray, np.ndarray]:
    """Return age and the half width of its interval, both in years, each of shape (n,)."""
    row = heads["views"][view]["age"]
    median, spread = said.net[:, -2].astype(np.float64), said.net[:, -1].astype(np.float64)
    line = row["mean"] + row["sd"] * median
    years = row["slope"] * line + row["offset"]
    reach = row["width"] * row["sd"] * row["slope"] * np.exp(spread)
    of_trees, stacked = tree_ages(heads["trees"], heads["views"][view]["trees"], said), row["stacked"]
    if stacked is None or of_trees is None:
        return years, reach
    spoke = np.isfinite(of_trees)
    both = stacked["slope"] * line + stacked["trees"] * np.nan_to_num(of_trees) + stacked["offset"]
    return np.where(spoke, both, years), np.where(spoke, stacked["width"] * row["sd"] * np.exp(spread), reach)


def tree_ages(trees: Mapping[str, Sequence[str]], graph: str | None, said: Answers) -> np.ndarray | None:
    """Return the years that trees say, NaN where they had nothing to read, shape (n,); None where none were asked."""
    if graph is None or said.trees is None or AGE not in trees[graph]:
        return None
    return AGE_MEAN + AGE_SD * said.trees[:, list(trees[graph]).index(AGE)].astype(np.float64)


def to_text(heads: Mapping[str, Any]) -> bytes:
    """Return `HEADS` as JSON, a label a line."""
    plain = {key: value for key, value in heads.items() if key != "views"}
    lines = [f" {json.dumps(key)}: {_line(value)}," for key, value in plain.items()]
    lines.append(' "views": {')
    views = []
    for name, view in heads["views"].items():
        rows = [f"   {json.dumps(key)}: {_line(value)}," for key, value in view.items() if key != "labels"]
        labels = ",\n".join(f"    {json.dumps(label)}: {_line(row)}" for label, row in view["labels"].items())
        views.append("\n".join([f"  {json.dumps(name)}: {{", *rows, '   "labels": {', labels, "   }", "  }"]))
    return "\n".join(["{", *lines, ",\n".join(views), " }", "}", ""]).encode()


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
