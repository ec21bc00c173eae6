"""`ecg train`: make a model again, or measure out of fold how good its recipe is."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Annotated

import typer

from cli.common import console, fails_clearly
from cli.evaluate import make_room, show


def train(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Name of a recipe, as `quality`; a wrong one lists them all.")
    ],
    root: Annotated[
        Path | None,
        typer.Option(
            "--root",
            metavar="DIR",
            help="Folder that holds the data sets. Without it EINTHOVEN_DATA_DIR, else the user's data folder.",
        ),
    ] = None,
    cv: Annotated[
        int | None,
        typer.Option(
            "--cv", metavar="K", min=2, help="Only measure the recipe with K folds, out of fold; no model is made."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Make the model in DIR/NAME/VERSION instead of models/NAME/VERSION."),
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="With --cv: write the figures to this file too.")
    ] = None,
) -> None:
    """Make a model from its recipe and its data, or measure the recipe by cross-validation."""
    from ecg_core.artefacts import shipped_models
    from ecg_core.errors import InvalidValue

    if json_file is not None and cv is None:
        raise InvalidValue("writes the figures of a cross-validation", field="--json", expected="--cv K beside it")
    if cv is not None and out is not None:
        raise InvalidValue("a cross-validation makes no model", field="--out", expected="either --cv or --out")
    if json_file is not None:
        make_room(json_file)
    training = _training()
    recipe = training.Recipe.named(name)
    trainer = training.trainer_of(recipe)
    if cv is None:
        folder = trainer.train(recipe, root, out or shipped_models())
        console().print(f"{folder}", markup=False)
        return
    result = trainer.cross_validate(recipe, root, cv)
    if json_file is not None:
        result.save(json_file)
    show(result)


def add_to(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command(
        epilog="Examples:  ecg train quality --root ~/ecg   ecg train quality --cv 5   ecg train quality --out trials"
    )(fails_clearly(train))


def _training() -> ModuleType:
    """Return the code that trains models, which a checkout has and an installed package has not."""
    from ecg_core.errors import InvalidValue

    try:
        import training
    except ModuleNotFoundError as error:
        if error.name != "training":
            raise
        raise InvalidValue(
            "the code that trains models is not installed",
            field="training",
            expected="a checkout of the repository, installed with pip install --editable",
        ) from None
    return training
