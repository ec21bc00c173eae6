"""The Open Inference Protocol over a real server, by the client of Triton and by hand."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import numpy as np
import pytest
import uvicorn

import ecg_core.evaluation.exams  # noqa: F401 (registers how every model is run)
from api.services.inference_wire import HEADER_LENGTH
from api.services.warm_up import warm_up
from ecg_core import __version__
from ecg_core.artefacts import RUNNERS, list_models, load_model
from ecg_core.engine import Network, network_of
from ecg_core.guests.adding import add_guest
from ecg_core.guests.store import add_model, to_toml
from ecg_core.predictors import predictors
from tests.predictors.guest_models import ONNX_MANIFEST, onnx_toy
from tests.service import as_user, running_app
from training.artefact import read_golden

triton = pytest.importorskip("tritonclient.http", reason="the package tritonclient[http] is not installed")

GRAPHS = {
    "beat_classes": ("beat_classes", "network.onnx"),
    "beats": ("beats", "network.onnx"),
    "heart12": ("heart12", "network.onnx"),
    "heart12:trees": ("heart12", "trees.onnx"),
    "heart12:trees_one": ("heart12", "trees_one.onnx"),
    "reversals": ("reversals", "network.onnx"),
    "rhythm": ("rhythm", "network.onnx"),
    "rhythm:trees": ("rhythm", "trees.onnx"),
    "tabular": ("tabular", "trees.onnx"),
    "waves": ("waves", "network.onnx"),
}
FEW = "reversals"
"""A graph with one small input, ``beat`` of 342 values, and one output, ``score``."""
GOLDEN = {"heart12": ("0", "6")}
"""Recordings of its golden vectors that are sent; otherwise the first two."""
KINDS = {
    "BOOL": (np.bool_, [True, False]),
    "INT8": (np.int8, [-128, 127]),
    "UINT8": (np.uint8, [0, 255]),
    "INT16": (np.int16, [-32768, 32767]),
    "UINT16": (np.uint16, [0, 65535]),
    "INT32": (np.int32, [-(2**31), 2**31 - 1]),
    "UINT32": (np.uint32, [0, 2**32 - 1]),
    "INT64": (np.int64, [-(2**63), 2**63 - 1]),
    "UINT64": (np.uint64, [0, 2**64 - 1]),
    "FP16": (np.float16, [0.5, -65504]),
    "FP32": (np.float32, [0.1, -1e30]),
    "FP64": (np.float64, [0.1, -1e300]),
}


@contextmanager
def serving(app) -> Iterator[str]:
    """Serve an app that is started already, on a free port of this machine."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, lifespan="off", log_level="warning"))
    thread = Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            thread.join(0.01)
        yield f"127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


class Client:
    """Triton's client, signed in; it adds to the headers that it is given."""

    def __init__(self, address: str, headers: dict[str, str]) -> None:
        self.triton = triton.InferenceServerClient(address, concurrency=2)
        self.headers = headers

    def __getattr__(self, name):
        return lambda *given, **named: getattr(self.triton, name)(*given, headers=dict(self.headers), **named)


@pytest.fixture(scope="module")
def server(client) -> Iterator[Client]:
    with serving(client.app) as address:
        found = Client(address, {"Authorization": client.headers["authorization"]})
        yield found
        found.triton.close()


def tensors(arrays: dict[str, np.ndarray], datatype: str = "FP32", binary: bool = True) -> list:
    inputs = []
    for name, array in arrays.items():
        inputs.append(triton.InferInput(name, list(array.shape), datatype))
        inputs[-1].set_data_from_numpy(array, binary_data=binary)
    return inputs


def a_beat(n: int = 1) -> dict[str, np.ndarray]:
    return {"beat": np.random.default_rng(0).standard_normal((n, 342)).astype(np.float32)}


def a_request(**changes) -> dict:
    """Return a request for `FEW`, as JSON."""
    item = {"name": "beat", "shape": [1, 342], "datatype": "FP32", "data": a_beat()["beat"].ravel().tolist()}
    return {"inputs": [item | changes]}


