"""The files of an upload, by their labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from ecg_core.errors import InvalidValue, LimitExceeded

_MAX_LABEL = 200


@dataclass(frozen=True)
class Upload:
    """One file as it came in."""

    name: str | None
    content: BinaryIO


def collect_files(
    uploads: Sequence[Upload], max_files: int, name_of: Callable[[str | None], str] | None = None
) -> dict[str, bytes]:
    """Return ``{label: content}``.

    Parameters
    ----------
    name_of
        What makes a label of a file's name; `label_of` where None.

    Raises
    ------
    LimitExceeded
        There are more than ``max_files``.
    InvalidValue
        Two of them have the same name.
    """
    if len(uploads) > max_files:
        raise LimitExceeded("too many files", field="files", found=len(uploads), expected=f"at most {max_files}")
    files: dict[str, bytes] = {}
    for upload in uploads:
        label = (name_of or label_of)(upload.name)
        if label in files:
            raise InvalidValue("two files have the same name", field="files", found=label, expected="each name once")
        files[label] = upload.content.read()
    return files


def label_of(name: str | None) -> str:
    """Return a file's name as a label: without folders and unprintable characters, and of bounded length."""
    return path_of(name).rsplit("/", 1)[-1]


def path_of(name: str | None) -> str:
    """Return the same with its folders, which tell apart the files of many recordings; nothing is opened by it."""
    parts = (name or "").replace("\\", "/").split("/")
    shown = ("".join(ch for ch in part if ch.isprintable()) for part in parts)
    return "/".join(part for part in shown if part not in ("", ".", ".."))[-_MAX_LABEL:].lstrip("/") or "upload"
