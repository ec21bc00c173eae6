"""Training ``heart12``: the network that tells what a 12-lead ECG shows, and trees on measured figures beside it.

What is measured learned from folds 1-7 of PTB-XL, was chosen and calibrated by fold 8, and answers to fold 9. What
ships goes on from there: its weights and trees learn from fold 8 too, and it is calibrated by fold 9, as the networks
that are published for PTB-XL are. Fold 10 is left alone.
"""

from __future__ import annotations

import hashlib
import io
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ecg_core.artefacts import record_hash
from ecg_core.datasets import DATASETS
from ecg_core.datasets.ptbxl import PtbXl
from ecg_core.engine import Network
from ecg_core.errors import InvalidValue
from ecg_core.evaluation import Evaluation
from ecg_core.evaluation.bootstrap import measure
from ecg_core.leads import CHEST, STANDARD_12
from ecg_core.predictors.activation import FILE as HEAD
from ecg_core.predictors.figures import FULL, ONE, without_leads
from ecg_core.quality import assess_quality
from ecg_core.recording import Recording
from ecg_core.risk.signature import PROBABILITY, SIGNATURE
from training.artefact import to_json
from training.heart12_artefact import write
from training.heart12_calibration import fit_heads
from training.heart12_data import FS, LEADS, Material, read_material
from training.heart12_fit import Member, fitted, network_of, refitted, selected
from training.heart12_heads import AGE, VIEWS, Answers, probabilities
from training.heart12_labels import Labels
from training.heart12_metrics import People, measure_heart12, subgroups
from training.heart12_network import committee, linear_head
from training.heart12_parts import measure_parts
from training.heart12_scores import Table, score_brief
from training.heart12_signature import signature_table
from training.heart12_trees import SETTINGS, Trees, out_of_fold
from training.heart12_trees import fit as fit_trees
from training.network import checkpoints, to_onnx
from training.noise import NoiseBank, load_noise
from training.recipe import Recipe
from training.rhythm_data import hashes_of_noise
from training.tabular_data import SINGLE, FigureTable, figure_table

if TYPE_CHECKING:
    import keras

TREES, TREES_ONE = "trees.onnx", "trees_one.onnx"
GRAPHS = {"full": TREES, "limb_v1": TREES, "limb": TREES, "I": TREES_ONE, "II": TREES_ONE}
"""View to the trees that answer beside the network."""
FULL_VIEW = "full"
AF = "statements.AFIB"
_ATRIAL = {"AFIB", "AFLT"}
_BATCH = 64
_LEAST_PARTS = 3
_OVER_89 = 90.0
"""Stands for the age of people over 89, in subgroups alone."""
_SPLIT = (
    "fold 9, by weights of folds 1-7 calibrated on fold 8; what ships learned from folds 1-8 and is calibrated on 9"
)


@dataclass(frozen=True, eq=False)
class Model:
    """Network and trees that learned from the same records."""

    files: Mapping[str, bytes]
    trees: Trees
    trees_one: Trees

    @cached_property
    def network(self) -> Network:
        """The served network."""
        return Network(self.files["network.onnx"])

    def logits(self, signal: np.ndarray) -> np.ndarray:
        """Return what the network says of strips of shape (n, 8, 1000), shape (n, n_outputs)."""
        return logits_of(self.network, signal)

    def answers(
        self, signal: np.ndarray, figures: FigureTable, rows: np.ndarray, views: Sequence[str] = (*VIEWS,)
    ) -> dict[str, Answers]:
        """Return what is said of some records in every view, or in those of ``views``."""
        found = {}
        for view, leads in ((view, VIEWS[view]) for view in views):
            seen = np.isin(LEADS, leads).astype(np.float32)[:, None]
            said = self.trees.logits(_seen_by(view, figures.full[rows]))
            if view in SINGLE:
                said = self.trees_one.logits(figures.one[view][rows])
            found[view] = Answers(self.logits(signal[rows] * seen), said)
        return found


def logits_of(network: Network, signal: np.ndarray) -> np.ndarray:
    """Return what a network says of strips of shape (n, 8, 1000), shape (n, n_outputs)."""
    rows = [
        network(np.asarray(signal[at : at + _BATCH], np.float32).transpose(0, 2, 1))["logits"]
        for at in range(0, len(signal), _BATCH)
    ]
    return np.concatenate(rows)


def train(recipe: Recipe, root: Path | None, out: Path) -> Path:
    """Make the artefact under ``out``/heart12/version and return its folder."""
    material, bank, figures = _read(root)
    measured = _measure(recipe, root, material, bank, figures)
    folds = recipe["folds"]
    learned = material.rows([*folds["train"], *folds["select"]])
    held = material.rows(folds["report"])
    shipped = _model(recipe, material, bank, figures, learned, ships=True)
    heads = _heads(recipe, material, shipped, figures, held)
    signature = _signature(recipe, material, bank, figures, shipped, heads)
    return write(
        out,
        recipe,
        material.layout,
        {**shipped.files, SIGNATURE: to_json(signature)},
        heads,
        measured,
        {recipe["data"]: _hashes(root, np.concatenate([learned, held])), "nstdb": hashes_of_noise(root)},
        {int(fold): [material.names[at] for at in material.rows([fold])] for fold in np.unique(material.folds)},
        split=_SPLIT,
        signature=signature,
    )


