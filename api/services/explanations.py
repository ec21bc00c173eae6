"""Why the models say what a kept analysis says, computed when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic_core import from_json, to_json

from api import tables
from api.errors import Refusal, not_found
from api.principal import Principal
from api.repositories import analyses, audit
from api.repositories import recordings as rows
from api.runtime import Runtime
from api.schemas import NOTICE, Explainable, ExplainableLabel, ExplainableModel, ExplanationMethod
from api.services import recordings
from ecg_core.errors import InvalidValue
from ecg_core.explain import Method, explain_recording, explainable, most_notable
from ecg_core.explain.titles import title_of
from ecg_core.predictors import Identity, predictors
from ecg_core.recording import Recording, Subject

METHODS: dict[ExplanationMethod, str] = {
    "shap": "What each wave of each lead, or each measured figure, adds in the mean over many combinations.",
    "occlusion": "What becomes of the answer when a wave of a lead is drawn as a straight line, or as usual here.",
    "gradients": "What each moment of each lead adds to the answer, against a straight line; the parts sum to it.",
    "activation": "At which moments the network found what it answers, all leads together.",
}
"""What each method tells."""
_NO_RECORDING = "recording"
"""The field of errors that say why a model keeps silent."""
_SILENT = ("withheld", "recording_too_long")
"""Codes of what cannot be explained, which stands against no report unless a label was asked for."""


@dataclass(frozen=True)
class Asked:
    """What is to be explained, and how; what is None is chosen."""

    label: str | None = None
    method: str | None = None
    model: str = "heart12"


def explain(runtime: Runtime, who: Principal, analysis_id: str, asked: Asked) -> bytes:
    """Return why a model says what an account's analysis says, in JSON. Blocks."""
    said, row = find(runtime, who, analysis_id, "read")
    return explain_row(runtime, who, said, row, asked)


def explain_row(runtime: Runtime, who: Principal, said: tables.Analysis, row: tables.Recording, asked: Asked) -> bytes:
    """Do as `explain` with an analysis that is at hand.

    Raises
    ------
    InvalidValue
        There is no such label, method or model, or no label is named and none is called.
    Refusal
        409 `withheld`: the model does not say it of this recording; 413 `recording_too_long`; 503, 429: too many wait.
    """
    methods = next(iter(explainable(asked.model).values()))
    sha256 = _installed(asked.model).sha256
    label = asked.label or _first_label(said.result, asked.model)
    method = asked.method or methods[0]
    most = runtime.settings.max_duration_s
    if row.duration_s > most:
        raise Refusal(
            413,
            "recording_too_long",
            "the recording is too long to be explained while somebody waits",
            found=f"{row.duration_s:.0f} s",
            expected=f"at most {most:.0f} s",
        )

    def load() -> Recording:
        # The person as the analysis knew them: what it says may rest on age and sex.
        return replace(recordings.load(runtime, who, row), subject=Subject(**said.result["subject"]))

    def make(recording: Recording) -> bytes:
        try:
            found = explain_recording(recording, label, method, asked.model).to_dict()  # type: ignore[arg-type]
        except InvalidValue as error:
            if error.field != _NO_RECORDING:
                raise
            raise _withheld(str(error.found), label) from error
        found["cautions"] += _changes(said.result, found["model"])
        return to_json({**found, "analysis_id": said.id, "recording_id": row.id, "notice": NOTICE})

    key = (said.id, label, method, asked.model, sha256)
    return runtime.explaining.answer(key, row.fingerprint, who.user_id, load, make)


def explain_for_report(
    runtime: Runtime, who: Principal, said: tables.Analysis, row: tables.Recording, explain: str, method: str | None
) -> dict[str, Any] | None:
    """Return the explanation that a report carries; None where it is to have none, or where nothing is called.

    Parameters
    ----------
    explain
        ``none``, ``auto`` for what is called first, or a label.
    method
        By which method.
    """
    if explain == "none":
        return None
    label = most_notable(said.result) if explain == "auto" else explain
    if label is None:
        return None
    try:
        found: dict[str, Any] = from_json(explain_row(runtime, who, said, row, Asked(label, method)))
    except Refusal as refusal:
        if explain == "auto" and refusal.code in _SILENT:
            return None
        raise
    except InvalidValue as error:
        if explain == "auto" and error.field == "model":
            return None
        raise
    return found


