"""The serving engine on a graph made by hand."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ecg_core.artefacts import Artefact
from ecg_core.engine import Network, network_of
from ecg_core.errors import InvalidValue, ModelError


def _graph(*inputs: str) -> bytes:
    """Return a graph that gives the sum of its inputs, and twice that."""
    from onnx import TensorProto, helper

    def of(name: str) -> object:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 3])

    nodes = [helper.make_node("Sum", list(inputs), ["sum"]), helper.make_node("Add", ["sum", "sum"], ["twice"])]
    graph = helper.make_graph(nodes, "sums", [of(name) for name in inputs], [of("sum"), of("twice")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    return bytes(model.SerializeToString())


def _artefact(**files: bytes) -> Artefact:
    return Artefact(
        "toy", "1", Path("models/toy/1"), {}, "hash", {f"{name}.onnx": data for name, data in files.items()}
    )


def test_one_input_is_given_as_an_array_of_any_type_and_order():
    values = np.asfortranarray(np.arange(6).reshape(2, 3))
    found = Network(_graph("a"))(values)
    assert set(found) == {"sum", "twice"}
    assert found["sum"].dtype == np.float32
    np.testing.assert_array_equal(found["twice"], 2 * values)


def test_several_inputs_are_given_by_name():
    network = Network(_graph("a", "b"))
    assert (network.inputs, network.outputs) == (("a", "b"), ("sum", "twice"))
    found = network({"b": np.ones((1, 3)), "a": np.full((1, 3), 2.0)})
    np.testing.assert_array_equal(found["sum"], [[3.0, 3.0, 3.0]])


@pytest.mark.parametrize(
    "given", [np.ones((1, 3)), {"a": np.ones((1, 3))}, {"a": np.ones((1, 3)), "c": np.ones((1, 3))}]
)
def test_inputs_that_the_network_does_not_read_are_refused_by_name(given):
    with pytest.raises(InvalidValue, match=r"inputs: not what the network reads; found: .*; options: a, b"):
        Network(_graph("a", "b"))(given)


def test_a_network_says_what_it_reads_and_gives():
    network = Network(_graph("a"))
    (given,) = network.input_tensors
    assert (given.name, given.dtype, given.shape) == ("a", "float32", ("n", 3))
    assert [tensor.name for tensor in network.output_tensors] == ["sum", "twice"]


def test_only_the_outputs_that_are_wanted_are_computed():
    found = Network(_graph("a"))(np.ones((1, 3)), ["twice"])
    assert set(found) == {"twice"}
    np.testing.assert_array_equal(found["twice"], [[2.0, 2.0, 2.0]])


def test_what_is_no_graph_is_refused():
    with pytest.raises(ModelError, match=r"network\.onnx: is not a graph that can be run"):
        network_of(_artefact(network=b"no graph"))


def test_a_file_that_the_model_lacks_is_named():
    with pytest.raises(ModelError, match=r"no such file; found: trees\.onnx; options: network\.onnx"):
        network_of(_artefact(network=_graph("a")), "trees.onnx")


def test_a_graph_is_loaded_once():
    artefact = _artefact(network=_graph("a"))
    assert network_of(artefact) is network_of(artefact)
    assert network_of(replace(artefact, sha256="other")) is not network_of(artefact)


def test_a_network_answers_in_the_background_as_it_does_at_once():
    network = Network(_graph("a"))
    values = np.arange(6.0).reshape(2, 3)
    later = [network.start(values * k) for k in range(8)]
    for k, found in enumerate(later):
        np.testing.assert_array_equal(found.result(10)["sum"], network(values * k)["sum"])


def test_what_goes_wrong_in_the_background_is_raised_when_the_answer_is_asked_for():
    started = Network(_graph("a", "b")).start(np.ones((1, 3)))
    with pytest.raises(InvalidValue, match="not what the network reads"):
        started.result(10)


def test_running_a_network_leaves_nothing_in_the_users_folder(tmp_path):
    """The engine's own build gathers data on its use unless it is told not to."""
    code = (
        "import numpy as np; from tests.test_engine import _graph; from ecg_core.engine import Network; "
        "Network(_graph('a'))(np.ones((1, 3)))"
    )
    env = {name: value for name, value in os.environ.items() if not name.startswith(("ORT_", "XDG_"))}
    home = tmp_path / "home"
    home.mkdir()
    root = Path(__file__).parent.parent
    subprocess.run([sys.executable, "-c", code], env=env | {"HOME": str(home)}, cwd=root, check=True)
    assert not list(home.rglob("*"))
