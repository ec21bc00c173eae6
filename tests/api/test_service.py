from __future__ import annotations

import ast
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path
from threading import Event

import pytest
from pydantic import ValidationError
from starlette.testclient import TestClient

from api import schemas
from api.app import create_app
from api.services import warm_up
from api.settings import Settings
from ecg_core import __version__
from ecg_core.predictors import predictors
from ecg_core.readers import READERS
from ecg_core.risk import FACTS
from tests.service import running_app


def test_the_service_says_that_it_lives(client):
    assert client.get("/health/live").json() == {"status": "ok"}


def test_the_models_are_loaded_once_before_anybody_asks(monkeypatch):
    asked = []
    done = Event()

    def analyze(recording):
        asked.append(recording)
        done.set()
        raise RuntimeError("a model is broken")

    warm_up.warm_up()  # An app that was started before may be about to.
    monkeypatch.setattr("api.services.warm_up.analyze", analyze)
    monkeypatch.setattr("api.app.WARM_UP_AFTER_S", 0.0)
    warm_up._warm_up.cache_clear()
    try:
        with running_app() as client:
            assert done.wait(10)
            assert client.get("/health/live").status_code == 200
        warm_up.warm_up()
        assert len(asked) == 1
    finally:
        warm_up._warm_up.cache_clear()


def test_the_service_says_what_it_is_and_takes(client):
    found = client.get("/info").json()
    assert (found["name"], found["version"]) == ("einthoven", __version__)
    assert [item["name"] for item in found["formats"]] == list(READERS)
    assert found["limits"] == {
        "max_upload_bytes": 104_857_600,
        "max_files": 64,
        "max_batch_bytes": 1_073_741_824,
        "max_batch_files": 2_000,
    }
    assert found["models"] == sorted(predictors())
    assert found["operating_points"] == ["max_f1", "se95", "sp95"]
    assert found["statements"]["CLBBB"] == "Complete left bundle branch block"
    assert [item["name"] for item in found["facts"]] == list(FACTS)
    assert {item["name"]: item["options"] for item in found["facts"]}["race"] == ["white", "other"]


def test_the_documentation_is_there_and_can_be_switched_off(client):
    page = client.get("/docs").text
    addresses = re.findall(r"(?:src|href|url)\s*[=:]\s*[\"']([^\"']+)", page)
    assert len(addresses) >= 4
    for address in addresses:
        assert address.startswith("/"), "the page must work without a network"
        assert client.get(address).status_code == 200, address
    closed = TestClient(create_app(Settings(docs=False)))
    assert [closed.get(path).status_code for path in ("/docs", "/openapi.json", "/redoc")] == [404, 404, 404]


def test_the_documentation_names_every_error_with_its_media_type(client):
    document = client.get("/openapi.json").json()
    responses = document["paths"]["/predict"]["post"]["responses"]
    assert set(responses) >= {"200", "400", "401", "413", "415", "422", "429", "500", "503"}
    for status, response in responses.items():
        expected = "application/json" if status == "200" else "application/problem+json"
        assert list(response["content"]) == [expected]
    assert "HTTPValidationError" not in document["components"]["schemas"]
    assert document["paths"]["/predict"]["post"]["operationId"] == "predict"


def test_the_documentation_names_every_fact_and_choice_with_what_it_takes(client):
    shapes = client.get("/openapi.json").json()["components"]["schemas"]
    fields = next(shape for name, shape in shapes.items() if name.startswith("Body_predict"))["properties"]
    assert {*FACTS, "age", "sex", "models", "operating_point", "files"} <= set(fields)
    assert "100 to 250 cm" in fields["height_cm"]["description"]
    assert "Unknown where left out" in fields["smoker"]["description"]
    assert "sensitivity 95 %" in fields["operating_point"]["description"]


def test_every_documented_example_is_valid():
    for name, kind in inspect.getmembers(schemas, inspect.isclass):
        if not issubclass(kind, schemas.Schema):
            continue
        for field, info in kind.model_fields.items():
            for example in info.examples or []:
                kind.__pydantic_validator__.validate_assignment(kind.model_construct(), field, example)
            assert (
                info.examples
                or info.description
                or info.annotation.__module__.startswith("api.schemas")
                or info.default
            ), f"{name}.{field} explains nothing"


def test_settings_come_from_the_environment(monkeypatch):
    monkeypatch.setenv("EINTHOVEN_MAX_UPLOAD_BYTES", "1234")
    monkeypatch.setenv("EINTHOVEN_READ_WORKERS", "3")
    settings = Settings()
    assert settings.max_upload_bytes == 1234
    assert settings.isolation().workers == 3


def test_a_setting_that_cannot_be_used_stops_the_start(monkeypatch):
    monkeypatch.setenv("EINTHOVEN_PORT", "99999")
    with pytest.raises(ValidationError, match="port"):
        Settings()


def test_limits_of_the_settings_reach_the_readers():
    limits = Settings(read_values=7, read_total_bytes=8, read_entries=9, read_channels=10).limits()
    assert (limits.max_values, limits.max_total_bytes, limits.max_entries, limits.max_channels) == (7, 8, 9, 10)


def test_schemas_import_pydantic_alone():
    found = {
        (node.module or "") if isinstance(node, ast.ImportFrom) else node.names[0].name
        for path in Path(schemas.__file__).parent.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    others = {name for name in found if not name.startswith("api.schemas.")}
    assert others <= {"__future__", "datetime", "typing", "pydantic"}
    script = "import sys, api.schemas; sys.exit(any(name in sys.modules for name in ('fastapi', 'numpy', 'ecg_core')))"
    assert subprocess.run([sys.executable, "-c", script], env=os.environ, check=False).returncode == 0
