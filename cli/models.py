"""``ecg models``: which models there are, what stands on their cards, and other people's models, added and removed."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.common import AsJson, console, fails_clearly, print_json

if TYPE_CHECKING:
    from ecg_core.artefacts import Artefact, ModelFolder
    from ecg_core.predictors.value import Head

app = typer.Typer(
    name="models",
    help="Models: list, show their cards, add other people's, remove them again.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    epilog="Examples:  ecg models list   ecg models show rhythm   ecg models add ecg2af ecg2af.keras   "
    "ecg models add mine mine.onnx --manifest mine.toml",
)


def _names(incomplete: str) -> list[str]:
    from ecg_core.artefacts import list_models

    return sorted({model.name for model in list_models() if model.name.startswith(incomplete)})


Name = Annotated[str, typer.Argument(metavar="NAME", autocompletion=_names, help="Name of a model, see the list.")]
Version = Annotated[str | None, typer.Option("--version", metavar="VERSION", help="Instead of the highest.")]


@app.command("list")
@fails_clearly
def list_(as_json: AsJson = False) -> None:
    """Show every model: those that came with Einthoven, and yours.

    [bold]Examples[/bold]

        ecg models list
    """
    from ecg_core.artefacts import list_models, user_models

    rows = [_describe(model) for model in list_models()]
    if as_json:
        print_json({"user_folder": str(user_models()), "models": rows})
        return
    from rich.markup import escape
    from rich.table import Table

    table = Table("name", "version", "what it says", "task", "from", box=None, pad_edge=False)
    for row in rows:
        name = f"[bold]{escape(row['name'])}[/bold]"
        table.add_row(name, row["version"], escape(row["title"]), row["task"], "you" if row["yours"] else "Einthoven")
    out = console()
    out.print(table, soft_wrap=False)
    out.print(f"\nYour models lie in {user_models()}. Add one with: ecg models add NAME PATH", markup=False)


@app.command()
@fails_clearly
def show(name: Name, version: Version = None, as_json: AsJson = False) -> None:
    """Show a model's card, or what its manifest states where it has none, after comparing its files with their sums.

    [bold]Examples[/bold]

        ecg models show beats

        ecg models show rhythm --json
    """
    from ecg_core.artefacts import load_model

    model = load_model(name, version)
    if as_json:
        print_json(_whole(model))
        return
    out = console()
    if "card.md" in model.files:
        from rich.markdown import Markdown

        out.print(Markdown(model.files["card.md"].decode()), soft_wrap=False)
    else:
        _print_manifest(model)
    out.print(f"\n{model.name} {model.version}, sha256 {model.sha256}\n{model.path}", markup=False)


@app.command()
@fails_clearly
def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="How it is to be called; ecg2af needs no manifest.")],
    path: Annotated[Path, typer.Argument(metavar="PATH", help=".onnx, .keras, .h5, or the folder of a SavedModel.")],
    manifest: Annotated[
        Path | None,
        typer.Option(
            "--manifest", metavar="FILE.toml", help="What goes in and comes out; `ecg models example` prints one."
        ),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="In place of your model of this name and version.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Add somebody's model to yours: its manifest is checked, and the model run once on a made ECG.

    A model file can hold code that runs when it is loaded: add only what you trust.

    [bold]Examples[/bold]

        ecg models add ecg2af ecg_5000_survival_curve_af_quadruple_task_mgh_v2021_05_21.h5

        ecg models add lvsd lvsd.onnx --manifest lvsd.toml
    """
    from ecg_core.guests.adding import add_guest

    added = add_guest(name, path, manifest, replace=replace)
    if as_json:
        heads = {head: _head(answer) for head, answer in added.trial.items()}
        print_json({**_describe(added.folder), "weights": added.sha256, "recognised": added.recognised, "trial": heads})
        return
    out = console()
    out.print(f"added {added.folder.name} {added.folder.version} in {added.folder.path}", markup=False)
    out.print(f"sha256 of the weights: {added.sha256}{_origin(added.recognised)}", markup=False)
    out.print("on a made ECG of normal sinus rhythm it says:")
    for head, answer in added.trial.items():
        out.print(f"  {head}: {_in_words(answer)}", markup=False)


@app.command()
@fails_clearly
def example() -> None:
    """Print a manifest that holds every field, as a start for your own.

    [bold]Examples[/bold]

        ecg models example > mine.toml
    """
    from ecg_core.guests.spec import EXAMPLE

    sys.stdout.write(EXAMPLE)


@app.command()
@fails_clearly
def remove(name: Name, version: Version = None, as_json: AsJson = False) -> None:
    """Delete a model that you added, in all versions unless one is named. What came with Einthoven stays.

    [bold]Examples[/bold]

        ecg models remove lvsd --version 2
    """
    from ecg_core.guests.store import remove_model

    gone = remove_model(name, version)
    if as_json:
        print_json([{"name": model.name, "version": model.version, "folder": str(model.path)} for model in gone])
        return
    console().print("removed " + ", ".join(f"{model.name} {model.version}" for model in gone), markup=False)


def _describe(model: ModelFolder) -> dict[str, Any]:
    """Return what a manifest says of a model, without reading the model."""
    from ecg_core.artefacts import MANIFEST, shipped_models

    try:
        manifest = tomllib.loads((model.path / MANIFEST).read_text("utf-8"))
    except (OSError, ValueError):
        manifest = {}
    return {
        "name": model.name,
        "version": model.version,
        "title": str(manifest.get("title", "(its manifest cannot be read)")),
        "task": str(manifest.get("task", "?")),
        "yours": not model.path.is_relative_to(shipped_models()),
        "folder": str(model.path),
    }


def _whole(model: Artefact) -> dict[str, Any]:
    card = model.files["card.md"].decode() if "card.md" in model.files else None
    return {
        "name": model.name,
        "version": model.version,
        "sha256": model.sha256,
        "folder": str(model.path),
        "manifest": dict(model.manifest),
        "card": card,
        "metrics": model.json("metrics.json") if "metrics.json" in model.files else None,
    }


def _print_manifest(model: Artefact) -> None:
    from rich.markup import escape
    from rich.table import Table

    def words(value: Any) -> str:
        if isinstance(value, Mapping):
            return ", ".join(f"{key} {words(item)}" for key, item in value.items())
        return ", ".join(map(words, value)) if isinstance(value, list) else str(value)

    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for key, value in model.manifest.items():
        for item in value if isinstance(value, list) and value and isinstance(value[0], Mapping) else [value]:
            if item not in ([], {}) and key != "files":
                table.add_row(key, escape(words(item)))
    console().print(table)


def _origin(recognised: bool | None) -> str:
    if recognised is None:
        return ""
    return ", the published file" if recognised else ", which is no published file: origin unknown"


def _head(answer: Head) -> Any:
    if isinstance(answer, Mapping):
        return {label: found.to_dict() for label, found in answer.items()}
    return answer.to_dict()


def _in_words(answer: Head) -> str:
    from ecg_core.predictors.value import Curve, Quantity

    if isinstance(answer, Quantity):
        return f"{answer.value:.4g} {answer.unit or ''}".strip()
    if isinstance(answer, Curve):
        return f"{answer.values[0]:.4g} to {answer.values[-1]:.4g} over {answer.at[-1]:g} {answer.at_unit}"
    return ", ".join(f"{label} {found.probability:.3f}" for label, found in answer.items())
