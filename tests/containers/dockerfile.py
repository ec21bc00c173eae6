"""Dockerfiles as stages of instructions."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILES = ("Dockerfile.api", "Dockerfile.dashboard")


@dataclass
class Stage:
    """One stage: its name, what it stands on, and its instructions as (word, rest)."""

    name: str
    base: str
    steps: list[tuple[str, str]] = field(default_factory=list)

    def all(self, word: str) -> list[str]:
        """Return the rest of each instruction of one kind."""
        return [rest for found, rest in self.steps if found == word]

    def copied(self) -> list[str]:
        """Return what is copied from the checkout."""
        return [source for rest in self.all("COPY") if not rest.startswith("--from=") for source in rest.split()[:-1]]


def read_stages(name: str) -> dict[str, Stage]:
    """Return the stages of a Dockerfile by name, in their order."""
    text = re.sub(r"(?m)^#.*\n", "", (ROOT / name).read_text(encoding="utf-8"))
    stages: dict[str, Stage] = {}
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "FROM":
            base, _, stage = rest.partition(" AS ")
            stages[stage] = Stage(stage, base)
        elif word and stages:
            stages[next(reversed(stages))].steps.append((word, rest.strip()))
    return stages


def lineage(stages: dict[str, Stage], name: str) -> list[Stage]:
    """Return a stage after all that it stands on."""
    stage = stages[name]
    return [*(lineage(stages, stage.base) if stage.base in stages else []), stage]
