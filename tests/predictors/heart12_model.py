"""A tiny model of the form of ``heart12`` with random weights, and contexts to show it."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from ecg_core.beat_classes import BeatClasses
from ecg_core.beats import no_beats
from ecg_core.leads import STANDARD_12
from ecg_core.measurements import Measurements
from ecg_core.measurements.part import Part
from ecg_core.pacing import Pacing
from ecg_core.predictors import Context
from ecg_core.quality import Quality
from ecg_core.quality.reversals import Reversals
from ecg_core.quality.rules import LeadQuality
from ecg_core.recording import Recording
from ecg_core.waves import Waves
from tests.helpers import make_recording
from training.artefact import to_toml

STATEMENTS = ("NORM", "IMI", "LVH", "LNGQT", "CLBBB", "AFIB", "SR", "PACE", "TRIGU")
OUTPUTS = (
    *(f"statements.{name}" for name in STATEMENTS),
    *("subclass.NORM", "subclass.IMI", "subclass.LVH"),
    *(f"superclass.{name}" for name in ("NORM", "MI", "STTC", "CD", "HYP")),
    *("sex.female", "age.median", "age.log_spread"),
)
LABELS = OUTPUTS[:-2]
RARE = "statements.TRIGU"
HEADS = {
    head: {name.split(".", 1)[1]: name for name in LABELS if name.startswith(f"{head}.")}
    for head in ("statements", "subclass", "superclass", "sex")
} | {
    "rhythm": {name: f"statements.{name}" for name in ("SR", "AFIB", "PACE", "TRIGU")},
    "af": {"AFIB": "statements.AFIB"},
    "normal": {"NORM": "superclass.NORM"},
}
VIEWS = {
    "full": ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6"),
    "limb_v1": ("I", "II", "V1"),
    "limb": ("I", "II"),
    "I": ("I",),
    "II": ("II",),
}
TREES = {"full": "trees.onnx", "I": "trees_one.onnx", "II": "trees_one.onnx"}
FEATURES = {"trees.onnx": ["rr_cv", "II.r_mv"], "trees_one.onnx": ["rr_cv", "lead.r_mv"]}
STACKED = ["statements.AFIB", "superclass.NORM"]
CHANNELS, ATTENTION = 4, 2
COVERAGE = 0.9


def weights(seed: int = 0) -> dict[str, np.ndarray]:
    """Return the weights of the tiny network."""
    rng = np.random.default_rng(seed)
    return {
        "conv": rng.normal(0, 0.3, (CHANNELS, 8, 32)).astype(np.float32),
        "attention_kernel": rng.normal(0, 2, (CHANNELS, ATTENTION)).astype(np.float32),
        "attention_bias": rng.normal(0, 1, ATTENTION).astype(np.float32),
        "kernel": rng.normal(0, 0.5, (CHANNELS * (1 + ATTENTION), len(OUTPUTS))).astype(np.float32),
        "bias": rng.normal(0, 0.5, len(OUTPUTS)).astype(np.float32),
    }


def network_graph(made: Mapping[str, np.ndarray]) -> bytes:
    """Return a network of one convolution, pooled and read as heart12's maps are."""
    from onnx import TensorProto, helper, numpy_helper

    constants = {**made, "shape": np.array([0, -1], np.int64), "axes": np.array([1], np.int64)}
    nodes = [
        helper.make_node("Transpose", ["signal"], ["rows"], perm=[0, 2, 1]),
        helper.make_node("Conv", ["rows", "conv"], ["raw"], strides=[32], pads=[0, 24]),
        helper.make_node("Relu", ["raw"], ["rectified"]),
        helper.make_node("Transpose", ["rectified"], ["maps"], perm=[0, 2, 1]),
        helper.make_node("ReduceMean", ["maps", "axes"], ["mean"], keepdims=0),
        helper.make_node("MatMul", ["maps", "attention_kernel"], ["product"]),
        helper.make_node("Add", ["product", "attention_bias"], ["drive"]),
        helper.make_node("Softmax", ["drive"], ["attention"], axis=1),
        helper.make_node("Transpose", ["attention"], ["turned"], perm=[0, 2, 1]),
        helper.make_node("MatMul", ["turned", "maps"], ["attended"]),
        helper.make_node("Reshape", ["attended", "shape"], ["flat"]),
        helper.make_node("Concat", ["mean", "flat"], ["pooled"], axis=1),
        helper.make_node("Gemm", ["pooled", "kernel", "bias"], ["logits"]),
    ]
    return _model(
        nodes,
        constants,
        {"signal": ("n", 1000, 8)},
        {"logits": ("n", len(OUTPUTS)), "maps": None},
        helper,
        TensorProto,
        numpy_helper,
    )


def trees_graph() -> bytes:
    """Return what answers 10 times the first feature, and the sum of both, a missing one counting nothing."""
    from onnx import TensorProto, helper, numpy_helper

    constants = {"kernel": np.array([[10, 1], [0, 1]], np.float32), "nothing": np.zeros(1, np.float32)}
    nodes = [
        helper.make_node("IsNaN", ["features"], ["missing"]),
        helper.make_node("Where", ["missing", "nothing", "features"], ["filled"]),
        helper.make_node("MatMul", ["filled", "kernel"], ["logits"]),
    ]
    return _model(nodes, constants, {"features": ("n", 2)}, {"logits": ("n", 2)}, helper, TensorProto, numpy_helper)


