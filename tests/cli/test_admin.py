"""`ecg admin`, `ecg db`, and settings that cannot be used."""

from __future__ import annotations

import json
import stat

import pytest
from sqlalchemy import create_engine, text
from typer.testing import CliRunner

from cli.main import app
from tests.accounts import sign_in
from tests.databases import new_database
from tests.service import PASSWORD, QUICK, running_app

OTHER = "the cat sat on the other mat"


@pytest.fixture
def state(tmp_path):
    return tmp_path / "state"


@pytest.fixture
def ecg(state):
    """Run a command on a service of its own; what is typed goes to its standard input."""
    env = {f"EINTHOVEN_{name.upper()}": str(value) for name, value in QUICK.items()}

    def run(*words, typed=None, **more):
        return CliRunner(env={**env, "EINTHOVEN_STATE_DIR": str(state), **more}).invoke(app, list(words), input=typed)

    return run


def accounts(ecg):
    return {item["name"]: item for item in json.loads(ecg("admin", "list", "--json").stdout)}


def test_the_first_administrator_is_made_signs_in_and_makes_others(ecg, state):
    made = ecg("admin", "create", "Root", typed=f"{PASSWORD}\n")
    assert made.exit_code == 0, made.stderr
    assert "Root can sign in now (admin)" in made.stdout
    assert PASSWORD not in made.output
    with running_app(state_dir=state) as client:
        assert sign_in(client, "root")["scope"] == "read write admin"
    assert "Root" in ecg("admin", "list").stdout


def test_a_password_comes_from_a_file(ecg, tmp_path):
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\r\nnot this line\n")
    assert ecg("admin", "create", "ada", "--role", "user", "--password-file", str(file)).exit_code == 0
    assert accounts(ecg)["ada"]["role"] == "user"
    assert ecg("admin", "create", "bob", "--password-file", "-", typed=PASSWORD).exit_code == 0
    missing = ecg("admin", "create", "eve", "--password-file", str(tmp_path / "none"))
    assert missing.exit_code == 2
    assert str(tmp_path / "none") in missing.stderr


def test_a_password_is_asked_for_twice_on_a_terminal(ecg, monkeypatch):
    monkeypatch.setattr("cli.admin._is_terminal", lambda: True)
    different = ecg("admin", "create", "ada", typed=f"{PASSWORD}\n{OTHER}\n{PASSWORD}\n{PASSWORD}\n")
    assert different.exit_code == 0, different.output
    assert "do not match" in different.output
    assert PASSWORD not in different.output
    assert set(accounts(ecg)) == {"ada"}


@pytest.mark.parametrize("typed", ["", "\n", "short\n", "qwertyuiop\n", "a-long-name\n"])
def test_a_password_that_is_none_is_refused_in_one_sentence(ecg, typed):
    refused = ecg("admin", "create", "a-long-name", typed=typed)
    assert refused.exit_code == 2
    assert len(refused.stderr.splitlines()) == 1
    assert accounts(ecg) == {}


def test_a_name_that_is_taken_is_refused(ecg):
    ecg("admin", "create", "ada", typed=PASSWORD)
    refused = ecg("admin", "create", "ADA", typed=PASSWORD)
    assert refused.exit_code == 2
    assert "there is an account of this name" in refused.stderr


def test_a_password_is_reset_and_the_account_signed_out(ecg, state):
    ecg("admin", "create", "ada", typed=PASSWORD)
    with running_app(state_dir=state) as client:
        tokens = sign_in(client, "ada")
        assert ecg("admin", "reset-password", "Ada", typed=OTHER).exit_code == 0
        assert client.post("/refresh", json=tokens).status_code == 401
        assert sign_in(client, "ada", OTHER)
    unknown = ecg("admin", "reset-password", "bob", typed=OTHER)
    assert unknown.exit_code == 2
    assert "bob" in unknown.stderr


