"""Where a model is wrong: counts of what was called and what was there, and its most confident errors."""

from __future__ import annotations

from typing import Any

import streamlit as st

from api.schemas import ModelDetails
from dashboard import session, telling, words
from dashboard.components.charts import show_rows
from dashboard.components.confusion import confusion
from dashboard.measured import Case, Errors, Failures, Measured, Point

_MOST_PX = 420


def show_confusion(more: Measured, model: ModelDetails, source: str) -> None:
    """Show what was called of what was there."""
    if more.confusion is not None:
        labels = more.confusion.labels
        confusion(more.confusion.counts, labels, labels, source=source)
        show_rows(
            [
                {"There": label, **{f"Called {name}": n for name, n in zip(labels, row, strict=True)}}
                for label, row in zip(labels, more.confusion.counts, strict=True)
            ]
        )
        return
    n = model.measured_on.n if model.measured_on else None
    if n is None:
        st.caption("How many records there were was not kept.")
        return
    points = list(more.operating_points)
    point = st.segmented_control(
        "Chosen for",
        points,
        default=points[0],
        required=True,
        format_func=lambda name: words.POINTS.get(name, name),
        key=f"confusion of {model.name}",
    )
    found = more.operating_points[point or points[0]]
    cells = {
        name: counts
        for name, at in found.items()
        if name in more.positives and (counts := _cells(at, more.positives[name], n))
    }
    if not cells:
        st.caption("No label has both a threshold and a count.")
        return
    titles = session.info().statements
    first = next((at for at, name in enumerate(cells) if name.startswith("superclass.")), 0)
    label = st.selectbox(
        "Label",
        list(cells),
        first,
        format_func=lambda name: telling.label(name, titles),
        key=f"confusion label of {model.name}",
        width=420,
    )
    at = found[label]
    st.markdown(
        words.literally(
            f"Sensitivity {telling.interval(at.sensitivity)}, specificity {telling.interval(at.specificity)},"
            f" positive predictive value {telling.interval(at.ppv)}."
        )
    )
    called = f" Called from a probability of {at.threshold:.3f}." if at.threshold is not None else ""
    hit, missed, false, rest = cells[label]
    confusion(
        [[hit, missed], [false, rest]],
        ["present", "absent"],
        ["yes", "no"],
        source=f"{source}{called} 95 % intervals.",
    )
    show_rows(
        [
            {
                "Label": telling.label(name, titles),
                "Called rightly": hit,
                "Missed": missed,
                "Called wrongly": false,
                "Left out rightly": rest,
            }
            for name, (hit, missed, false, rest) in cells.items()
        ],
        title=f"All labels: {len(cells)}",
    )


def _cells(at: Point, positives: int, n: int) -> tuple[int, int, int, int] | None:
    """Return true positives, false negatives, false positives and true negatives, which the shares are made of."""
    if at.sensitivity.value is None or at.specificity.value is None:
        return None
    hit, rest = round(at.sensitivity.value * positives), round(at.specificity.value * (n - positives))
    return hit, positives - hit, n - positives - rest, rest


def show_failures(found: Failures | None, source: str) -> None:
    """Show the records that a model was most sure of and wrong about."""
    if found is None:
        return
    if found.worst:
        st.caption(words.literally(f"The records with the lowest {found.metric}. {source}"))
        rows = [{"Record": case.record, **case.figures} for case in found.worst]
        st.dataframe(rows, hide_index=True, height=_height(len(rows)))
    if not found.labels:
        return
    titles = session.info().statements
    names = list(found.labels)
    first = next((at for at, name in enumerate(names) if name.startswith("superclass.")), 0)
    name = st.selectbox(
        "Label",
        names,
        first,
        format_func=lambda name: telling.label(name, titles),
        key=f"failures {' '.join(names[:3])}",
        width=420,
    )
    label = found.labels[name]
    at = f"from {label.threshold:.3f}" if label.threshold is not None else ""
    called = ", ".join(part for part in (at, found.threshold) if part)
    st.caption(words.literally(f"The errors it was most sure of. Called {called or 'as it ships'}. {source}"))
    for title, errors in (
        ("Called, and not there", label.false_positives),
        ("There, and missed", label.false_negatives),
    ):
        _show_errors(title, errors)


def _show_errors(title: str, errors: Errors) -> None:
    shown = f", the {len(errors.worst)} most confident" if len(errors.worst) < errors.n else ""
    st.markdown(f"**{title}**: {errors.n}{shown}")
    if errors.worst:
        rows = [_case(case) for case in errors.worst]
        numbers = {"Probability": st.column_config.NumberColumn(format="%.3f")}
        st.dataframe(rows, hide_index=True, height=_height(len(rows)), column_config=numbers)


def _case(case: Case) -> dict[str, Any]:
    return {
        "Record": case.record,
        "Probability": case.probability,
        "What people said": ", ".join(case.truth),
        "Age": case.age,
        "Sex": case.sex or "",
    }


def _height(n_rows: int) -> int:
    return min(_MOST_PX, 36 * n_rows + 38)
