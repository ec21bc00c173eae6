"""An analysis in words and lines of a table, the same for the page, the note and the exchange formats."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

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
        share = ">99" if confidence > 0.99 else "<1" if confidence < 0.01 else f"{100 * confidence:.0f}"
        return f"{item['text']} ({share} %)"
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
    lines += [f"{note[:1].upper()}{note[1:]}." for note in analysis["provenance"]["notes"]]
    return lines


def person(analysis: Mapping[str, Any]) -> str:
    """Return who was recorded, in a line."""
    said = analysis["subject"]
    age = "age unknown" if said["age"] is None else f"{said['age']:.0f} years"
    return ", ".join([said["id"] or "no identifier", age, said["sex"] or "sex unknown"])


def models(analysis: Mapping[str, Any]) -> list[str]:
    """Return every model that had a say, with the start of its checksum."""
    used = analysis["provenance"]["models"].values()
    return [f"{model['name']} {model['version']} ({model['sha256'][:12]})" for model in used]


def _range(usual: Mapping[str, Any] | None, decimals: int) -> str:
    if usual is None:
        return ""
    low, high = usual["low"], usual["high"]
    if low is None:
        return f"up to {high:.{decimals}f}"
    return f"from {low:.{decimals}f}" if high is None else f"{low:.{decimals}f} to {high:.{decimals}f}"
