"""The risk of atrial fibrillation: the figure with its basis, or what it lacks; the ECG's own percentile beside it."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import streamlit as st

from api.schemas import AfRisk
from dashboard import words
from dashboard.components.html import CSS, bar, span

_WIDEST = 0.5
"""Risk at which the bar ends, so that small ones can be told apart."""
_CSS = """
<style>
.ecg-risk { display: grid; gap: 0.9rem; }
.ecg-risk .big { font-size: 1.6rem; font-weight: 600; font-variant-numeric: tabular-nums; line-height: 1.2; }
.ecg-risk .ecg-bar { margin: 0.4rem 0 0.45rem; }
.ecg-risk p { margin: 0.15rem 0 0; }
</style>
"""


def af_risk(risk: AfRisk, titles: Mapping[str, str]) -> None:
    """Show the risk.

    Parameters
    ----------
    risk
        As the API answers.
    titles
        Fact to what it is called.
    """
    notes = "".join(_line(f"{words.sentence(note)}.") for note in risk.notes)
    if risk.present:
        parts = [_present(risk), notes]
    else:
        parts = [_value(risk, titles), _signature(risk), _reference(risk), notes]
    st.html(f'{CSS}{_CSS}<div class="ecg-card ecg-risk">{"".join(part for part in parts if part)}</div>')
    if risk.curve:
        unit, name = risk.curve.at_unit, "Risk of AF"
        st.line_chart({unit: risk.curve.at, name: risk.curve.values}, x=unit, y=name, height=180)


def _present(risk: AfRisk) -> str:
    moot = _line("So there is no question of its risk in the years to come.")
    return f"<div><strong>{escape(words.sentence(risk.present or ''))}.</strong>{moot}</div>"


def _value(risk: AfRisk, titles: Mapping[str, str]) -> str:
    head = '<div class="ecg-quiet ecg-small">Within 5 years</div>'
    if risk.value_5y is None:
        if risk.needs:
            needed = ", ".join(escape(titles.get(name, name)) for name in risk.needs)
            return f"<div>{head}<div>No figure without {needed}.</div></div>"
        return f"<div>{head}<div>No figure: {escape(words.equations(risk.reason or ''))}.</div></div>"
    low, high = risk.likely_low, risk.likely_high
    text = f'{head}<div class="big">{words.percent(risk.value_5y)}</div>'
    if low is not None and high is not None:
        text += span(low / _WIDEST, risk.value_5y / _WIDEST, high / _WIDEST)
        text += _line(f"Nine in ten people of whom as much is known: {words.percent(low)} to {words.percent(high)}.")
    basis = words.BASES.get(risk.basis or "", risk.basis or "")
    text += f'<p class="ecg-quiet ecg-small" title="{escape(risk.source or "")}">Basis: {escape(basis)}.</p>'
    if risk.would_narrow:
        text += _line(f"Narrowed most by knowing: {risk.would_narrow.title}.")
    text += "".join(_line(f"{words.sentence(caution)}.") for caution in risk.cautions[:2])
    return f"<div>{text}</div>"


def _signature(risk: AfRisk) -> str:
    found, head = risk.signature, '<div class="ecg-quiet ecg-small">AF-like traits in this tracing</div>'
    if found.percentile is None:
        return f"<div>{head}{_line(f'None told: {found.reason}.')}</div>"
    text = f'{head}<div class="big">{words.ordinal(found.percentile)} percentile</div>{bar(found.percentile / 100)}'
    text += _line("Among tracings without AF: a rank, not a risk, and nothing of years.")
    known = found.evidence
    if {"auroc", "low", "high"} <= set(known):
        text += _line(
            f"Measured: tells who has AF in another tracing with AUROC {known['auroc']:.2f}"
            f" ({known['low']:.2f} to {known['high']:.2f})."
        )
    return f"<div>{text}</div>"


def _reference(risk: AfRisk) -> str:
    found = risk.reference_risk
    if found.value_5y is None:
        return ""
    head = '<div class="ecg-quiet ecg-small">For comparison</div>'
    text = f"{words.percent(found.value_5y)} {escape(found.says or '')}."
    return f"<div>{head}{text}{_line(f'{found.source}.') if found.source else ''}</div>"


def _line(text: str) -> str:
    return f'<p class="ecg-quiet ecg-small">{escape(text)}</p>'
