"""Recordings that are kept: send, find, show, change and delete them; their samples, marks, drawings and files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, TypedDict, Unpack

from api.schemas import KeptRecording, Marks, RecordingItem, RecordingPage, SignalWindow
from dashboard.client.forms import Facts, Files, form_of, parts_of, path_of
from dashboard.client.http import Download, Http

Verdict = Literal["good", "usable", "poor"]
Sex = Literal["female", "male"]


class TaggedRecording(KeptRecording):
    """A recording as it was at a moment, which its ETag stands for."""

    etag: str


class RecordingFilters(TypedDict, total=False):
    """Which recordings to list, in what order. All filters hold together; `api.schemas.RecordingQuery` says more."""

    search: str
    """Part of the name, the notes or the subject's id, in any case."""
    format: str
    quality: Verdict
    sex: Sex
    min_age: float
    max_age: float
    n_leads: int
    min_duration_s: float
    max_duration_s: float
    created_from: datetime
    created_to: datetime
    analysed: bool
    urgent: bool
    rhythm: str
    sort: Literal["created_at", "name", "duration_s", "subject_id", "start"]
    order: Literal["asc", "desc"]
    limit: int
    """Items of a page at most."""


class SubjectChange(TypedDict, total=False):
    """What is to be changed of the person; None removes, what is left out stays."""

    id: str | None
    age: float | None
    sex: Sex | None
    facts: Mapping[str, bool | float | str | None] | None


class RecordingChange(TypedDict, total=False):
    """What is to be changed of a recording; None removes, what is left out stays."""

    name: str | None
    notes: str | None
    subject: SubjectChange | None


class Drawn(TypedDict, total=False):
    """What of a recording is drawn, and how."""

    layout: Literal["3x4+1", "6x2", "12x1", "strip"]
    speed: float
    """Millimetres per second: 12.5, 25 or 50."""
    gain: float
    """Millimetres per millivolt: 5, 10 or 20."""
    leads: Sequence[str]
    rhythm_lead: str
    start_s: float
    length_s: float
    filter: Literal["none", "diagnostic", "monitor"]
    overlay: bool
    """Whether the beats and waves of an analysis are drawn along."""
    analysis_id: str
    identity: bool
    """Whether the name of the recording stands on it."""


