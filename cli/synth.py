"""`ecg synth`: an ECG of known truth, in any format that can be written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.common import AsJson, console, fails_clearly, print_json, write_files


def _rhythms(incomplete: str) -> list[str]:
    from ecg_core.synthesis import RHYTHMS

    return [name for name in RHYTHMS if name.startswith(incomplete)]


def _shapes(incomplete: str) -> list[str]:
    from ecg_core.synthesis import SHAPES

    return [name for name in SHAPES if name.startswith(incomplete)]


def _noises(incomplete: str) -> list[str]:
    from ecg_core.synthesis import NOISES

    return [name for name in NOISES if name.startswith(incomplete)]


def synth(
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="File to write; its ending chooses the format (.hea, .edf, ...).")
    ] = None,
    rhythm: Annotated[str, typer.Option(help="Rhythm, see --list.", autocompletion=_rhythms)] = "sinus",
    shape: Annotated[str, typer.Option(help="Shape of the beats, see --list.", autocompletion=_shapes)] = "normal",
    rate: Annotated[float | None, typer.Option(help="Beats per minute; else the rhythm's usual rate.")] = None,
    noise: Annotated[
        list[str] | None, typer.Option(help="Noise or fault; may be given again.", autocompletion=_noises)
    ] = None,
    snr: Annotated[float | None, typer.Option(help="Signal to noise ratio in dB, of all noise together.")] = None,
    duration: Annotated[float, typer.Option(help="Seconds.")] = 10.0,
    fs: Annotated[float, typer.Option("--fs", help="Samples per second.")] = 500.0,
    seed: Annotated[int, typer.Option(help="The same seed gives the same ECG.")] = 0,
    option: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Any other option, as qrs_axis_deg=-45; may be given again."),
    ] = None,
    case: Annotated[str | None, typer.Option(help="A ready-made demo case instead, see --list.")] = None,
    truth: Annotated[Path | None, typer.Option(help="Write the truth here, as JSON.")] = None,
    show: Annotated[bool, typer.Option("--list", help="List rhythms, shapes, noises and cases, and stop.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace files that exist.")] = False,
    as_json: AsJson = False,
) -> None:
    """Make a 12-lead ECG whose beats, waves, intervals and axes are known exactly."""
    from ecg_core.errors import InvalidValue
    from ecg_core.synthesis import bundled_cases, synthesize

    if show:
        _list(as_json=as_json)
        return
    if out is None:
        raise InvalidValue("nowhere to write to", field="--out", expected="a file name", options=("-o ecg.hea",))
    if case is not None:
        made = bundled_cases()[case].synthesize()
    else:
        made = synthesize(
            rhythm,
            shape,
            duration_s=duration,
            fs=fs,
            rate_bpm=rate,
            noise=tuple(noise or ()),
            snr_db=snr,
            seed=seed,
            **dict(_setting(text) for text in option or ()),
        )
    files = _writer(out)(made.recording, out.stem)
    written = write_files(files, out.parent, force=force)
    if truth is not None:
        text = json.dumps(made.truth.to_dict(), indent=2, allow_nan=False) + "\n"
        written += write_files({truth.name: text.encode()}, truth.parent, force=force)
    if as_json:
        print_json(
            {
                "files": [str(path) for path in written],
                "recording": made.recording.summary(),
                "truth": made.truth.to_dict(),
            }
        )
    else:
        console().print("wrote " + ", ".join(str(path) for path in written))


def add_to(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command(
        epilog="Examples:  ecg synth -o normal.hea   ecg synth --rhythm af --noise muscle --snr 12 -o af.csv   "
        "ecg synth --shape lbbb --set qrs_axis_deg=-45 --truth truth.json -o lbbb.edf"
    )(fails_clearly(synth))


def _writer(out: Path) -> Any:
    from ecg_core.errors import WriteError
    from ecg_core.readers import READERS

    fitting = [reader for reader in READERS.values() if reader.write and out.suffix.lower() in reader.suffixes]
    if not fitting:
        endings = sorted({suffix for reader in READERS.values() if reader.write for suffix in reader.suffixes})
        raise WriteError("no format has this ending", field="--out", found=out.name, options=endings)
    return fitting[0].write


def _setting(text: str) -> tuple[str, Any]:
    """Return the name and value of ``NAME=VALUE``: a number where it is one, else a text, with commas a list."""
    from ecg_core.errors import InvalidValue

    name, found, value = text.partition("=")
    if not found:
        raise InvalidValue("not an option", field="--set", found=text, expected="NAME=VALUE")
    parts = value.split(",")
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        return name, value if len(parts) == 1 else tuple(parts)
    return name, numbers[0] if len(numbers) == 1 else numbers


def _list(*, as_json: bool) -> None:
    from rich.table import Table

    from ecg_core.synthesis import NOISES, RHYTHMS, SHAPES, bundled_cases

    kinds = {
        "rhythms": list(RHYTHMS),
        "shapes": list(SHAPES),
        "noises": list(NOISES),
        "cases": list(bundled_cases()),
    }
    if as_json:
        print_json(kinds)
        return
    table = Table(show_header=False, box=None, padding=(0, 2, 1, 0))
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for kind, items in kinds.items():
        table.add_row(kind, ", ".join(items))
    console().print(table)