# --- what is there ---------------------------------------------------------------------------------------------------


def test_the_server_says_that_it_lives_and_is_ready_to_anybody(server):
    warm_up()
    assert server.triton.is_server_live()
    assert server.triton.is_server_ready()


def test_a_server_whose_models_are_not_loaded_is_not_ready(server, anonymous, monkeypatch):
    monkeypatch.setattr("api.services.readiness.is_warm", lambda: None)
    assert not server.triton.is_server_ready()
    answer = anonymous.get("/v2/health/ready")
    assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
    assert answer.json()["error"] == "models: the models are being loaded"


def test_the_server_says_what_it_is(server):
    assert server.get_server_metadata() == {
        "name": "einthoven",
        "version": __version__,
        "extensions": ["binary_tensor_data", "model_repository"],
    }


def test_every_graph_of_every_model_is_served(server, client):
    assert client.get("/v2/models").json() == {"models": list(GRAPHS)}
    entries = server.get_model_repository_index()
    assert entries == [{"name": name, "version": "1.0.0", "state": "READY", "reason": ""} for name in GRAPHS]
    there = {(m.name, file) for m in list_models() for file in load_model(m.name).files if file.endswith(".onnx")}
    assert set(GRAPHS.values()) == there
    listed = client.get("/models").json()["models"]
    assert [name for model in listed for name in model["graphs"]] == list(GRAPHS)


@pytest.mark.parametrize("name", GRAPHS)
def test_a_graph_is_described_as_it_declares_itself(server, name):
    model, file = GRAPHS[name]
    artefact = load_model(model)
    network = network_of(artefact, file)
    assert server.is_model_ready(name)
    assert server.is_model_ready(name, "1.0.0")
    found = server.get_model_metadata(name)
    assert found == server.get_model_metadata(name, "1.0.0")
    assert (found["name"], found["versions"], found["platform"]) == (name, ["1.0.0"], "onnxruntime_onnx")
    assert found["parameters"] == {"version": "1.0.0", "sha256": artefact.sha256, "file": file}
    for side, declared in (("inputs", network.input_tensors), ("outputs", network.output_tensors)):
        assert [item["name"] for item in found[side]] == [tensor.name for tensor in declared]
        assert {item["datatype"] for item in found[side]} == {"FP32"}
        for item, tensor in zip(found[side], declared, strict=True):
            assert item["shape"] == [-1, *tensor.shape[1:]]


# --- inference -------------------------------------------------------------------------------------------------------


def runs_of(model: str, monkeypatch) -> list[tuple[str, dict[str, np.ndarray], dict[str, np.ndarray]]]:
    """Return what goes into every graph of a model, and what comes out, when it answers its golden vectors."""
    artefact = load_model(model)
    names = {id(network_of(artefact, file)): name for name, (of, file) in GRAPHS.items() if of == model}
    runs = []
    run = Network.__call__

    def listen(network, values, outputs=None):
        found = run(network, values, outputs)
        if id(network) in names:
            given = values if isinstance(values, dict) else dict.fromkeys(network.inputs, values)
            runs.append((names[id(network)], {key: np.asarray(a, np.float32) for key, a in given.items()}, found))
        return found

    with np.load(io.BytesIO(artefact.files["golden.npz"]), allow_pickle=False) as golden:
        with monkeypatch.context() as patch:
            patch.setattr(Network, "__call__", listen)
            for number in GOLDEN.get(model, ("0", "1")):
                item = {key: golden[f"{number}.{key}"] for key in ("signal", "fs", "leads")}
                RUNNERS[artefact.manifest["task"]](artefact, read_golden(item))
    return runs


@pytest.mark.parametrize("model", sorted({model for model, _ in GRAPHS.values()}))
def test_golden_vectors_come_out_as_the_engine_gives_them(server, model, monkeypatch):
    runs = runs_of(model, monkeypatch)
    assert {name for name, _, _ in runs} == {name for name, (of, _) in GRAPHS.items() if of == model}
    for at, (name, inputs, expected) in enumerate(runs):
        # As bytes, and every fourth time as JSON too, which takes its time.
        for binary in (True, False) if at % 4 == 0 else (True,):
            outputs = [triton.InferRequestedOutput(output, binary_data=binary) for output in expected]
            found = server.infer(name, tensors(inputs, binary=binary), outputs=outputs)
            for output, values in expected.items():
                np.testing.assert_array_equal(found.as_numpy(output), values, err_msg=f"{name} {output}")


