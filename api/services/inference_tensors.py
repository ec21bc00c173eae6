"""Tensors of the Open Inference Protocol: checked against the graph, out of JSON and bytes, and into JSON.

Not taken: tensors of strings (BYTES), which no model here reads, shared memory and classification.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from api.schemas import InferInput, InferRequest
from ecg_core.engine import Tensor
from ecg_core.errors import InvalidValue

BYTES = "BYTES"
UNSUPPORTED = ("classification", "shared_memory_region")
"""Parameters of extensions that are not offered, and cannot be ignored either."""
_DATATYPES = {
    "bool": "BOOL",
    **{f"float{size}": f"FP{size}" for size in (16, 32, 64)},
    **{f"{sign}int{size}": f"{sign.upper()}INT{size}" for sign in ("", "u") for size in (8, 16, 32, 64)},
}
_KINDS = {"f": "fiu", "b": "b"}
"""Kinds of NumPy that JSON may hold for those that a graph reads."""
_WORDS = {"f": "numbers", "b": "true or false"}


def datatype_of(tensor: Tensor) -> str:
    """Return the protocol's name for what a tensor holds; `BYTES` for what cannot be sent."""
    return _DATATYPES.get(tensor.dtype or "", BYTES)


def read_tensors(request: InferRequest, binary: memoryview, tensors: Sequence[Tensor]) -> dict[str, np.ndarray]:
    """Return the inputs by name, as the graph declares them.

    Raises
    ------
    InvalidValue
        An input is missing, unknown, of another datatype or shape, or has not as many values as its shape says.
    """
    declared = {tensor.name: tensor for tensor in tensors}
    names = [item.name for item in request.inputs]
    if set(names) != set(declared) or len(names) != len(declared):
        raise InvalidValue(
            "not what the graph reads, each once", field="inputs", found=", ".join(names), options=declared
        )
    arrays, sizes, at = {}, dict[str, int](), 0
    for item in request.inputs:
        tensor = declared[item.name]
        check_shape(item, tensor, sizes)
        size = _parameter(item.parameters, "binary_data_size", item.name)
        if size is None:
            arrays[item.name] = _from_json(item, np.dtype(tensor.dtype))
        else:
            arrays[item.name] = _from_bytes(item, np.dtype(tensor.dtype), binary, at, size)
            at += size
    if at != len(binary):
        raise InvalidValue(
            "not all of the bytes after the JSON belong to an input",
            field="inputs",
            found=at,
            expected=str(len(binary)),
        )
    return arrays


def check_shape(item: InferInput, tensor: Tensor, sizes: dict[str, int]) -> None:
    """Refuse an input of another datatype or shape than the graph's.

    Parameters
    ----------
    item, tensor
        What came, and what the graph declares.
    sizes
        Sizes of the dimensions that bear a name, as the inputs before had them; added to.
    """
    field = f"inputs.{item.name}"
    datatype = datatype_of(tensor)
    if datatype == BYTES or item.datatype != datatype:
        strings = BYTES in (datatype, item.datatype)
        raise InvalidValue(
            "strings cannot be sent" if strings else "another datatype than the graph's",
            field=f"{field}.datatype",
            found=item.datatype,
            expected=datatype,
        )
    fits = len(item.shape) == len(tensor.shape)
    for want, got in zip(tensor.shape, item.shape, strict=False):
        size = sizes.setdefault(want, got) if isinstance(want, str) else want
        fits = fits and size in (None, got)
    if not fits:
        expected = ", ".join(str(-1 if isinstance(want, str) or want is None else want) for want in tensor.shape)
        raise InvalidValue(
            "the shape does not fit the graph, or the other inputs",
            field=f"{field}.shape",
            found=item.shape,
            expected=f"[{expected}]",
        )


def to_json(array: np.ndarray) -> list[Any]:
    """Return the values, row by row, with null for what is not a finite number."""
    flat = array.ravel()
    finite = np.isfinite(flat)
    if finite.all():
        return list(flat.tolist())
    values = flat.astype(object)
    values[~finite] = None
    return list(values.tolist())


def _parameter(parameters: Mapping[str, Any] | None, name: str, item: str) -> int | None:
    """Return a size among the parameters of an input; refuse what is not supported."""
    found = parameters or {}
    field = f"inputs.{item}.parameters"
    for unsupported in UNSUPPORTED:
        if unsupported in found:
            raise InvalidValue("is not supported", field=field, found=unsupported, options=(name,))
    size = found.get(name)
    if size is not None and (isinstance(size, bool) or not isinstance(size, int) or size < 0):
        raise InvalidValue("must be a number of bytes", field=f"{field}.{name}", found=size)
    return size


def _from_bytes(item: InferInput, dtype: np.dtype[Any], binary: memoryview, at: int, size: int) -> np.ndarray:
    count = math.prod(item.shape)
    if size != count * dtype.itemsize or at + size > len(binary):
        raise InvalidValue(
            "not as many bytes as its shape asks for, or as there are after the JSON",
            field=f"inputs.{item.name}.parameters.binary_data_size",
            found=f"{size} of {len(binary) - at}",
            expected=str(count * dtype.itemsize),
        )
    kind = np.dtype(np.uint8) if dtype.kind == "b" else dtype.newbyteorder("<")
    # A copy, since graphs compute otherwise on numbers that lie anywhere than on those that lie evenly in memory.
    return np.frombuffer(binary, kind, count, at).reshape(item.shape).astype(dtype)


def _from_json(item: InferInput, dtype: np.dtype[Any]) -> np.ndarray:
    field = f"inputs.{item.name}.data"
    if item.data is None:
        raise InvalidValue("neither data nor bytes after the JSON", field=field, options=("data", "binary_data_size"))
    try:
        array = _whole_numbers(item.data, dtype) if dtype.kind in "iu" else _others(item.data, dtype)
    except (ValueError, TypeError, OverflowError) as error:
        raise InvalidValue(
            "cannot be read", field=field, found=str(error)[:200], expected="numbers, row by row, flat or nested evenly"
        ) from error
    if array.size != math.prod(item.shape):
        raise InvalidValue(
            "not as many values as its shape asks for",
            field=field,
            found=array.size,
            expected=str(math.prod(item.shape)),
        )
    return array.reshape(item.shape)


def _whole_numbers(data: list[Any], dtype: np.dtype[Any]) -> np.ndarray:
    # As Python's own: NumPy would make large ones and small ones together floats, which round them.
    found, limits = np.asarray(data, object), np.iinfo(dtype)
    if not all(type(value) is int and limits.min <= value <= limits.max for value in found.flat):
        raise ValueError(f"values that are no whole numbers from {limits.min} to {limits.max}")
    return found.astype(dtype)


def _others(data: list[Any], dtype: np.dtype[Any]) -> np.ndarray:
    found = np.asarray(data)
    if found.dtype.kind == "O" and dtype.kind == "f":
        found = np.asarray(data, np.float64)
    if found.dtype.kind not in _KINDS[dtype.kind]:
        raise ValueError(f"values that are no {_WORDS[dtype.kind]}")
    with np.errstate(over="ignore"):
        return found.astype(dtype)
