"""Inference by the Open Inference Protocol: the graph alone runs, without what a model does before and after it."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from threading import BoundedSemaphore

from api.errors import RETRY_AFTER_S, Refusal
from api.runtime import Runtime
from api.schemas import InferRequest, ServerMetadata, ServerReady
from api.services.inference_graphs import open_graph
from api.services.inference_tensors import BYTES, UNSUPPORTED, datatype_of, read_tensors
from api.services.inference_wire import HEADER_LENGTH, Body, pack, parse_request, unpack, write_answer
from api.services.readiness import check_parts
from api.settings import Settings
from ecg_core import __version__
from ecg_core.engine import Network
from ecg_core.errors import EcgError, InvalidValue, LimitExceeded

EXTENSIONS = ("binary_tensor_data", "model_repository")
_AT_WORK = BoundedSemaphore(os.cpu_count() or 1)
"""Each graph runs in one thread; more at a time than there are cores would only take memory."""


@dataclass(frozen=True)
class Answer:
    """What is sent back."""

    content: bytes
    media_type: str
    headers: Mapping[str, str]


def describe_server() -> ServerMetadata:
    """Return what the server is."""
    return ServerMetadata(name="einthoven", version=__version__, extensions=list(EXTENSIONS))


def check_server(runtime: Runtime) -> ServerReady:
    """Return that inference can be asked for, or refuse with 503: as `GET /health/ready` does."""
    if missing := [f"{name}: {part.reason}" for name, part in check_parts(runtime) if part.state != "ok"]:
        raise Refusal(503, "not_ready", "; ".join(missing), headers={"Retry-After": str(RETRY_AFTER_S)})
    return ServerReady()


def infer(name: str, version: str | None, body: Body, accepted: str | None, settings: Settings) -> Answer:
    """Run a graph on what was sent. Blocks: call it off the event loop.

    Parameters
    ----------
    name, version
        Of the graph; its highest version where none is named.
    body
        As it came.
    accepted
        Ways of compression that the client takes, as its Accept-Encoding says.
    settings
        Limits on bytes and values.

    Raises
    ------
    UnknownName
        There is none of this name and version.
    InvalidValue
        The inputs are not what the graph reads, or an output is not one of its own.
    LimitExceeded
        There are more bytes or values than the settings allow.
    """
    opened = open_graph(name, version)
    network = opened.network
    with _AT_WORK:
        content = unpack(body, settings.max_upload_bytes)
        request, binary = parse_request(content, body.header_length, network.input_tensors)
        _check_values(sum(math.prod(item.shape) for item in request.inputs), settings, "inputs")
        wanted = _wanted_outputs(request, network)
        arrays = read_tensors(request, binary, network.input_tensors)
        try:
            outputs = network(arrays, list(wanted))
        except EcgError:
            raise
        except Exception as error:  # ONNX Runtime's errors have no common class but Exception.
            raise InvalidValue(
                "cannot be run on these inputs", field=name, found=" ".join(str(error).split())
            ) from error
        _check_values(sum(array.size for array in outputs.values()), settings, "outputs")
        head = {"model_name": name, "model_version": opened.artefact.version, "id": request.id}
        answer, header_length = write_answer(
            {key: value for key, value in head.items() if value is not None}
            | {"parameters": {"sha256": opened.artefact.sha256}},
            outputs,
            {tensor.name: tensor for tensor in network.output_tensors},
            wanted,
        )
        packed, encoding = pack(answer, accepted)
    headers = {"Vary": "Accept-Encoding"}
    if header_length is not None:
        headers[HEADER_LENGTH] = str(header_length)
    if encoding is not None:
        headers["Content-Encoding"] = encoding
    return Answer(packed, "application/json" if header_length is None else "application/octet-stream", headers)


def _wanted_outputs(request: InferRequest, network: Network) -> dict[str, bool]:
    """Return the outputs that are asked for, each with whether it is sent as bytes."""
    there = {tensor.name: tensor for tensor in network.output_tensors}
    asked = {item.name: item.parameters or {} for item in request.outputs or []} or {name: {} for name in there}
    if unknown := [name for name in asked if name not in there]:
        raise InvalidValue("no output of the graph", field="outputs", found=unknown[0], options=there)
    if strings := [name for name in asked if datatype_of(there[name]) == BYTES]:
        options = [name for name in there if name not in strings]
        raise InvalidValue("strings cannot be sent", field="outputs", found=strings[0], options=options)
    if special := [key for item in asked.values() for key in UNSUPPORTED if key in item]:
        raise InvalidValue("is not supported", field="outputs.parameters", found=special[0], options=["binary_data"])
    as_bytes = bool((request.parameters or {}).get("binary_data_output", False))
    return {name: bool(parameters.get("binary_data", as_bytes)) for name, parameters in asked.items()}


def _check_values(found: int, settings: Settings, field: str) -> None:
    if found > settings.infer_max_values:
        raise LimitExceeded(
            "too many values at once", field=field, found=found, expected=f"at most {settings.infer_max_values}"
        )
