"""MATLAB files: v4, v5 (to v7.2) and v7.3.

The ECG is the variable ``val``, ``ecg``, ``data``, ``signal`` or the like, also as a field of a struct (``ECG.data``);
or one variable a lead; or the only numeric matrix. Rate, lead names, units, start and subject come from variables or
fields beside it. ``write`` makes a v5 file of ``ecg`` (float32 millivolts, shape (n_leads, n_samples)), ``fs``,
``leads`` (a cell array), ``units`` and, where known, ``start``, ``subject`` (JSON) and ``derived``.
Reference beats in a file of their own beside it become annotations: see `_mat_reference`.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ecg_core.errors import UnreadableFile, WriteError
from ecg_core.readers import _hdf5
from ecg_core.readers._arrays import read_container
from ecg_core.readers._container import FACT_NAMES, LARGEST_FACT, Container, Path, Stored
from ecg_core.readers._facts import describe, plain
from ecg_core.readers._mat_check import check_v4, check_v5, v4_order
from ecg_core.readers._mat_reference import annotations_of, reference_of
from ecg_core.readers.base import READERS, Files, Reader, ReadOptions, Sniff
from ecg_core.recording import Recording

if TYPE_CHECKING:
    import h5py

_V5, _V73 = 0x0100, 0x0200
_MAX_DEPTH = 4
_HEADER = b"MATLAB 5.0 MAT-file, written by Einthoven".ljust(116)
_MAX_BYTES = 2**31 - 1


def sniff(data: bytes) -> Sniff:
    """Judge by the version in a v5 or v7.3 header, or by the plausibility of a v4 variable."""
    return Sniff.SURE if _version(data) is not None or v4_order(data) is not None else Sniff.NO


def _version(data: bytes) -> int | None:
    """Return the version in the header of a v5 or v7.3 file, or None where it has none."""
    mark = data[126:128]
    if mark not in (b"IM", b"MI"):
        return None
    version = int.from_bytes(data[124:126], "little" if mark == b"IM" else "big")
    return version if version in (_V5, _V73) else None


def companions(name: str, files: Files) -> tuple[str, ...]:
    """Return the file with the reference beats of the recording, where there is one."""
    reference = reference_of(name, files)
    return () if reference is None else (reference,)


def read(name: str, files: Files, options: ReadOptions) -> Recording:
    """Read the one ECG of a MAT file, and the reference beats beside it."""
    recording = _read_signal(name, {name: files[name]}, options)
    annotations, note = annotations_of(name, files, recording.fs, options)
    recording = replace(recording, annotations=annotations) if annotations else recording
    return recording.with_warnings(note) if note else recording


def _read_signal(name: str, files: Files, options: ReadOptions) -> Recording:
    data = files[name]
    box = Container(name)
    version = _version(data)
    if version == _V73:
        with _hdf5.open_hdf5(data, name) as root:
            for path, item in _hdf5.walk(root, box, options.limits):
                if path and not path[0].startswith("#"):
                    _enter_v73(box, path, item, root, options)
            return read_container(box, format_name="mat", files=files, options=options)
    if version is None and v4_order(data) is None:
        raise UnreadableFile(
            "neither a MAT header nor a MAT v4 variable", file=name, found=repr(data[:16]), expected="a MAT file"
        )
    checked = check_v4(data, name) if version is None else check_v5(data, name, options.limits)
    box.refused.update({(variable,): why for variable, why in checked.refused.items()})
    for variable, value in _load(checked.content, name).items():
        if not variable.startswith("__"):
            _enter(box, (variable,), value)
    return read_container(box, format_name="mat", files=files, options=options)


def _load(content: bytes, file: str) -> dict[str, Any]:
    """Return the variables of a checked v4 or v5 file."""
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        with warnings.catch_warnings():
            # A file that names a variable twice is no reason to fail; the last one counts, as in MATLAB.
            warnings.simplefilter("ignore")
            variables: dict[str, Any] = loadmat(cast("Any", io.BytesIO(content))) if content else {}
    except MatReadError as error:
        raise UnreadableFile("the MAT file is damaged", file=file, found=error, expected="a MAT file") from error
    return variables


def _enter(box: Container, path: Path, value: Any) -> None:
    """Enter one variable or field: a struct by its fields, text as a fact, numbers as an array."""
    if not isinstance(value, np.ndarray):
        return
    if value.dtype.names is not None:
        if value.size == 1 and len(path) <= _MAX_DEPTH:
            for part in value.dtype.names:
                _enter(box, (*path, part), value.reshape(-1)[0][part])
        elif value.size > 1:
            box.refused[path] = f"a struct array of {value.size} entries"
    elif value.dtype.kind in "iuf":
        box.add(Stored(path, value.shape, value.dtype.kind, lambda: value))
    elif value.dtype.kind == "c":
        box.refused[path] = "complex numbers"
    elif value.dtype.kind in "UO" and plain(path[-1]) in FACT_NAMES and value.size:
        box.add_fact(path, value)


def _enter_v73(
    box: Container, path: Path, item: h5py.Group | h5py.Dataset, root: h5py.File, options: ReadOptions
) -> None:
    """Enter one object of a v7.3 file, which stores every array transposed and text as numbers."""
    import h5py

    if isinstance(item, h5py.Group):
        if "MATLAB_sparse" in item.attrs:
            box.refused[path] = "a sparse matrix: save it as full(...)"
        return
    kind = _hdf5.text_of(item.attrs.get("MATLAB_class", b""))
    if kind == "cell" and plain(path[-1]) in FACT_NAMES and 0 < item.size <= LARGEST_FACT:
        box.add_fact(path, _cells(item, root, box, options))
        return
    if why := _hdf5.refusal(item):
        box.refused[path] = why
        return
    if "MATLAB_empty" in item.attrs or item.shape is None:
        return
    load = partial(_hdf5.load, item, box, options.limits)
    if kind == "char":
        if plain(path[-1]) in FACT_NAMES:
            box.add_fact(path, np.array(_text(load())))
    elif item.dtype.kind in "iuf" and kind != "logical":
        box.add(Stored(path, item.shape[::-1], item.dtype.kind, lambda: load().T))


def _text(codes: np.ndarray) -> list[str]:
    """Return the rows of a char array, stored transposed as UTF-16 code units."""
    rows = codes.T if codes.ndim == 2 else codes.reshape(1, -1)
    return [row.astype("<u2").tobytes().decode("utf-16-le", "replace").rstrip() for row in rows]


def _cells(item: h5py.Dataset, root: h5py.File, box: Container, options: ReadOptions) -> np.ndarray:
    """Return the texts of a cell array; its references lead to other objects of the same file."""
    import h5py

    if h5py.check_ref_dtype(item.dtype) is not h5py.Reference:
        raise UnreadableFile("a cell array without cells", file=box.file, field=item.name, found=item.dtype)
    texts = []
    for reference in _hdf5.load(item, box, options.limits).T.reshape(-1):
        cell = root[reference] if reference else None
        if (
            not isinstance(cell, h5py.Dataset)
            or cell.dtype.kind != "u"
            or _hdf5.refusal(cell)
            or cell.size > LARGEST_FACT
        ):
            raise UnreadableFile("a cell that is no text", file=box.file, field=item.name, expected="cells of text")
        texts.append("".join(_text(_hdf5.load(cell, box, options.limits))))
    return np.array(texts)


def write(recording: Recording, stem: str) -> dict[str, bytes]:
    """Write a v5 file, compressed; float32 millivolts, so nothing is rounded."""
    from scipy.io import savemat

    if recording.signal.nbytes > _MAX_BYTES:
        raise WriteError(
            "too large for a MAT v5 variable",
            field="signal",
            found=f"{recording.signal.nbytes} bytes",
            expected=f"at most {_MAX_BYTES}",
            options=("npz", "hdf5"),
        )
    leads = np.empty((1, recording.n_leads), dtype=object)
    leads[0, :] = recording.leads
    buffer = io.BytesIO()
    variables = {"ecg": recording.signal, "fs": recording.fs, "leads": leads, "units": "mV", **describe(recording)}
    savemat(cast("Any", buffer), variables, do_compression=True)
    return {f"{stem}.mat": _HEADER + buffer.getvalue()[len(_HEADER) :]}


READERS.register(
    "mat",
    Reader("mat", "MATLAB (v4, v5, v7.3)", (".mat",), sniff=sniff, read=read, write=write, companions=companions),
)
