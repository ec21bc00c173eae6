"""What the documents say about names and settings is so."""

from __future__ import annotations

import re
from pathlib import Path

from api.app import create_app
from api.problem_codes import CODES
from api.settings import Settings
from ecg_core.readers import READERS

ROOT = Path(__file__).parent.parent


def read(name: str) -> str:
    return (ROOT / name).read_text()


def test_every_setting_is_documented_with_its_default():
    text = read("docs/operations.md")
    for name, field in Settings.model_fields.items():
        default = "user data folder" if field.default_factory else "" if field.default is None else field.default
        assert f"| `EINTHOVEN_{name.upper()}` | {default} | {field.description} |" in text


def test_every_code_of_an_error_is_documented():
    text = read("docs/api.md")
    for code, (statuses, meaning) in CODES.items():
        assert f"| {', '.join(map(str, statuses))} | `{code}` | {meaning} |" in text


def test_every_route_is_documented():
    text = read("docs/api.md")
    for path in create_app(Settings()).openapi()["paths"]:
        if not path.startswith("/v2"):
            named = [part for part in path.split("/") if part and not part.startswith("{")]
            assert all(f"/{part}" in text for part in named), path


def test_every_format_is_in_the_readme():
    text = read("README.md")
    for reader in READERS.values():
        for suffix in reader.suffixes[:2]:
            assert suffix in text, f"{reader.title} {suffix}"


def test_links_between_documents_lead_somewhere():
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!https?://)([^)#]+)", path.read_text()):
            assert (path.parent / target).exists(), f"{path.name}: {target}"


def test_no_document_names_a_registry_or_a_path_of_some_machine():
    for name in ("constraints.txt", "pyproject.toml", "Makefile", "README.md"):
        assert not re.search(r"https?://(pypi|files\.pythonhosted)|/root/|/home/", read(name))
