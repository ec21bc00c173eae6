"""What the library gives under its own name."""

from __future__ import annotations

import importlib.metadata

import pytest

import ecg_core


@pytest.mark.parametrize("name", ecg_core.__all__)
def test_every_name_is_there(name):
    assert getattr(ecg_core, name) is not None


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'analyse'"):
        _ = ecg_core.analyse


def test_the_version_is_looked_up_once(monkeypatch):
    monkeypatch.delitem(vars(ecg_core), "__version__", raising=False)
    asked: list[str] = []
    monkeypatch.setattr(importlib.metadata, "version", lambda name: asked.append(name) or "1.2.3")
    assert [ecg_core.__version__, ecg_core.__version__] == ["1.2.3", "1.2.3"]
    assert asked == ["einthoven"]
    monkeypatch.delitem(vars(ecg_core), "__version__")
