"""How faithful the explanations of ``heart12`` are: measured as served, and written into ``metrics.json`` and the card.

Records are of the fold that the network has not learned from (its answers were calibrated by it): some of each
superclass, called for it rightly, and that is what is explained. See `ecg_core.evaluation.faithfulness`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np

from ecg_core.artefacts import find_model, load_model
from ecg_core.datasets import DATASETS
from ecg_core.datasets.ptbxl import PtbXl
from ecg_core.engine import NETWORK, Network
from ecg_core.errors import InvalidValue
from ecg_core.evaluation.faithfulness import (
    CELL,
    RANDOM_ORDERS,
    SHARES,
    Curves,
    likeness,
    mean_of,
    summarise,
    trace_all,
)
from ecg_core.evaluation.faithfulness import in_cells as cells_of
from ecg_core.evaluation.report import Metric
from ecg_core.explain import METHODS, Explanation
from ecg_core.explain.gradient_graph import gradient_graph, gradient_network, randomised
from ecg_core.explain.gradients import STEPS, integrated_gradients
from ecg_core.explain.network import explain
from ecg_core.explain.question import Question
from ecg_core.predictors import predictors
from ecg_core.predictors.chain import examine
from ecg_core.predictors.heart12 import MODEL, Heart12
from ecg_core.predictors.windows import FS, INPUTS, N_SAMPLES
from training.artefact import add_metrics
from training.heart12_text import to_text

CLASSES = ("MI", "STTC", "CD", "HYP", "NORM")
RECORDS = 8
"""Of each superclass."""
DATA, FOLD = "ptbxl", 9
LOG_ODDS, PROBABILITY = "log_odds", "probability"
_SPLIT = (
    f"fold {FOLD}, not learned from but calibrated by; records of each superclass that are called for it, "
    "read from all eight leads"
)
SHUFFLES = (1, 2)
"""Seeds of the networks with shuffled weights."""
TRIED_STEPS = (8, 16, 32, 64)
RESIDUALS = 8
"""Records of each superclass that `TRIED_STEPS` are tried on."""
_EVERY = 13
"""Records are looked at so far apart, so that they are spread over the fold."""


def measure_explanations(root: Path | None, records: int = RECORDS) -> dict[str, Any]:
    """Return what is measured of every method, for all classes together and one by one."""
    model = predictors()[MODEL]
    if not isinstance(model, Heart12):
        raise SystemExit(f"{MODEL} cannot be used here")
    artefact = load_model(MODEL)
    shuffled = [Network(gradient_graph(randomised(artefact.files[NETWORK], seed))) for seed in SHUFFLES]
    traced: dict[str, list[dict[str, dict[str, Curves]]]] = {name: [] for name in CLASSES}
    names: dict[str, list[str]] = {name: [] for name in CLASSES}
    alike: list[tuple[float, float]] = []
    residuals: list[tuple[float, ...]] = []
    for record, label, question in _called(model, root, records):
        strip = question.strip.signal
        heats = {method: _cells(explain(model, question.context, question.label, method)) for method in METHODS}
        traced[label].append(_traced(question, heats))
        names[label].append(record)
        counts = _counts(question)
        plain = heats["gradients"]
        for network in shuffled:
            other = cells_of(integrated_gradients(network, strip, counts)[0])
            alike.append((likeness(plain, other), likeness(np.abs(plain), np.abs(other))))
        if len(names[label]) <= RESIDUALS:
            residuals.append(tuple(_residual(question, steps) for steps in TRIED_STEPS))
    every = [name for label in CLASSES for name in names[label]]
    signed, sizes = (np.array(column).reshape(-1, len(SHUFFLES)).mean(axis=1) for column in zip(*alike, strict=True))
    return {
        "n": len(every),
        "data": DATA,
        "split": _SPLIT,
        "records": {label: len(found) for label, found in names.items()},
        "answers": "log odds and probability of the superclass that is called, trees held as they are",
        "cells": f"{CELL / FS * 1000:.0f} ms of a lead; bridged by straight lines when taken away",
        "shares": list(SHARES),
        "random_orders": RANDOM_ORDERS,
        "interval": "95 %, bootstrap over records",
        "command": "python -m training.heart12_faithfulness --root DIR",
        "faithfulness": {
            unit: {
                "all": _entries(summarise([row[unit] for label in CLASSES for row in traced[label]], every)),
                **{label: _entries(summarise([r[unit] for r in traced[label]], names[label])) for label in CLASSES},
            }
            for unit in (LOG_ODDS, PROBABILITY)
        },
        "curves": _mean_curves([row[PROBABILITY] for label in CLASSES for row in traced[label]]),
        "shuffled_weights": {
            "n": len(every),
            "networks": len(SHUFFLES),
            "method": "gradients",
            "metrics": _entries(mean_of({"spearman": signed, "spearman_of_sizes": sizes}, every)),
        },
        "completeness": {
            "steps_served": STEPS,
            "n": len(residuals),
            "what": "median over records of |sum of the cells - change of the answer| / |change of the answer|",
            "by_steps": {
                str(steps): round(float(np.median(column)), 4)
                for steps, column in zip(TRIED_STEPS, zip(*residuals, strict=True), strict=True)
            },
        },
    }


def _called(model: Heart12, root: Path | None, records: int) -> Iterator[tuple[str, str, Question]]:
    """Yield records of the fold, each with a superclass that it has and is called for, as many as wanted of each."""
    left = dict.fromkeys(CLASSES, records)
    data = cast(PtbXl, DATASETS[DATA])
    entries = data.choose(data.listing(root, fs=FS).entries, str(FOLD))
    for entry in (entry for first in range(_EVERY) for entry in entries[first::_EVERY]):
        wanted = [name for name in CLASSES if left[name] and name in entry.truth().superclasses]
        if not wanted:
            continue
        context = examine(entry.load(), {MODEL: model})
        (prediction,) = model.predict([context])
        answers = {} if prediction.abstains else prediction.labels("superclass")
        called = [name for name in wanted if name in answers and answers[name].positive]
        if not called:
            continue
        label = max(called, key=lambda name: left[name])
        question = Question.of(model, context, f"superclass.{label}")
        if question.estimate.reading.leads == INPUTS:
            left[label] -= 1
            yield entry.name, label, question


def _cells(found: Explanation) -> np.ndarray:
    """Return what an explanation gives to each cell of a strip of 10 s, shape (n_cells, 8)."""
    heat = found.heat
    if heat is None:
        raise InvalidValue("an explanation without heat", field="method", found=found.method)
    samples = np.arange(N_SAMPLES // CELL) * CELL / FS + CELL / FS / 2
    at = ((samples - heat.start_s) // heat.step_s).astype(np.int64)
    return np.stack([heat.leads[lead][at] for lead in INPUTS], axis=1)


def _traced(question: Question, heats: Mapping[str, np.ndarray]) -> dict[str, dict[str, Curves]]:
    """Return the curves of every method, as log odds and as probability."""
    network = question.model.estimator.network

    def answers(strips: np.ndarray) -> np.ndarray:
        return question.answers(network(strips, ["logits"])["logits"])

    found = trace_all(answers, question.strip.signal, heats)
    said = {name: Curves(*(1 / (1 + np.exp(-each)) for each in (c.deletion, c.insertion))) for name, c in found.items()}
    return {LOG_ODDS: found, PROBABILITY: said}


def _counts(question: Question) -> np.ndarray:
    counts = np.zeros(len(question.model.estimator.heads.outputs), np.float32)
    counts[question.column] = question.terms.slope
    return counts


def _residual(question: Question, steps: int) -> float:
    """Return which part of the change of the answer integrated gradients leave unexplained with so many steps."""
    network = gradient_network(question.model.estimator.artefact)
    added, here, there = integrated_gradients(network, question.strip.signal, _counts(question), steps=steps)
    return abs(float(added.sum()) - (here - there)) / abs(here - there)


def _entries(found: Mapping[str, Metric]) -> dict[str, Any]:
    return {name: metric.rounded().to_dict() for name, metric in found.items()}


def _mean_curves(rows: Sequence[Mapping[str, Curves]]) -> dict[str, Any]:
    """Return the mean curves of every method."""
    return {
        method: {
            way: [round(float(value), 4) for value in np.mean([getattr(row[method], way) for row in rows], axis=0)]
            for way in ("deletion", "insertion")
        }
        for method in rows[0]
    }


def main() -> None:
    """Measure, and write into a model's folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--root", type=Path, help="folder of the data sets; without it, EINTHOVEN_DATA_DIR")
    parser.add_argument("--records", type=int, default=RECORDS, help="of each superclass")
    parser.add_argument("--only-print", action="store_true", help="write nothing into the model")
    asked = parser.parse_args()
    found = measure_explanations(asked.root, asked.records)
    print(to_text(found))
    if not asked.only_print:
        add_metrics(find_model(MODEL).path, {"explanations": found})


if __name__ == "__main__":
    main()
