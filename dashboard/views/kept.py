"""What is done with a recording that is kept: draw it, say who it is, note, take it elsewhere, delete it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath

import streamlit as st

from api.schemas import Analysis, Signal, StoredAnalysis
from dashboard import session, words
from dashboard.client import ApiProblem
from dashboard.client.recordings import SubjectChange, TaggedRecording
from dashboard.components.ecg_paper import Heat, Overlay, ecg_paper
from dashboard.components.person_form import ask_person
from dashboard.views import explanation, memory
from dashboard.views.problems import refused, show_problem

WINDOW_S = 10.0
"""Length of what is shown first of a longer recording."""
_OVERVIEW_POINTS = 2000
_UNDER_HEAT: tuple[Overlay, ...] = ("waves",)
"""Their colours would mix with those of the heat; the paper's own menu brings them back."""
_FORMS = "forms"
_BYTES = "application/octet-stream"


def draw_paper(kept: TaggedRecording, analysis: Analysis, key: str = "paper", *, heat: Heat | None = None) -> None:
    """Draw a recording; of a longer one the part that was measured, and whatever part the reader turns to."""
    with st.spinner("Fetching the tracing ..."), refused():
        client, is_long = session.api(), kept.duration_s > WINDOW_S
        start = min(analysis.waves.start_s, max(kept.duration_s - WINDOW_S, 0.0)) if is_long else 0.0

        def fetch(start_s: float, length_s: float) -> Signal:
            end_s = min(start_s + length_s, kept.duration_s)
            return client.recordings.signal(kept.id, start_s=start_s, end_s=end_s)

        signal = memory.remember(("signal", kept.id, start), lambda: fetch(start, WINDOW_S))
        overview: Signal | None = None
        if is_long:
            lead = "II" if "II" in kept.leads else kept.leads[0]
            overview = memory.remember(
                ("overview", kept.id),
                lambda: client.recordings.signal(kept.id, leads=(lead,), max_points=_OVERVIEW_POINTS),
            )
        ecg_paper(
            signal,
            beats=analysis.beats,
            waves=analysis.waves,
            pacing=analysis.pacing,
            quality=analysis.quality,
            heat=heat,
            hidden=_UNDER_HEAT if heat else (),
            title=kept.name,
            duration_s=kept.duration_s,
            fetch=fetch if is_long else None,
            overview=overview,
            key=f"{key} {kept.id}",
        )


def being_edited(kept: TaggedRecording) -> TaggedRecording:
    """Return the recording as it was when its forms were opened: what is typed into them changes that, and no other."""
    forms: dict[str, TaggedRecording] = st.session_state.setdefault(_FORMS, {})
    return forms.setdefault(kept.id, kept)


def edit_anew() -> None:
    """Have forms begin with what is now kept."""
    st.session_state.pop(_FORMS, None)


@contextmanager
def _edited(kept: TaggedRecording) -> Iterator[TaggedRecording]:
    """Show why a change was refused, and offer to begin again where somebody else was quicker."""
    try:
        yield being_edited(kept)
    except ApiProblem as error:
        show_problem(error.problem)
        if error.problem.code == "changed_meanwhile":
            st.button("Show what is kept now", icon=":material/refresh:", on_click=edit_anew)


def edit_person(kept: TaggedRecording, point: str) -> None:
    """Ask who it is; what is said is kept, and the recording analysed anew."""
    with st.popover("Person", icon=":material/person:"), _edited(kept) as was:
        st.caption("Age and sex choose the usual ranges; with the rest a risk of fibrillation can be told.")
        with st.form(f"person {was.etag}", border=False):
            stated = ask_person(was.subject, session.info().facts, f" {was.etag}")
            applied = st.form_submit_button("Save and analyse anew", type="primary")
        if applied:
            subject: SubjectChange = {
                "id": stated["id"],
                "age": stated["age"],
                "sex": stated["sex"],
                "facts": stated["facts"],
            }
            session.api().recordings.change(kept.id, if_match=was.etag, subject=subject)
            edit_anew()
            analyse(kept.id, point)


def analyse(recording_id: str, point: str | None) -> None:
    """Have a recording analysed with what is now noted of the person, and show that."""
    with st.spinner("Analysing the recording ...", show_time=True):
        made = session.api().analyses.create(recording_id, operating_point=point)
    st.query_params["analysis"] = made.id
    st.rerun()


