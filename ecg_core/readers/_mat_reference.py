"""Reference beats in a MAT file of their own, as CPSC 2019 publishes them: ``data/data_1.mat``, ``ref/R_1.mat``.

The file holds ``R_peak``: sample numbers from 0, often as uint16.
"""

from __future__ import annotations

import io
import warnings
from typing import Any, cast

import numpy as np

from ecg_core.errors import EcgError, UnreadableFile
from ecg_core.readers._mat_check import check_v4, check_v5, v4_order
from ecg_core.readers.base import Files, ReadOptions
from ecg_core.recording import Annotations

ANNOTATOR = "ref"
_DATA, _REFERENCE = "data_", "R_"
_VARIABLE = "R_peak"


def reference_of(name: str, files: Files) -> str | None:
    """Return the name, among ``files``, of the file with the reference beats of the recording ``name``, if there."""
    folder, slash, base = name.rpartition("/")
    if not base.startswith(_DATA):
        return None
    wanted = _REFERENCE + base.removeprefix(_DATA)
    above, up, _ = folder.rpartition("/")
    places = (f"{above}{up}ref/{wanted}", f"{folder}{slash}ref/{wanted}", f"{folder}{slash}{wanted}")
    return next((place for place in places if place in files), None)


def read_reference(name: str, data: bytes, fs: float, options: ReadOptions) -> Annotations:
    """Return the reference beats as marks ``N``.

    Raises
    ------
    EcgError
        The file is damaged or holds none.
    """
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    checked = check_v5(data, name, options.limits) if v4_order(data) is None else check_v4(data, name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found: dict[str, Any] = loadmat(cast("Any", io.BytesIO(checked.content)), variable_names=[_VARIABLE])
    except (MatReadError, ValueError, TypeError, NotImplementedError, EOFError, OSError) as error:
        raise UnreadableFile("the MAT file is damaged", file=name, found=error, expected=_VARIABLE) from error
    peaks = found.get(_VARIABLE)
    if not isinstance(peaks, np.ndarray) or peaks.dtype.kind not in "iuf":
        raise UnreadableFile("holds no reference beats", file=name, expected=_VARIABLE)
    times = np.sort(peaks.reshape(-1).astype(np.float64)) / fs
    if not (np.isfinite(times).all() and (times >= 0).all()):
        raise UnreadableFile("not sample numbers", file=name, field=_VARIABLE, expected="0 or more")
    return Annotations(times, ("N",) * len(times))


def annotations_of(name: str, files: Files, fs: float, options: ReadOptions) -> tuple[dict[str, Annotations], str]:
    """Return the reference beats that belong to a recording, and what is to be said where they cannot be read."""
    reference = reference_of(name, files)
    if reference is None:
        return {}, ""
    try:
        return {ANNOTATOR: read_reference(reference, files[reference], fs, options)}, ""
    except EcgError as error:
        return {}, f"annotations: {error}; left out"
