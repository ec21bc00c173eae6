"""An analysis in words and lines of a table, the same for the page, the note and the exchange formats."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ecg_core.recording import Recording

NOTICE = "Research use, not a medical device."
UNCONFIRMED = "Unconfirmed - needs physician over-read"

MEASURED: dict[str, tuple[str, str, int]] = {
    "hr_bpm": ("Heart rate", "/min", 0),
    "rr_min_ms": ("Shortest RR", "ms", 0),
    "rr_max_ms": ("Longest RR", "ms", 0),
    "p_ms": ("P duration", "ms", 0),
    "pr_ms": ("PR", "ms", 0),
    "qrs_ms": ("QRS", "ms", 0),
    "qt_ms": ("QT", "ms", 0),
    "qtc_fridericia_ms": ("QTc Fridericia", "ms", 0),
    "qtc_bazett_ms": ("QTc Bazett", "ms", 0),
    "p_axis_deg": ("P axis", "°", 0),
    "qrs_axis_deg": ("QRS axis", "°", 0),
    "t_axis_deg": ("T axis", "°", 0),
    "sokolow_lyon_mv": ("Sokolow-Lyon", "mV", 2),
    "cornell_mv": ("Cornell", "mV", 2),
}
"""Name, unit and decimals of what a report lists, in its order."""

METHODS = {
    "gradients": "integrated gradients: what each moment of each lead adds, from straight lines on; the parts sum up",
    "activation": "class activation: what each moment adds, all leads together; the parts sum up",
    "occlusion": "occlusion: what changes when a wave is made straight, or the person's usual; no parts of a sum",
    "shap": "Shapley values: what each part adds, averaged over the orders in which they can be added; they sum up",
}
"""What a method of explanation tells."""
_WAVES = {"p": "P wave", "pr": "PR segment", "qrs": "QRS", "st": "ST segment", "t": "T wave", "rest": "between waves"}


def measured(analysis: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """Yield (name, value with unit or a dash, usual range, flag) of each line of the table."""
    for key, (name, unit, decimals) in MEASURED.items():
        item = analysis["measurements"][key]
        value = "-" if item["value"] is None else f"{item['value']:.{decimals}f} {unit}".replace(" °", "°")
        yield name, value, _range(item["range"], decimals), item["flag"] or ""


def unmeasured(analysis: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return why values are missing: reason to the names of what it concerns."""
    reasons: dict[str, list[str]] = {}
    for key, (name, _, _) in MEASURED.items():
        item = analysis["measurements"][key]
        if item["value"] is None and item["reason"]:
            reasons.setdefault(item["reason"], []).append(name)
    return reasons


def finding(item: Mapping[str, Any]) -> str:
    """Return a finding with how sure it is, in a line."""
    if (confidence := item["confidence"]) is not None:
        return f"{item['text']} ({percent(confidence)})"
    return f"{item['text']} (by rule: {item['rule']})" if item["rule"] else str(item["text"])


def af_risk(analysis: Mapping[str, Any]) -> list[str]:
    """Return what is said of the risk of AF, and what it rests on."""
    risk = analysis["af_risk"]
    if risk["value_5y"] is not None:
        low, high = risk["likely_low"], risk["likely_high"]
        span = "" if low is None or high is None else f", {100 * low:.1f} to {100 * high:.1f} %"
        lines = [f"Five-year risk {100 * risk['value_5y']:.1f} %{span} ({risk['basis']})."]
    else:
        lines = [f"No five-year risk: {risk['reason']}."]
    if (percentile := risk["signature"]["percentile"]) is not None:
        lines.append(f"AF-like traits: percentile {percentile:.0f} among tracings without AF; no claim of years.")
    return lines


def quality(analysis: Mapping[str, Any]) -> list[str]:
    """Return what the signal is good for, and what was left out of the judgement and why."""
    found = analysis["quality"]
    lines = [f"Signal: {found['verdict']}" + (f" ({'; '.join(found['reasons'])})" if found["reasons"] else "") + "."]
    lines += [f"Suspected: {item['title']} (confidence {item['confidence']:.2f})." for item in found["suspected"]]
    lines += [f"{', '.join(names)} not measured: {reason}." for reason, names in unmeasured(analysis).items()]
    for name, answer in analysis["predictions"].items():
        if answer.get("reason"):
            lines.append(f"{name} abstains: {answer['reason']}.")
    lines += [sentence(note) for note in analysis["provenance"]["notes"]]
    return lines


def person(analysis: Mapping[str, Any]) -> str:
    """Return who was recorded, in a line."""
    said = analysis["subject"]
    age = "age unknown" if said["age"] is None else f"{said['age']:.0f} years"
    return ", ".join([said["id"] or "no identifier", age, said["sex"] or "sex unknown"])


def models(analysis: Mapping[str, Any]) -> list[str]:
    """Return every model that had a say, with the start of its checksum."""
    used = analysis["provenance"]["models"].values()
    return [identity(model) for model in used]


def identity(model: Mapping[str, Any]) -> str:
    """Return which model it was, with the start of its checksum."""
    return f"{model['name']} {model['version']} ({model['sha256'][:12]})"


def why(explanation: Mapping[str, Any]) -> str:
    """Return the title of an explanation: what is explained, and how sure the model is of it."""
    if explanation["probability"] is None:
        return f"Why: {explanation['title']} ({explanation['answer']:.1f} {explanation['unit']})"
    return f"Why: {explanation['title']} (probability {percent(explanation['probability'])})"


def segment(item: Mapping[str, Any]) -> str:
    """Return the name of a stretch of the tracing."""
    return f"{item['lead'] or 'all leads'}, {_WAVES[item['wave']] if item['wave'] else 'all waves'}"


def figure(item: Mapping[str, Any]) -> str:
    """Return a figure that a model reads, with its value."""
    value = "missing" if item["value"] is None else f"{item['value']:.3g} {item['unit'] or ''}".strip()
    return f"{item['name']}: {value}"


def percent(share: float) -> str:
    """Return a share of 0 to 1 in percent; none is so near to either that it is certain."""
    return f"{'>99' if share > 0.99 else '<1' if share < 0.01 else f'{100 * share:.0f}'} %"


def sentence(text: str) -> str:
    """Return a note with the capital letter and the full stop of a sentence."""
    return f"{text[:1].upper()}{text[1:]}."


def short(text: str, limit: int) -> str:
    """Return a text cut to so many characters."""
    return text if len(text) <= limit else text[: limit - 3] + "..."


def filters(recording: Recording) -> str:
    """Return the filters that a recording's history holds."""
    words = []
    for step in recording.history:
        if step.name in ("bandpass", "monitor_view"):
            words.append(f"{step.parameters['low_hz']:g}-{step.parameters['high_hz']:g} Hz")
        elif step.name == "notch" and step.parameters.get("mains_hz"):
            words.append(f"notch {step.parameters['mains_hz']:g} Hz")
        elif step.name == "remove_baseline":
            words.append("baseline removed")
    return ", ".join(words) or "no filter"


def _range(usual: Mapping[str, Any] | None, decimals: int) -> str:
    if usual is None:
        return ""
    low, high = usual["low"], usual["high"]
    if low is None:
        return f"up to {high:.{decimals}f}"
    return f"from {low:.{decimals}f}" if high is None else f"{low:.{decimals}f} to {high:.{decimals}f}"