def test_an_answer_names_request_model_version_and_weights(server):
    found = server.infer(FEW, tensors(a_beat()), request_id="42").get_response()
    assert (found["id"], found["model_name"], found["model_version"]) == ("42", FEW, "1.0.0")
    assert found["parameters"] == {"sha256": load_model(FEW).sha256}
    assert "id" not in server.infer(FEW, tensors(a_beat()), model_version="1.0.0").get_response()


def test_records_are_answered_in_the_batch_that_was_sent(server):
    beats = a_beat(50)
    found = server.infer(FEW, tensors(beats)).as_numpy("score")
    np.testing.assert_array_equal(found, network_of(load_model(FEW))(beats)["score"])
    assert found.shape == (50, 1)


def test_only_the_outputs_that_are_asked_for_come(server):
    signal = {"signal": np.zeros((1, 1000, 8), np.float32)}
    wanted = triton.InferRequestedOutput("logits", binary_data=False)
    found = server.infer("heart12", tensors(signal), outputs=[wanted]).get_response()
    assert [item["name"] for item in found["outputs"]] == ["logits"]
    assert "data" in found["outputs"][0]
    everything = server.infer("heart12", tensors(signal)).get_response()
    assert [item["name"] for item in everything["outputs"]] == ["logits", "maps"]


def test_each_output_is_sent_as_it_is_asked_for(client):
    item = {"name": "signal", "shape": [1, 1000, 8], "datatype": "FP32", "data": [0.0] * 8000}
    outputs = [{"name": "maps", "parameters": {"binary_data": True}}, {"name": "logits"}]
    answer = client.post("/v2/models/heart12/infer", json={"inputs": [item], "outputs": outputs})
    assert answer.headers["content-type"] == "application/octet-stream"
    end = int(answer.headers[HEADER_LENGTH])
    maps, logits = json.loads(answer.content[:end])["outputs"]
    assert maps["parameters"]["binary_data_size"] == len(answer.content) - end == 4 * 32 * 512
    assert len(logits["data"]) == 102
    default = client.post(
        "/v2/models/heart12/infer", json={"inputs": [item], "parameters": {"binary_data_output": True}}
    )
    assert len(default.content) - int(default.headers[HEADER_LENGTH]) == 4 * (102 + 32 * 512)


@pytest.mark.parametrize("algorithm", ["gzip", "deflate"])
@pytest.mark.parametrize("binary", [True, False])
def test_requests_and_answers_can_be_packed(server, algorithm, binary):
    beats = a_beat(20)
    outputs = [triton.InferRequestedOutput("score", binary_data=binary)]
    found = server.infer(
        FEW,
        tensors(beats, binary=binary),
        outputs=outputs,
        request_compression_algorithm=algorithm,
        response_compression_algorithm=algorithm,
    )
    np.testing.assert_array_equal(found.as_numpy("score"), network_of(load_model(FEW))(beats)["score"])


def test_an_answer_is_packed_only_for_who_takes_it(client):
    for accepted, used in (("identity", None), ("gzip;q=0", None), ("br, gzip;q=0.5", "gzip"), ("deflate", "deflate")):
        answer = client.post(f"/v2/models/{FEW}/infer", json=a_request(), headers={"Accept-Encoding": accepted})
        assert answer.headers.get("content-encoding") == used
        assert answer.json()["outputs"][0]["name"] == "score"


def test_nested_data_are_read_as_flat_ones(client):
    beats = a_beat(3)["beat"]
    flat, nested = (
        client.post(f"/v2/models/{FEW}/infer", json=a_request(shape=[3, 342], data=data)).json()["outputs"]
        for data in (beats.ravel().tolist(), beats.tolist())
    )
    assert flat == nested


