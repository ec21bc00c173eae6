"""The card of the model ``reversals``, with its figures filled in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ecg_core.evaluation.reversals import RIGHT_LEG, metric_name
from ecg_core.quality.arrangements import ARRANGEMENTS
from ecg_core.quality.reversals import FLAT
from training.recipe import Recipe
from training.reversals_data import Beats

_TEMPLATE = """\
# {title}

`{name}` {version}, made by `ecg train {name}` from `{created_by}`.

## Use

To ask whoever records to look at the cables again, while the patient is still there, and to keep a report from reading
an infarct or an axis into exchanged electrodes. `suspect_reversals` names the exchange, the leads that it alters and
what would undo it; it corrects nothing.

A network scores how much the median beat (P, QRS and T of the potentials of RA, LA, LL and V1 to V6) looks like one
recorded in order. It is shown the beat as recorded and with each of {n_kinds} exchanges undone: every pair among RA, LA
and LL and both ways round, every pair among V1 to V6, and three exchanges of more. The scores become probabilities
where {prior_limb:.0%} of the recordings have an exchange of limb electrodes and {prior_chest:.0%} one of the chest; an
alarm is raised from {threshold:.4f} for all exchanges together. A cable of an arm on the right leg is told by a rule
instead: a limb lead under {flat:.0%} of the size of the three bipolar ones.

Not for fewer than eight leads, under {least_fs:g} samples per second, or fewer than {least_beats} whole beats. It does
not see RL and LL exchanged, which alters nothing, electrodes that are misplaced rather than exchanged, or two exchanges
at once.

## Data

{data_title}, at {fs:g} Hz: {n_seen} recordings of folds {folds} to train on, {n_chosen} of fold {choose} to choose the
threshold on, {n_reported} of fold {report} to report on; patients keep to a fold. {unjudged} without a median beat, or
with a limb lead all but flat, were left out.
{data_citation}. Licence {data_licence}, {data_page}.
The records trained and chosen on are listed by hash in `records.json`.

All are taken as recorded in order. A few surely are not: they count as false alarms here.

## Metrics

On fold {report}, which nothing was chosen on: each recording as it is, and with every exchange, which permutes its
potentials exactly. "Seen" raises an alarm, "named" has the right exchange first. With 95 % bootstrap intervals over
recordings.

Recordings in order without an alarm (specificity): {specificity}.

| exchange | seen | named |
|---|---|---|
{rows}

`ecg evaluate reversals --data ptbxl --split {report}` measures the whole way on the signal, with an arm on the right
leg too, whose potential is taken as {right_leg:g} of that of the left leg; `--data cinc2011` does so
on another recorder.

## Limits

Hearts whose axis or rotation is rare look like exchanges: the figures hold for a hospital like that of PTB-XL. Left
arm and left leg exchanged, V5 and V6, V2 and V3 make normal-looking recordings: many are not seen, and silence says
nothing. Dextrocardia looks like exchanged arms and chest leads in reverse. Exchanges were simulated; nobody exchanged
electrodes on purpose.
"""


def card(manifest: Mapping[str, Any], metrics: Mapping[str, Any], parts: Sequence[Beats], recipe: Recipe) -> str:
    """Return the card as Markdown; ``parts`` are trained, chosen and reported on."""
    values = metrics["metrics"]

    def cell(name: str) -> str:
        found = values[name]
        return f"{found['value']:.3f} ({found['low']:.3f} to {found['high']:.3f})"

    means = {"limb": "limb, mean over kinds", "chest_adjacent": "neighbours on the chest, mean over kinds"}
    means["chest_apart"] = "others on the chest, mean over kinds"
    lines = [(title, name) for name, title in means.items()]
    lines += [(arrangement.title, metric_name(arrangement.kind)) for arrangement in ARRANGEMENTS]
    data, folds = manifest["training_data"][0], recipe["train_splits"]
    seen, chosen, reported = parts
    return _TEMPLATE.format(
        title=manifest["title"],
        name=manifest["name"],
        version=manifest["version"],
        created_by=manifest["created_by"],
        n_kinds=len(ARRANGEMENTS),
        prior_limb=recipe["prior_limb"],
        prior_chest=recipe["prior_chest"],
        threshold=manifest["thresholds"]["reversed"],
        flat=FLAT,
        least_fs=manifest["inputs"]["least_fs"],
        least_beats=manifest["inputs"]["least_beats"],
        data_title=data["title"],
        data_citation=data["citation"],
        data_licence=data["licence"],
        data_page=data["page"],
        fs=recipe["fs"],
        n_seen=len(seen.beats),
        n_chosen=len(chosen.beats),
        n_reported=len(reported.beats),
        folds=f"{folds[0]} to {folds[-1]}",
        choose=recipe["choose_split"],
        report=recipe["report_split"],
        unjudged=sum(part.unjudged for part in parts),
        specificity=cell("specificity"),
        rows="\n".join(f"| {title} | {cell(f'se_{name}')} | {cell(f'named_{name}')} |" for title, name in lines),
        right_leg=RIGHT_LEG,
    )
