from __future__ import annotations

import json
import re
import stat
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from jsonschema import Draft202012Validator, validators

from api.security.strength import find_weakness
from api.settings import Settings
from tests.containers.compose import FILES, ROOT, load_compose, load_services
from tests.containers.dockerfile import lineage, read_stages

SERVICES = load_services()
SECRETS = ("einthoven_secret_key", "einthoven_database_password")
one_service = pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES.keys())


@pytest.mark.parametrize("name", FILES)
def test_compose_file_is_valid_by_the_compose_specification(name: str) -> None:
    schema = json.loads(
        (files("check_jsonschema") / "builtin_schemas" / "vendor" / "compose-spec.json").read_text(encoding="utf-8")
    )
    validator = validators.validator_for(schema, Draft202012Validator)(schema)
    # JSON knows no dates and no keys but strings: what YAML read must survive being written as JSON.
    errors = list(validator.iter_errors(json.loads(json.dumps(load_compose(name)))))
    assert [f"{error.json_path}: {error.message}" for error in errors] == []


def test_stack_holds_the_services_of_the_design() -> None:
    assert set(SERVICES) == {"secrets", "migrations", "database", "redis", "api", "worker", "dashboard"}


@one_service
def test_service_runs_with_no_more_rights_than_it_needs(service: dict[str, Any]) -> None:
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "privileged" not in service
    assert "cap_add" not in service
    assert service["logging"]["options"] == {"max-size": "10m", "max-file": "3"}


@one_service
def test_service_runs_as_nobody_special(service: dict[str, Any]) -> None:
    ours = {"einthoven-api": "Dockerfile.api", "einthoven-dashboard": "Dockerfile.dashboard"}
    if service["image"] in ours:
        assert "user" not in service
        stages = read_stages(ours[service["image"]])
        assert [user for stage in lineage(stages, "runtime") for user in stage.all("USER")][-1][:3] == "100"
    else:
        assert service["user"] in ("postgres", "redis")


@one_service
def test_images_of_others_are_named_with_a_version(service: dict[str, Any]) -> None:
    if not service["image"].startswith("einthoven-"):
        assert re.fullmatch(r"docker\.io/library/[a-z]+:\d+-[a-z]+", service["image"])


def test_every_image_of_ours_is_built_once() -> None:
    built = [service["image"] for service in SERVICES.values() if "build" in service]
    assert sorted(built) == ["einthoven-api", "einthoven-dashboard"]
    # A registry may hold something else of that name.
    assert {service["pull_policy"] for service in SERVICES.values() if service["image"] in built} == {"never"}
    # Whoever starts only some of the services still builds the image they share.
    assert "build" in SERVICES["secrets"]
    for name in ("migrations", "api", "worker"):
        assert "secrets" in _waits_for(name)


def _waits_for(name: str) -> set[str]:
    direct = set(SERVICES[name].get("depends_on", {}))
    return direct.union(*(_waits_for(other) for other in direct))


def test_services_wait_for_what_they_need_to_be_healthy_or_done() -> None:
    for name, service in SERVICES.items():
        for other, wait in service.get("depends_on", {}).items():
            one_shot = SERVICES[other].get("restart") == "no"
            expected = "service_completed_successfully" if one_shot else "service_healthy"
            assert wait["condition"] == expected, f"{name} on {other}"
            if not one_shot:
                assert _has_health_check(SERVICES[other]), other
    assert _waits_for("worker") == {"secrets", "database", "redis", "migrations"}
    assert _waits_for("dashboard") == {"secrets", "database", "redis", "migrations", "api"}


def _has_health_check(service: dict[str, Any]) -> bool:
    own = service.get("healthcheck", {})
    if own:
        return "test" in own
    name = "Dockerfile.dashboard" if service["image"] == "einthoven-dashboard" else "Dockerfile.api"
    return bool(read_stages(name)["runtime"].all("HEALTHCHECK"))


def test_long_running_services_come_back_and_have_limits() -> None:
    for name, service in SERVICES.items():
        if name in ("secrets", "migrations"):
            assert service["restart"] == "no"
        else:
            assert service["restart"] == "unless-stopped"
            assert set(service["deploy"]["resources"]["limits"]) == {"memory", "pids"}
            assert _has_health_check(service), name


def test_only_api_and_dashboard_are_published_and_only_to_this_machine() -> None:
    ports = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert set(ports) == {"api", "dashboard"}
    for published in ports.values():
        for port in published:
            assert port.startswith("${EINTHOVEN_BIND:-127.0.0.1}:")


def test_database_and_queue_can_be_reached_by_the_api_and_its_workers_alone() -> None:
    assert load_compose(FILES[0])["networks"]["back"]["internal"] is True
    on_back = {name for name, service in SERVICES.items() if "back" in service.get("networks", [])}
    assert on_back == {"database", "redis", "migrations", "api", "worker"}
    assert SERVICES["secrets"]["network_mode"] == "none"


