"""The diagnosis in a line, and the findings with what speaks for and against each."""

from __future__ import annotations

from html import escape

import streamlit as st

from api.schemas import Finding, Summary
from dashboard.components.html import CSS, bar, chip, sure

_KINDS = {
    "urgent": "Urgent",
    "quality": "Recording",
    "rhythm": "Rhythm",
    "infarct": "Infarction",
    "conduction": "Conduction",
    "hypertrophy": "Hypertrophy",
    "ischaemia": "ST and T",
    "measurement": "Measured",
    "normal": "Normal",
    "risk": "Risk",
}
_CSS = """
<style>
.ecg-diagnosis { font-size: 1.3rem; font-weight: 600; line-height: 1.35; margin: 0.35rem 0 0.5rem; }
.ecg-findings { display: grid; grid-template-columns: 5.5rem minmax(0, 1fr) 6rem; gap: 0; }
.ecg-findings > div { padding: 0.6rem 0.8rem 0.6rem 0;
  border-top: 1px solid color-mix(in srgb, currentColor 12%, transparent); }
.ecg-findings ul { list-style: none; margin: 0.2rem 0 0; padding: 0; }
.ecg-findings li { margin: 0; font-size: 0.87rem; }
.ecg-findings li.for { opacity: 0.72; }
.ecg-findings li.against::before { content: "\\2717\\00a0"; color: #d98200; font-weight: 600; }
.ecg-findings .sure { text-align: right; padding-right: 0; }
.ecg-findings .sure .ecg-bar { margin: 0.5rem 0 0.3rem; }
.ecg-narrow { container-type: inline-size; }
@container (max-width: 460px) { .ecg-findings { grid-template-columns: minmax(0, 1fr) 5.5rem; }
  .ecg-findings .kind { grid-column: 1 / -1; padding-bottom: 0; } .ecg-findings .kind ~ div { border-top: 0; } }
</style>
"""


def diagnosis(summary: Summary) -> None:
    """Show the line, how much there is to look at, and the notes."""
    score = summary.score
    confidence = ""
    if score.confidence is not None:
        # What follows in brackets is said by the line beneath.
        of = (score.of or "").partition(" (")[0]
        confidence = f'<span class="ecg-quiet ecg-small">confidence {sure(score.confidence)}: {escape(of)}</span>'
    st.html(
        f'{CSS}{_CSS}<div class="ecg-card">'
        f'<div title="{escape(score.means)}">{chip(score.level, score.level)} {confidence}</div>'
        f'<div class="ecg-diagnosis">{escape(summary.diagnosis)}</div>'
        f'<div class="ecg-quiet ecg-small">{escape(summary.notes)}</div></div>'
    )


def findings_list(findings: list[Finding]) -> None:
    """Show each finding with its theme, its probability, and the evidence."""
    rows = "".join(_row(item) for item in findings)
    st.html(f'{CSS}{_CSS}<div class="ecg-narrow"><div class="ecg-findings">{rows}</div></div>')


def _row(item: Finding) -> str:
    against = "".join(f'<li class="against">{escape(text)}</li>' for text in item.against)
    evidence = "".join(f'<li class="for">{escape(text)}</li>' for text in item.evidence)
    said = f"{item.model.name} {item.model.version}" if item.model else item.rule or ""
    probability = ""
    if item.confidence is not None:
        probability = f"{bar(item.confidence, called=True)}<span>{sure(item.confidence)}</span>"
    weight = 400 if item.borderline else 600
    return (
        f'<div class="kind ecg-quiet ecg-small">{_KINDS.get(item.kind, item.kind)}</div>'
        f'<div><span style="font-weight: {weight}">{escape(item.text)}</span><ul>{against}{evidence}</ul></div>'
        f'<div class="sure ecg-num ecg-small" title="{escape(said)}">{probability}'
        f'<div class="ecg-quiet">{escape(item.model.name) if item.model else "by rule"}</div></div>'
    )
