"""Recordings beside one another: two papers with what differs, and one person's measurements over time."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import streamlit as st

from api.schemas import Comparison, Measurements, RecordingItem, StoredAnalysis
from dashboard import session, words
from dashboard.client.recordings import TaggedRecording
from dashboard.components.comparison import TITLES, change_table, lead_changes, statement_table
from dashboard.views import memory
from dashboard.views.kept import draw_paper
from dashboard.views.layout import side_by_side
from dashboard.views.problems import refused

_MOST = 40
"""Recordings of one person that a trend shows, the latest."""
_DAYS = timedelta(days=5)
"""A span over which days tell recordings apart."""


def compare(first: str, second: str) -> None:
    """Show two recordings side by side, the earlier first, and what changed."""
    found: list[tuple[TaggedRecording, StoredAnalysis | None]] = []
    with refused(), st.spinner("Fetching both recordings ..."):
        found = [_fetch(which) for which in (first, second)]
    if len(found) < 2:
        return
    found.sort(key=lambda pair: (_moment(pair[0]), pair[0].created_at))
    for column, (kept, analysis), at in zip(side_by_side("pair"), found, "ab", strict=True):
        with column:
            st.page_link(
                "screens/recording.py",
                label=f"**{words.literally(kept.name)}**",
                icon=":material/monitor_heart:",
                query_params={"recording": kept.id},
            )
            st.caption(words.literally("  ·  ".join([words.person(kept.subject) or "Unknown person", _date(kept)])))
            if analysis is None:
                st.info("Not analysed yet: open it to have it analysed.", icon=":material/info:")
                continue
            st.markdown(f"**{words.literally(analysis.summary.diagnosis)}**")
            draw_paper(kept, analysis, f"paper {at}")
    (one, before), (other, after) = found
    if before and after:
        with refused(), st.spinner("Comparing ..."):
            changed = session.api().analyses.comparison(after.id, before=before.id)
            _show_changes(changed, (one.name, other.name), after.measurements)


def _show_changes(found: Comparison, names: tuple[str, str], usual: Measurements) -> None:
    st.subheader("What changed")
    for warning in found.warnings:
        st.markdown(f":orange[:material/warning:] {words.literally(words.sentence(warning))}.")
    st.markdown(f"**{words.literally(found.summary)}**")
    change_table(found, names, usual)
    if leads := lead_changes(found, names):
        with st.expander("Wave heights and ST levels that changed, lead by lead"):
            st.html(leads)
    st.subheader("Statements")
    statement_table(found, names)
    with st.expander("What the noise is"):
        for name, source in found.noise.sources.items():
            st.markdown(
                words.literally(
                    f"{words.sentence(name)}: {source['looks']} ({source['data']}). It includes {source['includes']}."
                    f" It leaves out {source['leaves_out']}."
                )
            )


def trend(subject_id: str) -> None:
    """Show how a measurement of one person went from recording to recording."""
    name = st.selectbox("Measurement", list(TITLES), format_func=TITLES.__getitem__, key="trend", width=320)
    with refused(), st.spinner("Fetching the recordings ..."):
        listed = session.api().recordings.list(search=subject_id, analysed=True, limit=_MOST)
        items = list(islice((item for item in listed if item.subject.id == subject_id), _MOST))
        _show_trend(name, sorted(items, key=lambda item: (_moment(item), item.created_at)))


def _show_trend(name: str, items: list[RecordingItem]) -> None:
    rows, without = [], 0
    for item in items:
        analysis = _latest(item.latest_analysis.id) if item.latest_analysis else None
        value = getattr(analysis.measurements, name).value if analysis else None
        without += value is None
        if analysis and value is not None:
            limits = getattr(analysis.measurements, name).range
            rows.append(
                {
                    "When": _moment(item),
                    "Value": value,
                    "Recording": item.name,
                    "Measured": words.value(name, value),
                    "Usual": words.usual(name, limits) or words.DASH,
                }
            )
    if not rows:
        st.info("No recording of this patient has a value for it.", icon=":material/info:")
        return
    st.vega_lite_chart(_chart(rows, TITLES[name]), width="stretch")
    table = [
        {"When": memory.when(row["When"]), **{k: row[k] for k in ("Recording", "Measured", "Usual")}} for row in rows
    ]
    st.table(table)
    if without:
        st.caption(f"Without a value for it: {without} more.")


def _chart(rows: list[dict[str, Any]], title: str) -> dict[str, Any]:
    """Return points over time, joined by a line, as Vega-Lite draws them."""
    first, last = rows[0]["When"], rows[-1]["When"]
    style = "%d %b %Y" if last - first > _DAYS else "%d %b, %H:%M:%S"
    shown = [
        {"When": row["When"].isoformat(), **{k: row[k] for k in ("Value", "Recording", "Measured")}} for row in rows
    ]
    return {
        "data": {"values": shown},
        "height": 260,
        "mark": {"type": "line", "point": {"size": 70, "filled": True}},
        "encoding": {
            "x": {"field": "When", "type": "temporal", "title": None, "axis": {"format": style, "tickCount": 5}},
            "y": {"field": "Value", "type": "quantitative", "title": title, "scale": {"zero": False}},
            "tooltip": [
                {"field": "Recording"},
                {"field": "Measured", "title": title},
                {"field": "When", "type": "temporal"},
            ],
        },
    }


def _fetch(which: str) -> tuple[TaggedRecording, StoredAnalysis | None]:
    client = session.api()
    kept = client.recordings.get(which)
    newest = next(client.analyses.list(which), None)
    return kept, _latest(newest.id) if newest else None


def _latest(analysis_id: str) -> StoredAnalysis:
    return memory.remember(("analysis", analysis_id), lambda: session.api().analyses.get(analysis_id))


def _moment(item: RecordingItem | TaggedRecording) -> datetime:
    """Return when it was recorded, where the file says so, else when it was sent."""
    if not item.start:
        return item.created_at
    start = datetime.fromisoformat(item.start)
    return start if start.tzinfo else start.replace(tzinfo=memory.zone() or item.created_at.tzinfo)


def _date(kept: TaggedRecording) -> str:
    return f"recorded {kept.start.replace('T', ' ')}" if kept.start else f"sent {memory.when(kept.created_at)}"
