"""The whole way from a recording to what can be said about it, on one screen.

`examine` (quality, beats, pacing, beat classes, the rhythm of one lead, reversals, waves, measurements), then every
installed predictor, then the rhythm that is stated, what is urgent, the risk of fibrillation, the findings in words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from ecg_core.analysis import Analysis
from ecg_core.artefacts import models_held
from ecg_core.errors import EcgError, InvalidValue
from ecg_core.findings import state_findings, summarise
from ecg_core.findings.decided import DecidedRhythm, decide_rhythm
from ecg_core.findings.stated import READER
from ecg_core.groups import guarded, in_groups
from ecg_core.predictors import DEFAULT_POINT, Context, OperatingPoint, Prediction, Predictor, predictors
from ecg_core.predictors.chain import examine, measure_recording
from ecg_core.provenance import provenance_of
from ecg_core.recording import Recording, Sex, Subject
from ecg_core.risk import FACTS, af_risk, parse_facts
from ecg_core.urgent import urgent_findings

__all__ = ["Analysis", "analyze", "analyze_group", "analyze_many", "choose_predictors", "conclude", "state_subject"]

BATCH = 16
"""Recordings whose networks are run together."""


@models_held()
def analyze(
    recording: Recording, *, models: Sequence[str] | None = None, operating_point: OperatingPoint = DEFAULT_POINT
) -> Analysis:
    """Say what can be said about ``recording``; what its quality forbids is left out, with the reason.

    Parameters
    ----------
    recording
        Of any length, rate and leads.
    models
        Names of the predictors to ask; without it, every one that is installed.
    operating_point
        What the thresholds were chosen for, from which a statement is called.
    """
    chosen = choose_predictors(models)
    context = examine(recording, chosen)
    predictions = {name: found.predict([context], operating_point)[0] for name, found in chosen.items()}
    return conclude(context, predictions, operating_point)


def analyze_many(
    recordings: Iterable[Recording | EcgError],
    *,
    models: Sequence[str] | None = None,
    operating_point: OperatingPoint = DEFAULT_POINT,
    batch: int = BATCH,
    workers: int | None = None,
) -> Iterator[Analysis | EcgError]:
    """Do as `analyze` with each recording, in order and in constant memory, with the networks run on many at once.

    A recording that cannot be analysed gives its error and stops no other; an error among ``recordings``, as reading
    gives it, comes out where it stood.

    Parameters
    ----------
    recordings, models, operating_point
        As in `analyze`.
    batch
        Recordings that are taken together.
    workers
        Processes; without it, as many as there are cores. The first ``batch`` recordings are analysed in this process,
        so that a few of them start none; with 1, as in a service, all are.
    """
    choose_predictors(models)
    work = partial(analyze_group, models=models, operating_point=operating_point)
    return in_groups(work, recordings, batch, workers)


@models_held()
def analyze_group(
    group: Sequence[Recording | EcgError],
    *,
    models: Sequence[str] | None = None,
    operating_point: OperatingPoint = DEFAULT_POINT,
) -> list[Analysis | EcgError]:
    """Do as `analyze_many` with recordings at hand, in this process."""
    chosen = choose_predictors(models)
    # A network that reads many at once fetches its weights once, which is worth more than an early start.
    early = chosen if len(group) == 1 else None
    examined = [item if isinstance(item, EcgError) else guarded(item, partial(examine, item, early)) for item in group]
    answers = iter(_predicted([item for item in examined if isinstance(item, Context)], chosen, operating_point))
    found: list[Analysis | EcgError] = []
    for item in examined:
        answer = item if isinstance(item, EcgError) else next(answers)
        if isinstance(item, Context) and not isinstance(answer, EcgError):
            found.append(guarded(item.recording, partial(conclude, item, answer, operating_point)))
        else:
            found.append(answer)  # type: ignore[arg-type] # what is left is an error
    return found


def choose_predictors(models: Sequence[str] | None) -> dict[str, Predictor]:
    """Return the predictors of these names, or every installed one.

    Raises
    ------
    InvalidValue
        No predictor of a name is installed.
    """
    installed = predictors()
    if unknown := [name for name in models or () if name not in installed]:
        raise InvalidValue("no such predictor", field="models", found=unknown[0], options=sorted(installed))
    return installed if models is None else {name: installed[name] for name in models}


def state_subject(
    recording: Recording, age: float | None, sex: Sex | None, facts: Mapping[str, Any] | None = None
) -> Recording:
    """Return ``recording`` with what its sender says about the person; a warning where the file says otherwise.

    Raises
    ------
    InvalidValue
        A fact is none of `ecg_core.risk.FACTS`, or cannot be.
    """
    said, facts = recording.subject, parse_facts(facts or {})
    stated = Subject(said.id, said.age if age is None else age, sex or said.sex, {**said.facts, **facts})
    if stated == said:
        return recording
    named = [("age", said.age, stated.age), ("sex", said.sex, stated.sex)]
    named += [(FACTS[name].title, said.facts.get(name), stated.facts[name]) for name in facts]
    warnings = [
        f"subject: {name} {theirs} as stated by the sender; the file says {old}"
        for name, old, theirs in named
        if old is not None and old != theirs
    ]
    return replace(recording, subject=stated).with_warnings(*warnings)


def conclude(context: Context, predictions: Mapping[str, Prediction], operating_point: OperatingPoint) -> Analysis:
    """Return the analysis from what was examined and predicted."""
    assert context.rhythm is not None  # noqa: S101 - `examine` tells one
    rhythm = decide_rhythm(context.rhythm, predictions.get(READER))
    context = _measured_anew(context, rhythm)
    measurements = context.measurements
    urgent = urgent_findings(measurements, beats=context.beats, classes=context.classes.classes, waves=context.waves)
    analysis = Analysis(
        recording=context.recording,
        subject=context.subject,
        quality=context.quality,
        reversals=context.reversals,
        beats=context.beats,
        classes=context.classes,
        waves=context.waves,
        part=context.part,
        measurements=measurements,
        rhythm=rhythm,
        pacing=context.pacing,
        predictions=predictions,
        af_risk=af_risk(context, predictions),
        urgent=tuple(urgent),
        provenance=provenance_of(context, predictions, operating_point),
    )
    findings = state_findings(analysis)
    return replace(analysis, findings=findings, summary=summarise(analysis, findings))


def _measured_anew(context: Context, rhythm: DecidedRhythm) -> Context:
    """Return ``context`` with P waves measured or withheld as the rhythm that was decided asks for."""
    if context.rhythm is None or rhythm.fibrillates == (context.rhythm.label == "A"):
        return context
    measured = measure_recording(
        context.recording,
        context.quality,
        context.reversals,
        context.beats,
        context.waves,
        context.pacing,
        fibrillation=rhythm.fibrillates,
    )
    return replace(context, measurements=measured)


def _predicted(
    contexts: Sequence[Context], chosen: Mapping[str, Predictor], point: OperatingPoint
) -> list[Mapping[str, Prediction] | EcgError]:
    """Return what the models say of each recording; where asking for all at once fails, they are asked one by one."""

    def ask(some: Sequence[Context]) -> list[Mapping[str, Prediction]]:
        columns = {name: found.predict(some, point) for name, found in chosen.items()}
        return [{name: column[row] for name, column in columns.items()} for row in range(len(some))]

    try:
        return list(ask(contexts)) if contexts else []
    except Exception:  # A recording that no test foresaw; the others of its batch are to be had.
        return [guarded(context.recording, partial(lambda one: ask([one])[0], context)) for context in contexts]
