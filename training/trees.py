"""Boosted trees of XGBoost as ONNX, so that `ecg_core.engine` serves them beside the networks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ecg_core.errors import InvalidValue

if TYPE_CHECKING:
    import xgboost

INPUT = "features"
"""Name of the input: float32 (n, n_features), NaN where a feature is missing."""
PROBABILITIES = "probabilities"
"""Name of a classifier's output: float32 (n, n_classes)."""
VALUES = "values"
"""Name of a regression's output: float32 (n, 1)."""
LOGITS = "logits"
"""Name of the output of several boosters together: float32 (n, n_outputs)."""
_LEAF = -1
_IR, _OPSET, _ML_OPSET = 8, 17, 3
_INT64 = 7
"""What ONNX calls whole numbers of 64 bits."""
_PLAIN, _LOGISTIC, _SOFTMAX = "plain", "logistic", "softmax"
_LINKS = {
    "reg:squarederror": _PLAIN,
    "reg:absoluteerror": _PLAIN,
    "reg:pseudohubererror": _PLAIN,
    "binary:logistic": _LOGISTIC,
    "reg:logistic": _LOGISTIC,
    "multi:softprob": _SOFTMAX,
    "multi:softmax": _SOFTMAX,
}

_BINARY = frozenset(name for name, link in _LINKS.items() if link == _LOGISTIC)


def to_onnx_trees(booster: xgboost.Booster, n_classes: int, *, rounds: int | None = None) -> bytes:
    """Return a booster as an ONNX model; the same booster gives the same bytes.

    Parameters
    ----------
    booster
        Of plain trees (``gbtree``) on numeric features, for one target.
    n_classes
        2 for a ``binary:logistic`` booster, whose output becomes the probabilities of both answers; the number of
        classes of a ``multi:`` booster; 1 for a regression, whose output is `VALUES`.
    rounds
        Boosting rounds to keep; by default up to the best one where training was stopped early, else all.
    """
    from onnx import helper

    if rounds is None and booster.attr("best_iteration") is not None:
        rounds = booster.best_iteration + 1
    kept = booster if rounds is None else booster[:rounds]
    learner = json.loads(bytes(kept.save_raw("json")))["learner"]
    link = _link(learner, n_classes)
    n_features = int(learner["learner_model_param"]["num_feature"])
    n_sums = n_classes if link == _SOFTMAX else 1
    model = learner["gradient_booster"]["model"]
    sums = VALUES if link == _PLAIN else "margins"
    nodes = [_ensemble(model["trees"], model["tree_info"], _base(learner, link, n_sums), sums)]
    if link == _LOGISTIC:
        # Both sides by the logistic function: 1 - p would lose the digits of a small probability.
        nodes += [
            helper.make_node("Neg", ["margins"], ["against"]),
            helper.make_node("Concat", ["against", "margins"], ["both"], axis=1),
            helper.make_node("Sigmoid", ["both"], [PROBABILITIES]),
        ]
    elif link == _SOFTMAX:
        nodes.append(helper.make_node("Softmax", ["margins"], [PROBABILITIES], axis=1))
    return _model(nodes, n_features, VALUES if link == _PLAIN else PROBABILITIES, n_classes)


def to_onnx_logits(boosters: Sequence[xgboost.Booster], columns: Sequence[int] | None = None) -> bytes:
    """Return boosters, one an answer, as one ONNX model whose output `LOGITS` holds the sums of their trees.

    Parameters
    ----------
    boosters
        Of plain trees on the same numeric features, each for one target: ``binary:logistic``, whose sums are log odds,
        or a regression.
    columns
        Which booster each column of the output is of; one column a booster unless given.
    """
    from onnx import helper

    trees: list[Mapping[str, Any]] = []
    owners: list[int] = []
    bases: list[float] = []
    n_features = set()
    for at, booster in enumerate(boosters):
        learner = json.loads(bytes(booster.save_raw("json")))["learner"]
        link = _link(learner, 2 if learner["objective"]["name"] in _BINARY else 1)
        n_features.add(int(learner["learner_model_param"]["num_feature"]))
        content = learner["gradient_booster"]["model"]["trees"]
        trees += content
        owners += [at] * len(content)
        bases += _base(learner, link, 1)
    if len(n_features) != 1:
        raise InvalidValue("boosters on the same features are needed", field="features", found=sorted(n_features))
    order = list(range(len(boosters))) if columns is None else list(columns)
    plain = order == list(range(len(boosters)))
    nodes = [_ensemble(trees, owners, bases, LOGITS if plain else "sums")]
    if not plain:
        chosen = helper.make_tensor("columns", _INT64, [len(order)], order)
        nodes += [
            helper.make_node("Constant", [], ["columns"], value=chosen),
            helper.make_node("Gather", ["sums", "columns"], [LOGITS], axis=1),
        ]
    return _model(nodes, n_features.pop(), LOGITS, len(order))


