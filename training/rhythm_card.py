"""The card of the model ``rhythm``, with its figures filled in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_ROWS = {
    "f1_noa": "mean F1 of N, A and O, the challenge's score",
    "f1_n": "F1 of normal rhythm",
    "f1_a": "F1 of atrial fibrillation",
    "f1_o": "F1 of other rhythms",
    "f1_noise": "F1 of noise",
}
_CALIBRATION = {
    "auc_a": "AUC of AF against all else",
    "calibration_error_a": "calibration error of AF (10 bins of equal mass, not debiased), at the natural shares",
    "calibration_slope_a": "calibration slope of AF, at the natural shares",
    "calibration_intercept_a": "calibration intercept of AF, at the natural shares",
}
_STRIPS = {"auc": "AUC", "sensitivity": "sensitivity", "specificity": "specificity", "ppv": "predictive value"}
_EPISODES = {
    "sensitivity_by_duration": "share of the annotated time in AF that was found",
    "ppv_by_duration": "share of the time found that is annotated",
    "specificity_by_duration": "share of the time without AF that was left free",
    "sensitivity_by_episode": "share of the annotated episodes of a minute or more that were met",
}

_TEMPLATE = """\
# {title}

`{name}` {version}, made by `ecg train {name}` from `{created_by}`.

## Use

Tells a strip of one lead as normal rhythm (N), atrial fibrillation (A), other rhythm (O) or too noisy to tell (~), as
the experts of the challenge CinC 2017 told strips from a handheld device. A recording of {least_duration_s:g} to
{longest_strip_s:g} s is one strip with one answer; a longer one is answered in windows of about {window_s:g} s, whose
answers support each other (hidden Markov model: a rhythm goes on with probability {stay:g}), and described by its
episodes and the share of time in AF. The label of such a recording is the rhythm that lasted longest.

Boosted trees answer, from {n_features} figures of the strip: intervals, P waves in step with the beats, QRS shapes,
what is left without the beats, noise, and what a residual network that tells {n_statements} statements of PTB-XL from
one lead says of the strip. Beats are those of the detector `{beats}`; where others are handed over, the lead is
searched again.

Not for:

- recordings of less than {least_duration_s:g} s, fewer than {least_beats} beats, or under {least_fs:g} samples per
  second, and leads whose signal is poor: there it gives no answer, and the reason
- telling which other rhythm it is: O gathers ectopic beats, blocks, flutter, very slow and fast rhythms
- episodes much shorter than a window
- diagnosis: what it says is a suggestion, unconfirmed

## Data

{data}

The network was trained on single leads ({leads}) of PTB-XL, published folds 1-8, with recorded noise of the MIT-BIH
Noise Stress Test; the trees on CinC 2017. The records are listed by hash in `records.json`.

Probabilities are stated for shares of {stated}: {source}.
In the copy trained on they are {trained_on}. The decision takes the greatest probability after
multiplying them by {decision}, which gives the best score on average
over the populations named below.

## Metrics

On {n} records of CinC 2017 {split}: the trees of a fold have not seen its records,
calibration and decision were fitted on the answers to the other folds, and the network has seen no record of this set.
95 % bootstrap interval over records. Records without an answer count as "~".

{scores}

| | value (95 % interval) |
|---|---|
{calibration}

The figures were chosen, the settings of the trees tried, and a network that keeps its weights preferred to one tuned
on these strips, while looking at the same records, out of fold. Patients
are not known, so that two records of one may have been on either side of a fold.

AF in single leads of PTB-XL, fold 9, which nothing was trained on (10 s; records with flutter left out, no answer
counts as no AF; a label of AF against a statement AFIB; predictive value at the set's own share of AF):

{strips}

AF over time in MIT-BIH, whose records nothing was trained on ({n_mitdb} records, first lead; flutter counts neither
way; few of them fibrillate, hence the intervals):

| | value (95 % interval) |
|---|---|
{episodes}

## Limits

Trained on strips from one handheld device that measures between the hands; other leads, devices and electrodes were
seen by the network alone. Experts disagreed on many of the strips, most of all on noise and other rhythms. Regular
flutter can look like N or O, and many ectopic beats like A. No subgroup was tested: the strips come without age and
sex. In populations where AF is rarer than stated, more of the strips called AF are not.
"""


def card(manifest: Mapping[str, Any], metrics: Mapping[str, Any], weights: Mapping[str, Any], recipe: Any) -> str:
    """Return the card as Markdown."""
    found, checks, populations = metrics["metrics"], metrics["checks"], recipe["populations"]
    names = [row["name"] for row in populations]
    heads = ["the set as it is", *(f"{row['name']}: {_percent(row['shares'])}" for row in populations)]
    keys = [[metric, *(f"{metric}_{name}" for name in names)] for metric in _ROWS]
    scores = _table(
        heads, [(label, [found[key] for key in row]) for label, row in zip(_ROWS.values(), keys, strict=True)]
    )
    leads = recipe["checks"]["ptbxl_leads"]
    strips = [checks[f"ptbxl {lead}"] for lead in leads]
    return _TEMPLATE.format(
        **{key: manifest[key] for key in ("title", "name", "version", "created_by")},
        **{key: metrics[key] for key in ("n", "split")},
        **{key: value for key, value in manifest["inputs"].items() if key != "leads"},
        **manifest["episodes"],
        n_features=len(weights["features"]),
        n_statements=len(weights["statements"]),
        data="\n".join(_data(entry) for entry in manifest["training_data"]),
        leads=" and ".join(recipe["network"]["leads"]),
        stated=_percent(manifest["prior"]["stated"]),
        source=manifest["prior"]["source"],
        trained_on=_percent(manifest["prior"]["trained_on"]),
        decision=", ".join(f"{value:.2f} ({label})" for label, value in manifest["thresholds"].items()),
        scores=scores,
        calibration="\n".join(f"| {label} | {_figure(found[name])} |" for name, label in _CALIBRATION.items()),
        strips=_table(
            [f"lead {lead} ({strip['n']} records)" for lead, strip in zip(leads, strips, strict=True)],
            [(label, [strip["metrics"].get(name) for strip in strips]) for name, label in _STRIPS.items()],
        ),
        n_mitdb=checks["mitdb"]["n"],
        episodes="\n".join(
            f"| {label} | {_figure(checks['mitdb']['metrics'].get(name))} |" for name, label in _EPISODES.items()
        ),
    )


def _data(entry: Mapping[str, Any]) -> str:
    return "- {title}: {n} records. {citation}. Licence {licence}, {page}.".format(**entry)


def _percent(shares: Mapping[str, float]) -> str:
    return ", ".join(f"{label} {100 * share:.3g} %" for label, share in shares.items())


def _table(heads: Sequence[str], rows: Sequence[tuple[str, Sequence[Mapping[str, Any] | None]]]) -> str:
    lines = [f"| | {' | '.join(heads)} |", f"|---|{'---|' * len(heads)}"]
    lines += [f"| {label} | {' | '.join(_figure(metric) for metric in metrics)} |" for label, metrics in rows]
    return "\n".join(lines)


def _figure(metric: Mapping[str, float | None] | None) -> str:
    if metric is None or metric["value"] is None:
        return "not measured"
    if metric["low"] is None or metric["high"] is None:
        return f"{metric['value']:.3f}"
    return f"{metric['value']:.3f} ({metric['low']:.3f} to {metric['high']:.3f})"