def test_a_body_of_nothing_but_the_only_input_is_taken(client):
    beats = a_beat(2)["beat"]
    answer = client.post(f"/v2/models/{FEW}/infer", content=beats.tobytes(), headers={HEADER_LENGTH: "0"})
    end = int(answer.headers[HEADER_LENGTH])
    found = np.frombuffer(answer.content[end:], np.float32)
    np.testing.assert_array_equal(found, network_of(load_model(FEW))(beats)["score"].ravel())
    refused = client.post("/v2/models/waves/infer", content=beats.tobytes(), headers={HEADER_LENGTH: "0"})
    assert (refused.status_code, refused.json()["options"]) == (422, ["signal", "recorded", "record"])


def test_missing_values_go_as_null_or_bytes_and_are_missing_to_the_trees(client, server):
    features = np.full((1, 251), 0.5, np.float32)
    features[0, ::2] = np.nan
    expected = network_of(load_model("tabular"), "trees.onnx")(features)["logits"]
    assert not np.array_equal(
        expected, network_of(load_model("tabular"), "trees.onnx")(np.nan_to_num(features))["logits"]
    )
    np.testing.assert_array_equal(server.infer("tabular", tensors({"features": features})).as_numpy("logits"), expected)
    data = [None if np.isnan(value) else float(value) for value in features[0]]
    item = {"name": "features", "shape": [1, 251], "datatype": "FP32", "data": data}
    found = client.post("/v2/models/tabular/infer", json={"inputs": [item]}).json()
    np.testing.assert_array_equal(np.array(found["outputs"][0]["data"], np.float32), expected.ravel())


def test_no_graph_is_loaded_a_second_time(server, monkeypatch):
    for name in GRAPHS:
        server.get_model_metadata(name)
    monkeypatch.setattr("ecg_core.engine._session", None)
    server.infer(FEW, tensors(a_beat()))
    assert predictors()["heart12"].estimator.network is network_of(load_model("heart12"))


# --- what is refused -------------------------------------------------------------------------------------------------

WRONG = {
    "another datatype": (a_request(datatype="FP64"), "inputs.beat.datatype", "FP32"),
    "strings": (a_request(datatype="BYTES", data=["a"]), "inputs.beat.datatype", "FP32"),
    "another size": (a_request(shape=[1, 341]), "inputs.beat.shape", "[-1, 342]"),
    "another number of dimensions": (a_request(shape=[342]), "inputs.beat.shape", "[-1, 342]"),
    "too few values": (a_request(data=[1.0]), "inputs.beat.data", "342"),
    "words for numbers": (a_request(data=["1.0"] * 342), "inputs.beat.data", None),
    "truth for numbers": (a_request(data=[True] * 342), "inputs.beat.data", None),
    "uneven rows": (a_request(shape=[2, 342], data=[[1.0], [1.0, 2.0]]), "inputs.beat.data", None),
    "things for numbers": (a_request(data=[{}] * 342), "inputs.beat.data", None),
    "no data": (a_request(data=None), "inputs.beat.data", None),
    "an unknown input": (a_request(name="bear"), "inputs", None),
    "an input twice": ({"inputs": a_request()["inputs"] * 2}, "inputs", None),
    "an unknown output": (a_request() | {"outputs": [{"name": "scores"}]}, "outputs", None),
    "an extension that is not offered": (
        a_request() | {"outputs": [{"name": "score", "parameters": {"classification": 3}}]},
        "outputs.parameters",
        None,
    ),
    "shared memory": (a_request(parameters={"shared_memory_region": "a"}), "inputs.beat.parameters", None),
    "bytes that are not there": (
        a_request(parameters={"binary_data_size": 1368}),
        "inputs.beat.parameters.binary_data_size",
        "1368",
    ),
    "a size that is none": (
        a_request(parameters={"binary_data_size": "12"}),
        "inputs.beat.parameters.binary_data_size",
        None,
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_the_graph_does_not_read_is_refused_with_what_it_reads(client, wrong):
    request, field, expected = WRONG[wrong]
    answer = client.post(f"/v2/models/{FEW}/infer", json=request)
    problem = answer.json()
    assert (answer.status_code, problem["code"], problem["field"]) == (422, "invalid_value", field)
    assert answer.headers["content-type"] == "application/problem+json"
    if expected is not None:
        assert problem["expected"] == expected
    assert problem["error"].startswith(problem["detail"])


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        ({}, "body.inputs"),
        ([], "body"),
        ({"inputs": []}, "body.inputs"),
        (a_request(shape=[0, 342]), "body.inputs.0.shape.0"),
        (a_request(shape=["one", 342]), "body.inputs.0.shape.0"),
        (a_request() | {"id": {}}, "body.id"),
    ],
)
def test_what_is_no_request_of_the_protocol_is_refused(client, request_, field):
    answer = client.post(f"/v2/models/{FEW}/infer", json=request_)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert answer.json()["errors"][0]["field"] == field
    assert answer.json()["error"] == answer.json()["detail"]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"1" * 5000, b'{"inputs": [}'])
