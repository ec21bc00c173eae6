"""The card of the model ``quality``, with its figures filled in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_ROWS = {
    "auc": "AUC",
    "auc_with_signal": "AUC without the records that hold no signal in any lead",
    "auprc": "AUPRC, at the share of unacceptable records in the copy",
    "sensitivity": "sensitivity at the threshold",
    "specificity": "specificity at the threshold",
    "ppv_at_23": "positive predictive value at the threshold where 23 % are unacceptable",
    "sensitivity_at_95_specificity": "sensitivity at 95 % specificity",
    "specificity_at_95_sensitivity": "specificity at 95 % sensitivity",
    "calibration_error": "calibration error (10 bins of equal mass, not debiased), 23 % unacceptable",
    "calibration_slope": "calibration slope, 23 % unacceptable",
    "calibration_intercept": "calibration intercept, 23 % unacceptable",
}
_CHECKS = {
    "ludb": "LUDB, all records here",
    "ptbxl": "PTB-XL at 100 Hz, every sixtieth record here",
    "synthetic clean": "synthetic, every rhythm, no noise",
    "synthetic poor": "synthetic, motion with drift or tremor louder than the heart, or four to six leads off",
}


_TEMPLATE = """\
# {title}

`{name}` {version}, made by `ecg train {name}` from `{created_by}`.

## Use

The probability that an expert would call a 12-lead recording unacceptable for interpretation: to warn whoever records,
while the patient is still there, and to let later steps abstain. A logistic regression on statistics over the leads of
flatness, saturation, drift, tremor, span, and the agreement of the leads on where the beats are: beats are simultaneous
in all leads, noise is not. A threshold of {threshold:g} calls unacceptable what is more likely so than not.

Not for:

- fewer leads than twelve or the eight that determine them
- under {least_fs:g} samples per second
- other lengths than {least_duration_s:g} to {greatest_duration_s:g} s
- recordings of which more than {most_missing:.0%} of a lead is missing, as on printed pages

There it gives no probability, and the reason. It sees no swapped electrodes. An acceptable recording may still be unfit
for a given measurement: the verdicts on the leads stand beside it.

## Data

{data_title}: {data_n} records ({trained_on:.0%} unacceptable), 10 s, 12 leads, 500 Hz.
{data_citation}. Licence {data_licence}, {data_page}.
The records are listed by hash in `records.json`.

Probabilities are stated for a share of {stated:.0%} unacceptable: {source}.
Where recordings are better or worse as a rule, they are too high or too low.

## Metrics

On {n} records {split}: the mean over the repetitions, and the 95 % bootstrap
interval over records.

| | value (95 % interval) |
|---|---|
{scores}

Features and penalty were settled while looking at the same records, out of fold: figures on new records may be a little
lower. With penalties of 1 to 20 the AUC was 0.981 to 0.985; {l2:g} was taken since its probabilities were among those
calibrated best. Patients are not known, so that two records of one may have been on either side of a fold.

Records that nobody judged, called unacceptable by the shipped weights:

| | records | share (95 % interval, Clopper-Pearson) |
|---|---|---|
{checks}

## Limits

One set of recordings made with mobile phones, judged by a few people; experts differ. No subgroup was tested: the
records come without age and sex. Very low voltages, and rhythms whose complexes differ between the leads, look like
disagreement between the leads. Slow swings of several millivolts in all leads at once are not always called.
"""


def card(manifest: Mapping[str, Any], metrics: Mapping[str, Any], l2: float) -> str:
    """Return the card as Markdown."""
    scores = [f"| {label} | {_figure(metrics['metrics'][name])} |" for name, label in _ROWS.items()]
    checks = [
        f"| {_CHECKS[name]} | {found['n']} | {_figure(found['called_unacceptable'])} |"
        for name, found in metrics["checks"].items()
    ]
    return _TEMPLATE.format(
        **{key: manifest[key] for key in ("title", "name", "version", "created_by")},
        **{key: metrics[key] for key in ("n", "split")},
        **manifest["inputs"],
        **manifest["prior"],
        **{f"data_{key}": value for key, value in manifest["training_data"][0].items()},
        threshold=manifest["thresholds"]["unacceptable"],
        l2=l2,
        scores="\n".join(scores),
        checks="\n".join(checks),
    )


def _figure(metric: Mapping[str, float | None] | None) -> str:
    if metric is None or metric["value"] is None:
        return "not measured: the set was not at hand"
    if metric["low"] is None or metric["high"] is None:
        return f"{metric['value']:.3f}"
    return f"{metric['value']:.3f} ({metric['low']:.3f} to {metric['high']:.3f})"
