"""Requests and answers of the Open Inference Protocol as bytes: JSON, binary tensors behind it, compression.

The protocol and its extension for binary tensors: https://kserve.github.io/website/docs/concepts/architecture/data-plane.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from api.errors import Refusal
from api.schemas import InferRequest
from api.services.inference_tensors import datatype_of, to_json
from ecg_core.engine import Tensor
from ecg_core.errors import InvalidValue, LimitExceeded

HEADER_LENGTH = "Inference-Header-Content-Length"
"""Header with the bytes of JSON, where binary tensors follow it; 0 where the only input is all of the body."""
_LEVEL = 1
_EITHER_HEADER = zlib.MAX_WBITS | 32
_ENCODERS = {"gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}


@dataclass(frozen=True)
class Body:
    """A request's body, and what its headers say of it."""

    content: bytes
    header_length: int | None = None
    encoding: str | None = None


def unpack(body: Body, limit: int) -> bytes:
    """Return the content without its compression.

    Raises
    ------
    LimitExceeded
        It has more than ``limit`` bytes.
    Refusal
        400: it is damaged; 415: it is packed otherwise than by gzip or deflate.
    """
    encoding = (body.encoding or "identity").strip().lower()
    if encoding == "identity":
        return body.content
    if encoding not in _ENCODERS:
        options = [*_ENCODERS, "identity"]
        raise Refusal(415, "unsupported_encoding", "packed in an unknown way", found=encoding, options=options)
    member = zlib.decompressobj(_EITHER_HEADER)
    try:
        unpacked = member.decompress(body.content, limit + 1)
    except zlib.error as error:
        raise Refusal(400, "bad_request", f"the body is not {encoding}: {error}") from error
    if len(unpacked) > limit:
        raise LimitExceeded("unpacks to too much", field="body", expected=f"at most {limit} bytes")
    if not member.eof or member.unused_data:
        raise Refusal(400, "bad_request", f"the body is not one piece of {encoding}, whole")
    return unpacked


def pack(content: bytes, accepted: str | None) -> tuple[bytes, str | None]:
    """Return the content, packed by what the client accepts if it does, and by what."""
    for item in (accepted or "").lower().split(","):
        encoding, _, weight = item.partition(";")
        if (encoding := encoding.strip()) in _ENCODERS and weight.replace(" ", "") not in ("q=0", "q=0.0"):
            packer = zlib.compressobj(_LEVEL, wbits=_ENCODERS[encoding])
            return packer.compress(content) + packer.flush(), encoding
    return content, None


def parse_request(
    content: bytes, header_length: int | None, inputs: Sequence[Tensor]
) -> tuple[InferRequest, memoryview]:
    """Return a request, and the bytes of its binary tensors.

    Raises
    ------
    Refusal
        400: it is not JSON, or shorter than its header says.
    RequestValidationError
        It is not what the protocol describes.
    """
    if header_length == 0:
        return _raw_request(len(content), inputs), memoryview(content)
    if header_length is not None and header_length > len(content):
        detail = f"the body is shorter than {HEADER_LENGTH} says"
        raise Refusal(400, "bad_request", detail, found=str(len(content)), expected=str(header_length))
    end = len(content) if header_length is None else header_length
    try:
        found = json.loads(content[:end])
    except (ValueError, RecursionError) as error:
        raise Refusal(400, "bad_request", f"the request is not JSON: {str(error)[:200]}") from error
    try:
        return InferRequest.model_validate(found), memoryview(content)[end:]
    except ValidationError as error:
        items = error.errors(include_url=False, include_input=False, include_context=False)
        raise RequestValidationError([{**item, "loc": ("body", *item["loc"])} for item in items]) from error


def write_answer(
    head: Mapping[str, Any], arrays: Mapping[str, np.ndarray], tensors: Mapping[str, Tensor], binary: Mapping[str, bool]
) -> tuple[bytes, int | None]:
    """Return the body of an answer, and how many bytes of it are JSON where binary tensors follow.

    Parameters
    ----------
    head
        What stands before the outputs.
    arrays, tensors
        Each output, and what the graph declares it to be.
    binary
        Which outputs are sent as bytes.
    """
    outputs: list[dict[str, Any]] = []
    behind: list[bytes] = []
    for name, array in arrays.items():
        item = {"name": name, "datatype": datatype_of(tensors[name]), "shape": list(array.shape)}
        if binary[name]:
            behind.append(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes())
            outputs.append(item | {"parameters": {"binary_data_size": len(behind[-1])}})
        else:
            outputs.append(item | {"data": to_json(array)})
    text = json.dumps({**head, "outputs": outputs}, allow_nan=False, separators=(",", ":")).encode()
    return b"".join((text, *behind)), len(text) if behind else None


def _raw_request(n_bytes: int, inputs: Sequence[Tensor]) -> InferRequest:
    """Return what a body without any JSON stands for: the only input, of as many records as its bytes are."""
    if len(inputs) != 1 or not all(isinstance(size, int) for size in inputs[0].shape[1:]) or inputs[0].dtype is None:
        raise InvalidValue(
            f"{HEADER_LENGTH} of 0 is for graphs with one input of fixed size",
            field=HEADER_LENGTH,
            options=[tensor.name for tensor in inputs],
        )
    (tensor,) = inputs
    each = math.prod(size for size in tensor.shape[1:] if isinstance(size, int)) * np.dtype(tensor.dtype).itemsize
    shape = [max(n_bytes // each, 1), *tensor.shape[1:]]
    item = {"name": tensor.name, "datatype": datatype_of(tensor), "shape": shape}
    return InferRequest.model_validate(
        {
            "inputs": [item | {"parameters": {"binary_data_size": n_bytes}}],
            "parameters": {"binary_data_output": True},
        }
    )