def test_what_is_no_json_is_refused(client, content):
    answer = client.post(f"/v2/models/{FEW}/infer", content=content)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert answer.json()["error"]


def test_bytes_that_are_missing_or_left_over_are_refused(client):
    head = json.dumps(a_request(data=None, parameters={"binary_data_size": 1368})).encode()
    for behind, field in ((bytes(1367), "inputs.beat.parameters.binary_data_size"), (bytes(1369), "inputs")):
        answer = client.post(f"/v2/models/{FEW}/infer", content=head + behind, headers={HEADER_LENGTH: str(len(head))})
        assert (answer.status_code, answer.json()["field"]) == (422, field)
    short = client.post(f"/v2/models/{FEW}/infer", content=head, headers={HEADER_LENGTH: str(len(head) + 1)})
    assert (short.status_code, short.json()["code"]) == (400, "bad_request")
    for header in ("-1", "a"):
        answer = client.post(f"/v2/models/{FEW}/infer", content=head, headers={HEADER_LENGTH: header})
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


def test_inputs_of_different_length_are_refused(client):
    sizes = {"signal": [2, 2560, 1], "recorded": [2, 2560, 1], "record": [1, 1]}
    inputs = [
        {"name": name, "shape": shape, "datatype": "FP32", "data": [0.0] * int(np.prod(shape))}
        for name, shape in sizes.items()
    ]
    answer = client.post("/v2/models/waves/infer", json={"inputs": inputs})
    assert (answer.status_code, answer.json()["field"]) == (422, "inputs.record.shape")


@pytest.mark.parametrize(
    ("encoding", "content", "status", "code"),
    [
        ("br", b"{}", 415, "unsupported_encoding"),
        ("gzip, gzip", b"{}", 415, "unsupported_encoding"),
        ("gzip", b"{}", 400, "bad_request"),
        ("gzip", gzip.compress(json.dumps(a_request()).encode(), mtime=0)[:-9], 400, "bad_request"),
        ("gzip", gzip.compress(b"{}", mtime=0) * 2, 400, "bad_request"),
        ("deflate", b"", 400, "bad_request"),
    ],
)
def test_what_cannot_be_unpacked_is_refused(client, encoding, content, status, code):
    answer = client.post(f"/v2/models/{FEW}/infer", content=content, headers={"Content-Encoding": encoding})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["error"]


def test_limits_hold_for_what_is_unpacked_and_for_values():
    with running_app(max_upload_bytes=100_000, infer_max_values=700) as anonymous:
        client = as_user(anonymous)
        path = f"/v2/models/{FEW}/infer"
        bomb = zlib.compress(bytes(10_000_000))
        assert len(bomb) < 100_000
        answer = client.post(path, content=bomb, headers={"Content-Encoding": "deflate"})
        assert (answer.status_code, answer.json()["code"]) == (413, "limit_exceeded")
        assert client.post(path, json=a_request(shape=[2, 342], data=[0.0] * 684)).status_code == 200
        answer = client.post(path, json=a_request(shape=[3, 342], data=[0.0] * 1026))
        assert (answer.status_code, answer.json()["field"], answer.json()["found"]) == (413, "inputs", "1026")
        item = {"name": "features", "shape": [1, 150], "datatype": "FP32", "data": [0.0] * 150}
        assert client.post("/v2/models/beat_classes/infer", json={"inputs": [item]}).status_code == 200
        large = {"name": "features", "shape": [1, 2**40], "datatype": "FP32", "data": [0.0]}
        assert client.post("/v2/models/beat_classes/infer", json={"inputs": [large]}).status_code == 413


