"""An analysis as a whole: what is urgent, what forbids trust, the sum, the paper, then all that it rests on."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from api.schemas import Analysis, Quality
from dashboard import session, words
from dashboard.components.af_risk import af_risk
from dashboard.components.findings import diagnosis, findings_list
from dashboard.components.measurement_table import lead_table, measurement_table
from dashboard.components.predictions import model_answer
from dashboard.views.layout import side_by_side

_CARD_PX = 168
DEFAULT_POINT = "max_f1"


def show_analysis(
    analysis: Analysis, draw: Callable[[], None], point: str, on_point: Callable[[str], None], *, key: str
) -> None:
    """Show all that is said about a recording.

    Parameters
    ----------
    analysis
        What is said.
    draw
        Draws the paper in its place.
    point
        What the thresholds were chosen for.
    on_point
        Called with another choice, once the reader makes it.
    key
        Tells one analysis from the next, whose controls must not take over its choices.
    """
    _show_urgent(analysis)
    _show_doubts(analysis)
    diagnosis(analysis.summary)
    _show_key_figures(analysis)
    draw()
    _show_findings(analysis)
    _show_predictions(analysis, point, on_point, key)
    _show_measurements(analysis)
    _show_quality(analysis.quality)
    _show_reading(analysis)


def _show_urgent(analysis: Analysis) -> None:
    urgent = [item for item in analysis.findings if item.kind == "urgent"]
    if urgent:
        lines = (
            f"- **{words.literally(item.text)}**  \n  {words.literally('; '.join([item.rule or '', *item.against]))}"
            for item in urgent
        )
        text = "\n".join(["Critical by rule, unconfirmed. Look at the tracing now.", "", *lines])
        st.error(text, icon=":material/emergency_home:")


def _show_doubts(analysis: Analysis) -> None:
    """Show what stands against trusting the findings, each in a sentence."""
    if analysis.quality.verdict == "poor":
        st.warning(words.literally(words.quality(analysis.quality)), icon=":material/signal_disconnected:")
    if text := words.suspicions(analysis.quality):
        st.warning(words.literally(text), icon=":material/cable:")
    if text := words.pacing(analysis.pacing):
        st.info(words.literally(text), icon=":material/electric_bolt:")


def _show_key_figures(analysis: Analysis) -> None:
    with st.container(horizontal=True):
        for label, figure in words.key_figures(analysis).items():
            st.metric(label, figure, border=True, width=_CARD_PX)
    st.caption(words.literally(words.summary(analysis)))


def _show_findings(analysis: Analysis) -> None:
    """Show the findings, and beside them the risk of fibrillation."""
    left, right = side_by_side("said", shares=(3, 2))
    with left:
        st.subheader("Findings")
        told = [finding for finding in analysis.findings if finding.kind not in ("urgent", "risk")]
        if told:
            findings_list(told)
        else:
            st.caption("None: nothing could be said with enough certainty.")
    with right:
        st.subheader("Risk of atrial fibrillation")
        af_risk(analysis.af_risk, {fact.name: fact.title for fact in session.info().facts})


def _show_predictions(analysis: Analysis, point: str, on_point: Callable[[str], None], key: str) -> None:
    """Show what each model says: families of statements, single statements, numbers, and why it keeps silent."""
    if not analysis.predictions:
        return
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"):
        st.subheader("What the models say", width="content")
        chosen = st.segmented_control(
            "Called from",
            list(words.POINTS),
            default=point,
            format_func=words.POINTS.__getitem__,
            key=f"point {key}",
            width="content",
        )
    if chosen and chosen != point:
        on_point(chosen)
    for name, answer in analysis.predictions.items():
        model_answer(name, answer, session.info().statements)


def _show_measurements(analysis: Analysis) -> None:
    measurements = analysis.measurements
    st.subheader("Measurements")
    st.caption(words.literally(words.about_measurements(analysis)))
    measurement_table(measurements)
    if measurements.notes:
        st.caption(words.literally(" ".join(f"{words.sentence(note)}." for note in measurements.notes)))
    if measurements.leads:
        with st.expander("Wave heights and ST levels, lead by lead"):
            lead_table(measurements)


def _show_quality(quality: Quality) -> None:
    """Show what is wrong in which lead."""
    faults = words.lead_faults(quality)
    title = "Signal quality, lead by lead" if quality.verdict == "poor" else words.quality(quality)
    if not faults:
        st.caption(words.literally(title))
        return
    with st.expander(words.literally(title)):
        rows = (f"| {words.literally(name)} | {words.literally(fault)} |" for name, fault in faults.items())
        st.markdown("\n".join(["| | |", "|:--|:--|", *rows]))


def _show_reading(analysis: Analysis) -> None:
    """Show how the file was read: assumptions first, particulars behind."""
    recording, provenance = analysis.recording, analysis.provenance
    if recording.warnings:
        st.markdown("**How it was read**")
        st.markdown("\n".join(f"- {words.literally(warning)}" for warning in recording.warnings))
    with st.expander("Particulars"):
        facts = {
            "File": recording.name,
            "Format": recording.format,
            "SHA-256": recording.sha256,
            "Person": words.person(analysis.subject),
            "Derived leads": ", ".join(recording.derived),
            "Beat detector": analysis.beats.method,
            "Models": ", ".join(f"{name} {model['version']}" for name, model in provenance.models.items()),
            "Analysed": f"{provenance.analysed_at} by Einthoven {provenance.software.version}",
        }
        rows = (f"| {name} | {words.literally(value)} |" for name, value in facts.items() if value)
        st.markdown("\n".join(["| | |", "|:--|:--|", *rows]))
