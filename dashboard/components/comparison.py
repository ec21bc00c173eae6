"""What changed from one recording to another, as HTML: each difference beside its noise, the changed first."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import streamlit as st

from api.schemas import Change, Comparison, Measurements, StatementChange
from dashboard import words
from dashboard.components.measurement_table import GROUPS, LEAD_COLUMNS, TABLE_CSS

_ALONE = {"QT corrected for rate": "QTc {}", "Frontal axes": "{} axis"}
TITLES = {name: _ALONE.get(group, "{}").format(words.MEASURED[name]) for group, names in GROUPS for name in names}
"""Measurements by name, as they are called where their group does not stand above them."""
_ORDER = ("changed", "within noise", "cannot be told")
_FATES = {"appeared": "Appeared", "disappeared": "Gone", "stays": "Stays", "cannot be told": "Cannot be told"}
_WIDE_FIRST = "<colgroup>" + "".join(f'<col style="width: {w}%">' for w in (38, 15, 15, 14, 18)) + "</colgroup>"
_CSS = f"""{TABLE_CSS}
<style>
.ecg-table td.left, .ecg-table th.left {{ text-align: left; padding-left: 0.75rem; }}
.ecg-table tr.quiet {{ opacity: 0.72; }}
.ecg-table tr.quiet td.quiet {{ opacity: 1; }}
</style>
"""


def change_table(found: Comparison, names: tuple[str, str], usual: Measurements) -> None:
    """Show the measurements of the whole recording; the names are the recordings'."""
    rows = [
        _row(TITLES[name], name, found.measurements[name], words.usual(name, getattr(usual, name).range))
        for name in _by_verdict(found.measurements)
        if name in TITLES
    ]
    untold = "".join(
        f'<tr class="quiet"><th scope="row" colspan="6">{escape(", ".join(called))}: {escape(why)}</th></tr>'
        for why, called in _untold(found.measurements).items()
    )
    st.html(_table(("", *names, "Difference", "Noise", "Usual"), "".join(rows) + untold))


def lead_changes(found: Comparison, names: tuple[str, str]) -> str:
    """Return the table of what changed in single leads, as HTML; empty where nothing did."""
    rows = [
        _row(f"{lead} {LEAD_COLUMNS[name]}", name, item, "")
        for lead, row in found.leads.items()
        for name, item in row.items()
        if item.verdict == "changed" and name in LEAD_COLUMNS
    ]
    return _table(("", *names, "Difference", "Noise", ""), "".join(rows)) if rows else ""


def statement_table(found: Comparison, names: tuple[str, str]) -> None:
    """Show what became of each finding."""
    order = ("appeared", "disappeared", "cannot be told", "stays")
    ordered = sorted(found.statements, key=lambda item: order.index(item.fate))
    body = "".join(_statement(item) for item in ordered)
    st.html(_table(("Statement", *names, "", ""), body, _WIDE_FIRST))


def _statement(item: StatementChange) -> str:
    cells = "".join(
        f"<td>{words.DASH if value is None else escape(words.chance(value))}</td>"
        for value in (item.before, item.after)
    )
    fate = escape(_FATES[item.fate])
    aside = item.reason or {True: "beyond noise", False: "within noise", None: ""}[item.beyond_noise]
    mark = f'<span class="ecg-flag">{fate}</span>' if item.fate in ("appeared", "disappeared") else fate
    return (
        f'<tr{_quiet(item.fate == "stays")}><th scope="row">{escape(item.text)}</th>{cells}'
        f'<td>{mark}</td><td class="left">{escape(aside)}</td></tr>'
    )


def _row(title: str, name: str, item: Change, usual: str) -> str:
    if item.difference is None or item.reason is not None:
        return ""
    values = "".join(
        f'<td class="value">{escape(words.value(name, value or 0.0))}</td>' for value in (item.before, item.after)
    )
    by = escape(words.difference(name, item.difference))
    noise = f"±\u202f{escape(words.size_of(name, item.noise.limit))}" if item.noise else ""
    about = f"{item.noise.n} pairs, {item.noise.source}" if item.noise else ""
    shown = f'<span class="ecg-odd">{by}</span>' if item.verdict == "changed" else by
    return (
        f'<tr{_quiet(item.verdict != "changed")}><th scope="row">{escape(title)}</th>{values}<td>{shown}</td>'
        f'<td class="quiet" title="{escape(about)}">{noise}</td><td class="quiet">{escape(usual)}</td></tr>'
    )


def _quiet(quiet: bool) -> str:
    return ' class="quiet"' if quiet else ""


def _by_verdict(measured: Mapping[str, Change]) -> list[str]:
    return sorted(measured, key=lambda name: _ORDER.index(measured[name].verdict))


def _untold(measured: Mapping[str, Change]) -> dict[str, list[str]]:
    """Return what cannot be compared although one recording or both have it, by the reason."""
    found: dict[str, list[str]] = {}
    for name, item in measured.items():
        if item.reason and name in TITLES and (item.before is not None or item.after is not None):
            found.setdefault(item.reason, []).append(TITLES[name])
    return found


def _table(titles: tuple[str, ...], body: str, columns: str = "") -> str:
    """Return a table, as HTML."""
    head = "".join(f'<th scope="col">{escape(title)}</th>' for title in titles)
    return f'{_CSS}<table class="ecg-table">{columns}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