def test_an_unknown_graph_is_answered_with_those_that_there_are(server, client):
    for path in ("nonsense", "heart12:nonsense", "heart12/versions/9"):
        for end in ("", "/ready"):
            answer = client.get(f"/v2/models/{path}{end}")
            assert (answer.status_code, answer.json()["code"]) == (404, "unknown_name")
            assert "heart12:trees/1.0.0" in answer.json()["options"]
    assert "POST /predict" in client.get("/v2/models/quality").json()["error"]
    with pytest.raises(triton.InferenceServerException, match="no such model; found: nonsense; options: beat_classes"):
        server.infer("nonsense", tensors(a_beat()))
    assert not server.is_model_ready("nonsense")


def test_who_is_not_signed_in_is_told_so_as_the_protocol_tells_it(anonymous, server):
    with pytest.raises(triton.InferenceServerException, match="Authorization") as refused:
        server.triton.infer(FEW, tensors(a_beat()))
    assert refused.value.status() == "401"
    for path in ("", "/models", f"/models/{FEW}", f"/models/{FEW}/ready"):
        answer = anonymous.get(f"/v2{path}")
        assert (answer.status_code, answer.json()["error"]) == (401, answer.json()["detail"])
        assert answer.headers["www-authenticate"] == "Bearer"
    assert anonymous.post("/v2/repository/index").status_code == 401


def test_the_documentation_says_what_a_request_holds(client):
    document = client.get("/openapi.json").json()
    operation = document["paths"]["/v2/models/{name}/infer"]["post"]
    shape = operation["requestBody"]["content"]["application/json"]["schema"]
    assert set(shape["properties"]) == {"id", "parameters", "inputs", "outputs"}
    assert set(shape["properties"]["inputs"]["items"]["required"]) == {"name", "shape", "datatype"}
    assert "error" in document["components"]["schemas"]["InferenceProblem"]["properties"]
    assert {"400", "401", "403", "404", "413", "415", "422", "429", "503"} < set(operation["responses"])


# --- models that were added ------------------------------------------------------------------------------------------


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """An empty folder of the user's models."""
    pytest.importorskip("onnx")
    monkeypatch.setenv("EINTHOVEN_MODELS", str(tmp_path / "mine"))
    return tmp_path


def add_toy(mine, version: str = "1"):
    (mine / "toy.onnx").write_bytes(onnx_toy())
    (mine / "toy.toml").write_text(to_toml(ONNX_MANIFEST | {"version": version}))
    return add_guest("toy", mine / "toy.onnx", mine / "toy.toml").folder.path


def add_graph(name: str, graph: bytes) -> None:
    """Add a model of no known task that is nothing but a graph."""
    about = {"name": name, "version": "1", "title": name, "task": "none", "inputs": {}, "labels": []}
    add_model(about | {"preprocessing": [], "training_data": []}, {"graph.onnx": graph})


def echo(kind: int, *, shape=("n", 2)) -> bytes:
    """Return a graph that gives back what it is given."""
    from onnx import helper

    ends = [helper.make_tensor_value_info(name, kind, shape) for name in ("given", "back")]
    graph = helper.make_graph([helper.make_node("Identity", ["given"], ["back"])], "echo", ends[:1], ends[1:])
    return helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 18)]).SerializeToString()


def test_a_model_that_was_added_is_served_from_the_session_that_analyses_use(server, mine):
    add_toy(mine)
    values = {"ecg": np.random.default_rng(1).standard_normal((2, 3, 200)).astype(np.float32)}
    found = server.infer("toy", tensors(values))
    network = network_of(load_model("toy"), "model.onnx")
    assert predictors()["toy"]._guest._network is network
    for output in ("logits", "years"):
        np.testing.assert_array_equal(found.as_numpy(output), network(values)[output])


