"""Why a model answers as it does: its sentence, what adds up to the answer, and each wave of each lead, or figure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import streamlit as st

from api.schemas import Explanation, ExplanationFigure, ExplanationPart, ExplanationWave, ModelMetric
from dashboard import words
from dashboard.components.html import CSS
from dashboard.telling import interval

WAVES: dict[ExplanationWave, str] = {
    "p": "P",
    "pr": "PR",
    "qrs": "QRS",
    "st": "ST",
    "t": "T",
    "rest": "between",
}
"""Stretches of a beat, in their order, as heads of columns."""
MOST_FIGURES = 12
MOST_CHANGES = 8
_TOGETHER = "All leads"
_CSS = """
<style>
.ecg-why { display: grid; gap: 0.2rem; }
.ecg-why .said { font-size: 1.15rem; font-weight: 600; line-height: 1.4; }
.ecg-scroll { overflow-x: auto; }
.ecg-parts { border-collapse: separate; border-spacing: 2px; width: 100%; font-size: 0.9rem;
  font-variant-numeric: tabular-nums; }
.ecg-parts th { font-weight: 500; opacity: 0.72; font-size: 0.82rem; padding: 0.15rem 0.4rem; text-align: right; }
.ecg-parts tbody th { text-align: left; }
.ecg-parts td { text-align: right; padding: 0.22rem 0.45rem; border-radius: 0.25rem; white-space: nowrap;
  background: color-mix(in srgb, var(--tone) var(--much), transparent); }
