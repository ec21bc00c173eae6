"""The card of the model ``tabular``, with its figures filled in."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ecg_core.artefacts import shipped_models

_RANKS = ("auc", "auprc", "se_at_sp90")
_RATES = ("sensitivity", "specificity", "ppv")
_BESIDE = "heart12"
_COMPARED = (
    "superclass.macro_auc",
    *(f"superclass.{name}.auc" for name in ("NORM", "MI", "STTC", "CD", "HYP")),
    "AFIB.auc",
    "superclass.ece",
)

_TEMPLATE = """\
# {title}

`{name}` {version}, made by `ecg train {name}` from `{created_by}`.

## Use

Says from {n_figures} measured figures (intervals and how regular they are, P waves in step with the beats, amplitudes,
ST levels, axes, shapes and classes of beats), the stated age and the stated sex, how likely people would write: normal,
each of the five superclasses, atrial fibrillation, and {n_statements} statements that are mostly measurements.
It stands beside the network `heart12`, which reads the signal itself: where the two differ, one of them is wrong. Every
answer comes apart into what each figure adds to it (exact Shapley values of the trees, which sum to the log odds).

Age and sex are as stated, and may be unknown; it does not read them off the tracing.

Not for:

- people under 18, and recordings of poor quality: it abstains
- recordings without one of {leads}, under {least_fs:g} samples per second or {least_duration_s:g} s: it abstains
- paced rhythms: normal, infarction, hypertrophy and QT are withheld
- ruling anything out: "normal" never excludes acute infarction. "MI" is mostly old infarction, age undetermined
- diagnosis: what it says is a suggestion, unconfirmed

## Data

{data}

Folds are the publisher's and keep a patient's records together: the trees learned from folds {fit}, slopes, offsets and
thresholds were fitted on fold {choose}, and fold {report} is reported; what is shipped is what was reported on. All at
100 Hz, 10 s. The records of fit and calibration are listed by hash in `records.json`. Beats, waves and classes of beats
come from models that were not trained on these records' statements (the beat detector practised on PTB-XL signals,
without any label). Age and sex were hidden in {hidden:.0%} of the rows each.

## Metrics

On {n} records of fold {report}, 95 % bootstrap interval over records (the copy at hand names no patients). By the
conventions of the published benchmark, a record without a diagnostic statement is left out of the superclasses, and one
without a rhythm statement out of AFIB.

| | AUC | AUPRC | sensitivity at 90 % specificity |
|---|---|---|---|
{ranks}

Mean over the superclasses: AUC {macro}, and with neither age nor sex stated
{macro_alone}; calibration error {ece} (10 bins of equal mass, debiased; its interval
lies high).
{comparison}
At the threshold of the best F1 on fold {choose}, on fold {report}; "experimental" where fewer than {few} positives were
at hand to choose it, so that none is called:

| | positives | sensitivity | specificity | predictive value |
|---|---|---|---|---|
{rates}

What the trees rest on most, as parts of all that they gained:

{importance}

## Limits

Trained on one collection from one maker's devices: probabilities at other hospitals will be off. Statements that people
called possible count like those that were certain. Figures rest on marked waves: where these are wrong, in flutter,
paced rhythm or tremor, so is what follows. There is no figure for spikes of a pacemaker, which 100 Hz do not show.
Settings of the trees and the choice of figures were settled by looking at folds 8 and 9 of two thirds of the records,
where they differed in the third decimal of the AUC or less: figures on new records may be a little lower. No subgroup
was tested.
"""


def card(manifest: Mapping[str, Any], metrics: Mapping[str, Any], heads: Mapping[str, Any], recipe: Any) -> str:
    """Return the card as Markdown."""
    found, folds = metrics["metrics"], recipe["folds"]
    classes = recipe["heads"]["superclass"]
    statements = [code for code in recipe["heads"]["statements"] if code not in recipe["heads"]["af"]]
    names = {
        **{label: f"superclass.{label}" for label in classes},
        **{label: label for label in recipe["heads"]["af"]},
        **{code: f"statements.{code}" for code in statements},
    }
    return _TEMPLATE.format(
        **{key: manifest[key] for key in ("title", "name", "version", "created_by")},
        **{key: manifest["inputs"][key] for key in ("least_fs", "least_duration_s")},
        n_figures=len(heads["features"]) - 2,
        n_statements=len(statements),
        leads=", ".join(manifest["inputs"]["leads"]),
        data="\n".join(_data(entry) for entry in manifest["training_data"]),
        fit=f"{min(folds['fit'])} to {max(folds['fit'])}",
        choose=", ".join(map(str, folds["choose"])),
        report=", ".join(map(str, folds["report"])),
        hidden=recipe["stated"]["hidden"],
        n=metrics["n"],
        ranks=_table(found, names, _RANKS),
        macro=_figure(found.get("superclass.macro_auc")),
        ece=_figure(found.get("superclass.ece")),
        macro_alone=_figure(metrics["nothing_stated"].get("superclass.macro_auc")),
        comparison=_comparison(found),
        few=recipe["calibration"]["few"],
        rates=_rates(found, metrics["positives"], heads),
        importance="\n".join(
            f"- {label}: " + ", ".join(f"`{name}` {part:.0%}" for name, part in list(gains.items())[:6])
            for label, gains in metrics["importance"].items()
            if label in {*classes.values(), *recipe["heads"]["af"].values()}
        ),
    )


def _comparison(found: Mapping[str, Any]) -> str:
    """Return the table beside the network, whose figures are read from its own file; nothing where it is not there."""
    files = sorted((shipped_models() / _BESIDE).glob("*/metrics.json"))
    if not files:
        return ""
    network = json.loads(files[-1].read_text("utf-8"))
    rows = [
        f"| {name} | {_figure(found.get(name))} | {_figure(network['metrics'].get(name))} |"
        for name in _COMPARED
        if name in network["metrics"]
    ]
    head = f"| | `tabular` | `{_BESIDE}` {files[-1].parent.name} |\n|---|---|---|"
    about = "; ".join(str(network[key]) for key in ("split", "n") if key in network)
    what = f"Beside the network ({about}), to show what its complexity buys:"
    return "\n".join(["", what, "", head, *rows, ""])


def _rates(found: Mapping[str, Any], positives: Mapping[str, int], heads: Mapping[str, Any]) -> str:
    rows = []
    for output, fit in heads["labels"].items():
        if fit["experimental"]:
            rows.append(f"| {output} | {positives[output]} | experimental | | |")
        else:
            cells = " | ".join(_figure(found.get(f"{output}.{rate}")) for rate in _RATES)
            rows.append(f"| {output} | {positives[output]} | {cells} |")
    return "\n".join(rows)


def _table(found: Mapping[str, Any], names: Mapping[str, str], columns: Sequence[str]) -> str:
    rows = []
    for label, name in names.items():
        cells = [_figure(found[f"{name}.{column}"]) if f"{name}.{column}" in found else "" for column in columns]
        rows.append(f"| {label} | {' | '.join(cells)} |")
    return "\n".join(rows)


def _data(entry: Mapping[str, Any]) -> str:
    return "- {title}: {n} records. {citation}. Licence {licence}, {page}.".format(**entry)


def _figure(metric: Mapping[str, float | None] | None) -> str:
    if metric is None or metric["value"] is None:
        return "not measured"
    if metric["low"] is None or metric["high"] is None:
        return f"{metric['value']:.3f}"
    return f"{metric['value']:.3f} ({metric['low']:.3f} to {metric['high']:.3f})"