def test_versions_are_served_side_by_side_and_the_highest_unless_one_is_named(server, mine):
    for version in ("9", "10"):
        add_toy(mine, version)
    assert server.get_model_metadata("toy")["versions"] == ["10", "9"]
    assert server.get_model_metadata("toy")["parameters"]["version"] == "10"
    values = {"ecg": np.zeros((1, 3, 200), np.float32)}
    assert server.infer("toy", tensors(values)).get_response()["model_version"] == "10"
    assert server.infer("toy", tensors(values), model_version="9").get_response()["model_version"] == "9"


def test_a_damaged_model_is_not_ready(server, client, mine):
    (add_toy(mine) / "model.onnx").write_bytes(b"something else")
    entry = next(entry for entry in server.get_model_repository_index() if entry["name"] == "toy")
    assert (entry["state"], entry["reason"]) == ("UNAVAILABLE", "a file of the model is not what its manifest says")
    ready = client.post("/v2/repository/index", json={"ready": True}).json()
    assert [entry["name"] for entry in ready] == list(GRAPHS)
    assert not server.is_model_ready("toy")
    answer = client.get("/v2/models/toy/ready")
    assert (answer.status_code, answer.json()["code"]) == (400, "model_not_ready")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_number_goes_in_and_comes_back(server, mine, kind):
    dtype, ends = KINDS[kind]
    from onnx import helper

    add_graph("echo", echo(helper.np_dtype_to_tensor_dtype(np.dtype(dtype))))
    values = np.array([ends, ends[::-1]], dtype)
    metadata = server.get_model_metadata("echo")
    assert metadata["inputs"] == [{"name": "given", "datatype": kind, "shape": [-1, 2]}]
    for binary in (True, False):
        outputs = [triton.InferRequestedOutput("back", binary_data=binary)]
        found = server.infer("echo", tensors({"given": values}, kind, binary), outputs=outputs)
        assert found.as_numpy("back").dtype == dtype
        np.testing.assert_array_equal(found.as_numpy("back"), values)


@pytest.mark.parametrize("data", [[1.5, 2], [2**31, 0], [None, 1], [True, False], [2**70, 1]])
def test_values_that_an_integer_cannot_hold_are_refused(client, mine, data):
    from onnx import TensorProto

    add_graph("echo", echo(TensorProto.INT32))
    item = {"name": "given", "shape": [1, 2], "datatype": "INT32", "data": data}
    answer = client.post("/v2/models/echo/infer", json={"inputs": [item]})
    assert (answer.status_code, answer.json()["field"]) == (422, "inputs.given.data")


def test_strings_are_refused_both_ways(client, mine):
    from onnx import TensorProto

    add_graph("echo", echo(TensorProto.STRING))
    assert client.get("/v2/models/echo").json()["inputs"][0]["datatype"] == "BYTES"
    item = {"name": "given", "shape": [1, 2], "datatype": "BYTES", "data": ["a", "b"]}
    answer = client.post("/v2/models/echo/infer", json={"inputs": [item]})
    assert answer.status_code == 422
    assert "strings cannot be sent" in answer.json()["error"]


def test_what_a_graph_refuses_in_its_inside_is_the_requests_doing(client, mine):
    from onnx import TensorProto, helper

    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in (("a", [None]), ("b", [None]))
    ]
    five = helper.make_node("Constant", [], ["five"], value_ints=[5, 5])
    graph = helper.make_graph([five, helper.make_node("Reshape", ["a", "five"], ["b"])], "odd", ends[:1], ends[1:])
    add_graph(
        "odd", helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 18)]).SerializeToString()
    )
    item = {"name": "a", "shape": [3], "datatype": "FP32", "data": [1, 2, 3]}
    answer = client.post("/v2/models/odd/infer", json={"inputs": [item]})
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (422, "invalid_value", "odd")
