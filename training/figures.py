"""The figures of ``docs/evaluation.md``, from ``metrics.json`` of the models: ``python -m training.figures``."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from ecg_core.artefacts import shipped_models
from ecg_core.evaluation.figures import figures_of

FOLDER = Path(__file__).parent.parent / "docs" / "images" / "evaluation"


def draw_all(models: Path) -> dict[str, str]:
    """Return file name to SVG of every figure of every model in a folder of models."""
    found = {}
    for path in sorted(models.glob("*/*/metrics.json")):
        metrics = json.loads(path.read_text("utf-8"))
        found |= {f"{metrics['model']}-{name}.svg": picture for name, picture in figures_of(metrics).items()}
    return found


def main() -> None:
    """Write the figures, and remove those that there no longer are."""
    argparse.ArgumentParser(prog="python -m training.figures", description=__doc__).parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    drawn = draw_all(shipped_models())
    for old in FOLDER.glob("*.svg"):
        if old.name not in drawn:
            old.unlink()
    for name, picture in drawn.items():
        (FOLDER / name).write_text(picture, "utf-8")


if __name__ == "__main__":
    main()