def edit_notes(kept: TaggedRecording) -> None:
    """Ask what it is called, and what is noted."""
    with st.popover("Name and notes", icon=":material/edit_note:"), _edited(kept) as was:
        with st.form(f"notes {was.etag}", border=False):
            name = st.text_input("Name", was.name, max_chars=200, key=f"name {was.etag}")
            notes = st.text_area("Notes", was.notes, max_chars=20_000, height=160, key=f"notes {was.etag}")
            saved = st.form_submit_button("Save", type="primary")
        if saved:
            session.api().recordings.change(kept.id, if_match=was.etag, name=name.strip() or None, notes=notes)
            edit_anew()
            memory.tell("Saved.")
            st.rerun()


def offer_downloads(kept: TaggedRecording, analysis: StoredAnalysis | None) -> None:
    """Offer the report, the figures and the recording. What the service makes is made when it is asked for."""
    client, stem = session.api(), PurePath(kept.name).stem or "ecg"
    recordings, analyses = client.recordings, client.analyses
    with st.popover("Download", icon=":material/download:"):
        if analysis:
            which = analysis.id
            st.markdown("**Report**")
            label, method = explanation.chosen(which)
            if not st.toggle("With an explanation", True, key=f"explain {which}"):
                label, method = "none", None

            def pdf() -> bytes:
                return analyses.report_pdf(which, explain=label, method=method).content

            def text() -> bytes:
                return analyses.report_text(which, explain=label, method=method).content

            def fhir() -> bytes:
                return analyses.report_fhir(which, explain=label, method=method).content

            with st.container(horizontal=True):
                _offer("PDF", f"{stem}.pdf", "application/pdf", pdf)
                _offer("Text", f"{stem}.txt", "text/plain", text)
                _offer("FHIR", f"{stem}.fhir.json", "application/fhir+json", fhir)
            st.markdown("**Analysis**")
            with st.container(horizontal=True):
                _offer("JSON", f"{stem}.json", "application/json", lambda: analysis.model_dump_json().encode())
                _offer("CSV row", f"{stem}.csv", "text/csv", lambda: as_row(kept, analysis))
        st.markdown("**Recording**")
        with st.container(horizontal=True):
            _offer("WFDB", f"{stem}.zip", "application/zip", lambda: recordings.export(kept.id, "wfdb").content)
            _offer("EDF", f"{stem}.edf", _BYTES, lambda: recordings.export(kept.id, "edf").content)
            original = kept.files[0].name if len(kept.files) == 1 else f"{stem}-as-sent.zip"
            _offer("As it was sent", original, _BYTES, lambda: recordings.file(kept.id).content)


def as_row(kept: TaggedRecording, analysis: StoredAnalysis) -> bytes:
    """Return an analysis as a table of one row."""
    rhythm, subject = analysis.rhythm, analysis.subject
    measured = {name: getattr(analysis.measurements, name).value for name in words.MEASURED}
    row = {
        "recording": kept.id,
        "name": kept.name,
        "sha256": kept.sha256,
        "subject_id": kept.subject.id,
        "age": subject.age,
        "sex": subject.sex,
        "analysed_at": analysis.provenance.analysed_at,
        "quality": analysis.quality.verdict,
        "level": analysis.summary.score.level,
        "diagnosis": analysis.summary.diagnosis,
        "rhythm": rhythm.title,
        "rhythm_probability": rhythm.probability,
        "urgent": " ".join(item.code for item in analysis.urgent),
        "findings": " ".join(item.code for item in analysis.findings),
        **measured,
        "af_risk_5y": analysis.af_risk.value_5y,
    }
    text = io.StringIO()
    table = csv.DictWriter(text, list(row))
    table.writeheader()
    table.writerow({name: _harmless(value) for name, value in row.items()})
    return text.getvalue().encode()


def ask_to_delete(kept: TaggedRecording) -> None:
    """Delete it, once that is confirmed."""
    with st.popover("Delete", icon=":material/delete:"), refused():
        st.markdown(
            f"Delete **{words.literally(kept.name)}** with its files, notes and all analyses? This is for good."
        )
        if st.button("Delete for good", type="primary", icon=":material/delete_forever:", key=f"delete {kept.id}"):
            session.api().recordings.delete(kept.id)
            st.session_state.pop("opened", None)
            memory.tell(f"{kept.name} was deleted.")
            st.switch_page("screens/history.py")


def _offer(label: str, name: str, media_type: str, make: object) -> None:
    st.download_button(label, data=make, file_name=name, mime=media_type, on_click="ignore", key=f"download {label}")  # type: ignore[arg-type]


def _harmless(value: object) -> object:
    """Return a cell that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value