def cross_validate(recipe: Recipe, root: Path | None, k: int | None) -> Evaluation:
    """Return the main figures on all folds at hand, each of them when it was neither learned from nor chosen by.

    The publisher's folds, which keep patients together, are dealt to ``k`` parts; for each, the next part calibrates
    and the others are learned from.
    """
    every = sorted(fold for part in recipe["folds"].values() for fold in part)
    n = k or recipe["cv"]["folds"]
    if not _LEAST_PARTS <= n <= len(every):
        raise InvalidValue("not a number of parts", field="cv", found=n, expected=f"{_LEAST_PARTS} to {len(every)}")
    parts = [every[at::n] for at in range(n)]
    material, bank, figures = _read(root)
    tables, names = [], []
    for at, part in enumerate(parts):
        following = parts[(at + 1) % n]
        others = [fold for fold in every if fold not in (*part, *following)]
        dealt = {**recipe.settings, "folds": {"train": others, "select": following, "report": part}}
        model, heads = _chosen(Recipe(recipe.name, recipe.path, dealt), material, bank, figures)
        held = material.rows(part)
        answers = model.answers(material.signal, figures, held)[FULL_VIEW]
        tables.append(Table.of(material.layout, heads, FULL_VIEW, answers, material.targets[held]))
        names += [material.names[row] for row in held]
    joined = Table(
        material.layout,
        *(np.concatenate([getattr(table, name) for table in tables]) for name in ("targets", "probability", "years")),
    )
    found = measure(score_brief(joined), names, seed=recipe["seed"])
    split = f"out of fold ({n} parts by patient)"
    return Evaluation(recipe.name, recipe["version"], recipe["data"], len(names), found, split)


def _read(root: Path | None) -> tuple[Material, NoiseBank, FigureTable]:
    material = read_material(root)
    figures = figure_table(root)
    if figures.names != material.names:
        raise InvalidValue("figures of other records", field="figures", found=len(figures.names))
    return material, load_noise(root, FS), figures


def _chosen(recipe: Recipe, material: Material, bank: NoiseBank, figures: FigureTable) -> tuple[Model, dict[str, Any]]:
    """Return what learned from the training folds, and how the fold that chooses makes its answers probabilities."""
    folds = recipe["folds"]
    model = _model(recipe, material, bank, figures, material.rows(folds["train"]), ships=False)
    return model, _heads(recipe, material, model, figures, material.rows(folds["select"]))


def _measure(
    recipe: Recipe, root: Path | None, material: Material, bank: NoiseBank, figures: FigureTable
) -> dict[str, Any]:
    """Return what is measured on the fold that nothing has seen."""
    held = material.rows(recipe["folds"]["report"])
    model, heads = _chosen(recipe, material, bank, figures)
    targets = material.targets[held]
    answers = model.answers(material.signal, figures, held)
    measured = measure_heart12(
        material.layout,
        heads,
        answers,
        targets,
        _people(material, held),
        seed=recipe["seed"],
    )
    return {**measured, **measure_parts(recipe, root, material, held, model.logits, heads, answers[FULL_VIEW])}


def measure_again(recipe: Recipe, root: Path | None) -> dict[str, Any]:
    """Return curves, subgroups, robustness and failures, by what was kept of training: nothing is learned."""
    material, bank, figures = _read(root)
    held = material.rows(recipe["folds"]["report"])
    model, heads = _chosen(recipe, material, bank, figures)
    answers = model.answers(material.signal, figures, held, (FULL_VIEW,))[FULL_VIEW]
    targets = material.targets[held]
    labels = Labels.of(material.layout, heads, FULL_VIEW, answers, targets)
    table = Table.of(material.layout, heads, FULL_VIEW, answers, targets)
    return {
        "curves": labels.curves(),
        "subgroups": subgroups(table, labels, _people(material, held), seed=recipe["seed"]),
        **measure_parts(recipe, root, material, held, model.logits, heads, answers),
    }


def _model(
    recipe: Recipe,
    material: Material,
    bank: NoiseBank,
    figures: FigureTable,
    rows: np.ndarray,
    *,
    ships: bool,
) -> Model:
    """Return network and trees that learned from the records ``rows``."""
    find = refitted if ships else selected
    members = [network_of(member, material, find(member, recipe, material, bank)) for member in Member.all_of(recipe)]
    head = io.BytesIO()
    np.savez(head, **linear_head(members))
    files = {"network.onnx": to_onnx(committee(members)), HEAD: head.getvalue()}
    files |= {f"member{number}.weights.h5": _keras_file(network) for number, network in enumerate(members)}
    full, one = (_trees(material, figures, rows, names) for names in (FULL, ONE))
    return Model({**files, TREES: full.to_onnx(), TREES_ONE: one.to_onnx()}, full, one)


