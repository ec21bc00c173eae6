"""Training the quality model: from a copy of the set to an artefact, the same one each time."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from cli import evaluate as evaluate_command
from cli import train as train_command
from ecg_core import artefacts
from ecg_core.artefacts import load_artefact
from ecg_core.datasets import DATASETS
from ecg_core.errors import DataSetError, InvalidValue, UnknownName
from ecg_core.evaluation import EXAMS
from ecg_core.guests.store import to_toml
from ecg_core.quality.unacceptable import UnacceptableModel, read_features
from ecg_core.readers import READERS
from ecg_core.synthesis import synthesize
from training import Recipe, quality, quality_checks, recipes, trainer_of

N = 24


def write_cinc2011(folder: Path, n: int = N, first: int = 0) -> None:
    """Write ``n`` records, every other one unreadable, and their labels."""
    (folder / "set-a").mkdir(parents=True)
    labels = []
    for number in range(first, first + n):
        bad = number % 2 == 1
        noise = {"motion": -12, "muscle": -8} if bad else {"muscle": 20}
        recording = synthesize(seed=number, rate_bpm=60 + number % 30, noise=noise).recording
        for name, content in READERS["wfdb"].write(recording, f"{1000 + number}").items():
            (folder / "set-a" / name).write_bytes(content)
        labels.append(f"{1000 + number},{'unacceptable' if bad else 'acceptable'}\n")
    (folder / "REFERENCE.csv").write_text("".join(labels))


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("sets")
    write_cinc2011(folder / "cinc2011")
    return folder


@pytest.fixture(scope="module")
def made(root, tmp_path_factory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quality_checks, "SYNTHETIC", 8)
        return quality.train(Recipe.named("quality"), root, tmp_path_factory.mktemp("models"))


def test_artefact_tells_what_it_was_trained_to_tell(made, root):
    model = UnacceptableModel(load_artefact(made))
    from ecg_core.quality import measure_leads

    for _, recording, truth in DATASETS["cinc2011"].iterate(root):
        found = model.estimate(recording, measure_leads(recording)).probability
        assert (found < model.threshold) == truth.acceptable


def test_artefact_lists_its_records_and_states_out_of_fold_figures(made):
    artefact = load_artefact(made)
    assert len(artefact.trained_on("cinc2011")) == N
    metrics = artefact.json("metrics.json")
    assert metrics["n"] == N
    assert "out of fold (5 folds" in metrics["split"]
    assert metrics["metrics"]["auc"]["value"] > 0.9
    assert metrics["checks"]["ludb"] == {"n": 0, "called_unacceptable": None}
    assert metrics["checks"]["synthetic clean"]["n"] == 8
    assert "not measured: the set was not at hand" in artefact.files["card.md"].decode()


def test_training_twice_gives_the_same_bytes(made, root, tmp_path, monkeypatch):
    monkeypatch.setattr(quality_checks, "SYNTHETIC", 8)
    again = quality.train(Recipe.named("quality"), root, tmp_path)
    for path in made.iterdir():
        assert (again / path.name).read_bytes() == path.read_bytes(), path.name


def test_prior_shifts_every_probability_to_the_stated_share(made):
    artefact = load_artefact(made)
    assert artefact.manifest["prior"]["trained_on"] == 0.5
    assert artefact.manifest["prior"]["stated"] == 0.23
    fit = quality._Fit(np.zeros(1), np.ones(1), np.ones(1), 0.0, 0.5)
    assert fit.probability(np.zeros((1, 1)), 0.23)[0] == pytest.approx(0.23)


def test_fit_is_the_maximum_of_the_penalised_likelihood():
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((200, 3)) * (1, 5, 0.1) + 2
    truth = rng.random(200) < 1 / (1 + np.exp(-(rows[:, 0] - 2)))
    fit = quality._fit(rows, truth, 4.0)

    def loss(coefficient, intercept):
        logit = (rows - fit.mean) / fit.scale @ coefficient + intercept
        return np.logaddexp(0, np.where(truth, -logit, logit)).sum() + 2.0 * (coefficient**2).sum()

    least = loss(fit.coefficient, fit.intercept)
    for at in range(3):
        for step in (-0.01, 0.01):
            assert loss(fit.coefficient + step * np.eye(3)[at], fit.intercept) > least
    assert loss(fit.coefficient, fit.intercept + 0.01) > least
    assert loss(fit.coefficient, fit.intercept - 0.01) > least


def test_no_record_is_answered_by_a_fit_that_has_seen_it(root, monkeypatch):
    seen = []
    original = quality._fit

    def watch(rows, truth, l2):
        seen.append({row.tobytes() for row in rows})
        return original(rows, truth, l2)

    original_probability = quality._Fit.probability

    def check(self, rows, prior):
        assert not seen[-1] & {row.tobytes() for row in rows}
        return original_probability(self, rows, prior)

    monkeypatch.setattr(quality, "_fit", watch)
    monkeypatch.setattr(quality._Fit, "probability", check)
    result = quality.cross_validate(Recipe.named("quality"), root, 3)
    assert len(seen) == 3 * 10
    assert "3 folds" in result.split


def test_a_copy_with_one_kind_of_record_cannot_be_trained_on(tmp_path):
    write_cinc2011(tmp_path / "cinc2011", 1)
    with pytest.raises(DataSetError, match="0 unacceptable records of 1; expected: both kinds"):
        quality.cross_validate(Recipe.named("quality"), tmp_path, None)


def test_a_recipe_with_a_feature_that_there_is_not_is_refused():
    with pytest.raises(InvalidValue, match="figure: no such part of a feature; found: flatness"):
        read_features([{"figure": "flatness", "over": "max"}])


def test_every_recipe_names_a_trainer():
    for name in recipes():
        trainer = trainer_of(Recipe.named(name))
        assert callable(trainer.train)
        assert callable(trainer.cross_validate)


def test_recipes_are_listed_where_one_is_not_found():
    with pytest.raises(UnknownName, match=r"options: .*\bquality\b"):
        Recipe.named("../quality")


def test_toml_holds_what_it_was_given():
    import tomllib

    value = {
        "a": 'x "y" \\ ä',
        "b": [1, 2.5],
        "c": True,
        "t": {"u": {"v": 1}, "w.x": "z"},
        "r": [{"k": {"l": []}}, {"k": {}}],
    }
    assert tomllib.loads(to_toml(value)) == value


# --- from the command line, and evaluated ---------------------------------------------------------------------------


@pytest.fixture
def run():
    app = typer.Typer()
    train_command.add_to(app)
    evaluate_command.add_to(app)
    return lambda *arguments: CliRunner().invoke(app, [*map(str, arguments)], env={"COLUMNS": "200"})


def test_command_cross_validates_without_making_a_model(run, root, tmp_path):
    before = sorted(artefacts.shipped_models().rglob("*"))
    result = run("train", "quality", "--root", root, "--cv", 4, "--json", tmp_path / "x.json")
    assert result.exit_code == 0, result.output
    assert "out of fold (4 folds" in result.stdout
    assert json.loads((tmp_path / "x.json").read_text())["n"] == N
    assert sorted(artefacts.shipped_models().rglob("*")) == before


def test_command_makes_a_model_where_it_is_told(run, root, tmp_path, monkeypatch):
    monkeypatch.setattr(quality_checks, "SYNTHETIC", 2)
    result = run("train", "quality", "--root", root, "--out", tmp_path)
    assert result.exit_code == 0, result.output
    version = Recipe.named("quality")["version"]
    assert result.stdout.strip() == str(tmp_path / "quality" / version)
    assert (tmp_path / "quality" / version / "manifest.toml").is_file()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("nothing",), "no such recipe"),
        (("quality", "--cv", "3", "--out", "x"), "makes no model"),
        (("quality", "--json", "x.json"), "expected: --cv K beside it"),
    ],
)
def test_command_says_in_one_sentence_what_cannot_be_done(run, root, arguments, sentence):
    result = run("train", *arguments, "--root", root)
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert result.stderr.count("\n") == 1


def test_command_says_that_an_installed_package_cannot_train(run, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "training", None)
    result = run("train", "quality")
    assert result.exit_code == 2
    assert "the code that trains models is not installed" in result.stderr


def test_records_trained_on_are_left_out_of_an_evaluation_unless_asked_for(run, made, root, tmp_path, monkeypatch):
    both = tmp_path / "sets"
    write_cinc2011(both / "cinc2011", N + 6)
    monkeypatch.setattr(artefacts, "shipped_models", lambda: made.parents[1])
    without = run("evaluate", "quality", "--data", "cinc2011", "--root", both, "--json", tmp_path / "new.json")
    assert without.exit_code == 0, without.output
    assert f"6 records scored, {N} trained on and left out" in without.stdout
    found = json.loads((tmp_path / "new.json").read_text())
    assert found["n"] == 6
    assert found["trained_on"] == {"n": N, "included": False, "records": [str(1000 + number) for number in range(N)]}
    assert 0 <= found["metrics"]["auc"]["value"] <= 1
    everything = run(
        "evaluate",
        "quality",
        "--data",
        "cinc2011",
        "--root",
        both,
        "--include-trained",
        "--json",
        tmp_path / "all.json",
    )
    assert f"{N + 6} records scored, {N} trained on and scored all the same" in everything.stdout
    found = json.loads((tmp_path / "all.json").read_text())
    assert (found["n"], found["trained_on"]["n"], found["trained_on"]["included"]) == (N + 6, N, True)


def test_an_evaluation_on_nothing_but_records_trained_on_says_so(run, made, root, monkeypatch):
    monkeypatch.setattr(artefacts, "shipped_models", lambda: made.parents[1])
    result = run("evaluate", "quality", "--data", "cinc2011", "--root", root)
    assert result.exit_code == 2
    assert f"{N} of which the model was trained on" in result.stderr
    assert "--include-trained" in result.stderr


def test_exam_of_the_shipped_model_knows_what_it_was_trained_on():
    assert len(EXAMS["quality"]["cinc2011"].trained_on()) == 300
    assert EXAMS["beats_fast"]["cpsc2019"].trained_on() == frozenset()
