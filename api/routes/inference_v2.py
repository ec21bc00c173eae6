"""The Open Inference Protocol, version 2 (KServe, Triton): the graphs of the models, for who feeds them tensors."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Header, Path, Request, Response

from api.deps import ReaderOf, RuntimeOf
from api.routes.inference_errors import InferenceRoute, describe_inference_problems, inlined_schema
from api.schemas import (
    GraphList,
    GraphMetadata,
    IndexEntry,
    IndexRequest,
    InferRequest,
    InferResponse,
    ModelReady,
    ServerLive,
    ServerMetadata,
    ServerReady,
)
from api.services import inference_graphs, inference_v2
from api.services.inference_wire import HEADER_LENGTH
from api.services.inference_wire import Body as RawBody

router = APIRouter(prefix="/v2", tags=["Open Inference Protocol"], route_class=InferenceRoute)

Name = Annotated[
    str,
    Path(
        description="A model's name for its network, or for its only graph; `model:file` for another (`heart12:trees`)."
        " `GET /v2/models` lists all.",
        examples=["heart12"],
    ),
]
Version = Annotated[str, Path(description="One of its installed versions.", examples=["1.0.0"])]
HeaderLength = Annotated[
    int | None,
    Header(
        alias=HEADER_LENGTH,
        ge=0,
        description="Bytes of JSON, where binary tensors follow it; 0 where the body is the only input, as bytes.",
    ),
]
ContentEncoding = Annotated[
    str | None,
    Header(
        description="`gzip` or `deflate`, where the body is packed.",
        json_schema_extra={"enum": ["gzip", "deflate", "identity", None]},
    ),
]
AcceptEncoding = Annotated[str | None, Header(description="`gzip` or `deflate`, where the answer may be packed.")]


_OF_A_MODEL = describe_inference_problems(401, 403, 404, 422, 500)
_INFER: dict[str, Any] = {
    "response_model": InferResponse,
    "response_model_exclude_none": True,
    "responses": describe_inference_problems(400, 401, 403, 404, 413, 415, 422, 429, 500, 503)
    | {200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}},
    "openapi_extra": {
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": inlined_schema(InferRequest)},
                "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
            },
        }
    },
}


async def _raw_body(
    request: Request, header_length: HeaderLength = None, content_encoding: ContentEncoding = None
) -> RawBody:
    return RawBody(await request.body(), header_length, content_encoding)


BodyOf = Annotated[RawBody, Depends(_raw_body)]


@router.get("", responses=describe_inference_problems(401, 403, 500))
def v2_server_metadata(_who: ReaderOf) -> ServerMetadata:
    """Say what the server is, and which extensions of the protocol it has."""
    return inference_v2.describe_server()


@router.get("/health/live")
async def v2_health_live() -> ServerLive:
    """Say that the process answers."""
    return ServerLive()


@router.get("/health/ready", responses=describe_inference_problems(500, 503))
def v2_health_ready(runtime: RuntimeOf) -> ServerReady:
    """Say that inference can be asked for; 503 if not or not yet (`not_ready`), as `GET /health/ready` has it."""
    return inference_v2.check_server(runtime)


@router.get("/models", responses=describe_inference_problems(401, 403, 500))
def v2_list_models(_who: ReaderOf) -> GraphList:
    """List what can be asked: a model's network under the model's name, its other graphs as `model:file`."""
    return inference_graphs.list_graphs()


@router.post("/repository/index", responses=describe_inference_problems(400, 401, 403, 422, 500))
def v2_repository_index(_who: ReaderOf, wanted: Annotated[IndexRequest | None, Body()] = None) -> list[IndexEntry]:
    """List every version of every graph, and whether it can be run, as Triton does."""
    return inference_graphs.index_graphs(ready=wanted is not None and wanted.ready)


@router.get("/models/{name}", responses=_OF_A_MODEL)
def v2_model_metadata(_who: ReaderOf, name: Name) -> GraphMetadata:
    """Say what goes into a graph, in its highest version, and what comes out."""
    return inference_graphs.describe_graph(name)


@router.get("/models/{name}/versions/{version}", responses=_OF_A_MODEL)
def v2_model_version_metadata(_who: ReaderOf, name: Name, version: Version) -> GraphMetadata:
    """Say what goes into a graph and what comes out."""
    return inference_graphs.describe_graph(name, version)


@router.get("/models/{name}/ready", responses=_OF_A_MODEL | describe_inference_problems(400))
def v2_model_ready(_who: ReaderOf, name: Name) -> ModelReady:
    """Say that a graph can be run; 400 if it is there and cannot (`model_not_ready`)."""
    return inference_graphs.check_ready(name)


@router.get("/models/{name}/versions/{version}/ready", responses=_OF_A_MODEL | describe_inference_problems(400))
def v2_model_version_ready(_who: ReaderOf, name: Name, version: Version) -> ModelReady:
    """Say that a version of a graph can be run; 400 if it is there and cannot (`model_not_ready`)."""
    return inference_graphs.check_ready(name, version)


@router.post("/models/{name}/infer", **_INFER)
def v2_infer(
    who: ReaderOf, runtime: RuntimeOf, name: Name, body: BodyOf, accept_encoding: AcceptEncoding = None
) -> Response:
    """Run a graph, in its highest version, on tensors: what a model's preprocessing makes of recordings.

    Tensors go as JSON, or as bytes behind the JSON (the extension for binary tensors), packed or not. Name, datatype
    and shape must be the graph's own; nothing is stored. For recordings rather than tensors there is `POST /predict`.
    """
    return _infer(who.user_id, runtime, name, None, body, accept_encoding)


@router.post("/models/{name}/versions/{version}/infer", **_INFER)
def v2_infer_version(
    who: ReaderOf,
    runtime: RuntimeOf,
    name: Name,
    version: Version,
    body: BodyOf,
    accept_encoding: AcceptEncoding = None,
) -> Response:
    """Run one version of a graph on tensors, as `POST /v2/models/{name}/infer` does with the highest."""
    return _infer(who.user_id, runtime, name, version, body, accept_encoding)


def _infer(
    user_id: str, runtime: RuntimeOf, name: str, version: str | None, body: RawBody, accepted: str | None
) -> Response:
    with runtime.inference.admitted(user_id):
        answer = inference_v2.infer(name, version, body, accepted, runtime.settings)
    return Response(answer.content, 200, dict(answer.headers), answer.media_type)
