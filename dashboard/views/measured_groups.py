"""Where a model is better or worse: groups of people and recordings, and recordings that were spoilt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from api.schemas import ModelMetric
from dashboard import telling, words
from dashboard.components.charts import DIFFERENCE, differences_left_out, show_rows
from dashboard.components.doses import Dose, doses
from dashboard.components.forest import Line, forest
from dashboard.measured import Measured, Robustness

_NONE = ModelMetric(value=None)
_INTERVALS = "Bars: 95 % bootstrap intervals."


def show_subgroups(more: Measured, source: str) -> None:
    """Show by how much a figure differs in each group from all others."""
    groups = {
        f"{words.sentence(kind)}: {level}": group
        for kind, levels in more.subgroups.items()
        for level, group in levels.items()
    }
    names = differences_left_out([name for group in groups.values() for name in group.metrics])
    if names:
        name = _ask_figure(names, "subgroups")
        found = {title: group.metrics for title, group in groups.items() if name in group.metrics}
        if any(name + DIFFERENCE in metrics for metrics in found.values()):
            lines = [Line(title, metrics.get(name + DIFFERENCE, _NONE)) for title, metrics in found.items()]
            about = "In the group minus in all other records; an interval beside the line is more than chance."
            forest(lines, f"Difference in {name}", compared_with=0.0, source=f"{source} {_INTERVALS}", about=about)
        else:
            lines = [Line(title, metrics[name]) for title, metrics in found.items()]
            forest(lines, name, compared_with=None, source=f"{source} {_INTERVALS}")
        any_left_out = any(group.reason for group in groups.values())
        st.dataframe(
            [
                {
                    "Group": title,
                    "Records": group.n,
                    name: telling.interval(group.metrics.get(name, _NONE)),
                    "Difference": telling.interval(group.metrics.get(name + DIFFERENCE, _NONE)),
                    **({"Why not": words.sentence(group.reason or "")} if any_left_out else {}),
                }
                for title, group in groups.items()
            ],
            hide_index=True,
            height="content",
        )
    for kind, why in more.subgroups_unknown.items():
        st.caption(words.literally(f"By {kind}: {why}."))


def show_robustness(found: Robustness | None, source: str) -> None:
    """Show what noise, lost leads and the like cost the model."""
    if found is not None:
        _show_conditions(found, source, "robustness")


def show_chain(found: Robustness | None, source: str) -> None:
    """Show what the same costs the whole analysis, rules and measurements included."""
    if found is not None:
        st.caption("All that is said of a recording, under the same conditions, beside what is said of it as it was.")
        _show_conditions(found, source, "chain")


def _show_conditions(found: Robustness, source: str, key: str) -> None:
    name = _ask_figure(list(found.as_recorded), key, found.about)
    if about := found.about.get(name):
        st.markdown(words.literally(f"{words.sentence(about)}."))
    st.markdown(f"As recorded: **{words.literally(telling.interval(found.as_recorded[name]))}**, the dashed line.")
    as_recorded = found.as_recorded[name]
    doses(
        [Dose(item.kind, item.level, item.dose, item.metrics.get(name, _NONE)) for item in found.conditions],
        as_recorded,
    )
    on = f"{found.n:,} records" + (f" ({found.records})" if found.records else "")
    facts = (f"{found.data or source.removesuffix('.')}; of these {on}", found.answers, f"noise: {found.noise}")
    said = "; ".join(fact for fact in facts if fact and not fact.endswith(": "))
    st.caption(words.literally(f"{said}. {_INTERVALS}"))
    show_rows([_row(item.kind, item.level, item.metrics, name) for item in found.conditions])


def _row(kind: str, level: str, metrics: dict[str, ModelMetric], name: str) -> dict[str, Any]:
    value, change = metrics.get(name, _NONE), metrics.get(name + DIFFERENCE, _NONE)
    return {
        "Kind": words.sentence(kind),
        "Level": level,
        "Value": telling.interval(value),
        "Change": telling.interval(change),
    }


def _ask_figure(names: Sequence[str], key: str, about: dict[str, str] | None = None) -> str:
    titles = about or {}
    return st.selectbox(
        "Figure",
        names,
        key=f"figure of {key} {' '.join(names[:3])}",
        width=420,
        format_func=lambda name: f"{name}: {titles[name]}" if name in titles else name,
    )
