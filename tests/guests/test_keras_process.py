"""The process that runs Keras files: started when needed, replaced when it ends, gone when it is closed.

A package that stands for Keras takes its place, so that no TensorFlow is loaded here.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from ecg_core.artefacts import sha256_of
from ecg_core.errors import ModelError
from ecg_core.guests import keras_process as processes
from ecg_core.guests.keras_process import BATCH, KerasProcess, ModelFile, keras_process
from ecg_core.guests.keras_worker import load_keras

KERAS = """
import os, time
from types import SimpleNamespace
__version__ = "3.99"
class Model:
    inputs = [SimpleNamespace(name="x", shape=(None, 3))]
    output_names = ["total", "first"]
    def __init__(self, what):
        self.what = what
    def __call__(self, batch, training):
        if self.what == "slow":
            time.sleep(60)
        if self.what == "crash":
            os.write(2, b"out of ideas")
            os._exit(3)
        if self.what == "secret":
            return [batch[:, :1] * 0 + len(os.environ.get("SECRET", "")), batch[:, :1]]
        if self.what == "lost":
            return [batch.sum(), batch[:, :1]]
        return [batch.sum(axis=1, keepdims=True), batch[:, :1]]
class models:
    @staticmethod
    def load_model(path, compile, safe_mode):
        return Model(open(path).read())
"""


@pytest.fixture
def process(tmp_path, monkeypatch):
    (tmp_path / "fakes" / "keras").mkdir(parents=True)
    (tmp_path / "fakes" / "keras" / "__init__.py").write_text(KERAS)
    monkeypatch.syspath_prepend(tmp_path / "fakes")
    made = KerasProcess()
    yield made
    made.close()


def a_file(folder: Path, what: str = "plain") -> ModelFile:
    path = folder / f"{what}.keras"
    path.write_text(what)
    return ModelFile(path, sha256_of(path), "keras", what)


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_it_starts_when_first_asked_and_answers_in_batches(process, tmp_path):
    assert process.pid is None
    batch = np.arange(3 * (BATCH + 5), dtype=np.float64).reshape(-1, 3)
    answer = process.run(a_file(tmp_path), batch)
    np.testing.assert_array_equal(answer.outputs["total"], batch.sum(axis=1, keepdims=True))
    np.testing.assert_array_equal(answer.outputs["first"], batch[:, :1])
    assert (answer.loader, answer.inputs) == ("keras 3.99", {"x": [None, 3]})
    pid = process.pid
    process.run(a_file(tmp_path), batch)
    assert process.pid == pid


def test_closed_it_is_gone(process, tmp_path):
    process.run(a_file(tmp_path), np.zeros((1, 3)))
    pid = process.pid
    process.close()
    assert process.pid is None
    assert not is_there(pid)


def test_killed_from_outside_it_is_replaced(process, tmp_path):
    process.run(a_file(tmp_path), np.zeros((1, 3)))
    old = process.pid
    os.kill(old, signal.SIGKILL)
    os.waitid(os.P_PID, old, os.WEXITED | os.WNOWAIT)
    assert process.run(a_file(tmp_path), np.ones((1, 3))).outputs["total"] == 3
    assert process.pid not in (None, old)


def test_a_crash_is_an_error_with_its_last_words_and_the_next_request_is_answered(process, tmp_path):
    with pytest.raises(ModelError, match="crash: the process that runs it ended; found: out of ideas"):
        process.run(a_file(tmp_path, "crash"), np.zeros((1, 3)))
    assert process.run(a_file(tmp_path), np.ones((1, 3))).outputs["total"] == 3


def test_a_model_that_takes_too_long_is_an_error_and_its_process_ends(process, tmp_path, monkeypatch):
    process.run(a_file(tmp_path), np.zeros((1, 3)))
    pid = process.pid
    monkeypatch.setattr(processes, "LOAD_LIMIT_S", 0.3)
    with pytest.raises(ModelError, match=r"slow: takes too long; expected: at most 0\.3 s"):
        process.run(a_file(tmp_path, "slow"), np.zeros((1, 3)))
    assert process.pid is None
    assert not is_there(pid)


def test_what_is_wrong_with_a_request_leaves_the_process_as_it_is(process, tmp_path):
    process.run(a_file(tmp_path), np.zeros((1, 3)))
    pid = process.pid
    wrong = ModelFile(a_file(tmp_path).path, "0" * 64, "keras", "plain")
    with pytest.raises(ModelError, match="is not what its manifest says"):
        process.run(wrong, np.zeros((1, 3)))
    with pytest.raises(ModelError, match=r"plain: cannot be run on what its manifest states; found: AxisError"):
        process.run(a_file(tmp_path), np.zeros(3))
    with pytest.raises(ModelError, match=r"total: an output is not one row a record; found: \(1,\)"):
        process.run(a_file(tmp_path, "lost"), np.zeros((2, 3)))
    assert process.pid == pid
    assert process.run(a_file(tmp_path), np.ones((1, 3))).outputs["total"] == 3


def test_secrets_of_this_process_are_out_of_its_reach(process, tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET", "hunter2")
    assert process.run(a_file(tmp_path, "secret"), np.zeros((1, 3))).outputs["total"] == 0


def test_threads_are_answered_one_after_the_other(process, tmp_path):
    found, file = {}, a_file(tmp_path)

    def ask(number: int) -> None:
        found[number] = float(process.run(file, np.full((1, 3), number)).outputs["total"][0, 0])

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: 3 * number for number in range(6)}


def test_it_ends_when_the_process_that_asked_is_gone(process, tmp_path):
    process.run(a_file(tmp_path), np.zeros((1, 3)))
    running = process._process
    process._line.sock.close()
    deadline = time.monotonic() + 60
    while running.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert running.poll() == 0


def test_one_process_serves_everybody_here():
    assert keras_process() is keras_process()


# --- loading --------------------------------------------------------------------------------------------------------


class Library:
    """Stands for Keras 3 or tf-keras."""

    def __init__(self, version: str, refuses: str | None = None) -> None:
        self.__version__ = version
        self.models = self
        self._refuses = refuses

    def load_model(self, _path, **options):
        assert options["compile"] is False
        if self._refuses:
            raise TypeError(self._refuses)
        return SimpleNamespace(inputs=[], output_names=["a"])


def finder(**libraries):
    def find(name):
        if name not in libraries:
            raise ImportError(name)
        return libraries[name]

    return find


def test_what_keras_3_refuses_is_loaded_by_tf_keras(tmp_path):
    libraries = finder(keras=Library("3.0", "old"), tf_keras=Library("2.21"))
    assert load_keras(tmp_path / "x.h5", libraries).loader == "tf-keras 2.21"


@pytest.mark.parametrize(
    ("libraries", "sentence"),
    [
        ({}, r"needs TensorFlow, which is not installed; .*einthoven\[guests\]"),
        (
            {"keras": Library("3", "a lambda")},
            r"tf-keras, .* is not installed; found: TypeError: a lambda; options: pip",
        ),
        ({"keras": Library("3", "one"), "tf_keras": Library("2", "two")}, "Keras 3: TypeError: one; tf-keras: TypeErr"),
    ],
)
def test_a_file_that_cannot_be_loaded_says_what_is_missing(tmp_path, libraries, sentence):
    with pytest.raises(ModelError, match=sentence):
        load_keras(tmp_path / "x.h5", finder(**libraries))
