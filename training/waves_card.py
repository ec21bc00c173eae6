"""The card of the model ``waves``, with its figures filled in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_LUDB = {
    "f1_p": ("F1 of P, 150 ms", 3),
    "f1_qrs": ("F1 of QRS, 150 ms", 3),
    "f1_t": ("F1 of T, 150 ms", 3),
    "f1_p_75ms": ("F1 of P, 75 ms", 3),
    "f1_qrs_75ms": ("F1 of QRS, 75 ms", 3),
    "f1_t_75ms": ("F1 of T, 75 ms", 3),
    "absent_p": ("beats left without P in leads where none is marked", 3),
    **{f"sd_{mark}": (f"SD of {label}, ms", 1) for mark, label in (
        ("p_on", "P onset"), ("p_off", "P end"), ("qrs_on", "QRS onset"), ("qrs_off", "QRS end"),
        ("t_on", "T onset"), ("t_off", "T end"))},
    **{f"mean_{mark}": (f"mean error of {label}, ms", 1) for mark, label in (
        ("p_on", "P onset"), ("qrs_on", "QRS onset"), ("qrs_off", "QRS end"), ("t_off", "T end"))},
    **{f"global.sd_{mark}": (f"global fiducials by three agreeing leads: SD of {label}, ms", 1) for mark, label in (
        ("p_on", "P onset"), ("qrs_on", "QRS onset"), ("qrs_off", "QRS end"), ("t_off", "T end"))},
}  # fmt: skip
_QTDB = {name: _LUDB[name] for name in ("sd_p_on", "sd_p_off", "sd_qrs_on", "sd_qrs_off", "sd_t_off")} | {
    "se_p": ("sensitivity to P, 150 ms", 3),
    "se_qrs": ("sensitivity to QRS, 150 ms", 3),
    "se_t": ("sensitivity to T, 150 ms", 3),
}
_CHECKED = {
    "pr_ms": "PR, ms",
    "qrs_ms": "QRS, ms",
    "qt_ms": "QT, ms",
    "p_axis_deg": "P axis, degrees",
    "qrs_axis_deg": "QRS axis, degrees",
    "t_axis_deg": "T axis, degrees",
}

_TEMPLATE = """\
# {title}

`{name}` {version}, made by `ecg train {name}` from `{created_by}`.

## Use

Marks P, QRS and T in one lead or many, at any rate from {least_fs:g} samples per second and of any length, for beats
that a detector has found; a P wave that leads to no beat is marked too. What is absent (P in atrial fibrillation) or
not seen whole (at the edges, in gaps) is not marked. A U-Net reads windows of 10.24 s at 250 Hz; the leads of a
recording tell each other what they see, in whatever order and number.

The marks of single leads follow the referees. The global ones begin and end QRS where the spatial magnitude and
velocity of the median beat say, and move P and T by the few milliseconds that referees mark them wide of 5 % of their
peak; so they are narrower than the marks of the leads.

## Data

{data}

The records are listed by hash in `records.json`. Recorded noise for training is that of the MIT-BIH Noise Stress Test
Database (Moody 1984, ODC-By 1.0, https://physionet.org/content/nstdb/1.0.0/), and a part of what it learned from are
synthetic ECGs of exact truth.

## Metrics

Beats by the classical detector, which has learned from none of these. On {n} records of LUDB, every lead,
{split}, with 95 % bootstrap intervals over records:

| | value (95 % interval) |
|---|---|
{ludb}

On {qtdb_n} records of QTDB, the better lead a mark, {qtdb_split}:

| | value (95 % interval) |
|---|---|
{qtdb}

Folds are dealt by the names of the records, those without P waves evenly. The way from scores to waves was written
while looking at the answers of the first two folds, and one number was chosen so: how far around its top a bell is
averaged for the mark (from 32 to 96 ms the SDs differ by 3 % or less).

Measurements of synthetic ECGs (12 leads, 10 s) by the shipped weights, through beats, waves and table: how far they are
from the truth, at the median and at the 95th percentile (95 % interval). The network has learned from other ECGs of the
same generator, so this says that the chain fits together more than how it fares on patients.

| case | measurement | n | median | 95th percentile |
|---|---|---|---|---|
{checks}

## Limits

LUDB and QTDB hold adults, mostly in sinus rhythm; marks are those of a few referees, whose own scatter (CSE: 2 SD of
6.5 to 30.6 ms) no figure here can undercut. Atrial flutter, ventricular tachycardia and pre-excitation are rare in
them, and P waves are found too often in some records of atrial fibrillation. U waves are not marked. Where T and the
next P merge, both are guesses. QTDB marks few T onsets and selected beats; its P waves that were not marked count as
unknown.
"""


def card(manifest: Mapping[str, Any], metrics: Mapping[str, Any]) -> str:
    """Return the card as Markdown."""
    others = {item["data"]: item for item in metrics["others"]}
    checks = [
        f"| {case} | {label} | {found['errors'][name]['n']} | {_plain(found['errors'][name]['median'])} "
        f"| {_figure(found['errors'][name]['p95'], 1)} |"
        for case, found in metrics["checks"].items()
        for name, label in _CHECKED.items()
    ]
    return _TEMPLATE.format(
        **{key: manifest[key] for key in ("title", "name", "version", "created_by")},
        **{key: metrics[key] for key in ("n", "split")},
        least_fs=manifest["inputs"]["least_fs"],
        data="\n\n".join(
            "{title}: {n} records. {citation}. Licence {licence}, {page}.".format(**data)
            for data in manifest["training_data"]
        ),
        ludb="\n".join(
            f"| {label} | {_figure(metrics['metrics'][name], digits)} |" for name, (label, digits) in _LUDB.items()
        ),
        qtdb_n=others["qtdb"]["n"],
        qtdb_split=others["qtdb"]["split"],
        qtdb="\n".join(
            f"| {label} | {_figure(others['qtdb']['metrics'][name], digits)} |"
            for name, (label, digits) in _QTDB.items()
        ),
        checks="\n".join(checks),
    )


def _figure(metric: Mapping[str, float | None] | None, digits: int) -> str:
    if metric is None or metric["value"] is None:
        return "undefined"
    value, low, high = (metric[key] for key in ("value", "low", "high"))
    return f"{value:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def _plain(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"
