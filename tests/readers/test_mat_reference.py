"""Reference beats in a MAT file beside the recording, as CPSC 2019 publishes them."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest
from scipy.io import savemat

from ecg_core.isolation import read_many_isolated
from ecg_core.readers import ReadOptions
from ecg_core.reading import read, read_many

OPTIONS = ReadOptions(fs=500.0, units="mV")


def mat(**variables: object) -> bytes:
    buffer = io.BytesIO()
    savemat(buffer, variables)
    return buffer.getvalue()


SIGNAL = mat(ecg=np.sin(np.arange(5000)[:, None] / 50.0))
PEAKS = mat(R_peak=np.array([[300], [700], [65_000 % 5000]], np.uint16))


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("data/data_00001.mat", "ref/R_00001.mat"),
        ("train/data/data_00001.mat", "train/ref/R_00001.mat"),
        ("data_1.mat", "R_1.mat"),
        ("data_1.mat", "ref/R_1.mat"),
    ],
)
def test_reference_peaks_become_annotations(name, reference):
    (result,) = read_many({name: SIGNAL, reference: PEAKS}, OPTIONS)
    assert result.name == name
    marks = result.recording.annotations["ref"]
    np.testing.assert_allclose(marks.time_s, [0.0, 0.6, 1.4])
    assert marks.symbol == ("N", "N", "N")


def test_the_recording_is_the_same_without_them():
    alone = read({"data_1.mat": SIGNAL}, OPTIONS)
    both = read({"data_1.mat": SIGNAL, "R_1.mat": PEAKS}, OPTIONS)
    assert alone.source == both.source
    assert alone.annotations == {}
    np.testing.assert_array_equal(alone.signal, both.signal)


@pytest.mark.parametrize(
    "reference",
    [
        b"MATLAB",
        PEAKS[:150],
        mat(peaks=np.array([1, 2])),
        mat(R_peak="text"),
        mat(R_peak=np.array([-5.0, 3.0])),
        mat(R_peak=np.array([np.nan])),
    ],
    ids=["no mat file", "cut short", "another variable", "text", "negative", "not a number"],
)
def test_a_reference_that_cannot_be_used_is_left_out_with_a_warning(reference):
    found = read({"data_1.mat": SIGNAL, "R_1.mat": reference}, OPTIONS)
    assert found.annotations == {}
    assert any(warning.startswith("annotations: R_1.mat: ") for warning in found.warnings)


def test_references_of_other_recordings_are_no_companions():
    results = list(read_many({"data_1.mat": SIGNAL, "R_2.mat": PEAKS, "other_1.mat": SIGNAL}, OPTIONS))
    by_name = {result.name: result for result in results}
    assert by_name["data_1.mat"].recording.annotations == {}
    assert by_name["other_1.mat"].recording.annotations == {}
    assert by_name["R_2.mat"].error is not None


def test_they_come_through_an_archive_and_the_reading_process():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("set/data/data_00001.mat", SIGNAL)
        archive.writestr("set/ref/R_00001.mat", PEAKS)
    (result,) = read_many_isolated({"set.zip": packed.getvalue()}, OPTIONS)
    assert len(result.recording.annotations["ref"]) == 3
