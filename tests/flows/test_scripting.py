"""Every snippet of docs/scripting.md runs, in its order, and says what stands below it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.dashboard.test_client_contract import METHODS

DOCUMENT = (Path(__file__).parents[2] / "docs" / "scripting.md").read_text()
ADDRESS = "http://127.0.0.1:8000"
TOOLS = ("bash", "curl", "jq", "python3")
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INTERPRETERS = {"bash": ("bash", "-euo", "pipefail", "-c"), "python": (sys.executable, "-W", "error", "-c")}


def scripts() -> list[tuple[str, str, list[str]]]:
    """Return, for each section, its language, its blocks as one script, and the lines that it is to print."""
    found = []
    for section in DOCUMENT.split("\n## "):
        blocks = _BLOCK.findall(section)
        languages = {language for language, _ in blocks} - {"text"}
        assert len(languages) == 1, section.partition("\n")[0]
        language = languages.pop()
        said = [line for kind, text in blocks if kind == "text" for line in text.splitlines()]
        found.append((language, "\n".join(text for kind, text in blocks if kind == language), said))
    return found


@pytest.mark.skipif(not all(map(shutil.which, TOOLS)), reason=f"needs {', '.join(TOOLS)}")
def test_every_snippet_does_what_is_said_of_it(address, tmp_path):
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    for language, script, said in scripts():
        done = subprocess.run(
            [*_INTERPRETERS[language], script.replace(ADDRESS, address)],
            cwd=tmp_path,
            env=os.environ | {"PATH": path},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
        printed = iter(done.stdout.splitlines())
        assert all(line in printed for line in said), f"{done.stdout}\nis to say, in this order: {said}"
    assert (tmp_path / "normal.svg").read_bytes().startswith(b"<svg")
    assert (tmp_path / "normal.dcm").read_bytes()[128:132] == b"DICM"
    assert (tmp_path / "strip.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "results.csv").read_text().count("\n") == 3


def test_every_method_of_the_client_is_named():
    for name in METHODS:
        assert f"`{name}`" in DOCUMENT
