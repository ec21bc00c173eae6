"""The card of the model ``heart12``: its figures from ``metrics.json`` and ``heads.json``, beside published ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Figure = Mapping[str, float | None] | None

_PUBLISHED = {
    "superclass.macro_auc": ("five superclasses, macro AUC", ".930 resnet1d_wang, .928 xresnet1d101"),
    "superclass.NORM.auc": ("NORM, AUC", ".957"),
    "superclass.MI.auc": ("MI, AUC", ".927"),
    "superclass.STTC.auc": ("STTC, AUC", ".930"),
    "superclass.CD.auc": ("CD, AUC", ".913"),
    "superclass.HYP.auc": ("HYP, AUC", ".908"),
    "superclass.MI.se_at_sp90": ("MI, sensitivity at 90 % specificity", ""),
    "subclass.macro_auc": ("23 subclasses, macro AUC", ".930"),
    "subclass.macro_auc_10": ("subclasses with ten positives or more, macro AUC", ""),
    "statements.macro_auc": ("71 statements, macro AUC", ".925"),
    "statements.macro_auc_10": ("statements with ten positives or more, macro AUC", ""),
    "rhythm.macro_auc": ("12 rhythms, macro AUC", ".957"),
    "rhythm.macro_auc_10": ("rhythms with ten positives or more, macro AUC", ""),
    "AFIB.auc": ("AF among records with a rhythm statement, AUC", ""),
    "AFIB.auprc": ("AF, area under the precision-recall curve", ""),
    "sex.auc": ("sex, AUC", ".97 from 500,000 patients, about .90 from small sets"),
    "age.mae": ("age, mean absolute error in years", "about 7 to 8.5"),
}
_CALIBRATION = {
    "superclass.ece": "calibration error of the superclasses (mean; 10 bins of equal mass, debiased)",
    "superclass.slope": "calibration slope of the superclasses (mean)",
    "superclass.intercept": "calibration intercept of the superclasses (mean)",
    "superclass.ece_crossfit": "the error when calibrated on other parts of the same fold",
    "superclass.slope_crossfit": "the slope when calibrated so",
    "superclass.intercept_crossfit": "the intercept when calibrated so",
    "AFIB.ece": "calibration error of AF",
    "sex.ece": "calibration error of sex",
    "age.bias": "age said less true age, years",
    "age.bias_per_decade": "change of that with every ten years of age",
    "age.coverage": "share of true ages within the 90 % interval",
    "age.interval_width": "mean width of that interval, years",
}
_VIEWS = {
    "full": ("", "all eight"),
    "limb_v1": ("limb_v1.", "I, II, V1"),
    "limb": ("limb.", "I, II"),
    "I": ("lead_I.", "I"),
    "II": ("lead_II.", "II"),
}
_OF_VIEWS = {
    "superclass.macro_auc": "superclasses, macro AUC",
    "superclass.NORM.auc": "NORM, AUC",
    "superclass.MI.auc": "MI, AUC",
    "statements.macro_auc_10": "statements (ten positives or more), macro AUC",
    "AFIB.auc": "AF, AUC",
    "sex.auc": "sex, AUC",
    "age.mae": "age, MAE",
    "superclass.ece": "superclasses, ECE",
}
_COMPARED = {
    "superclass.macro_auc": "superclasses, macro AUC",
    "superclass.MI.auc": "MI, AUC",
    "AFIB.auc": "AF, AUC",
    "sex.auc": "sex, AUC",
    "age.mae": "age, MAE",
    "superclass.ece": "superclasses, ECE",
}
_EXPLAINED = {
    "gradients": "integrated gradients",
    "activation": "class activation (time alone)",
    "occlusion": "occlusion of waves",
    "shap": "Shapley values of waves",
    "edges": "an edge detector (no network)",
    "random": "random order",
}
_TARGETS = {
    "superclass.macro_auc": 0.932,
    "superclass.NORM.auc": 0.952,
    "superclass.MI.auc": 0.930,
    "superclass.STTC.auc": 0.925,
    "superclass.CD.auc": 0.908,
    "superclass.HYP.auc": 0.903,
    "subclass.macro_auc": 0.935,
    "statements.macro_auc": 0.930,
    "rhythm.macro_auc_10": 0.970,
    "AFIB.auc": 0.993,
    "sex.auc": 0.93,
    "lead_I.AFIB.auc": 0.985,
    "lead_I.superclass.macro_auc": 0.82,
}
"""What was aimed at before training began; ceilings follow."""
_CEILINGS = {"age.mae": 7.0, "superclass.ece": 0.02}

_TEMPLATE = """\
# {title}

