"""The table of measurements, as HTML: value, what is usual, spread, and why something is missing or qualified."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

import streamlit as st

from api.schemas import Measurement, Measurements
from dashboard import words

GROUPS = (
    ("Rate", ("hr_bpm", "rr_min_ms", "rr_max_ms")),
    ("Intervals", ("pr_ms", "p_ms", "qrs_ms", "qt_ms", "jt_ms")),
    ("QT corrected for rate", ("qtc_fridericia_ms", "qtc_bazett_ms", "qtc_framingham_ms", "qtc_hodges_ms")),
    ("Frontal axes", ("p_axis_deg", "qrs_axis_deg", "t_axis_deg")),
    ("Voltages", ("sokolow_lyon_mv", "cornell_mv", "r_transition")),
)
LEAD_COLUMNS = {
    "q_mv": "Q",
    "r_mv": "R",
    "s_mv": "S",
    "st_j_mv": "J",
    "st_j40_mv": "J\u202f+\u202f40",
    "st_j60_mv": "J\u202f+\u202f60",
    "st_j80_mv": "J\u202f+\u202f80",
}
_COLUMNS = "<colgroup>" + "".join(f'<col style="width: {w}%">' for w in (31, 22, 15, 20, 12)) + "</colgroup>"
TABLE_CSS = """
<style>
.ecg-tables { display: grid; grid-template-columns: repeat(auto-fit, minmax(340px, 1fr)); gap: 0 2.5rem; }
.ecg-table { border-collapse: collapse; width: 100%; table-layout: fixed; font-variant-numeric: tabular-nums;
  font-size: 0.95rem; }
.ecg-table caption { text-align: left; font-weight: 600; padding: 0.9rem 0 0.3rem; }
.ecg-table th, .ecg-table td { border: 0; padding: 0.28rem 0.5rem 0.28rem 0; text-align: right;
  vertical-align: baseline; border-top: 1px solid color-mix(in srgb, currentColor 12%, transparent); }
.ecg-table th:first-child { text-align: left; font-weight: 400; }
.ecg-table thead th { font-weight: 400; opacity: 0.72; border-top: 0; overflow-wrap: anywhere; }
.ecg-table td.value { font-weight: 600; white-space: nowrap; }
.ecg-table td.quiet { opacity: 0.72; white-space: nowrap; }
.ecg-table td.why { opacity: 0.72; text-align: left; padding-left: 0.75rem; }
.ecg-table tr.remark td { border-top: 0; padding-top: 0; text-align: left; opacity: 0.72; font-size: 0.87rem; }
.ecg-flag { border-radius: 999px; padding: 0.05rem 0.5rem; font-size: 0.82rem; font-weight: 600; white-space: nowrap;
  background: color-mix(in srgb, #d98200 22%, transparent); }
.ecg-odd { background: color-mix(in srgb, #d98200 22%, transparent); border-radius: 4px; padding: 0.05rem 0.3rem; }
</style>
"""


def measurement_table(measurements: Measurements) -> None:
    """Show the values of the whole recording."""
    tables = "".join(_group(title, names, measurements) for title, names in GROUPS)
    st.html(f'{TABLE_CSS}<div class="ecg-tables">{tables}</div>')


def lead_table(measurements: Measurements) -> None:
    """Show wave heights and ST levels, a lead a row."""
    head = "".join(f'<th scope="col">{title}</th>' for title in LEAD_COLUMNS.values())
    body = "".join(
        f'<tr><th scope="row">{escape(lead)}</th>{"".join(_level(row.get(name)) for name in LEAD_COLUMNS)}</tr>'
        for lead, row in measurements.leads.items()
    )
    st.html(
        f'{TABLE_CSS}<table class="ecg-table"><thead><tr><th scope="col">mV</th>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )


def _group(title: str, names: Iterable[str], measurements: Measurements) -> str:
    """Return a table: values first, then what is missing and why, then what must not be read alone."""
    items = {name: getattr(measurements, name) for name in names}
    values = "".join(_value_row(name, item) for name, item in items.items() if item.value is not None)
    missing = "".join(
        f'<tr><th scope="row">{called}</th><td class="why" colspan="4">{why}</td></tr>'
        for why, called in _by_text({name: item.reason for name, item in items.items()})
    )
    remarks = "".join(
        f'<tr class="remark"><td colspan="5">{called}: {caution}</td></tr>'
        for caution, called in _by_text({name: item.caution for name, item in items.items()})
    )
    head = f'<table class="ecg-table"><caption>{escape(title)}</caption>{_COLUMNS}'
    return f"<div>{head}<tbody>{values}{missing}{remarks}</tbody></table></div>"


def _by_text(texts: dict[str, str | None]) -> list[tuple[str, str]]:
    """Return each text with the names of what it speaks of, as HTML."""
    found: dict[str, list[str]] = {}
    for name, text in texts.items():
        if text:
            found.setdefault(text, []).append(words.MEASURED[name])
    return [(escape(text), escape(", ".join(called))) for text, called in found.items()]


def _value_row(name: str, item: Measurement) -> str:
    spread = "" if item.spread is None else f"±\u202f{words.figure(name, item.spread)}"
    flag = f'<span class="ecg-flag">{item.flag}</span>' if item.flag in ("low", "high") else ""
    source = escape(item.range.source) if item.range else ""
    return (
        f'<tr><th scope="row" title="{escape(item.method)}">{escape(words.MEASURED[name])}</th>'
        f'<td class="value">{escape(words.value(name, item.value or 0.0))}</td><td>{flag}</td>'
        f'<td class="quiet" title="{source}">{escape(words.usual(name, item.range))}</td>'
        f'<td class="quiet" title="spread over {item.n} beats">{spread}</td></tr>'
    )


def _level(item: Measurement | None) -> str:
    if item is None or item.value is None:
        return f'<td title="{escape(item.reason or "") if item else ""}">{words.DASH}</td>'
    text = words.figure("mv", item.value)
    return f'<td><span class="ecg-odd">{text}</span></td>' if item.flag in ("low", "high") else f"<td>{text}</td>"
