"""What came of an evaluation: scores with intervals, by grade of noise, what was lost, and a lost record on paper."""

from __future__ import annotations

from typing import Any

import streamlit as st

from api.schemas import Accuracy, Beats, BundledEvaluation, EvaluationReport, HeartRate, LostRecord, ModelMetric
from dashboard import session, telling, words
from dashboard.client.evaluation import Method
from dashboard.components.ecg_paper import ecg_paper
from dashboard.views.memory import remember

_CARD_PX = 232
_MOST_PX = 420
_WINDOW_S = 10.0
_MARKS = 1000
"""Beats of a recording that a report names at most."""


def show_scores(report: EvaluationReport) -> None:
    """Show what was scored on what, and what could not be."""
    part = f", {report.split}" if report.split else ""
    about = f"{report.model} {report.version} on {report.n} recordings, {report.data}{part}"
    st.caption(words.literally(f"{about}. {_about_training(report)}"))
    with st.container(horizontal=True):
        for title, score in (("QRS score", report.qrs_accuracy), ("Heart rate score", report.hr_accuracy)):
            if score is not None:
                _card(title, score)
    with st.expander(f"All figures: {len(report.metrics)}", expanded=report.qrs_accuracy is None):
        rows = [
            {"Figure": name, "Value": item.value, "From": item.low, "To": item.high}
            for name, item in report.metrics.items()
        ]
        numbers = {name: st.column_config.NumberColumn(format="%.3f") for name in ("Value", "From", "To")}
        st.dataframe(rows, hide_index=True, height=_height(rows), column_config=numbers)
    if report.left_out:
        with st.expander(f"Could not be scored: {len(report.left_out)}"):
            st.markdown(
                "\n".join(f"- {words.literally(name)}: {words.literally(why)}" for name, why in report.left_out.items())
            )


def _about_training(report: EvaluationReport) -> str:
    trained = report.trained_on
    if not trained.n:
        return "None of them was trained on."
    return f"{trained.n} were trained on, and are {'scored all the same' if trained.included else 'left out'}."


def _card(title: str, score: Accuracy) -> None:
    strict = "" if score.strict is None else f"Strict: {telling.interval(score.strict)}"
    value = words.DASH if score.official.value is None else f"{score.official.value:.3f}"
    with st.container(border=True, width=_CARD_PX):
        st.metric(title, value, help="As the China Physiological Signal Challenge 2019 scores it, of 1.")
        st.caption(words.literally(f"{_bounds(score.official)}. {strict}"))


def _bounds(metric: ModelMetric) -> str:
    if metric.low is None or metric.high is None:
        return "no interval"
    return f"{metric.low:.3f} to {metric.high:.3f}"


def show_grades(report: BundledEvaluation) -> None:
    """Show the scores by grade of noise."""
    scored = any(grade.qrs_accuracy for grade in report.grades)
    names = list(report.grades[0].metrics)[:6] if report.grades and not scored else []
    rows: list[dict[str, Any]] = []
    for grade in report.grades:
        row: dict[str, Any] = {"Noise": grade.grade, "Recordings": grade.n}
        if grade.qrs_accuracy:
            row["QRS score"] = telling.interval(grade.qrs_accuracy.official)
        if grade.hr_accuracy:
            row["Heart rate score"] = telling.interval(grade.hr_accuracy.official)
        row |= {name: telling.interval(grade.metrics[name]) for name in names if name in grade.metrics}
        rows.append(row)
    if rows:
        st.subheader("By grade of noise", anchor=False)
        st.dataframe(rows, hide_index=True, height="content")