`{name}` {version}, made by `ecg train {name}` from `{created_by}`.

## Use

Reads a resting ECG and suggests, to a physician who looks at the tracing too: the five superclasses, 23 subclasses and
71 statements of PTB-XL, rhythm, AF in this tracing, age with an interval, and sex. It reads 10 s of the leads I, II and
V1 to V6 at 100 Hz, from any faster rate; longer recordings in windows, shorter ones down to {least_duration_s:g} s with
what is missing left empty. With fewer leads it answers with the accuracy measured for them: I, II and V1; I and II; I
or II alone; or with one or two of the eight missing. A network gives every answer; boosted trees on measured figures
are stacked where that helped records left out. Neither reads what was stated about the person.

What is printed are suggested statements, unconfirmed.

- A probability is that of the words in the reports of one collection, not of a disease. Their "possible" counts as
  "certain", since likelihoods are flattened in the set at hand.
- "MI" is a pattern of infarction of undetermined age, mostly old infarction in these records. It is no test for acute
  infarction, and "normal" never excludes one.
- Age and sex as read from the tracing say how the tracing looks. They never stand in for what is known.

Not for:

- people under 18: no answer. Where no age is stated, an adult is assumed and that is said
- paced rhythms: infarction, hypertrophy and QT are not judged
- recordings whose quality is poor or whose electrodes seem exchanged: never called normal
- under {least_fs:g} samples per second, or under {least_duration_s:g} s of signal
- labels with under {few} positives (or negatives) among the records that calibrate: "experimental", never called
  positive
  ({n_experimental} of {n_labels}: {experimental})
- deciding anything alone

## Data

{data}

Folds are the publisher's, which keep a patient's records together. What is measured below learned from folds {train},
was chosen and calibrated on fold {select}, and is reported on fold {report}, which neither saw. What ships learned on
from there with folds {refit}, and is calibrated on fold {report}: its own figures can be measured on fold 10, which was
not at hand, and elsewhere. Folds 9 and 10 were validated by people, 1 to 8 only in part. The records are listed by hash
in `records.json`; what each fold holds is in the manifest as a checksum.

Fold {report} was looked at while the recipe was made: the settings of the trees, the second member of the network and
that trees share their weight among rare labels were settled after figures on it had been seen, so that those below are
a little too good. Nothing here was made with fold 10.

## Metrics

On {n} records, {split}; 95 % bootstrap interval over records (no patients are named in the copy at hand, so a patient
with several records counts as several, and intervals are a little narrow). A record with no label of a task is left
out of it; a label counts in a macro mean when both classes occur; ages over 89 are left out. Published figures are on
fold 10, by models trained on 1-8: another test set, so only roughly beside these.

{main}

{targets}

### Calibration

Weights and offsets of network and trees are one penalised logistic regression a label. Fold {select} was annotated with
less validation than fold {report}; the figures "calibrated on other parts of the same fold" say what is to be expected
of what ships, which is calibrated on fold {report}.

{calibration}

### Operating points

`max_f1` is the best F1, `se95` 95 % sensitivity and `sp95` 95 % specificity, chosen on fold {select} and measured here;
predictive values at 1, 5 and 20 % of positives beside that at the share among these records.

{points}

Every other label: `metrics.json`, `operating_points`.

### Sets with a stated coverage

For each label the set holds "present", "absent", or both ("uncertain"): of the records with the label, and of those
without it, {coverage:.0%} are to have the truth in their set, on average over records drawn as those of fold {select}
were. That is marginal: it is promised for no kind of patient, and it fails at other hospitals, where sets must be
calibrated anew.

{sets}

### With fewer leads

{views}

## Robustness

{robustness}

## Subgroups

Figures within each group, and in brackets what they differ by from all other records with its 95 % interval. Many were
looked at, so that one interval in twenty excludes 0 by chance.{subgroups_unknown}

{subgroups}
{signature}{explanations}
## Limits

- One collection, recorded 1989 to 1996 with devices of one maker. Other hospitals, devices and people were not
  measured here; accuracy must be expected to be lower there, and calibration and coverage to fail.
- {few} positives in a fold are few to choose a threshold by, and intervals are wide. AUC alone flatters rare labels:
  the area under the precision-recall curve, F1 and the predictive value stand in `metrics.json`.
- Ten seconds: what comes and goes is missed.
- Statements overlap and some are written by habit; the network learned the habits too.
- Exchanged electrodes, and noise, make findings: see Robustness. They are looked for by other models, not by this one.
- A risk equation must not be given the age said here: an error of seven years about doubles the hazard.
"""

_EXPLANATIONS = """
## Explanations

