"""The shapes of the Open Inference Protocol, version 2, as its specification names them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from api.schemas.base import Schema
from api.schemas.service import Problem

Size = Annotated[int, Field(ge=1, le=2**53)]


class V2Schema(Schema):
    """What these shapes share: `model_...` is the protocol's name for some fields."""

    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=())


class InferenceProblem(Problem):
    """What went wrong: a problem body as everywhere, with the member that the protocol has for it."""

    error: str = Field(description="The same as `detail`.", examples=["inputs.signal: the shape does not fit"])


class ServerLive(V2Schema):
    """Whether the process answers."""

    live: Literal[True] = True


class ServerReady(V2Schema):
    """Whether inference can be asked for."""

    ready: Literal[True] = True


class ServerMetadata(V2Schema):
    """What the server is."""

    name: str = Field(examples=["einthoven"])
    version: str = Field(examples=["0.1.0"])
    extensions: list[str] = Field(description="Of the protocol.", examples=[["binary_tensor_data"]])


class ModelReady(V2Schema):
    """Whether a graph can be run."""

    name: str = Field(examples=["heart12"])
    ready: Literal[True] = True


class TensorMetadata(V2Schema):
    """An input or output of a graph."""

    name: str = Field(examples=["signal"])
    datatype: str = Field(examples=["FP32"])
    shape: list[int] = Field(description="-1 where any size will do.", examples=[[-1, 1000, 8]])


class GraphMetadata(V2Schema):
    """A graph: what goes in and what comes out."""

    name: str = Field(examples=["heart12"])
    versions: list[str] = Field(description="Those that are installed.", examples=[["1.0.0"]])
    platform: str = Field(examples=["onnxruntime_onnx"])
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]
    parameters: dict[str, str] = Field(
        description="The version that this describes, the `sha256` of its manifest, and its file; `GET /models/{model}`"
        " tells what the numbers mean.",
        examples=[{"version": "1.0.0", "sha256": "9f86d0...", "file": "network.onnx"}],
    )


class GraphList(V2Schema):
    """What can be asked for inference."""

    models: list[str] = Field(examples=[["heart12", "heart12:trees"]])


class IndexRequest(V2Schema):
    """Which graphs to list."""

    ready: bool = Field(default=False, strict=True, description="Whether those that cannot be run are left out.")


class IndexEntry(V2Schema):
    """One version of a graph."""

    name: str = Field(examples=["heart12:trees"])
    version: str = Field(examples=["1.0.0"])
    state: Literal["READY", "UNAVAILABLE"]
    reason: str = Field(default="", description="Why it is unavailable.")


class InferInput(V2Schema):
    """One input."""

    name: str = Field(examples=["features"])
    shape: list[Size] = Field(examples=[[1, 2]])
    datatype: str = Field(description="That of the graph; nothing is converted.", examples=["FP32"])
    parameters: dict[str, Any] | None = Field(
        default=None, description="`binary_data_size`: how many bytes after the JSON are its own, in place of `data`."
    )
    data: list[Any] | None = Field(
        default=None,
        description="Row by row, flat or nested. `null` is a missing value (NaN).",
        examples=[[0.1, None]],
    )


class InferOutput(V2Schema):
    """One output that is wanted."""

    name: str = Field(examples=["logits"])
    parameters: dict[str, Any] | None = Field(
        default=None, description="`binary_data`: whether as bytes after the JSON.", examples=[{"binary_data": False}]
    )


class InferRequest(V2Schema):
    """What goes in."""

    id: str | None = Field(default=None, description="Comes back with the answer.", examples=["42"])
    parameters: dict[str, Any] | None = Field(
        default=None,
        description="`binary_data_output`: whether outputs come as bytes unless they say otherwise.",
        examples=[{"binary_data_output": False}],
    )
    inputs: list[InferInput] = Field(min_length=1, description="Each input of the graph, once.")
    outputs: list[InferOutput] | None = Field(default=None, description="Those that are wanted; all where left out.")


class OutputTensor(V2Schema):
    """One output."""

    name: str = Field(examples=["logits"])
    shape: list[int] = Field(examples=[[1, 2]])
    datatype: str = Field(examples=["FP32"])
    parameters: dict[str, Any] | None = Field(
        default=None, description="`binary_data_size`, where its bytes follow.", examples=[{"binary_data_size": 8}]
    )
    data: list[Any] | None = Field(
        default=None, description="Flat, row by row; `null` for what is not a finite number.", examples=[[0.3, -1.5]]
    )


class InferResponse(V2Schema):
    """What comes out."""

    model_name: str = Field(examples=["heart12"])
    model_version: str = Field(examples=["1.0.0"])
    id: str | None = Field(default=None, description="Of the request, where it has one.", examples=["42"])
    parameters: dict[str, str] = Field(description="The `sha256` of the model's manifest.")
    outputs: list[OutputTensor]
