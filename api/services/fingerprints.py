"""What makes two uploads, or two analyses, the same."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from ecg_core import __version__
from ecg_core.artefacts import list_models, load_artefact
from ecg_core.predictors import OperatingPoint


def content_fingerprint(files: Mapping[str, bytes], options: Mapping[str, Any]) -> str:
    """Return a hash of what was sent and how it is to be read; names are labels and do not count."""
    return _hash({"files": sorted(sha256(content).hexdigest() for content in files.values()), "options": dict(options)})


def analysis_fingerprint(
    content: str, subject: Mapping[str, Any], models: Sequence[str] | None, point: OperatingPoint
) -> str:
    """Return a hash of all that an analysis follows from.

    Parameters
    ----------
    content
        `content_fingerprint` of the recording.
    subject
        What is known of the person.
    models
        Predictors that are asked; every installed one where None.
    point
        What the thresholds are chosen for.
    """
    return _hash(
        {
            "content": content,
            "subject": dict(subject),
            "models": None if models is None else sorted(set(models)),
            "point": point,
            "installed": {f"{found.name}/{found.version}": load_artefact(found.path).sha256 for found in list_models()},
            "software": __version__,
        }
    )


def _hash(value: object) -> str:
    return sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
