"""The graphs of the installed models as the Open Inference Protocol names them: found, described, opened.

A model's network, or its only graph, is called as the model is; its other graphs ``<model>:<file's stem>``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from api.errors import Refusal
from api.schemas import GraphList, GraphMetadata, IndexEntry, ModelReady, TensorMetadata
from api.services.inference_tensors import datatype_of
from api.services.model_manifests import graphs_of, read_manifest
from api.services.warm_up import warm_up
from ecg_core.artefacts import Artefact, ModelFolder, find_model, list_models, load_artefact
from ecg_core.engine import Network, Tensor, network_of
from ecg_core.errors import EcgError, UnknownName

PLATFORM = "onnxruntime_onnx"


@dataclass(frozen=True)
class _Graph:
    name: str
    folder: ModelFolder
    file: str


@dataclass(frozen=True)
class OpenGraph:
    """A graph that is ready to run."""

    name: str
    artefact: Artefact
    network: Network


def list_graphs() -> GraphList:
    """Return what can be asked for inference."""
    return GraphList(models=sorted({graph.name for graph in _graphs()}))


def index_graphs(ready: bool) -> list[IndexEntry]:
    """Return every version of every graph; with ``ready``, those that can be run."""
    entries = []
    for graph in _graphs():
        try:
            load_artefact(graph.folder.path)
        except EcgError as error:
            if not ready:
                entries.append(
                    IndexEntry(name=graph.name, version=graph.folder.version, state="UNAVAILABLE", reason=error.problem)
                )
        else:
            entries.append(IndexEntry(name=graph.name, version=graph.folder.version, state="READY"))
    return entries


def describe_graph(name: str, version: str | None = None) -> GraphMetadata:
    """Return what goes into a graph and what comes out.

    Raises
    ------
    UnknownName
        There is none of this name and version.
    """
    graph = _find(name, version)
    opened = _open(graph)
    return GraphMetadata(
        name=name,
        versions=[other.folder.version for other in _graphs() if other.name == name],
        platform=PLATFORM,
        inputs=[_metadata(tensor) for tensor in opened.network.input_tensors],
        outputs=[_metadata(tensor) for tensor in opened.network.output_tensors],
        parameters={"version": graph.folder.version, "sha256": opened.artefact.sha256, "file": graph.file},
    )


def check_ready(name: str, version: str | None = None) -> ModelReady:
    """Return that a graph can be run, or refuse with 400, as the protocol has it."""
    try:
        _open(_find(name, version))
    except UnknownName:
        raise
    except EcgError as error:
        raise Refusal(400, "model_not_ready", f"the model cannot be used: {error.problem}", field=name) from error
    return ModelReady(name=name)


def open_graph(name: str, version: str | None = None) -> OpenGraph:
    """Return a graph that is ready to run, in the session that analyses use.

    Raises
    ------
    UnknownName
        There is none of this name and version.
    ModelError
        It is damaged or altered.
    """
    return _open(_find(name, version))


def _graphs() -> Iterator[_Graph]:
    for folder in list_models():
        for name, file in graphs_of(folder.name, read_manifest(folder.path)).items():
            yield _Graph(name, folder, file)


def _find(name: str, version: str | None) -> _Graph:
    graphs = list(_graphs())
    model = name.partition(":")[0]
    if version is None and any(graph.folder.name == model for graph in graphs):
        version = find_model(model).version
    for graph in graphs:
        if (graph.name, graph.folder.version) == (name, version):
            return graph
    wanted = name if version is None else f"{name}/{version}"
    options = [f"{graph.name}/{graph.folder.version}" for graph in graphs]
    if any(graph.folder.name == model for graph in graphs):
        problem = "the model has no such graph or version"
    elif any(folder.name == model for folder in list_models()):
        problem = "the model has no graph to serve; what it says is in the answer of POST /predict"
    else:
        problem = "no such model"
    raise UnknownName(problem, field="model", found=wanted, options=options)


def _open(graph: _Graph) -> OpenGraph:
    # Whatever ships is loaded by this once, and shared: two requests at the same time would load it twice.
    warm_up()
    artefact = load_artefact(graph.folder.path)
    return OpenGraph(graph.name, artefact, network_of(artefact, graph.file))


def _metadata(tensor: Tensor) -> TensorMetadata:
    shape = [size if isinstance(size, int) else -1 for size in tensor.shape]
    return TensorMetadata(name=tensor.name, datatype=datatype_of(tensor), shape=shape)