.ecg-parts .sum { font-weight: 600; --much: 0%; }
.ecg-for { --tone: #e8771a; } .ecg-against { --tone: #3b82d6; }
.ecg-sums { display: grid; grid-template-columns: minmax(0, 1.6fr) minmax(5rem, 1fr) 4.6rem; gap: 0.35rem 0.8rem;
  align-items: center; font-size: 0.95rem; line-height: 1.3; }
.ecg-sums .n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.ecg-sums .total { font-weight: 600; }
.ecg-sums .rule { grid-column: 1 / -1; border-top: 1px solid color-mix(in srgb, currentColor 22%, transparent); }
.ecg-push { position: relative; height: 0.6rem; }
.ecg-push::before { content: ""; position: absolute; left: 50%; top: -0.15rem; bottom: -0.15rem; width: 1px;
  background: color-mix(in srgb, currentColor 40%, transparent); }
.ecg-push > i { position: absolute; top: 0; bottom: 0; border-radius: 2px; background: var(--tone); min-width: 1px; }
</style>
"""


def sentence(found: Explanation) -> None:
    """Show the explanation in words, and what it is of."""
    leads = ", ".join(found.leads)
    of = [
        f"{found.model.name} {found.model.version}",
        f"{found.start_s:.4g} to {found.end_s:.4g} s",
        f"leads {leads}" if len(found.leads) > 1 else f"lead {leads}",
    ]
    about = escape("  ·  ".join(of))
    st.html(
        f'{CSS}{_CSS}<div class="ecg-card ecg-why"><div class="said">{escape(found.sentence)}</div>'
        f'<div class="ecg-quiet ecg-small">{about}</div></div>'
    )


def parts_grid(found: Explanation) -> None:
    """Show each wave of each lead as a cell: what it adds, or takes off, and where the parts add up the sums."""
    cells = {(part.lead, part.wave): part for part in found.segments}
    singles = [part for part in found.segments if part.lead and part.wave] or found.segments
    most = max((abs(part.value) for part in singles), default=0.0)
    leads: list[str | None] = [lead for lead in found.leads if any(at == lead for at, _ in cells)]
    waves: list[ExplanationWave | None] = [wave for wave in WAVES if any(of == wave for _, of in cells)]
    if found.adds_up and len(leads) > 1:
        cells |= _margins(found.segments)
    if any(lead is None for lead, _ in cells):
        leads.append(None)
    if any(wave is None for _, wave in cells):
        waves.append(None)
    head = "".join(f'<th scope="col">{name}</th>' for name in ("", *(WAVES[wave] if wave else "all" for wave in waves)))
    rows = [
        f'<tr><th scope="row">{escape(lead or _TOGETHER)}</th>'
        + "".join(_cell(cells.get((lead, wave)), most if lead and wave else 0.0) for wave in waves)
        + "</tr>"
        for lead in leads
    ]
    st.html(
        f'{CSS}{_CSS}<div class="ecg-scroll"><table class="ecg-parts"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def sums(found: Explanation) -> None:
    """Show what adds up to the answer."""
    parts = found.answer - found.base - found.trees - found.residual
    if found.figures:
        rows = [("Where nothing is known", found.base), ("All figures", parts)]
    else:
        rows = [("A tracing of straight lines", found.base), ("Waves of this tracing", parts)]
        rows.append(("Trees on measured figures", found.trees))
    if abs(found.residual) >= _LEAST:
        rows.append(("Left unexplained", found.residual))
    most = max(abs(value) for _, value in [*rows, ("", found.answer)])
    body = "".join(_push(name, value, most) for name, value in rows)
    total = f'<div class="total">Answer</div><div></div><div class="n total">{signed(found.answer)}</div>'
    chance = "" if found.probability is None else f": a probability of {words.chance(found.probability)}"
    means = f"In {found.unit}{chance}"
    st.html(
        f'{CSS}{_CSS}<div class="ecg-sums">{body}<div class="rule"></div>{total}</div>'
        f'<div class="ecg-quiet ecg-small">{escape(means)}.</div>'
    )


def what_if(found: Explanation, most: int = MOST_CHANGES) -> None:
    """Show what becomes of the probability without the waves that count most."""
    now = "" if found.probability is None else f" As it is, {words.chance(found.probability)}."
    rows = "".join(
        f'<tr><th scope="row">{escape(_place(part))}</th><td>{_chance(part.without)}</td>'
        f"<td>{_chance(part.usual)}</td></tr>"
        for part in found.segments[:most]
    )
    st.html(
        f'{CSS}{_CSS}<table class="ecg-parts"><thead><tr><th></th><th scope="col">as a straight line</th>'
        f'<th scope="col">as usual here</th></tr></thead><tbody>{rows}</tbody></table>'
        f'<div class="ecg-quiet ecg-small">The probability with one wave changed in all beats.{escape(now)}</div>'
    )


def faithfulness(measured: Mapping[str, Any], method: str) -> None:
    """Show how faithful the methods were measured to be, and what they are compared with.

    Parameters
    ----------
    measured
        ``explanations`` of the model's metrics.
    method
        The one that is shown, whose column is first.
    """
    figures: Mapping[str, Mapping[str, Any]] = measured["faithfulness"]["probability"]["all"]
    names = dict.fromkeys(name.partition(".")[0] for name in figures)
    columns = sorted(names, key=lambda name: (name != method, name in _PLAIN))
    rows = [
        {"": title, **{_COLUMNS.get(at, at): _interval(figures.get(f"{at}.{way}")) for at in columns}}
        for way, title in _WAYS.items()
    ]
    st.dataframe(rows, hide_index=True)
    about = f"Mean over {measured['n']} records ({measured['data']}, {measured['split']}); in brackets 95 % intervals."
    st.caption(words.literally(about))
    shuffled = measured.get("shuffled_weights", {})
    if method == shuffled.get("method"):
        likeness = _interval(shuffled["metrics"].get("spearman"))
        st.caption(
            words.literally(
                f"What a network with shuffled weights says is ranked otherwise: rank correlation {likeness} with what"
                " this one says, where 1 would be the same."
            )
        )


def figure_bars(figures: Sequence[ExplanationFigure], most: int = MOST_FIGURES) -> None:
    """Show what each of the first figures adds, and the rest together."""
    rows = [(f"{words.sentence(item.name)}: {_measured(item)}", item.added) for item in figures[:most]]
    if rest := figures[most:]:
        rows.append((f"{len(rest)} others together", math.fsum(item.added for item in rest)))
    highest = max((abs(value) for _, value in rows), default=0.0)
    body = "".join(_push(name, value, highest) for name, value in rows)
    st.html(f'{CSS}{_CSS}<div class="ecg-sums">{body}</div>')


def as_rows(found: Explanation) -> list[dict[str, Any]]:
    """Return the parts as rows of a table."""
    if found.figures:
        return [
            {"Figure": item.name, "Value": item.value, "Unit": item.unit, "Adds": item.added} for item in found.figures
        ]
    return [
        {
            "Lead": part.lead or _TOGETHER,
            "Wave": WAVES[part.wave] if part.wave else "all",
            "Adds": part.value,
            "Standard error": part.error,
            "Share of what speaks for it": part.share,
            "Probability without": part.without,
            "Probability with the usual": part.usual,
        }
        for part in found.segments
    ]


def signed(value: float) -> str:
    """Return a number with its sign: ``+0.84``; no sign where it rounds to nothing."""
    text = f"{value:+.2f}"
    return "0.00" if float(text) == 0 else text.replace("-", "\N{MINUS SIGN}")


_LEAST = 0.005
_PLAIN = ("edges", "random")
_COLUMNS = {
    "gradients": "integrated gradients",
    "activation": "class activation",
    "shap": "Shapley values",
    "edges": "edge detector",
    "random": "random order",
}
_WAYS = {
    "deletion": "Probability while what counts most is taken away (less is better)",
    "deletion.gain.random": "so much better than in random order",
    "deletion.gain.edges": "so much better than by an edge detector",
    "insertion": "Probability while what counts most is put back (more is better)",
    "insertion.gain.random": "so much better than in random order",
    "insertion.gain.edges": "so much better than by an edge detector",
}


def _measured(item: ExplanationFigure) -> str:
    if item.value is None:
        return "missing"
    # Without the sign of a zero.
    text = f"{item.value + 0.0:.3g}".replace("-", "\N{MINUS SIGN}")
    return f"{text}\u202f{item.unit}" if item.unit else text


def _place(part: ExplanationPart) -> str:
    wave = "all of it" if part.wave is None else "between the beats" if part.wave == "rest" else WAVES[part.wave]
    return f"{part.lead or _TOGETHER}: {wave}"


def _chance(probability: float | None) -> str:
    return words.DASH if probability is None else words.chance(probability)


def _interval(figure: Any) -> str:
    return words.DASH if figure is None else interval(ModelMetric.model_validate(figure))


def _cell(part: ExplanationPart | None, most: float) -> str:
    if part is None:
        return '<td style="--much: 0%"></td>'
    notes = []
    if part.error is not None:
        notes.append(f"standard error {part.error:.2f}")
    if part.share is not None:
        notes.append(f"{words.percent(part.share)} of what speaks for it")
    if part.without is not None:
        notes.append(f"as a straight line: {words.chance(part.without)}")
    if part.usual is not None:
        notes.append(f"as usual: {words.chance(part.usual)}")
    much = 65 * abs(part.value) / most if most else 0.0
    kind = _side(part.value) if most else "sum"
    return (
        f'<td class="{kind}" style="--much: {much:.0f}%" title="{escape("; ".join(notes))}">{signed(part.value)}</td>'
    )


def _margins(parts: Sequence[ExplanationPart]) -> dict[tuple[str | None, ExplanationWave | None], ExplanationPart]:
    """Return the sums of parts that add up: of each lead, of each wave, and of all."""
    places = {place for part in parts for place in ((part.lead, None), (None, part.wave), (None, None))}
    return {
        (lead, wave): ExplanationPart(
            lead=lead,
            wave=wave,
            value=math.fsum(part.value for part in parts if lead in (None, part.lead) and wave in (None, part.wave)),
        )
        for lead, wave in places
    }


def _push(name: str, value: float, most: float) -> str:
    width = 50 * abs(value) / most if most else 0.0
    left = 50.0 if value >= 0 else 50.0 - width
    return (
        f"<div>{escape(name)}</div>"
        f'<div class="ecg-push {_side(value)}" aria-hidden="true">'
        f'<i style="left: {left:.1f}%; width: {width:.1f}%"></i></div><div class="n">{signed(value)}</div>'
    )


def _side(value: float) -> str:
    return "ecg-for" if value >= 0 else "ecg-against"
