"""Where a model's labels are called, in the one form that the API gives them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def thresholds_of(
    manifest: Mapping[str, Any], heads: Mapping[str, Any], view: str | None = None
) -> dict[str, Any] | None:
    """Return the operating points of ``heads.json``, or what the manifest states instead; None where labels are none.

    Parameters
    ----------
    manifest, heads
        Of the model; ``heads`` empty where it has no such file.
    view
        One of its views; the first, which is the fullest, where left out.
    """
    if "views" in heads:
        view = view or next(iter(heads["views"]))
        labels = heads["views"][view]["labels"]
    else:
        labels = heads.get("labels", {})
    if labels:
        return {
            "view": view,
            "prevalences": heads.get("prevalences", []),
            "labels": {name: _label(figures) for name, figures in labels.items()},
        }
    stated = manifest.get("thresholds") or _of_guest(manifest)
    return {"stated": stated} if stated else None


def _label(figures: Mapping[str, Any]) -> dict[str, Any]:
    points = figures.get("points") or {
        name: {"threshold": threshold} for name, threshold in figures.get("thresholds", {}).items()
    }
    return {"points": points, **{key: figures[key] for key in ("n", "positives", "experimental") if key in figures}}


def _of_guest(manifest: Mapping[str, Any]) -> dict[str, Any]:
    heads = manifest.get("heads", [])
    return {head["name"]: head["thresholds"] for head in heads if head.get("thresholds")}
