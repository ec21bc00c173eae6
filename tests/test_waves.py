from __future__ import annotations

import json
import pickle

import pytest

from ecg_core.errors import InvalidValue
from ecg_core.waves import BeatWaves, Wave, Waves

QRS = Wave(1.0, 1.04, 1.09)


def test_absent_waves_are_absent_in_json():
    waves = Waves((BeatWaves(qrs=QRS), BeatWaves(p=Wave(1.5, 1.55, 1.6))), {"II": (BeatWaves(qrs=QRS),)})
    one = {"qrs": {"onset_s": 1.0, "peak_s": 1.04, "end_s": 1.09}}
    assert json.loads(json.dumps(waves.to_dict())) == {
        "global": [one, {"p": {"onset_s": 1.5, "peak_s": 1.55, "end_s": 1.6}}],
        "leads": {"II": [one]},
    }


@pytest.mark.parametrize(
    "marks", [(1.0, 0.9, 1.1), (1.0, 1.1, 1.05), (float("nan"), 1.0, 1.1), (0.0, 1.0, float("inf"))]
)
def test_marks_out_of_order_or_unknown_are_no_wave(marks):
    with pytest.raises(InvalidValue, match="onset <= peak <= end"):
        Wave(*marks)


def test_waves_cross_process_boundaries():
    waves = Waves((BeatWaves(qrs=QRS),), {"II": (BeatWaves(qrs=QRS),)})
    assert pickle.loads(pickle.dumps(waves)) == waves  # noqa: S301