def _keras_file(network: keras.Model) -> bytes:
    """Return the weights of a network in the format of Keras, without the state of an optimizer."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.weights.h5"
        network.save_weights(path)
        return path.read_bytes()


def _trees(material: Material, figures: FigureTable, rows: np.ndarray, names: Sequence[str]) -> Trees:
    """Return trees on the figures ``names`` that learned from the records ``rows``; those made before are kept."""
    truth = material.targets[rows]
    if names == FULL:
        measured = figures.full[rows]
    else:
        measured = np.concatenate([figures.one[lead][rows] for lead in SINGLE])
        truth = np.concatenate([truth] * len(SINGLE))
    settings = json.dumps([list(names), SETTINGS], sort_keys=True).encode()
    digest = hashlib.sha256(settings + measured.tobytes() + truth.tobytes()).hexdigest()[:16]
    kept = checkpoints("heart12") / f"trees-{digest}.npz"
    if not kept.is_file():
        outputs = (*material.layout.binary, AGE)
        fit_trees(measured, truth, outputs, np.arange(len(measured)), names).save(kept)
    return Trees.load(kept)


def _heads(recipe: Recipe, material: Material, model: Model, figures: FigureTable, rows: np.ndarray) -> dict[str, Any]:
    """Return how the answers of a model become probabilities, fitted on records that it has not seen."""
    return fit_heads(
        material.layout,
        model.answers(material.signal, figures, rows),
        material.targets[rows],
        {TREES: model.trees.outputs, TREES_ONE: model.trees_one.outputs},
        GRAPHS,
        features={TREES: FULL, TREES_ONE: ONE},
        seed=recipe["seed"],
    )


def _signature(
    recipe: Recipe, material: Material, bank: NoiseBank, figures: FigureTable, shipped: Model, heads: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the table of scores of tracings without AF.

    What a score tells is measured with networks and trees that have not seen the tracing's fold, put together as what
    ships puts its own together. Ranks are among tracings that what ships has not learned from.
    """
    at = material.layout.outputs.index(AF)
    every = np.unique([fold for part in recipe["folds"].values() for fold in part])
    parts = [
        material.rows(every[number :: recipe["signature"]["parts"]]) for number in range(recipe["signature"]["parts"])
    ]
    of_trees = out_of_fold(figures.full, material.targets[:, [at]], [AF], parts, FULL)[:, 0]
    of_network = np.empty(len(of_trees))
    member = Member.all_of(recipe)[0]
    for part in parts:
        others = np.setdiff1d(np.concatenate(parts), part)
        weights = fitted(member, material, bank, others, recipe["signature"]["stages"], None)
        graph = Network(to_onnx(network_of(member, material, weights)))
        of_network[part] = logits_of(graph, material.signal[part])[:, at]
    fit = heads["views"][FULL_VIEW]["labels"][AF]
    scores = fit["net"] * of_network + fit["trees"] * of_trees + fit["offset"]
    without = np.array([not _ATRIAL & set(truth.statements) for truth in material.truths]) & np.isfinite(scores)
    held = material.rows(recipe["folds"]["report"])
    held = held[without[held]]
    said = probabilities(heads, FULL_VIEW, shipped.answers(material.signal, figures, held)[FULL_VIEW])[:, at]
    rows = np.flatnonzero(without)
    truths = [material.truths[row] for row in rows]
    return signature_table(
        scores[rows],
        np.array([np.nan if truth.af_elsewhere is None else float(truth.af_elsewhere) for truth in truths]),
        np.array([np.nan if truth.age is None else truth.age for truth in truths]),
        records=[material.names[row] for row in rows],
        fold=f"{len(parts)} parts by patient, each by a network that learned more briefly and trees, of the others",
        ranked=np.log(said) - np.log1p(-said),
        score_of=PROBABILITY,
        seed=recipe["seed"],
    )


def _seen_by(view: str, figures: np.ndarray) -> np.ndarray:
    """Return figures of all leads without what rests on leads that a view lacks."""
    lost = [lead for lead in CHEST if lead not in VIEWS[view]]
    return without_leads(figures, FULL, lost) if lost else figures


def _people(material: Material, rows: np.ndarray) -> People:
    truths = [material.truths[row] for row in rows]
    sexes = {"male": 0.0, "female": 1.0}
    return People(
        np.array([_OVER_89 if truth.over_89 else np.nan if truth.age is None else truth.age for truth in truths]),
        np.array([sexes.get(truth.sex or "", np.nan) for truth in truths]),
        np.array([_quality(material.signal[row]) for row in rows]),
        {name: [getattr(truth, name) or "" for truth in truths] for name in ("device", "site")},
    )


def _quality(strip: np.ndarray) -> str:
    """Return the verdict on a strip of shape (8, 1000) mV."""
    return assess_quality(Recording(strip, FS, LEADS)).verdict


def _hashes(root: Path | None, rows: np.ndarray) -> list[str]:
    stack = cast(PtbXl, DATASETS["ptbxl"]).stack(root, fs=FS)
    return sorted({record_hash(Recording(stack.signal[row], FS, STANDARD_12)) for row in rows})
