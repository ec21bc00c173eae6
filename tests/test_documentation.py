"""What the documents say about names and settings is so."""

from __future__ import annotations

import re
from pathlib import Path

from api.errors import STATUS
from api.settings import Settings
from ecg_core.readers import READERS

ROOT = Path(__file__).parent.parent


def read(name: str) -> str:
    return (ROOT / name).read_text()


def test_every_setting_is_documented_with_its_default():
    text = read("docs/operations.md")
    for name, field in Settings.model_fields.items():
        assert f"| `EINTHOVEN_{name.upper()}` | {field.default} | {field.description} |" in text


def test_every_error_that_the_service_answers_is_documented():
    text = read("docs/api.md")
    for kind, status in STATUS.items():
        if kind.__module__ == "ecg_core.errors" and status in (413, 415, 422) and not kind.__subclasses__():
            if kind.code not in ("write_error",):
                assert f"`{kind.code}`" in text


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
