"""Results in a file, one row a recording, written so that an interrupted run can go on where it stopped."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from cli.finding_files import Place
from ecg_core.report.rows import COLUMNS, csv_line, row_of

if TYPE_CHECKING:
    from types import TracebackType

    from ecg_core.analysis import Analysis
    from ecg_core.errors import EcgError

KINDS = (".csv", ".jsonl")


@dataclass
class Progress:
    """How far an earlier run came."""

    files: set[str] = field(default_factory=set)
    """Files that are done."""
    within: dict[str, set[str]] = field(default_factory=dict)
    """The last file, which may hold more, to the names that are done."""
    rows: int = 0
    length: int = 0
    """Bytes of the whole rows; what follows was cut short."""


class Results:
    """A file that rows are added to."""

    def __init__(self, path: Path, settings: str, *, resume: bool, force: bool) -> None:
        """Open ``path``, which is new, or continued with the same ``settings``."""
        from ecg_core.errors import InvalidValue, WriteError

        if path.suffix.lower() not in KINDS:
            raise InvalidValue("no such kind of file", field="--out", found=path.name, options=KINDS)
        self.path, self.settings, self.is_csv = path, settings, path.suffix.lower() == ".csv"
        if path.exists() and not (resume or force):
            options = ("--resume to continue it", "--force to replace it")
            raise WriteError("exists already", file=str(path), options=options)
        self.before = self._look() if resume and path.exists() else Progress()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if self.before.length:
                with path.open("r+b") as file:
                    file.truncate(self.before.length)
            self._file = path.open("a" if self.before.length else "w", encoding="utf-8", newline="")
        except OSError as error:
            raise WriteError("cannot be written", file=str(path), found=error.strerror or error) from error
        if self.is_csv and not self.before.length:
            self._file.write(csv_line(COLUMNS))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def add(self, place: Place, found: Analysis | EcgError) -> None:
        """Write one row, whole, so that a stop costs no more than what was not yet analysed."""
        from ecg_core.errors import EcgError

        if self.is_csv:
            row = _row(place, found, self.settings)
            line = csv_line([row.get(name) for name in COLUMNS])
        else:
            known = {"file": place.file, "recording_name": place.name, "settings": self.settings}
            rest = {"error": found.to_dict()} if isinstance(found, EcgError) else found.to_dict()
            line = json.dumps(known | rest, ensure_ascii=False, allow_nan=False) + "\n"
        self._file.write(line)
        self._file.flush()

    def _look(self) -> Progress:
        """Return how far the file came; refuse one that was written otherwise."""
        from ecg_core.errors import WriteError

        found = Progress()
        last: Place | None = None
        try:
            with self.path.open("rb") as file:
                for number, line in enumerate(file):
                    if not line.endswith(b"\n"):
                        break
                    if self.is_csv and number == 0:
                        if line.decode("utf-8") != csv_line(COLUMNS):
                            raise WriteError("has other columns", file=str(self.path), expected=",".join(COLUMNS))
                    else:
                        place, settings = self._read(line.decode("utf-8"))
                        if settings != self.settings:
                            raise WriteError(
                                "was made with other settings, and cannot be continued with these",
                                file=str(self.path),
                                found=settings,
                                expected=self.settings,
                            )
                        if last is not None and last.file != place.file:
                            found.files.add(last.file)
                            found.within.clear()
                        found.within.setdefault(place.file, set()).add(place.name)
                        last = place
                        found.rows += 1
                    found.length += len(line)
        except (OSError, ValueError, KeyError, IndexError) as error:
            if isinstance(error, WriteError):
                raise
            raise WriteError("is no file of results", file=str(self.path), found=error) from error
        return found

    def _read(self, line: str) -> tuple[Place, str]:
        if self.is_csv:
            row = dict(zip(COLUMNS, next(csv.reader([line])), strict=True))
            return Place(row["file"], row["recording"]), row["settings"]
        found = json.loads(line)
        return Place(found["file"], found["recording_name"]), found["settings"]


def _row(place: Place, found: Analysis | EcgError, settings: str) -> Mapping[str, Any]:
    from ecg_core.errors import EcgError

    place_and_settings = {"file": place.file, "recording": place.name, "settings": settings}
    if isinstance(found, EcgError):
        return {**place_and_settings, "error": found.code, "error_text": str(found)}
    return {**place_and_settings, **row_of(found.to_dict())}
