"""The report as a plain text note, for a patient record or a mail."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import fill
from typing import Any

from ecg_core.report import words

_WIDTH = 88


def to_note(analysis: Mapping[str, Any], *, notes: str = "", explanation: Mapping[str, Any] | None = None) -> str:
    """Return the report as text of at most 88 columns.

    Parameters
    ----------
    analysis
        `Analysis.to_dict` of it.
    notes
        The reader's own.
    explanation
        `Explanation.to_dict` of an answer of the analysis.
    """
    recording, software = analysis["recording"], analysis["provenance"]["software"]
    urgent = [item for item in analysis["findings"] if item["kind"] == "urgent"]
    others = [item for item in analysis["findings"] if item["kind"] != "urgent"]
    told = [f"CRITICAL BY RULE: {words.finding(item)}" for item in urgent] + [words.finding(item) for item in others]
    table = [
        f"{name:<16}{value:>12}   {usual:<16}{flag}".rstrip() for name, value, usual, flag in words.measured(analysis)
    ]
    blocks = [
        ["ECG REPORT", f"{words.UNCONFIRMED}. {words.NOTICE}"],
        [
            f"Person:    {words.person(analysis)}",
            f"Recorded:  {(recording['start'] or 'time unknown').replace('T', ' ')}",
            f"File:      {recording['name']} ({recording['format']}, {len(recording['leads'])} leads, "
            f"{recording['duration_s']:.1f} s, {recording['fs']:g} Hz)",
            f"SHA-256:   {recording['sha256']}",
        ],
        [_wrapped(analysis["summary"]["diagnosis"] or "Nothing could be stated")],
        ["FINDINGS", *(_item(text) for text in told)] if told else [],
        [] if explanation is None else _why(explanation),
        ["MEASUREMENTS", *table],
        ["RISK OF ATRIAL FIBRILLATION", *(_wrapped(line) for line in words.af_risk(analysis))],
        ["QUALITY AND EXCLUSIONS", *(_wrapped(line) for line in words.quality(analysis))],
        ["NOTES", *(_wrapped(line) for line in notes.splitlines())] if notes.strip() else [],
        [_wrapped("Models: " + ", ".join(words.models(analysis)))],
        [f"{software['name'].capitalize()} {software['version']}, analysed {analysis['provenance']['analysed_at']}"],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _why(explanation: Mapping[str, Any]) -> list[str]:
    method = words.METHODS[explanation["method"]].partition(":")[0]
    made = f"By {method} of {words.identity(explanation['model'])}: what the model went by, not what is the cause."
    return [words.why(explanation).upper(), *(_wrapped(text) for text in (explanation["sentence"], made))]


def _wrapped(text: str) -> str:
    return fill(text, _WIDTH)


def _item(text: str) -> str:
    return fill(text, _WIDTH, initial_indent="- ", subsequent_indent="  ")