def show_lost(report: EvaluationReport) -> LostRecord | None:
    """Show what was lost where; return the record that is chosen."""
    st.subheader("Records that lost points", anchor=False)
    if not report.lost:
        st.caption("None.")
        return None
    rows = [
        {
            "Record": lost.name,
            "Noise": lost.grade or "",
            "QRS points lost": lost.cost.get("qrs_official"),
            "Rate points lost": lost.cost.get("hr_official"),
            "Missed beats": lost.missed,
            "Invented beats": lost.extra,
            "True rate": lost.reference_bpm,
            "Found rate": lost.found_bpm,
        }
        for lost in report.lost
    ]
    st.caption("Choose a row to see it on the paper.")
    numbers = {name: st.column_config.NumberColumn(format="%.1f") for name in ("True rate", "Found rate")}
    event = st.dataframe(
        rows,
        hide_index=True,
        height=_height(rows),
        on_select="rerun",
        selection_mode="single-row",
        column_config=numbers,
        key=f"lost {report.model} {report.data}",
    )
    chosen = event["selection"]["rows"]
    return report.lost[chosen[0]] if chosen and chosen[0] < len(report.lost) else None


def show_record(lost: LostRecord, method: Method) -> None:
    """Show a recording of the bundled set on paper, with its beats as they are."""
    name = lost.name
    with st.spinner("Fetching the recording ..."):
        record = remember(f"record {name} {method}", lambda: session.api().evaluation.record(name, method))
    st.subheader(words.literally(record.name), anchor=False)
    st.caption(words.literally(_what_it_is(record.rhythm, record.shape, record.noise)))
    for title, times in (("Missed", record.missed_s), ("Invented", record.extra_s)):
        if times:
            st.markdown(f"**{title}** at {words.literally(', '.join(f'{at:.2f}' for at in times))} s")
    found = Beats(
        method=record.method,
        leads=[record.lead],
        times_s=record.found_s,
        heart_rate=HeartRate(bpm=None, low=None, high=None),
    )
    ecg_paper(
        record.signal,
        beats=found,
        reference=record.reference_s,
        title=record.name,
        note=f"{len(record.found_s)} beats found, {len(record.reference_s)} true",
        key=f"paper {name}",
    )


def show_job_record(job_id: str, lost: LostRecord) -> None:
    """Show where a recording of a job lost points, on paper, with its beats as they are."""
    st.subheader(words.literally(lost.name), anchor=False)
    errors = sorted([(at, "missed") for at in lost.missed_s] + [(at, "invented") for at in lost.extra_s])
    if len(errors) > 1:
        at, _ = st.selectbox(
            f"Errors: {lost.missed + lost.extra}",
            errors,
            format_func=lambda error: f"{error[0]:.2f} s, {error[1]}",
            key=f"error of {job_id} {lost.name}",
            width=260,
        )
    else:
        at = errors[0][0] if errors else 0.0
    start_s = max(0.0, at - _WINDOW_S / 2) if at > _WINDOW_S else 0.0
    with st.spinner("Fetching the recording ..."):
        signal = remember(
            f"signal {job_id} {lost.name} {start_s}",
            lambda: session.api().evaluation.signal(job_id, lost.name, start_s=start_s, end_s=start_s + _WINDOW_S),
        )
    found = Beats(method="robust", leads=[], times_s=lost.found_s, heart_rate=HeartRate(bpm=None, low=None, high=None))
    ecg_paper(
        signal,
        beats=found,
        reference=lost.reference_s,
        title=lost.name.rpartition("/")[2],
        note=f"{lost.missed} beats missed, {lost.extra} invented",
        key=f"paper {job_id} {lost.name} {start_s}",
    )
    if max(len(lost.reference_s), len(lost.found_s)) >= _MARKS:
        st.caption(f"The report names the first {_MARKS:,} beats; those after them have no marks.")


def _what_it_is(rhythm: str, shape: str, noise: list[str]) -> str:
    noises = f"with noise of {', '.join(noise)}" if noise else "without noise"
    return f"Rhythm {rhythm}, complexes {shape}, {noises}."


def _height(rows: list[dict[str, Any]]) -> int:
    return min(_MOST_PX, 36 * len(rows) + 38)
