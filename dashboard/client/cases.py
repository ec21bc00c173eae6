"""Demo cases: ECGs of the service's own making, whose truth is known."""

from __future__ import annotations

from collections.abc import Sequence

from api.schemas import CaseDetails, CaseList, CaseSummary
from dashboard.client.forms import form_of, path_of
from dashboard.client.http import Download, Http


class Cases:
    """The demo cases. `Client.predict` analyses one by its name."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def list(self) -> Sequence[CaseSummary]:
        """List the demo cases."""
        return self._http.call(CaseList, "GET", "/cases").cases

    def get(self, name: str) -> CaseDetails:
        """Show a demo case, with what was planted in it."""
        return self._http.call(CaseDetails, "GET", path_of("cases", name))

    def file(self, name: str, format: str = "edf") -> Download:
        """Download the recording of a demo case in any format that can be written."""
        return self._http.download(path_of("cases", name, "file"), params=form_of(format=format))

    def plot_svg(self, name: str) -> Download:
        """Draw a demo case on ECG paper, as an SVG whose unit is the millimetre."""
        return self._http.download(path_of("cases", name, "plot.svg"))
