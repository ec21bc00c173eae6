"""What the components of plain HTML share: colours that hold in light and dark, and escaping."""

from __future__ import annotations

from html import escape

from dashboard import words

CSS = """
<style>
.ecg-card { border: 1px solid color-mix(in srgb, currentColor 16%, transparent); border-radius: 0.6rem;
  padding: 1rem 1.2rem; }
.ecg-quiet { opacity: 0.72; }
.ecg-small { font-size: 0.87rem; }
.ecg-num { font-variant-numeric: tabular-nums; }
.ecg-chip { display: inline-block; border-radius: 999px; padding: 0.05rem 0.6rem; font-size: 0.82rem; font-weight: 600;
  white-space: nowrap; background: color-mix(in srgb, var(--tone) 20%, transparent); }
.ecg-chip.urgent { --tone: #d32f2f; } .ecg-chip.abnormal { --tone: #d98200; } .ecg-chip.borderline { --tone: #c9a400; }
.ecg-chip.normal { --tone: #2e9e5b; } .ecg-chip.undetermined { --tone: #808495; }
.ecg-bar { position: relative; height: 0.55rem; border-radius: 999px;
  background: color-mix(in srgb, currentColor 10%, transparent); }
.ecg-bar > i { position: absolute; inset: 0 auto 0 0; border-radius: 999px; min-width: 2px;
  background: color-mix(in srgb, currentColor 38%, transparent); }
.ecg-bar.called > i { background: #4c82d8; }
.ecg-bar > b { position: absolute; top: -0.18rem; bottom: -0.18rem; width: 2px; margin-left: -1px;
  background: color-mix(in srgb, currentColor 65%, transparent); }
.ecg-bar > u { position: absolute; top: 0; bottom: 0; border-radius: 999px; text-decoration: none;
  background: color-mix(in srgb, #4c82d8 45%, transparent); }
</style>
"""


def bar(value: float, threshold: float | None = None, *, called: bool = False) -> str:
    """Return a bar from 0 to 1, with a tick at a threshold."""
    tick = "" if threshold is None else f'<b style="left: {_percent(threshold)}"></b>'
    kind = "ecg-bar called" if called else "ecg-bar"
    return f'<div class="{kind}" aria-hidden="true"><i style="width: {_percent(value)}"></i>{tick}</div>'


def span(low: float, value: float, high: float) -> str:
    """Return a bar from 0 to 1 that marks a range and a value in it."""
    left, width = _percent(low), _percent(high - low)
    return (
        f'<div class="ecg-bar" aria-hidden="true"><u style="left: {left}; width: {width}"></u>'
        f'<b style="left: {_percent(value)}"></b></div>'
    )


def chip(text: str, kind: str) -> str:
    """Return a word in a coloured pill."""
    return f'<span class="ecg-chip {escape(kind)}">{escape(text)}</span>'


def sure(probability: float | None) -> str:
    """Return a probability as text; nothing where there is none."""
    return "" if probability is None else escape(words.chance(probability))


def _percent(part: float) -> str:
    return f"{100 * min(max(part, 0.0), 1.0):.1f}%"
