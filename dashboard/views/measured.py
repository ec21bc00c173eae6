"""How good the installed models were measured to be: curves, calibration, groups, robustness and their worst errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import streamlit as st
from pydantic import ValidationError

from api.schemas import ModelDetails, ModelMetric
from dashboard import session, telling, words
from dashboard.components.curves import AXES, curves
from dashboard.measured import Measured
from dashboard.views.measured_errors import show_confusion, show_failures
from dashboard.views.measured_groups import show_chain, show_robustness, show_subgroups
from dashboard.views.memory import remember

_FIRST_CURVES = 5
_MOST_CURVES = 8
_CALIBRATION = {
    "slope": "Slope (1 is best)",
    "intercept": "Intercept (0 is best)",
    "ece": "Mean error of probabilities",
}
_CALIBRATION_NAMES = {name: name for name in _CALIBRATION} | {
    "calibration_slope": "slope",
    "calibration_intercept": "intercept",
    "calibration_error": "ece",
}


@dataclass(frozen=True)
class Shown:
    """A model with all that was measured of it."""

    model: ModelDetails
    more: Measured
    source: str
    """Data, split and number of records, in words."""


def show_measured() -> None:
    """Let a model be chosen, and show part by part what was measured of it."""
    names = [f"{model.name}/{model.version}" for model in remember("models", session.api().models.list)]
    if not names:
        st.info("No model is installed: measurements and rules answer alone.", icon=":material/deployed_code:")
        return
    first = next((at for at, name in enumerate(names) if name.startswith("heart12/")), 0)
    chosen = st.selectbox("Model", names, first, key="model", width=320, bind="query-params")
    shown = _fetch(*chosen.split("/", 1))
    if shown is None:
        return
    parts = [title for title, (has, _) in _PARTS.items() if has(shown)]
    if parts:
        part = st.segmented_control(
            "Part", parts, default=parts[0], required=True, label_visibility="collapsed", key=f"part of {chosen}"
        )
        _PARTS[part or parts[0]][1](shown)
    else:
        st.info("Of this model figures were kept, and nothing that could be drawn.", icon=":material/info:")
    if missing := [title.casefold() for title in _PARTS if title not in parts]:
        st.caption(f"Not measured of this model: {', '.join(missing)}. Its figures are on the page Models.")


def _fetch(name: str, version: str) -> Shown | None:
    """Return a model; None, and why, where nothing was measured of it that can be shown."""
    api = session.api().models
    with st.spinner("Fetching the figures ..."):
        model = remember(f"measured {name}/{version}", lambda: api.get(name, version, parts=["metrics", "curves"]))
        if model.metrics is None:
            why = model.reasons.get("metrics", "nothing was measured here")
            st.info(words.literally(f"{words.sentence(why)}."), icon=":material/info:")
            return None
        whole = remember(f"all measured {name}/{version}", lambda: api.metrics(name, version))
    try:
        more = Measured.model_validate(whole)
    except ValidationError as error:
        place = ".".join(map(str, error.errors()[0]["loc"]))
        st.warning(
            words.literally(f"Its figures are of another form, at {place}: only curves are shown."),
            icon=":material/warning:",
        )
        more = Measured()
    about = model.measured_on
    parts = (about.data, about.split, f"{about.n:,} records" if about.n else None) if about else ()
    return Shown(model, more, f"Measured on {', '.join(part for part in parts if part)}." if about else "")


def _curves_of(shown: Shown, kinds: Sequence[str]) -> dict[str, dict[str, dict[str, list[float]]]]:
    found = shown.model.curves or {}
    return {kind: found[kind] for kind in kinds if found.get(kind)}


def _show_curves(shown: Shown) -> None:
    found = _curves_of(shown, _KINDS)
    kind = st.segmented_control(
        "Curve",
        list(found),
        default=next(iter(found)),
        required=True,
        format_func=lambda name: AXES[name].title,
        key=f"curve of {shown.model.name}",
    )
    kind = kind or next(iter(found))
    if chosen := _ask_labels(shown, kind, list(found[kind])):
        curves(kind, {title: found[kind][name] for name, title in chosen.items()}, shown.source)


def _show_calibration(shown: Shown) -> None:
    labels = _curves_of(shown, ["reliability"]).get("reliability", {})
    chosen = _ask_labels(shown, "reliability", list(labels)) if labels else {}
    if chosen:
        curves("reliability", {title: labels[name] for name, title in chosen.items()}, shown.source)
    rows = _calibration_rows(shown.model.metrics or {}, chosen)
    if rows:
        st.dataframe(rows, hide_index=True, height="content")
        about = "With 95 % intervals. A slope below 1 says that probabilities are too extreme."
        st.caption(words.literally(about if chosen else f"{about} {shown.source}"))


def _calibration_rows(metrics: Mapping[str, ModelMetric], chosen: Mapping[str, str]) -> list[dict[str, str]]:
    """Return a row a label; of a model whose figures name no label that is chosen, all that it has."""
    rows: dict[str, dict[str, str]] = {}
    for name, figure in metrics.items():
        label, _, last = name.rpartition(".")
        known = _CALIBRATION_NAMES.get(last)
        if (
            known is None
            and not label
            and (of := next((n for n in _CALIBRATION_NAMES if last.startswith(f"{n}_")), ""))
        ):
            label, known = last.removeprefix(f"{of}_"), _CALIBRATION_NAMES[of]
        if known is not None:
            rows.setdefault(label, {})[_CALIBRATION[known]] = telling.interval(figure)
    wanted = {label: rows[label] for label in chosen if label in rows} or {
        label: row for label, row in rows.items() if "." not in label
    }
    return [
        {"Label": chosen.get(label, label or "All"), **{title: row.get(title, "") for title in _CALIBRATION.values()}}
        for label, row in wanted.items()
    ]


def _ask_labels(shown: Shown, kind: str, names: Sequence[str]) -> dict[str, str]:
    """Return the labels that are to be drawn, with their titles."""
    titles = session.info().statements
    chosen = st.multiselect(
        "Labels",
        names,
        default=[name for name in names if name.startswith("superclass.")][:_FIRST_CURVES] or list(names)[:3],
        max_selections=_MOST_CURVES,
        format_func=lambda name: telling.label(name, titles),
        key=f"labels of {shown.model.name} {kind}",
    )
    if not chosen:
        st.caption("Choose a label to see its curve.")
    return {name: telling.label(name, titles) for name in chosen}


_KINDS = ("roc", "precision_recall", "decision")
_PARTS: dict[str, tuple[Callable[[Shown], object], Callable[[Shown], None]]] = {
    "Curves": (lambda shown: _curves_of(shown, _KINDS), _show_curves),
    "Calibration": (
        lambda shown: _curves_of(shown, ["reliability"]) or _calibration_rows(shown.model.metrics or {}, {}),
        _show_calibration,
    ),
    "Confusion": (
        lambda shown: shown.more.confusion or (shown.more.operating_points and shown.more.positives),
        lambda shown: show_confusion(shown.more, shown.model, shown.source),
    ),
    "Subgroups": (lambda shown: shown.more.subgroups, lambda shown: show_subgroups(shown.more, shown.source)),
    "Robustness": (
        lambda shown: shown.more.robustness,
        lambda shown: show_robustness(shown.more.robustness, shown.source),
    ),
    "Whole analysis": (lambda shown: shown.more.chain, lambda shown: show_chain(shown.more.chain, shown.source)),
    "Failures": (lambda shown: shown.more.failures, lambda shown: show_failures(shown.more.failures, shown.source)),
}
