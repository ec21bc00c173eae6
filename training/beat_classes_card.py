"""The card of the model ``beat_classes``, with its figures filled in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ecg_core.beat_classes import CLASSES, TITLES

_VIEWS = {
    "whole_two": "whole records, both leads",
    "whole_first": "whole records, the first lead alone (II; V5 in the paced records 102 and 104)",
    "whole_second": "whole records, the second lead alone (V1, seldom V2, V4 or V5)",
    "minute_two": "each minute by itself, both leads",
    "ten_two": "each ten seconds by itself, both leads",
    "ten_one": "each ten seconds by itself, one lead, the first and the second in turn",
    "found": "whole records, both leads, at the beats that the detector `{detector}` finds",
}

_TEMPLATE = """\
# {title}

`{name}` {version}, made by `ecg train {name}` from `{created_by}`.

## Use

The class of each heartbeat by ANSI/AAMI EC57:

{classes}

Boosted trees on {n_features} features that compare a beat with the person's own usual one, found in the recording
itself and without anybody's help: intervals before and after beside several ideas of what is usual, the steady episode
around a beat, width, area and shape of the QRS complex, the T wave, the P wave with and without the T wave of the beat
before, the family of alike beats that it belongs to, pacing spikes. One lead is enough; two are read where there are
more. Recordings of any length and of {least_fs:g} samples per second or more, with {least_beats} beats at least, under
which it gives no classes, and the reason.

Not for: deciding alone. It sees no fibrillation of the ventricles, and calls beats even where noise stands for them:
the verdict on the signal's quality stands beside it.

## Data

{data_title}: {data_n} records of 30 min, two leads, 360 Hz: DS1 of de Chazal 2004 and the four paced records. DS2 is
kept aside. {data_citation}. Licence {data_licence}, {data_page}.
The records are listed by hash in `records.json`.

Most supraventricular beats of these records are those of five people, and three people fibrillate. So other rhythms are
composed from the beats of the records trained on (`training/beat_classes_rhythms.py`): sinus arrhythmia, fibrillation,
early beats and runs, rare and frequent. Composed beats are only learnt from, never scored.

Probabilities are stated for the shares that the classes have in these records, which hold far more ectopic beats than
people have as a rule.

## Metrics

Sensitivity and positive predictivity as EC57 counts them (F and Q called V, and Q called S, are no errors of V or S),
gross, of the {n} records of {split}.
In brackets the 95 % bootstrap interval over tapes: a few records hold most of the beats of S, F and Q.

| | sensitivity | positive predictivity |
|---|---|---|
{scores}

The same, seen in other ways (V and S only):

| | V Se | V +P | S Se | S +P |
|---|---|---|---|---|
{views}

{paced}

How readily each class is called depends on the recording's length (up to 30 s, up to 5 min, longer), and was settled
for each fold on the answers about the other folds' records. Features, composed rhythms, the settings of the trees
and the form of the decision (first V, then S among what is left, S with a predictivity of a half at least) were settled
while looking at these records, out of fold: figures on new records may be lower.

{checks}

## Limits

Figures of F mean little: nearly all fusion beats are one person's (record 208). Q: hardly any stand in DS1, and with
four paced records the class rests on the pacing spikes being found; spikes that do not show leave paced beats V or N.
Aberrantly conducted early beats in atrial fibrillation (record 201) look ventricular, and are called so. Junctional
rhythm, and early beats that are little early, are often called normal. An escape beat is called V where it is broad. In
atrial fibrillation S is not reliable, and in ten seconds of tachycardia with bundle branch block some sinus beats are
called S. Trained on adults' ambulatory tapes in leads II, V1, V2, V4 and V5; no subgroup of age or sex was tested.
"""


def card(manifest: Mapping[str, Any], metrics: Mapping[str, Any], n_features: int, detector: str) -> str:
    """Return the card as Markdown."""
    found = metrics["metrics"]
    scores = [
        f"| {name} | {_figure(found.get(f'{name.lower()}_se'))} | {_figure(found.get(f'{name.lower()}_ppv'))} |"
        for name in ("V", "S", "N", "F", "Q")
    ]
    views = [
        f"| {_VIEWS[view].format(detector=detector)} | "
        + " | ".join(_figure(figures[name]) for name in ("v_se", "v_ppv", "s_se", "s_ppv"))
        + " |"
        for view, figures in metrics["views"].items()
    ]
    return _TEMPLATE.format(
        **{key: manifest[key] for key in ("title", "name", "version", "created_by")},
        **{key: metrics[key] for key in ("n", "split")},
        **{key: manifest["inputs"][key] for key in ("least_fs", "least_beats")},
        **{f"data_{key}": value for key, value in manifest["training_data"][0].items()},
        classes="\n".join(f"- {name}: {TITLES[name]}" for name in CLASSES),
        n_features=n_features,
        scores="\n".join(scores),
        views="\n".join(views),
        paced=_paced(metrics["not_scored"]),
        checks=_checks(metrics["checks"]["ptbxl"]),
    )


def _paced(found: Mapping[str, Any]) -> str:
    if not found["n"]:
        return "No paced records were at hand."
    figures = [_figure(found[name]) for name in ("q_se", "q_ppv", "v_se", "v_ppv")]
    return (
        f"The {found['n']} paced records, out of fold too:\n"
        "Q sensitivity {}, predictivity {};\nV sensitivity {}, predictivity {}.".format(*figures)
    )


def _checks(found: Mapping[str, Any]) -> str:
    if not found["n"]:
        return "PTB-XL was not at hand, so nothing is said about short recordings from elsewhere."
    rows = [
        f"| {statement} | {found[statement]['n']} | {called} | {_figure(found[statement])} |"
        for statement, called in (("PVC", "V"), ("PAC", "S"))
    ]
    return "\n".join(
        (
            f"Elsewhere: {found['n']} records of fold 9 of PTB-XL (10 s, 100 Hz, none trained on). Does the greatest",
            "probability among a record's beats tell that a reader named such beats?",
            "",
            "| statement | records with it | class | AUC |",
            "|---|---|---|---|",
            *rows,
        )
    )


def _figure(metric: Mapping[str, float | None] | None) -> str:
    if metric is None or metric["value"] is None:
        return "undefined"
    if metric["low"] is None or metric["high"] is None:
        return f"{metric['value']:.3f}"
    return f"{metric['value']:.3f} ({metric['low']:.3f} to {metric['high']:.3f})"