def test_an_account_is_deactivated_but_not_the_last_administrator(ecg):
    ecg("admin", "create", "root", typed=PASSWORD)
    ecg("admin", "create", "ada", "--role", "user", typed=PASSWORD)
    assert ecg("admin", "deactivate", "ada").exit_code == 0
    assert accounts(ecg)["ada"]["is_active"] is False
    last = ecg("admin", "deactivate", "root")
    assert last.exit_code == 2
    assert "last active administrator" in last.stderr
    assert ecg("admin", "deactivate", "nobody").exit_code == 2


def test_the_database_is_brought_up_to_date(ecg, state):
    behind = ecg("db", "current")
    assert behind.exit_code == 1
    assert "ecg db upgrade" in behind.stdout
    assert ecg("db", "upgrade").exit_code == 0
    current = json.loads(ecg("db", "current", "--json").stdout)
    assert current["up_to_date"] is True
    assert current["revision"]
    assert str(state) in current["database"]
    assert "was up to date" in ecg("db", "upgrade").stdout


def test_a_new_state_folder_keeps_others_out(ecg, state):
    ecg("admin", "create", "ada", typed=PASSWORD)
    with running_app(state_dir=state):
        assert stat.S_IMODE((state / "secret_key").stat().st_mode) == 0o600


@pytest.mark.parametrize("command", [("serve",), ("admin", "list"), ("db", "current")], ids=" ".join)
@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("EINTHOVEN_SECRET_KEY", "changeme", "openssl rand -hex 32"),
        ("EINTHOVEN_ENVIRONMENT", "production", "EINTHOVEN_SECRET_KEY"),
        ("EINTHOVEN_JWT_ALGORITHM", "RS256", "EINTHOVEN_JWT_PRIVATE_KEY"),
        ("EINTHOVEN_CORS_ORIGINS", "https://ecg.example", "JSON"),
        ("EINTHOVEN_DATABASE_URL", "somewhere", "postgresql+psycopg://"),
        ("EINTHOVEN_PASSWORD_COST", "0", "greater than or equal to 1"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_with_what_to_do(ecg, command, name, value, said):
    refused = ecg(*command, **{name: value})
    assert refused.exit_code == 2, refused.output
    assert name.removeprefix("EINTHOVEN_").lower() in refused.stderr.lower()
    assert said in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_a_setting_that_cannot_be_used_shows_no_secret(ecg):
    refused = ecg("serve", EINTHOVEN_SECRET_KEY="hunter2", EINTHOVEN_DATABASE_PASSWORD="hunter3")
    assert refused.exit_code == 2
    assert "hunter" not in refused.stderr


def test_postgresql_is_upgraded_when_that_is_asked_for_and_not_by_the_way(ecg):
    with new_database("postgresql") as settings:
        url = settings["database_url"]
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.execute(text("DROP SCHEMA public CASCADE"))
            connection.execute(text("CREATE SCHEMA public"))
        engine.dispose()
        for command in (("serve",), ("admin", "list")):
            behind = ecg(*command, EINTHOVEN_DATABASE_URL=url)
            assert behind.exit_code == 2
            assert "ecg db upgrade" in behind.stderr
        assert ecg("db", "current", EINTHOVEN_DATABASE_URL=url).exit_code == 1
        assert ecg("db", "upgrade", EINTHOVEN_DATABASE_URL=url).exit_code == 0
        made = ecg("admin", "create", "ada", typed=PASSWORD, EINTHOVEN_DATABASE_URL=url)
        assert made.exit_code == 0, made.output


@pytest.mark.parametrize("command", [("serve",), ("admin", "list"), ("db", "current")], ids=" ".join)
def test_a_database_that_does_not_answer_is_said_to_without_its_password(ecg, command):
    refused = ecg(*command, EINTHOVEN_DATABASE_URL="postgresql+psycopg://ecg:hunter2@127.0.0.1:9/ecg")
    assert refused.exit_code == 2
    assert "the database does not answer" in refused.stderr
    assert "hunter2" not in refused.stderr


def test_a_state_folder_that_cannot_be_made_is_named(ecg, tmp_path):
    (tmp_path / "file").touch()
    refused = ecg("admin", "list", EINTHOVEN_STATE_DIR=str(tmp_path / "file" / "state"))
    assert refused.exit_code == 2
    assert str(tmp_path / "file" / "state") in refused.stderr