def list_explainable(runtime: Runtime, who: Principal, analysis_id: str) -> Explainable:
    """Return what can be explained of an account's analysis."""
    said, row = find(runtime, who, analysis_id, "read")
    return Explainable(
        analysis_id=said.id,
        recording_id=row.id,
        label=most_notable(said.result),
        methods=METHODS,
        models=[_describe(name, labels, said.result) for name, labels in sorted(_labels().items())],
    )


def find(runtime: Runtime, who: Principal, analysis_id: str, action: str) -> tuple[tables.Analysis, tables.Recording]:
    """Return an account's analysis and its recording, and note what is done with it."""
    with runtime.database.write() as session:
        said = analyses.find_analysis(session, who.user_id, analysis_id)
        if said is None:
            raise not_found("analysis", analysis_id)
        row = rows.find_recording(session, who.user_id, said.recording_id)
        assert row is not None  # noqa: S101 - an analysis goes with its recording
        audit.note(session, who, action, "analysis", said.id)
    return said, row


def _labels() -> dict[str, dict[str, tuple[Method, ...]]]:
    """Return the labels of every model that can be explained, with their methods."""
    found = {}
    for name in predictors():
        try:
            found[name] = explainable(name)
        except InvalidValue:
            continue
    return found


def _describe(name: str, labels: Mapping[str, tuple[Method, ...]], result: Mapping[str, Any]) -> ExplainableModel:
    answer, identity = result["predictions"].get(name, {}), _installed(name)
    reason = "; ".join(answer.get("out_of_scope", ())) or None
    withheld, listed = {}, []
    for label in () if reason else labels:
        head, _, code = label.partition(".")
        given = answer.get(head, {})
        one = given.get(code, given) if isinstance(given, dict) else {}
        why = answer.get("withheld", {})
        if why := why.get(label) or why.get(head) or (one.get("probability") is None and one.get("reason")):
            withheld[label] = why
            continue
        listed.append(
            ExplainableLabel(
                label=label,
                title=title_of(label),
                methods=list(labels[label]),
                probability=one.get("probability"),
                positive=one.get("positive"),
            )
        )
    listed.sort(key=lambda item: (not item.positive, -(item.probability or 0.0)))
    return ExplainableModel(
        name=name, version=identity.version, sha256=identity.sha256, reason=reason, labels=listed, withheld=withheld
    )


def _installed(model: str) -> Identity:
    return predictors()[model].identity


def _first_label(result: Mapping[str, Any], model: str) -> str:
    """Return what is explained where nobody says what."""
    if label := most_notable(result):
        return label
    if why := result["predictions"].get(model, {}).get("out_of_scope"):
        raise _withheld("; ".join(why), None)
    raise InvalidValue(
        "nothing is called, so that there is nothing to begin with",
        field="label",
        expected="a label",
        options=list(explainable(model)),
    )


def _withheld(why: str, label: str | None) -> Refusal:
    return Refusal(
        409, "withheld", f"there is no answer to explain: {why}", field="label", found=label, expected="another label"
    )


def _changes(result: Mapping[str, Any], model: Mapping[str, str]) -> list[str]:
    """Return what is to be said where the model is not the one of the analysis."""
    name, version = model["name"], model["version"]
    answer = result["predictions"].get(name)
    if answer is None:
        return [f"the analysis did not ask {name}: this is what it would say"]
    if answer["sha256"] != model["sha256"]:
        return [
            f"the analysis was made with {name} {answer['version']} ({answer['sha256'][:12]}); this is what the"
            f" installed {version} ({model['sha256'][:12]}) says, which can differ"
        ]
    return []
