"""What manifests say of the installed models, read without reading the models."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from ecg_core.artefacts import MANIFEST
from ecg_core.engine import NETWORK

CARD = "card.md"
_GRAPH = ".onnx"


def read_manifest(folder: Path) -> Mapping[str, Any]:
    """Return a manifest with its own ``sha256`` and the ``description`` of the card, or the ``problem`` with it."""
    try:
        return _manifest(folder, (folder / MANIFEST).stat().st_mtime_ns)
    except (OSError, ValueError):
        return {"problem": "its manifest cannot be read"}


@lru_cache(256)
def _manifest(folder: Path, _changed: int) -> Mapping[str, Any]:
    content = (folder / MANIFEST).read_bytes()
    card = (folder / CARD).read_text("utf-8") if (folder / CARD).is_file() else ""
    # The first paragraph on its use, with the list that it may announce.
    used = re.search(r"^## Use\s+(.+?[^:])(?:\n\n|\Z)", card, re.DOTALL | re.MULTILINE)
    description = {"description": " ".join(used[1].split())} if used else {}
    return tomllib.loads(content.decode()) | description | {"sha256": hashlib.sha256(content).hexdigest()}


def graphs_of(name: str, manifest: Mapping[str, Any]) -> dict[str, str]:
    """Return the ONNX graphs of a model: what each is called under ``/v2``, and its file.

    The network, or the only graph of a model without one, is called as the model; any other ``<model>:<file's stem>``.
    No model's name holds a colon.
    """
    files = sorted(file for file in manifest.get("files", {}) if file.endswith(_GRAPH))
    if not files:
        return {}
    main = NETWORK if NETWORK in files else files[0]
    return {name: main} | {f"{name}:{file.removesuffix(_GRAPH)}": file for file in files if file != main}
