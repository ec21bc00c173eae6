"""Options that state what is known of the person: age, sex, and one for each fact of the library's vocabulary."""

from __future__ import annotations

import functools
from collections.abc import Callable
from inspect import Parameter, signature
from typing import Annotated, Any, Literal

import typer

Age = Annotated[float | None, typer.Option("--age", help="Years; goes before the file's.", rich_help_panel="Person")]
Sex = Annotated[
    Literal["female", "male"] | None,
    typer.Option("--sex", help="Goes before the file's.", rich_help_panel="Person"),
]
_OPTIONS = {
    "height_cm": ("--height", "Centimetres, or with a unit: 1.71m, 67in."),
    "weight_kg": ("--weight", "Kilograms, or with a unit: 150lb."),
    "systolic_mmhg": ("--systolic", "Systolic blood pressure, mmHg."),
    "diastolic_mmhg": ("--diastolic", "Diastolic blood pressure, mmHg."),
    "smoker": ("--smoker", "Smokes now: yes or no."),
    "antihypertensives": ("--antihypertensives", "Takes drugs against high blood pressure: yes or no."),
    "diabetes": ("--diabetes", "yes or no."),
    "heart_failure": ("--heart-failure", "Now or before: yes or no."),
    "myocardial_infarction": ("--myocardial-infarction", "Now or before: yes or no."),
    "race": ("--race", "As the equation's cohorts recorded it: white or other. Never assumed."),
    "atrial_fibrillation": ("--known-af", "Atrial fibrillation or flutter, ever: yes or no."),
}
"""Fact to its option and help. Importing the vocabulary itself would make `ecg --help` slow."""


def with_facts(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of all facts; they reach its argument ``facts`` as a mapping."""

    @functools.wraps(command)
    def run(**arguments: Any) -> None:
        stated = {name: arguments.pop(name) for name in _OPTIONS}
        command(**arguments, facts={name: value for name, value in stated.items() if value is not None})

    own = signature(command, eval_str=True)
    options = [
        Parameter(
            name,
            Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[str | None, typer.Option(option, help=text, rich_help_panel="Person", metavar="")],
        )
        for name, (option, text) in _OPTIONS.items()
    ]
    kept = [item.replace(kind=Parameter.KEYWORD_ONLY) for name, item in own.parameters.items() if name != "facts"]
    run.__signature__ = own.replace(parameters=[*kept, *options])  # type: ignore[attr-defined]
    run.__annotations__ = {item.name: item.annotation for item in (*kept, *options)} | {"return": None}
    del run.__wrapped__
    return run