def _model(nodes, constants, inputs, outputs, helper, kinds, numpy_helper) -> bytes:
    def values(ends):
        return [helper.make_tensor_value_info(name, kinds.FLOAT, shape) for name, shape in ends.items()]

    initialisers = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "tiny", values(inputs), values(outputs), initialisers)
    return helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 18)]).SerializeToString()


def heads_file(offsets: Mapping[str, float] = MappingProxyType({})) -> dict[str, Any]:
    """Return calibration that differs from view to view and label to label; ``offsets`` are added by output."""
    offsets = {"statements.PACE": -30.0, **offsets}

    def label(view: int, at: int, name: str) -> dict[str, Any]:
        stacked = name in STACKED and list(VIEWS)[view] in TREES
        points = {"max_f1": 0.5, "se95": 0.1, "sp95": 0.9}
        return {
            "net": 1.0 + 0.1 * view,
            "trees": 0.5 if stacked else 0.0,
            "offset": 0.01 * at + offsets.get(name, 0.0),
            "alone": {"net": 0.9, "offset": -0.2 + offsets.get(name, 0.0)} if stacked else None,
            "n": 100,
            "positives": 5 if name == RARE else 50,
            "experimental": name == RARE,
            "points": {} if name == RARE else {key: {"threshold": value} for key, value in points.items()},
            "conformal": None if name == RARE else {"present": 0.3, "absent": 0.6},
        }

    views = {
        name: {
            "leads": leads,
            "trees": TREES.get(name),
            "n": 100,
            "labels": {output: label(view, at, output) for at, output in enumerate(LABELS)},
            "age": {"mean": 60.0, "sd": 17.0, "slope": 1.1, "offset": 0.5, "width": 2.0, "stacked": None},
            "accuracy": {"data": "a set", "metrics": {"AFIB.auc": {"value": 0.9 - 0.01 * view}}},
        }
        for view, (name, leads) in enumerate(VIEWS.items())
    }
    views["full"]["lost"] = {"1": {"metrics": "of seven"}, "2": {"metrics": "of six"}}
    return {
        "outputs": OUTPUTS,
        "heads": HEADS,
        "trees": dict.fromkeys(FEATURES, STACKED),
        "features": FEATURES,
        "coverage": COVERAGE,
        "views": views,
    }


def make_model(root: Path, heads: Mapping[str, Any] | None = None) -> Path:
    """Write the model into ``root``/heart12/9.0.0 and return that folder."""
    made = weights()
    head = io.BytesIO()
    np.savez(head, **{name: value for name, value in made.items() if name != "conv"})
    files = {
        "network.onnx": network_graph(made),
        "trees.onnx": trees_graph(),
        "trees_one.onnx": trees_graph(),
        "heads.json": json.dumps(heads or heads_file()).encode(),
        "head.npz": head.getvalue(),
        "records.json": b"{}",
    }
    folder = root / "heart12/9.0.0"
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    manifest = {
        "name": "heart12",
        "version": "9.0.0",
        "title": "tiny",
        "task": "heart12",
        "preprocessing": [],
        "labels": list(LABELS),
        "training_data": [],
        "inputs": {"least_fs": 50.0, "least_duration_s": 2.5},
        "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    }
    (folder / "manifest.toml").write_text(to_toml(manifest))
    return folder


def context_of(
    recording: Recording,
    *,
    poor: tuple[str, ...] = (),
    verdict: str = "good",
    figures: Mapping[str, float] | None = None,
    **parts: Any,
) -> Context:
    """Return the context of a recording of which little is known; ``parts`` replace parts of it."""
    leads = {
        name: LeadQuality("poor" if name in poor else "good", ("flat",) * (name in poor)) for name in recording.leads
    }
    reasons = ("too noisy",) if verdict == "poor" else ()
    none = "not looked for"
    known = {
        "quality": Quality(verdict, reasons, None, none, None, leads),
        "reversals": Reversals((), None),
        "pacing": Pacing(False, np.empty(0), (), (), ()),
        "beats": no_beats("fast", none),
        "classes": BeatClasses((), np.empty((0, 5)), (), none),
        "waves": Waves((), reason=none),
        "part": Part(0.0, recording.duration_s),
        "measurements": Measurements({}, {}, recording.subject, paced=False),
    }
    context = Context(recording, **(known | parts))
    vars(context)["figures"] = figures or {}
    return context


def a_recording(leads: tuple[str, ...] = STANDARD_12, *, duration_s: float = 10.0, **changes: Any) -> Recording:
    """Return beats, with a subject of 63 years unless changed."""
    fs = changes.pop("fs", 200.0)
    made = make_recording(leads, fs=fs, n_samples=round(duration_s * fs), seed=changes.pop("seed", 0))
    return replace(made, **changes)