def booster_base(learner: Mapping[str, Any]) -> float:
    """Return what the sum of a booster's trees starts from, given the ``learner`` of its JSON; for one target."""
    return _base(learner, _LINKS[learner["objective"]["name"]], 1)[0]


def _ensemble(trees: Sequence[Mapping[str, Any]], owners: Sequence[int], bases: Sequence[float], output: str) -> Any:
    """Return the node that adds up the trees of each sum."""
    from onnx import helper

    return helper.make_node(
        "TreeEnsembleRegressor",
        [INPUT],
        [output],
        domain="ai.onnx.ml",
        n_targets=len(bases),
        aggregate_function="SUM",
        post_transform="NONE",
        base_values=list(bases),
        **_nodes(trees, owners),
    )


def _model(nodes: Sequence[Any], n_features: int, output: str, width: int) -> bytes:
    from onnx import TensorProto, helper

    graph = helper.make_graph(
        nodes,
        "trees",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["n", n_features])],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, ["n", width])],
    )
    whole = helper.make_model(
        graph,
        producer_name="einthoven",
        ir_version=_IR,
        opset_imports=[helper.make_opsetid("", _OPSET), helper.make_opsetid("ai.onnx.ml", _ML_OPSET)],
    )
    return bytes(whole.SerializeToString(deterministic=True))


def _link(learner: Mapping[str, Any], n_classes: int) -> str:
    """Return how the sums of the trees become the output, after checking that it can be said in ONNX."""
    objective, kind = learner["objective"]["name"], learner["gradient_booster"]["name"]
    if objective not in _LINKS:
        raise InvalidValue("cannot be written as ONNX", field="objective", found=objective, options=_LINKS)
    if kind != "gbtree":
        raise InvalidValue("cannot be written as ONNX", field="booster", found=kind, expected="gbtree")
    link = _LINKS[objective]
    stated = learner["learner_model_param"]
    fitting = {_PLAIN: 1, _LOGISTIC: 2, _SOFTMAX: int(stated["num_class"])}[link]
    if n_classes != fitting:
        raise InvalidValue("does not suit the booster", field="n_classes", found=n_classes, expected=fitting)
    if int(stated["num_target"]) != 1:
        raise InvalidValue("cannot be written as ONNX", field="targets", found=stated["num_target"], expected="one")
    return link


def _base(learner: Mapping[str, Any], link: str, n_sums: int) -> list[float]:
    """Return what the sums start from, on the scale of the trees."""
    stated = np.atleast_1d(np.array(json.loads(learner["learner_model_param"]["base_score"]), np.float64))
    if link == _LOGISTIC:
        stated = np.log(stated) - np.log1p(-stated)
    return [float(value) for value in np.broadcast_to(stated, n_sums)]


def _nodes(trees: Sequence[Mapping[str, Any]], sums: Sequence[int]) -> dict[str, list[Any]]:
    """Return the attributes of all nodes; a value below the split goes left, a missing one where the tree says."""
    columns: dict[str, list[Any]] = {
        f"nodes_{name}": []
        for name in (
            "treeids",
            "nodeids",
            "featureids",
            "values",
            "modes",
            "truenodeids",
            "falsenodeids",
            "missing_value_tracks_true",
        )
    } | {f"target_{name}": [] for name in ("treeids", "nodeids", "ids", "weights")}
    for tree, (content, target) in enumerate(zip(trees, sums, strict=True)):
        if any(content["split_type"]):
            raise InvalidValue("cannot be written as ONNX", field="split", found="of categories", expected="of numbers")
        left, right = np.array(content["left_children"]), np.array(content["right_children"])
        inner = left != _LEAF
        n = len(left)
        columns["nodes_treeids"] += [tree] * n
        columns["nodes_nodeids"] += range(n)
        columns["nodes_featureids"] += np.where(inner, content["split_indices"], 0).tolist()
        columns["nodes_values"] += np.where(inner, content["split_conditions"], 0.0).tolist()
        columns["nodes_modes"] += np.where(inner, "BRANCH_LT", "LEAF").tolist()
        columns["nodes_truenodeids"] += np.where(inner, left, 0).tolist()
        columns["nodes_falsenodeids"] += np.where(inner, right, 0).tolist()
        columns["nodes_missing_value_tracks_true"] += np.where(inner, content["default_left"], 0).tolist()
        leaves = np.flatnonzero(~inner)
        columns["target_treeids"] += [tree] * len(leaves)
        columns["target_nodeids"] += leaves.tolist()
        columns["target_ids"] += [int(target)] * len(leaves)
        columns["target_weights"] += np.array(content["split_conditions"])[leaves].tolist()
    return columns