Whether an answer hangs on what an explanation says: {n} records of {data}, {split}.
Cells ({cells}) are
taken away in the order of the explanation (deletion: less is better), or put back in that order (insertion: more is
better). A figure is the mean log odds of the superclass along the way, and beside it by how much that is better than in
random order, and in the order of an edge detector: a method whose interval there holds 0 was not shown to say more than
where the tracing is steep. By superclass, and as probabilities: `metrics.json`, `explanations`.

{table}

Integrated gradients beside those of {networks} networks with shuffled weights: rank correlation of the cells
{likeness}, of their absolute values {likeness_of_sizes}; high waves weigh in any network.
With the {steps} steps that are served, the cells miss the change of the answer by {missed:.1%} of it (median of
{n_complete} records).
"""


def card(
    manifest: Mapping[str, Any],
    metrics: Mapping[str, Any],
    heads: Mapping[str, Any],
    signature: Mapping[str, Any] | None = None,
) -> str:
    """Return the card as Markdown."""
    found = metrics["metrics"]
    labels = heads["views"]["full"]["labels"]
    rare = [name.partition(".")[2] for name, row in labels.items() if row["experimental"] and "statements" in name]
    folds = {key: _span(values) for key, values in manifest["split"]["folds"].items()}
    return _TEMPLATE.format(
        **{key: manifest[key] for key in ("title", "name", "version", "created_by")},
        **{key: manifest["inputs"][key] for key in ("least_fs", "least_duration_s")},
        **folds,
        few=manifest["few"],
        n=metrics["n"],
        split=metrics["split"],
        coverage=heads["coverage"],
        n_experimental=len(rare),
        n_labels=len(manifest["labels"]["statements"]),
        experimental=", ".join(rare) or "none",
        data="\n".join(_data(entry) for entry in manifest["training_data"]),
        main=_table(
            ("", "value (95 % interval)", "published"),
            [(words, _figure(found.get(name)), other) for name, (words, other) in _PUBLISHED.items()],
        ),
        targets=_targets(found),
        calibration=_table(
            ("", "value (95 % interval)"),
            [(words, _figure(found.get(name))) for name, words in _CALIBRATION.items()],
        ),
        points=_points(metrics["operating_points"]),
        sets=_sets(metrics["conformal"]["full"]),
        views=_views(found),
        robustness=_robustness(metrics.get("robustness")),
        subgroups=_subgroups(metrics["subgroups"]),
        subgroups_unknown="".join(
            f"\nNot looked at by {kind}: {why}." for kind, why in metrics.get("subgroups_unknown", {}).items()
        ),
        signature=_signature(signature),
        explanations=_explanations(metrics.get("explanations")),
    )


def _targets(found: Mapping[str, Figure]) -> str:
    missed, reached = [], []
    for name, aim, sign in (
        *((name, aim, 1) for name, aim in _TARGETS.items()),
        *((name, aim, -1) for name, aim in _CEILINGS.items()),
    ):
        metric = found.get(name)
        if metric is None or metric["value"] is None:
            missed.append(f"{name} {aim:g} (not measured)")
        elif sign * (metric["value"] - aim) >= 0:
            reached.append(f"{name} {aim:g}")
        else:
            missed.append(f"{name} {aim:g} (it is {metric['value']:.4f})")
    lines = (("reached", reached), ("missed", missed))
    return "\n\n".join(f"Aimed at and {word}: {'; '.join(names) or 'nothing'}." for word, names in lines)


def _points(points: Mapping[str, Mapping[str, Any]]) -> str:
    shown = [f"superclass.{name}" for name in ("NORM", "MI", "STTC", "CD", "HYP")] + ["statements.AFIB"]
    rows = []
    for name in shown:
        for point, table in points.items():
            row = table.get(name)
            if row is None:
                continue
            elsewhere = ", ".join("-" if value is None else f"{value:.2f}" for value in row["elsewhere"].values())
            rows.append(
                (
                    f"{name.partition('.')[2]}, `{point}`",
                    f"{row['threshold']:.3f}",
                    *(_figure(row[key]) for key in ("sensitivity", "specificity", "f1", "ppv")),
                    elsewhere,
                )
            )
    return _table(("", "threshold", "sensitivity", "specificity", "F1", "PPV here", "PPV at 1, 5, 20 %"), rows)


def _sets(found: Mapping[str, Any]) -> str:
    words = {"superclass": "superclasses", "rhythm": "rhythms", "subclass": "subclasses", "statements": "statements"}
    rows = [
        (words.get(head, head), _figure(found[head]["coverage"]), _figure(found[head]["decided"]))
        for head in (*words, "sex")
        if head in found
    ]
    return _table(("labels that are not experimental", "truth in the set", "set of one answer"), rows)


def _views(found: Mapping[str, Figure]) -> str:
    shown = {view: at for view, at in _VIEWS.items() if f"{at[0]}superclass.macro_auc" in found}
    rows = [
        (words, *(_figure(found.get(f"{prefix}{name}")) for prefix, _ in shown.values()))
        for name, words in _OF_VIEWS.items()
    ]
    return _table(("", *(leads for _, leads in shown.values())), rows)


def _robustness(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return "Not measured."
    names = ("superclass.macro_auc", "superclass.MI.auc", "AFIB.auc", "age.mae")
    rows: list[Sequence[str]] = [("as recorded", *(_figure(found["as recorded"].get(name)) for name in names))]
    for row in found["conditions"]:
        changed = (
            f"{_value(row['metrics'].get(name))} ({_change(row['metrics'].get(f'{name}.difference'))})"
            for name in names
        )
        rows.append((f"{row['kind']}, {row['level']}", *changed))
    words = (
        f"{found['n']} of these records ({found['records']}), answered {found['answers']}. "
        f"In brackets the change, with its 95 % interval. Noise is\n{found['noise']};\n"
        "its ratio that of that database: size of the complexes squared over 8, over the noise's power."
    )
    return f"{words}\n\n" + _table(("", *(_COMPARED[name] for name in names)), rows)


def _subgroups(found: Mapping[str, Any]) -> str:
    rows: list[Sequence[str]] = []
    for kind, levels in found.items():
        for level, row in levels.items():
            measured = row.get("metrics", {})
            cells = (
                f"{_value(measured.get(name))} ({_change(measured.get(f'{name}.difference'))})"
                if name in measured
                else "not measured"
                for name in _COMPARED
            )
            rows.append((f"{kind}: {level}", str(row["n"]), *cells))
    return _table(("", "records", *_COMPARED.values()), rows)


def _signature(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return ""
    return (
        "\n## AF-like traits\n\n"
        f"The score of AF in tracings without AF, as a percentile among them. It tells the {found['n_positive']} of "
        f"{found['n_judged']} tracings whose patient has AF in another record, mostly within days,\nwith an AUROC of "
        f"{found['auroc']:.3f} ({found['low']:.3f} to {found['high']:.3f}); age alone has {found['age_auroc']:.3f}. "
        f"{found['fold']}; {found['grouping']}.\nNothing is said of years: {found['says']}.\n"
    )


def _explanations(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return ""
    areas = found["faithfulness"]["log_odds"]["all"]
    ways = [f"{way}{other}" for way in ("deletion", "insertion") for other in ("", ".gain.random", ".gain.edges")]
    rows = [
        (words, *(_figure(areas[key]) if (key := f"{method}.{way}") in areas else "" for way in ways))
        for method, words in _EXPLAINED.items()
    ]
    better = ("better than random by", "than edges by")
    alike, complete = found["shuffled_weights"], found["completeness"]
    return _EXPLANATIONS.format(
        **{key: found[key] for key in ("n", "data", "split", "cells")},
        table=_table(("", "deletion", *better, "insertion", *better), rows),
        networks=alike["networks"],
        likeness=_figure(alike["metrics"]["spearman"]),
        likeness_of_sizes=_figure(alike["metrics"]["spearman_of_sizes"]),
        steps=complete["steps_served"],
        missed=complete["by_steps"][str(complete["steps_served"])],
        n_complete=complete["n"],
    )


def _data(entry: Mapping[str, Any]) -> str:
    return "- {title}: {n} records. {citation}. Licence {licence}, {page}.".format(**entry)


def _span(folds: Sequence[int]) -> str:
    whole = len(folds) > 1 and list(folds) == list(range(folds[0], folds[-1] + 1))
    return f"{folds[0]} to {folds[-1]}" if whole else ", ".join(map(str, folds))


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def _figure(metric: Figure) -> str:
    if metric is None or metric["value"] is None:
        return "not measured"
    if metric["low"] is None or metric["high"] is None:
        return f"{metric['value']:.3f}"
    return f"{metric['value']:.3f} ({metric['low']:.3f} to {metric['high']:.3f})"


def _value(metric: Figure) -> str:
    return "not measured" if metric is None or metric["value"] is None else f"{metric['value']:.3f}"


def _change(metric: Figure) -> str:
    if metric is None or metric["value"] is None or metric["low"] is None or metric["high"] is None:
        return "difference not measured"
    return f"{metric['value']:+.3f}, {metric['low']:+.3f} to {metric['high']:+.3f}"
