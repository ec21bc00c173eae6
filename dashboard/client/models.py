"""The models that are installed, with their cards and what was measured of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from api.schemas import ModelDetails, ModelList, ModelPart, ModelSummary
from dashboard.client.forms import form_of, path_of
from dashboard.client.http import Http


class Models:
    """The installed models."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def list(
        self, *, search: str | None = None, task: str | None = None, answers: bool | None = None
    ) -> Sequence[ModelSummary]:
        """List the installed models, by name and version.

        Parameters
        ----------
        search
            What name, title, description, task or labels hold.
        task
            The task of the manifest.
        answers
            Whether it can be asked, as ``models`` of `Client.predict`.
        """
        query = form_of(search=search, task=task, answers=answers)
        return self._http.call(ModelList, "GET", "/models", params=query).models

    def get(
        self,
        name: str,
        version: str | None = None,
        *,
        parts: Sequence[ModelPart] | None = None,
        view: str | None = None,
    ) -> ModelDetails:
        """Show a model: what it reads and tells apart, its card, metrics, thresholds and curves.

        Parameters
        ----------
        name, version
            The highest version where None.
        parts
            Which of these the answer carries; all where None.
        view
            Which of the model's views the thresholds are of; the fullest where None.
        """
        path = path_of("models", name) if version is None else path_of("models", name, version)
        return self._http.call(ModelDetails, "GET", path, params=form_of(parts=parts, view=view))

    def card(self, name: str, version: str) -> str:
        """Read a model's card, in Markdown: use, data, metrics, limits."""
        return self._http.download(path_of("models", name, version, "card")).content.decode()

    def metrics(self, name: str, version: str) -> dict[str, Any]:
        """Read everything that was measured of a model; the card says what it means."""
        return self._http.call(dict[str, Any], "GET", path_of("models", name, version, "metrics"))