def test_variables_of_the_service_are_its_settings() -> None:
    known = {f"EINTHOVEN_{name.upper()}" for name in Settings.model_fields} | {"EINTHOVEN_SECRETS_DIR"}
    for name in ("migrations", "api", "worker", "secrets"):
        assert {variable.removeprefix("GIVEN_") for variable in SERVICES[name]["environment"]} <= known
    for stage in read_stages("Dockerfile.api").values():
        named = set(re.findall(r"\b(EINTHOVEN_[A-Z_]+)=", " ".join(stage.all("ENV"))))
        assert named <= known | {"EINTHOVEN_MODELS", "EINTHOVEN_DATA_DIR"}


def test_service_starts_with_the_settings_of_the_stack(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _write_secrets(tmp_path)
    for variable, value in SERVICES["api"]["environment"].items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv("EINTHOVEN_SECRETS_DIR", str(tmp_path))
    settings = Settings()
    assert settings.secret_key is not None
    assert settings.secret_key.get_secret_value() == (tmp_path / SECRETS[0]).read_text()
    assert settings.database().password == (tmp_path / SECRETS[1]).read_text()
    assert settings.database().host in SERVICES
    assert settings.redis_url is not None


def _write_secrets(folder: Path, **given: str) -> str:
    """Run what the service `secrets` runs; return what it says."""
    service = SERVICES["secrets"]
    assert service["entrypoint"] == ["python", "-c"]
    run = subprocess.run(
        [sys.executable, "-c", *service["command"]],
        env={
            "EINTHOVEN_SECRETS_DIR": str(folder),
            "PYTHONPATH": str(ROOT),
            **{f"GIVEN_{name.upper()}": "" for name in SECRETS},
            **given,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_first_start_makes_strong_secrets_that_later_starts_keep(tmp_path: Path) -> None:
    assert _write_secrets(tmp_path).split() == ["wrote", SECRETS[0], "wrote", SECRETS[1]]
    first = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert set(first) == set(SECRETS)
    assert first[SECRETS[0]] != first[SECRETS[1]]
    assert [find_weakness(secret) for secret in first.values()] == [None, None]
    assert _write_secrets(tmp_path) == ""
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == first


def test_secrets_are_read_by_their_owner_and_the_password_by_the_group_of_the_database(tmp_path: Path) -> None:
    _write_secrets(tmp_path)
    assert stat.S_IMODE((tmp_path / SECRETS[0]).stat().st_mode) == 0o400
    assert stat.S_IMODE((tmp_path / SECRETS[1]).stat().st_mode) == 0o440
    runtime = read_stages("Dockerfile.api")["runtime"]
    group = re.search(r"groupadd --gid (\d+)", " ".join(runtime.all("RUN")))
    assert group is not None
    assert SERVICES["database"]["group_add"] == [group[1]]


@pytest.mark.parametrize("variable", ["EINTHOVEN_SECRET_KEY", "GIVEN_EINTHOVEN_SECRET_KEY"])
def test_secret_that_is_given_replaces_the_one_that_was_made(tmp_path: Path, variable: str) -> None:
    _write_secrets(tmp_path)
    made = (tmp_path / SECRETS[1]).read_text()
    own = "the key that somebody chose for this place"
    assert _write_secrets(tmp_path, **{variable: own}).split() == ["wrote", SECRETS[0]]
    assert (tmp_path / SECRETS[0]).read_text() == own
    assert (tmp_path / SECRETS[1]).read_text() == made


def test_weak_key_is_refused_and_not_kept(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="EINTHOVEN_SECRET_KEY is too short"):
        _write_secrets(tmp_path, EINTHOVEN_SECRET_KEY="changeme")
    assert list(tmp_path.iterdir()) == []


def test_no_secret_stands_in_the_files() -> None:
    for service in SERVICES.values():
        for variable, value in service.get("environment", {}).items():
            if "SECRET_KEY" in variable or variable.endswith("PASSWORD"):
                assert value == f"${{{variable.removeprefix('GIVEN_')}:-}}"
            else:
                assert urlsplit(str(value)).password is None, variable


def test_end_to_end_tests_have_a_stack_of_their_own() -> None:
    main, override = (load_compose(name) for name in FILES)
    assert main["name"] != override["name"]
    published = {name for name, service in main["services"].items() if "ports" in service}
    assert published == {name for name, service in override["services"].items() if service.get("ports") == []}
    tests = override["services"]["tests"]
    assert tests["build"]["target"] in read_stages(tests["build"]["dockerfile"])
    assert {name for name, wait in tests["depends_on"].items() if wait["condition"] == "service_healthy"} == {
        "api",
        "worker",
        "dashboard",
    }


def test_variables_of_the_compose_files_are_documented() -> None:
    used = {
        variable for name in FILES for variable in re.findall(r"\$\{(\w+)", (ROOT / name).read_text(encoding="utf-8"))
    }
    documented = set(re.findall(r"`(EINTHOVEN_\w+)`", (ROOT / "docs" / "containers.md").read_text(encoding="utf-8")))
    assert used <= documented