class Recordings:
    """One's own recordings."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def upload(
        self,
        files: Files,
        *,
        fs: float | None = None,
        units: str | None = None,
        subject_id: str | None = None,
        age: float | None = None,
        sex: Sex | None = None,
        facts: Facts | None = None,
        notes: str | None = None,
        idempotency_key: str | None = None,
    ) -> TaggedRecording:
        """Send the files of one recording and keep it; the same files again are the same recording.

        Parameters
        ----------
        files
            ``{file name: content}``.
        fs, units
            Samples per second, and the unit of the samples, where the files do not say.
        subject_id
            What you call the person.
        age, sex, facts
            What is known of the person: years, ``"female"`` or ``"male"``, and what `Client.info` lists.
        notes
            Kept with the recording.
        idempotency_key
            A name for this request, under which it can be sent again safely; one of its own where None.
        """
        form = form_of(facts, fs=fs, units=units, subject_id=subject_id, age=age, sex=sex, notes=notes)
        once = self._http.name_once(idempotency_key)
        return self._tagged("POST", "/recordings", data=form, files=parts_of(files), headers=once)

    def list(self, **filters: Unpack[RecordingFilters]) -> Iterator[RecordingItem]:
        """Go through one's recordings, each with what its latest analysis says; the newest first unless sorted."""
        return self._http.pages(RecordingPage, "/recordings", filters)

    def page(
        self, *, cursor: str | None = None, total: bool = False, **filters: Unpack[RecordingFilters]
    ) -> RecordingPage:
        """List some of one's recordings: those after ``cursor``, and with ``total`` how many there are in all."""
        query = form_of(cursor=cursor, total=total or None, **filters)
        return self._http.call(RecordingPage, "GET", "/recordings", params=query)

    def get(self, recording_id: str) -> TaggedRecording:
        """Show a recording: what it is, what was sent, how good the signal is, what is noted of the person."""
        return self._tagged("GET", path_of("recordings", recording_id))

    def change(
        self, recording_id: str, *, if_match: str | None = None, **changes: Unpack[RecordingChange]
    ) -> TaggedRecording:
        """Change name, notes or subject: None removes, what is left out stays.

        With ``if_match``, the `etag` that the recording had, nothing that was changed meanwhile is overwritten: that is
        refused with `changed_meanwhile`.
        """
        headers = {} if if_match is None else {"If-Match": if_match}
        return self._tagged("PATCH", path_of("recordings", recording_id), json=changes, headers=headers)

    def delete(self, recording_id: str) -> None:
        """Delete a recording for good: its files, what is noted of it, and all that was said about it."""
        self._http.send("DELETE", path_of("recordings", recording_id))

    def signal(
        self,
        recording_id: str,
        *,
        leads: Sequence[str] | None = None,
        start_s: float = 0.0,
        end_s: float | None = None,
        fs: float | None = None,
        max_points: int | None = None,
    ) -> SignalWindow:
        """Get samples in millivolts, None where nothing was recorded.

        Parameters
        ----------
        leads
            All where None; limb leads that were not recorded are derived.
        start_s, end_s
            Seconds from the first sample; to the end where None.
        fs
            Samples per second, at most the recording's own: filtered and decimated, so that it can be measured on.
        max_points
            Values of each lead at most, for drawing: no peak is lost.
        """
        query = form_of(leads=leads, start_s=start_s, end_s=end_s, fs=fs, max_points=max_points)
        return self._http.call(SignalWindow, "GET", path_of("recordings", recording_id, "signal"), params=query)

    def annotations(
        self,
        recording_id: str,
        *,
        source: Literal["file", "analysis"] = "file",
        analysis_id: str | None = None,
        lead: str | None = None,
        start_s: float = 0.0,
        end_s: float | None = None,
    ) -> Marks:
        """List the marks that came with the file, or the beats and waves of an analysis (the latest where None)."""
        query = form_of(source=source, analysis_id=analysis_id, lead=lead, start_s=start_s, end_s=end_s)
        return self._http.call(Marks, "GET", path_of("recordings", recording_id, "annotations"), params=query)

    def file(self, recording_id: str, name: str | None = None) -> Download:
        """Get back what was sent: one file as it is, several as a zip archive, or the one that is named."""
        return self._http.download(path_of("recordings", recording_id, "file"), params=form_of(name=name))

    def plot_svg(self, recording_id: str, **drawn: Unpack[Drawn]) -> Download:
        """Draw a recording on ECG paper, as an SVG whose unit is the millimetre."""
        return self._plot(recording_id, "plot.svg", form_of(**drawn))

    def plot_png(self, recording_id: str, *, dpi: float = 200.0, **drawn: Unpack[Drawn]) -> Download:
        """Draw a recording on ECG paper, as a PNG that states its resolution."""
        return self._plot(recording_id, "plot.png", form_of(dpi=dpi, **drawn))

    def export(self, recording_id: str, format: str, *, identity: bool = True) -> Download:
        """Get a recording in another format, with or without the person, the date and the name."""
        query = form_of(format=format, identity=identity)
        return self._http.download(path_of("recordings", recording_id, "export"), params=query)

    def _plot(self, recording_id: str, kind: str, query: dict[str, str]) -> Download:
        return self._http.download(path_of("recordings", recording_id, kind), params=query)

    def _tagged(self, method: str, path: str, **content: Any) -> TaggedRecording:
        response = self._http.send(method, path, **content)
        kept = self._http.parse(KeptRecording, response)
        return TaggedRecording(**dict(kept), etag=response.headers["etag"])
