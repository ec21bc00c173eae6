"""A kept recording in every format that can be written, and back."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from api.services.exports import FORMATS
from ecg_core import read
from ecg_core.recording import Recording
from tests.helpers import make_recording
from tests.service import as_upload, as_user, files_of


@pytest.fixture(scope="module")
def owner(anonymous):
    return as_user(anonymous, "owner of exports")


@pytest.fixture(scope="module")
def sent() -> Recording:
    return make_recording(n_samples=5000)


@pytest.fixture(scope="module")
def path(owner, sent) -> str:
    files = files_of(sent, "wfdb", "rest")
    answer = owner.post("/recordings", files=as_upload(files), data={"age": 61, "subject_id": "P-1"})
    return f"/recordings/{answer.json()['id']}"


def contents(answer) -> dict[str, bytes]:
    assert answer.status_code == 200, answer.text
    name = answer.headers["content-disposition"].split('"')[1]
    if not name.endswith(".zip"):
        return {name: answer.content}
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        return {item: archive.read(item) for item in archive.namelist()}


@pytest.mark.parametrize("form", FORMATS)
def test_what_is_exported_can_be_read_again(owner, path, sent, form):
    files = contents(owner.get(f"{path}/export", params={"format": form}))
    assert all(name.startswith("rest") for name in files)
    again = read(files)
    assert again.leads == sent.leads
    assert again.fs == sent.fs
    np.testing.assert_allclose(again.signal[:, :5000], sent.signal, atol=0.006)


@pytest.mark.parametrize("form", ["wfdb", "edf", "dicom", "aecg"])
def test_what_is_now_noted_of_the_person_goes_along_unless_it_is_not_to(owner, path, form):
    owner.patch(path, json={"subject": {"age": 62, "sex": "female"}})
    named = read(contents(owner.get(f"{path}/export", params={"format": form})))
    assert (named.subject.sex, named.subject.id) == ("female", "P-1")
    answer = owner.get(f"{path}/export", params={"format": form, "identity": False})
    bare = contents(answer)
    assert all(name.startswith("ecg") for name in bare)
    found = read(bare)
    assert (found.subject.id, found.subject.age, found.subject.sex, found.start) == (None, None, None, None)
    assert not any(b"P-1" in content for content in bare.values())


def test_what_a_format_cannot_hold_is_refused_with_the_reason(owner):
    files = files_of(replace(make_recording(("I", "II")), leads=("a name of more than sixteen letters", "II")))
    path = f"/recordings/{owner.post('/recordings', files=as_upload(files)).json()['id']}"
    answer = owner.get(f"{path}/export", params={"format": "edf"})
    assert (answer.status_code, answer.json()["code"]) == (422, "write_error")
    unknown = owner.get(f"{path}/export", params={"format": "pdf"})
    assert (unknown.status_code, unknown.json()["options"]) == (422, list(FORMATS))
    assert owner.get(f"{path}/export").status_code == 422


def test_a_name_of_any_kind_becomes_a_harmless_file_name(owner):
    files = files_of(make_recording(("II",), seed=3))
    path = f"/recordings/{owner.post('/recordings', files=as_upload(files)).json()['id']}"
    for name, stem in (("../../etc/passwd", "passwd"), ('"; rm.x', "rm"), ("....", "ecg"), ("a\r\nb: c.npz", "a_b_c")):
        assert owner.patch(path, json={"name": name}).status_code == 200
        answer = owner.get(f"{path}/export", params={"format": "csv"})
        assert f'filename="{stem}.csv"' in answer.headers["content-disposition"]
