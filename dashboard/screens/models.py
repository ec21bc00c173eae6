"""The installed models: what each is for, how good it was measured to be, where it calls its labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from api.schemas import LabelThresholds, ModelDetails, ModelSummary, TrainingData
from dashboard import session, telling, words
from dashboard.views.problems import refused

_HEIGHT_PX = 460
_EVALUATION = Path(__file__).with_name("evaluation.py")
_PART_TITLES = {"card": "Card", "metrics": "Metrics", "thresholds": "Operating points"}


def _page() -> None:
    st.title("Models", anchor=False)
    st.caption("What answers here, what it learned from, and how good it was measured to be.")
    search = st.text_input(
        "Search names, descriptions and labels",
        key="model_search",
        icon=":material/search:",
        placeholder="for example AFIB, quality, waves",
    ).strip()
    with refused():
        found = session.api().models.list(search=search[:100] or None)
        if not found:
            _show_none(search)
            return
        _show(_chosen(found))


def _show_none(search: str) -> None:
    if search:
        st.info(f"No model has {words.literally(search)} in its name, description or labels.", icon=":material/search:")
    else:
        st.info("No model is installed: measurements and rules answer alone.", icon=":material/deployed_code:")


def _chosen(found: Sequence[ModelSummary]) -> ModelSummary:
    first = sorted(found, key=lambda model: not model.answers)
    titles = {f"{model.name}/{model.version}": model for model in first}
    several = len({model.name for model in found}) < len(titles)
    chosen = st.pills(
        "Model",
        list(titles),
        default=next(iter(titles)),
        required=True,
        format_func=lambda key: words.literally(key if several else titles[key].name),
        key=f"model of {' '.join(titles)}",
    )
    return titles[chosen or next(iter(titles))]


def _show(chosen: ModelSummary) -> None:
    model = session.api().models.get(chosen.name, chosen.version, parts=["card", "metrics", "thresholds"])
    st.header(words.literally(model.title), anchor=False)
    badges = [f":gray-badge[{words.literally(f'{model.name} {model.version}')}]"]
    badges.append(":green-badge[can be asked]" if model.answers else ":gray-badge[part of every analysis]")
    if model.origin == "added":
        badges.append(":orange-badge[added here]")
    st.markdown(" ".join(badges))
    if model.description:
        st.markdown(words.literally(model.description))
    if not model.answers and model.reason:
        st.caption(words.literally(f"{words.sentence(model.reason)}."))
    tabs = st.tabs([*_PART_TITLES.values(), "Labels", "Particulars"])
    parts = (_show_card, _show_metrics, _show_thresholds, _show_labels, _show_particulars)
    for tab, part in zip(tabs, parts, strict=True):
        with tab:
            part(model)


def _why_not(model: ModelDetails, part: str) -> None:
    """Say why a part is not there."""
    why = model.reasons.get(part, "the model does not have this")
    st.info(words.literally(f"{words.sentence(why)}."), icon=":material/info:")


def _show_card(model: ModelDetails) -> None:
    if model.card is None:
        _why_not(model, "card")
        return
    # Cards come with the models, which are checked against their checksums: Markdown, and no HTML is let through.
    # Their title stands above already.
    _, _, text = model.card.partition("\n") if model.card.startswith("# ") else ("", "", model.card)
    with st.container(width=860):
        st.markdown(text.replace("\n## ", "\n#### ").replace("\n### ", "\n##### "))


def _show_metrics(model: ModelDetails) -> None:
    if model.metrics is None:
        _why_not(model, "metrics")
        _show_stated(model)
        return
    if measured := model.measured_on:
        counted = f"{measured.n} records" if measured.n else "records"
        st.caption(words.literally(f"On {counted} of {measured.data}: {measured.split or 'all'}. 95 % intervals."))
    wanted = st.text_input("Filter figures", key=f"metrics of {model.name}", placeholder="for example macro, auc, AFIB")
    rows = [
        {"Figure": name, "Value": figure.value, "From": figure.low, "To": figure.high}
        for name, figure in model.metrics.items()
        if all(part.casefold() in name.casefold() for part in wanted.split())
    ]
    st.caption(f"{len(rows)} of {len(model.metrics)} figures")
    if rows:
        st.dataframe(rows, hide_index=True, height=min(_HEIGHT_PX, 36 * len(rows) + 38), column_config=_numbers(rows))
    else:
        st.caption(f"None has {words.literally(wanted)} in its name.")
    _show_stated(model)
    if st.button(
        "Curves, calibration, groups, robustness", icon=":material/target:", key=f"evaluation of {model.name}"
    ):
        st.switch_page(_EVALUATION, query_params={"where": "As measured", "model": f"{model.name}/{model.version}"})


def _show_stated(model: ModelDetails) -> None:
    if model.accuracy:
        st.markdown("**Stated by whoever made it, not measured here**")
        st.json(model.accuracy)


def _show_thresholds(model: ModelDetails) -> None:
    if model.thresholds is None:
        _why_not(model, "thresholds")
        return
    left, right = st.columns(2)
    if len(model.views) > 1:
        names = list(model.views)
        view = left.selectbox(
            "As it reads",
            names,
            format_func=lambda name: f"{name}: {', '.join(model.views[name])}",
            key=f"view of {model.name}",
        )
        if view != model.thresholds.view:
            model = session.api().models.get(model.name, model.version, parts=["thresholds"], view=view)
    thresholds = model.thresholds
    if thresholds is None or not thresholds.labels:
        st.caption("The model has no operating points; its manifest states these figures.")
        stated = None if thresholds is None else thresholds.stated
        lines = stated if isinstance(stated, list) else [stated]
        if all(
            isinstance(line, Mapping) and not any(isinstance(x, dict | list) for x in line.values()) for line in lines
        ):
            st.dataframe(lines, hide_index=True, width="content")
        else:
            st.json(stated)
        return
    wanted = right.text_input("Find a label", key=f"label of {model.name}", placeholder="for example block")
    point = st.segmented_control(
        "Chosen for",
        list(words.POINTS),
        default=next(iter(words.POINTS)),
        required=True,
        format_func=words.POINTS.__getitem__,
        key=f"point of {model.name}",
    )
    titles = session.info().statements
    rows = [
        _threshold_row(name, label, point or "max_f1", thresholds.prevalences, titles)
        for name, label in thresholds.labels.items()
        if wanted.casefold() in telling.label(name, titles).casefold()
    ]
    if not rows:
        st.caption(f"No label has {words.literally(wanted)} in its name.")
        return
    st.dataframe(rows, hide_index=True, height=min(_HEIGHT_PX, 36 * len(rows) + 38), column_config=_numbers(rows))
    if thresholds.prevalences:
        shares = ", ".join(words.percent(share) for share in thresholds.prevalences)
        st.caption(f"PPV is also given where {shares} of the people bear the label. A label too rare is never called.")


def _threshold_row(
    name: str, label: LabelThresholds, point: str, prevalences: list[float], titles: Mapping[str, str]
) -> dict[str, Any]:
    found = label.points.get(point)
    at = dict(zip(prevalences, found.ppv_at, strict=False)) if found else {}
    return {
        "Label": telling.label(name, titles),
        "Called from": found.threshold if found else None,
        "Sensitivity": found.sensitivity if found else None,
        "Specificity": found.specificity if found else None,
        "PPV": found.ppv if found else None,
        **{f"PPV at {share:.0%}": at.get(share) for share in prevalences},
        "Bear it": label.positives,
        "Of": label.n,
        "": "too rare" if label.experimental else "",
    }


def _show_labels(model: ModelDetails) -> None:
    titles = session.info().statements
    if not model.labels and not model.outputs:
        st.caption("It names no labels.")
    for head, names in model.labels.items():
        st.markdown(f"**{words.literally(words.HEADS.get(head, words.sentence(head.replace('_', ' '))))}**")
        told = (f"{name} ({titles[name]})" if name in titles else name for name in names)
        st.markdown(words.literally(", ".join(told)))
    for head, about in model.outputs.items():
        facts = ", ".join(f"{name} {value}" for name, value in about.items()) if isinstance(about, Mapping) else about
        st.markdown(f"**{words.literally(words.sentence(head))}**  \n{words.literally(str(facts))}")


def _show_particulars(model: ModelDetails) -> None:
    facts = {
        "Licence": model.licence,
        "Learned from": "; ".join(_data(item) for item in model.training_data),
        "Reads": ", ".join(f"{name} {value}" for name, value in model.inputs.items()),
        "Prepared by": ", then ".join(step.name for step in model.preprocessing),
        "Networks and trees": ", ".join(model.graphs),
        "Publication": model.citation,
        "Page": model.page,
        "Made by": model.created_by,
        "Made with": " ".join(str(value) for value in model.software.values()),
        "SHA-256 of its manifest": model.sha256,
        **{f"SHA-256 of {name}": checksum for name, checksum in model.files.items()},
    }
    rows = (f"| {words.literally(name)} | {words.literally(str(value))} |" for name, value in facts.items() if value)
    st.markdown("\n".join(["| | |", "|:--|:--|", *rows]))


def _data(item: TrainingData) -> str:
    seen = f"{item.n} records" if item.n else ""
    return ", ".join(part for part in (item.title or item.name, seen, item.licence, item.citation) if part)


def _numbers(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return how the columns of shares are written."""
    names = {name for row in rows for name, value in row.items() if isinstance(value, float)}
    return {name: st.column_config.NumberColumn(format="%.3f") for name in names}


with session.guarded():
    _page()
