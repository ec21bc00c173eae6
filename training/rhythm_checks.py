"""What the model ``rhythm`` says of records with other labels: AF in PTB-XL, and episodes of AF in MIT-BIH."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ecg_core.beats import detect_beats
from ecg_core.datasets import DATASETS
from ecg_core.datasets.mitdb import MitdbTruth
from ecg_core.errors import DataSetError
from ecg_core.evaluation.bootstrap import Score, Tally, measure, ratio
from ecg_core.evaluation.classification import auc, rates_at
from ecg_core.evaluation.report import Metric
from ecg_core.recording import Recording
from ecg_core.rhythm.classify import classify_with
from ecg_core.rhythm.model import RhythmModel
from ecg_core.rhythm.value import Rhythm
from training.recipe import Recipe

AF, FLUTTER = "AFIB", "AFL"
_GRID_S = 1.0
"""Durations are compared on a grid of this step."""


def run_checks(recipe: Recipe, root: Path | None, model: RhythmModel) -> dict[str, Any]:
    """Return, for each check, how many records it saw and its figures; none where the set is not at hand."""
    found: dict[str, Any] = {}
    settings = recipe["checks"]
    for lead in settings["ptbxl_leads"]:
        found[f"ptbxl {lead}"] = _or_nothing(lambda lead=lead: _af_of_strips(recipe, root, model, lead))
    found["mitdb"] = _or_nothing(lambda: _episodes_of_records(recipe, root, model))
    return found


def classify(model: RhythmModel, recording: Recording, lead: str) -> Rhythm:
    """Return what the model says, with the beats that it reads."""
    return classify_with(model, recording, detect_beats(recording, lead, model.beats_method), lead)


def _or_nothing(check: Any) -> dict[str, Any]:
    try:
        return dict(check())
    except DataSetError:
        return {"n": 0, "metrics": {}}


def _entry(n: int, metrics: Mapping[str, Metric]) -> dict[str, Any]:
    return {"n": n, "metrics": {name: metric.to_dict() for name, metric in metrics.items()}}


def _af_of_strips(recipe: Recipe, root: Path | None, model: RhythmModel, lead: str) -> dict[str, Any]:
    """AF or not, from one lead of 10 s; records with flutter are left out, and abstaining counts as no AF."""
    data = DATASETS["ptbxl"]
    truth, probability, called = [], [], []
    for entry in data.choose(data.listing(root, fs=100.0).entries, recipe["checks"]["ptbxl_split"]):
        statements = entry.truth().statements
        if "AFLT" in statements:
            continue
        rhythm = classify(model, entry.load().select((lead,)), lead)
        truth.append(AF in statements)
        probability.append((rhythm.probabilities or {}).get("A", 0.0))
        called.append(rhythm.label == "A")
    labels, scores, calls = np.array(truth), np.array(probability), np.array(called, np.float64)

    def score(weights: np.ndarray) -> dict[str, np.ndarray]:
        rates = rates_at(labels, calls, 0.5, weights)
        return {
            "auc": auc(labels, scores, weights),
            "sensitivity": rates.sensitivity,
            "specificity": rates.specificity,
            "ppv": rates.ppv,
        }

    return _entry(len(labels), measure(score, [str(at) for at in range(len(labels))], seed=recipe["seed"]))


def _episodes_of_records(recipe: Recipe, root: Path | None, model: RhythmModel) -> dict[str, Any]:
    """Time in AF against annotated time in AF, in the first lead; flutter counts neither way."""
    tallies, groups = [], []
    for entry in DATASETS["mitdb"].listing(root):
        recording = entry.load()
        rhythm = classify(model, recording, recording.leads[0])
        tallies.append(tally_episodes(entry.truth(), rhythm, recording.fs, recording.duration_s))
        groups.append(entry.group)
    return _entry(len(tallies), measure(_score_episodes(tallies), groups, seed=recipe["seed"]))


def tally_episodes(truth: MitdbTruth, rhythm: Rhythm, fs: float, duration_s: float) -> dict[str, float]:
    """Return seconds in AF as annotated, as found, and as both; and annotated episodes of a minute, and those met."""
    steps = int(duration_s / _GRID_S)
    annotated, left_out, found = (np.zeros(steps, bool) for _ in range(3))
    starts = truth.rhythm_sample / fs
    long, met = 0, 0
    for episode in rhythm.episodes:
        if episode.label == "A":
            found[_steps(episode.start_s, episode.end_s)] = True
    for name, start, stop in zip(truth.rhythm, starts, [*starts[1:], duration_s], strict=True):
        if name == AF:
            annotated[_steps(start, stop)] = True
            long += stop - start >= 60
            met += stop - start >= 60 and bool(found[_steps(start, stop)].any())
        elif name == FLUTTER:
            left_out[_steps(start, stop)] = True
    counted = ~left_out
    return {
        "annotated": float((annotated & counted).sum()),
        "found": float((found & counted).sum()),
        "both": float((annotated & found & counted).sum()),
        "free": float((~annotated & counted).sum()),
        "long": float(long),
        "met": float(met),
    }


def _steps(start_s: float, stop_s: float) -> slice:
    return slice(round(start_s / _GRID_S), round(stop_s / _GRID_S))


def _score_episodes(tallies: list[dict[str, float]]) -> Score:
    tally = Tally(tallies)

    def score(weights: np.ndarray) -> dict[str, np.ndarray]:
        sums = tally(weights)
        return {
            "sensitivity_by_duration": ratio(sums["both"], sums["annotated"]),
            "ppv_by_duration": ratio(sums["both"], sums["found"]),
            "specificity_by_duration": 1 - ratio(sums["found"] - sums["both"], sums["free"]),
            "sensitivity_by_episode": ratio(sums["met"], sums["long"]),
        }

    return score
