"""The card of the model ``beats``, with its figures filled in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_ROWS = {
    "cpsc2019.qrs_official": "CPSC 2019, QRS, official score",
    "cpsc2019.hr_official": "CPSC 2019, heart rate, official score",
    "cpsc2019.qrs_strict": "CPSC 2019, QRS, strict score",
    "mitdb.se_150ms": "MIT-BIH, both leads fused, sensitivity at 150 ms",
    "mitdb.ppv_150ms": "MIT-BIH, both leads fused, positive predictivity at 150 ms",
    "mitdb.f1_75ms": "MIT-BIH, both leads fused, F1 at 75 ms",
    "mitdb.ec57.se_150ms": "MIT-BIH by EC57, sensitivity at 150 ms",
    "mitdb.ec57.ppv_150ms": "MIT-BIH by EC57, positive predictivity at 150 ms",
    "leadi.se_150ms": "lead-I collection, sensitivity at 150 ms",
    "leadi.ppv_150ms": "lead-I collection, positive predictivity at 150 ms",
    "leadi.f1_75ms": "lead-I collection, F1 at 75 ms",
    "ludb.se_150ms": "LUDB, lead II alone, sensitivity at 150 ms",
    "ludb.ppv_150ms": "LUDB, lead II alone, positive predictivity at 150 ms",
}
_TARGETS = {
    "cpsc2019.qrs_official": 0.90,
    "cpsc2019.hr_official": 0.93,
    "mitdb.se_150ms": 0.996,
    "mitdb.ppv_150ms": 0.996,
}
"""What was aimed at; what is missed is said."""

_TEMPLATE = """\
# {title}

`{name}` {version}, made by `ecg train {name}` from `{created_by}`.

## Use

Where the heartbeats are, in any lead, at 40 samples per second or more, of any length; `detect_beats` with its default
method ``robust``. A residual U-Net of 0.8 million parameters reads strips of 10.24 s at 125 Hz without baseline and
relative to their own size, so that unit and gain do not matter, and says for every 16 ms how likely a beat is there.
Simultaneous leads are answered one by one; what each is worth is estimated from how they agree, and their answers
become one. One or two leads that leave doubt are looked at again upside down and shifted. A decoder picks the beats
that are most probable together; their peaks are looked up in the original signal. Each beat has a confidence: the
probability that it is one.

Not for: telling beats apart (that is `beat_classes`), fibrillation and flutter of the ventricles, in which there are no
beats to find, and single beats of a fetus under those of its mother.

## Data

Marked by people:

{marked}

Not marked, with beats on which the classical detector agrees in six or more of eight leads:

{agreed}

Recorded noise of the MIT-BIH Noise Stress Test Database (Moody, Muldrow & Mark 1984, ODC-By 1.0) was added, from the
first 70 % of each recording. The records are listed by hash in `records.json`. CPSC 2019 is licensed for research use
only.

## Metrics

On {n} records {split}: the network was first trained on recordings that people
had not marked, then tuned on the marked sets without the records that it was asked about, nor any other of the same
patient or tape (201 and 202, and the excerpts of MIT-BIH in the QT Database, included). Recordings of CPSC 2019 whose
beats coincide are leads of one heart and were kept together: {siblings}. 95 % bootstrap
intervals over what was kept together.

| | value (95 % interval) |
|---|---|
{scores}

{targets}

On CPSC 2019 the detector answered in its scorer's mode, which calls a lone doubtful beat when the score rewards that,
and leaves beats at the network's time: the challenge marks simultaneous leads alike, not each at its peak. Its heart
rate, and everything else here, comes from its usual answer. The official score forgives false beats between the first
two reference beats, the strict one does not.

Settled by looking at answers to the same records, and so a little in favour of the figures: how leads are weighed (the
answers of the untuned network to every second record of MIT-BIH); what unusual intervals cost, that doubtful leads are
looked at again, and the reshaped beats that it practises on (CPSC 2019); the rule for lone spikes (one record of CPSC
2019); how far a peak may be from the network's time, and that the scorer's mode leaves it there (CPSC 2019); that beats
at the ends of a record are kept (the lead-I collection, most of whose extra beats lie there). No weight was fitted to a
record that it is examined on.

## Limits

The reference marks of the lead-I collection were not made beat by beat by experts. MIT-BIH's half that is usual for
reports (DS2) was not at hand. CPSC 2019 is small here (70 records), and its intervals wide. Children, fetal and animal
recordings were not tested. Confidence is a probability where recordings resemble those above, and too high where noise
imitates beats.
"""


def card(manifest: Mapping[str, Any], metrics: Mapping[str, Any], siblings: str) -> str:
    """Return the card as Markdown; ``siblings`` says how many recordings of CPSC 2019 belong together."""
    found = metrics["metrics"]
    agreed = ("ptbxl", "cinc2011")
    sets = {
        kind: "\n".join(
            f"- {data['title']}: {data['n']} records. {data['citation']}. Licence {data['licence']}, {data['page']}"
            for data in manifest["training_data"]
            if (data["name"] in agreed) == (kind == "agreed")
        )
        for kind in ("marked", "agreed")
    }
    missed = [
        f"{_ROWS[name]} ({found[name]['value']:.3f}, aimed at {target:.3f})"
        for name, target in _TARGETS.items()
        if found[name]["value"] < target
    ]
    return _TEMPLATE.format(
        siblings=siblings,
        **{key: manifest[key] for key in ("title", "name", "version", "created_by")},
        **{key: metrics[key] for key in ("n", "split")},
        **sets,
        scores="\n".join(f"| {label} | {_figure(found[name])} |" for name, label in _ROWS.items()),
        targets=f"Short of what was aimed at: {'; '.join(missed)}." if missed else "All that was aimed at was reached.",
    )


def _figure(metric: Mapping[str, float]) -> str:
    return f"{metric['value']:.3f} ({metric['low']:.3f} to {metric['high']:.3f})"
