"""Every error that Einthoven raises on purpose.

::

    EcgError
    ├── ReadError                what was handed over cannot be read as a recording
    │   ├── UnknownFormat        no reader recognises it
    │   ├── UnreadableFile       recognised, but damaged, inconsistent or without an ECG
    │   ├── NeedsOption          readable once the caller says what the file does not (fs, units)
    │   ├── SeveralRecordings    more than one recording where one was asked for
    │   ├── LimitExceeded        larger, deeper or hungrier than the limits allow
    │   ├── ReaderFailed         the reading process crashed or ran out of time
    │   └── ReaderUnavailable    no reading process could be had
    ├── WriteError               a recording does not fit the format asked for
    ├── InvalidValue             an argument that cannot be used
    ├── UnknownName              a name that a registry does not hold
    ├── DuplicateName            a name that a registry holds already
    ├── DataSetError             a public data set that is missing, incomplete or damaged
    └── ModelError               a model that is incomplete, damaged or altered

Each class has a stable ``code``; `EcgError.to_dict` and `EcgError.from_dict` carry an error across a process boundary.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

LONGEST_FOUND = 500


class EcgError(Exception):
    """An error whose message names the file or field, what was found, what was expected and the options."""

    code = "ecg_error"

    def __init__(
        self,
        problem: str,
        *,
        file: str | None = None,
        field: str | None = None,
        found: object = None,
        expected: str | None = None,
        options: Iterable[str] = (),
    ) -> None:
        self.problem = problem
        self.file = file
        self.field = field
        self.found = None if found is None else _shortened(str(found))
        self.expected = expected
        self.options = tuple(options)
        where = ": ".join(part for part in (file, field) if part)
        text = f"{where}: {problem}" if where else problem
        for label, value in (("found", self.found), ("expected", expected), ("options", ", ".join(self.options))):
            if value:
                text += f"; {label}: {value}"
        super().__init__(text)

    def __reduce__(self) -> tuple[Any, ...]:
        return EcgError.from_dict, (self.to_dict(),)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready form that `from_dict` turns back into the same error."""
        return {
            "code": self.code,
            "problem": self.problem,
            "file": self.file,
            "field": self.field,
            "found": self.found,
            "expected": self.expected,
            "options": list(self.options),
        }

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> EcgError:
        """Rebuild the error that `to_dict` described."""
        kinds = {kind.code: kind for kind in all_errors()}
        fields = {key: values.get(key) for key in ("file", "field", "found", "expected")}
        return kinds[values["code"]](values["problem"], options=values.get("options", ()), **fields)


def _shortened(text: str) -> str:
    """Return ``text`` cut to what a message can carry: what was found may be a whole file."""
    return text if len(text) <= LONGEST_FOUND else f"{text[: LONGEST_FOUND - 4]} ..."


class ReadError(EcgError):
    """What was handed over cannot be read as a recording."""

    code = "read_error"


class UnknownFormat(ReadError):
    """No reader recognises the content."""

    code = "unknown_format"


class UnreadableFile(ReadError):
    """The format is recognised, but the content is damaged, inconsistent or holds no ECG."""

    code = "unreadable_file"


class NeedsOption(ReadError):
    """The file leaves out something that only the caller can say."""

    code = "needs_option"


class SeveralRecordings(ReadError):
    """More than one recording was found where one was asked for."""

    code = "several_recordings"


class LimitExceeded(ReadError):
    """The input is larger, deeper or hungrier than the limits allow."""

    code = "limit_exceeded"


class ReaderFailed(ReadError):
    """The reading process crashed or ran out of time."""

    code = "reader_failed"


class ReaderUnavailable(ReadError):
    """No reading process could be had: all are busy, or none starts."""

    code = "reader_unavailable"


class WriteError(EcgError):
    """A recording does not fit the format asked for."""

    code = "write_error"


class InvalidValue(EcgError, ValueError):
    """An argument that cannot be used."""

    code = "invalid_value"


class UnknownName(EcgError, LookupError):
    """A name that a registry does not hold."""

    code = "unknown_name"


class DuplicateName(EcgError, ValueError):
    """A name that a registry holds already."""

    code = "duplicate_name"


class DataSetError(EcgError):
    """A public data set that is missing, incomplete or damaged."""

    code = "data_set_error"


class ModelError(EcgError):
    """A model that is incomplete, damaged or altered."""

    code = "model_error"


def all_errors() -> tuple[type[EcgError], ...]:
    """Return `EcgError` and every class below it."""
    found: list[type[EcgError]] = [EcgError]
    for kind in found:
        found.extend(sub for sub in kind.__subclasses__() if sub not in found)
    return tuple(found)
