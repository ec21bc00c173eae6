"""What was measured of a model after it was made goes into its metrics and its card, and nothing else changes."""

from __future__ import annotations

import json
import shutil
import tomllib
from pathlib import Path

import pytest

from ecg_core.artefacts import MANIFEST, load_artefact, shipped_models
from training.artefact import add_metrics
from training.cards import sections, with_sections

CARD = "# A\n\n## Metrics\n\ngood\n\n## Robustness\n\nold\n\n## Limits\n\n- many\n"
FIGURE = {"value": 0.5, "low": 0.4, "high": 0.6}
FOUND = {
    "curves": {
        "decision": {
            "MI": {
                "threshold": [0.05, 0.1, 0.2, 0.5],
                "model": [0.3, 0.2, 0.1, 0.0],
                "low": [0.2, 0.1, 0.0, -0.1],
                "high": [0.4, 0.3, 0.2, 0.1],
                "all": [0.2, 0.1, 0.0, -0.5],
                "none": [0.0] * 4,
            }
        }
    },
    "robustness": {
        "data": "made",
        "n": 7,
        "records": "all",
        "answers": "at once",
        "noise": "made",
        "as recorded": {"auc": FIGURE},
        "conditions": [
            {"kind": "muscle", "level": "0 dB", "dose": 0, "metrics": {"auc": FIGURE, "auc.difference": FIGURE}}
        ],
    },
    "subgroups": {"sex": {"female": {"n": 60, "metrics": {"auc": FIGURE, "auc.difference": FIGURE}}}},
    "subgroups_unknown": {"site": "not named"},
    "failures": {
        "data": "made",
        "split": "9",
        "n": 7,
        "labels": {
            "MI": {
                "false_positives": {"n": 1, "worst": [{"record": "r1", "probability": 0.97, "truth": ["NORM"]}]},
                "false_negatives": {"n": 0, "worst": []},
            }
        },
    },
}


def test_sections_stand_before_the_limits_once_however_often_they_are_written():
    once = with_sections(CARD, {"Robustness": "new", "Failures": "few"})
    assert once == with_sections(once, {"Robustness": "new", "Failures": "few"})
    assert [line for line in once.splitlines() if line.startswith("## ")] == [
        "## Metrics",
        "## Robustness",
        "## Failures",
        "## Limits",
    ]
    assert "old" not in once
    assert once.endswith("## Limits\n\n- many\n")


def test_sections_tell_figures_with_intervals_what_was_lost_and_what_could_not_be_looked_at():
    found = sections(FOUND)
    assert "0.300 (0.200 to 0.400); all 0.200" in found["Decision curves"]
    assert "| muscle, 0 dB | 0.500 (+0.500, +0.400 to +0.600) |" in found["Robustness"]
    assert "| sex: female | 60 | 0.500 (+0.500, +0.400 to +0.600) |" in found["Subgroups"]
    assert "by site: not named" in found["Subgroups"]
    assert "r1 (0.97; NORM)" in found["Failures"]
    assert sections({"metrics": {}}) == {}


@pytest.mark.parametrize("name", ["quality", "heart12"])
def test_adding_to_a_model_changes_its_metrics_card_and_checksums_alone(name, tmp_path):
    shipped = next((shipped_models() / name).iterdir())
    folder = Path(shutil.copytree(shipped, tmp_path / name / shipped.name))
    before = load_artefact(shipped)
    after = load_artefact(add_metrics(folder, {"seen_by_a_test": {"a": 1}, "robustness": FOUND["robustness"]}))
    changed = {item for item in before.files if before.files[item] != after.files[item]}
    assert changed == {"metrics.json", "card.md"}
    old, new = (json.loads(model.files["metrics.json"]) for model in (before, after))
    assert {**old, "seen_by_a_test": {"a": 1}, "robustness": FOUND["robustness"]} == new
    assert after.sha256 != before.sha256
    manifests = [tomllib.loads((path / MANIFEST).read_text("utf-8")) for path in (shipped, folder)]
    for manifest in manifests:
        del manifest["files"]
    assert manifests[0] == manifests[1]
    assert "| muscle, 0 dB |" in after.files["card.md"].decode()
    assert not list(folder.parent.glob(".*"))


@pytest.mark.parametrize("path", sorted(shipped_models().glob("*/*/metrics.json")), ids=lambda path: path.parts[-3])
def test_cards_that_ship_say_what_was_measured_last(path):
    card = (path.parent / "card.md").read_text("utf-8")
    metrics = json.loads(path.read_text("utf-8"))
    for title, part in sections(metrics).items():
        assert f"## {title}\n" in card
        if metrics["model"] != "heart12" or title not in ("Robustness", "Subgroups"):
            assert part in card, "run: python -m training.again"
