"""Which electrodes may have been exchanged, and what exchanging them does to the leads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from types import MappingProxyType

import numpy as np

from ecg_core.leads import CHEST, LIMB, LIMB_FROM_I_II, STANDARD_12

ELECTRODES = ("RA", "LA", "LL", *CHEST)
"""In the order of the rows of potentials, which are against Wilson's terminal, the mean of the first three. The right
leg is not among them: no lead is made of it."""

NAMES = {"RA": "right arm", "LA": "left arm", "LL": "left leg", "RL": "right leg"}


@dataclass(frozen=True)
class Arrangement:
    """Electrodes that stand in each other's place."""

    kind: str
    """``"RA-LA"``: the two are exchanged; ``"RA>LA>LL"``: each cable is on the place of the next, the last's on that of
    the first; several exchanges stand apart by a space."""
    cycles: tuple[tuple[str, ...], ...]
    """The electrodes of every exchange: the cable of each is on the place of the next."""

    @cached_property
    def placed(self) -> np.ndarray:
        """The place (row of `ELECTRODES`) whose potential each electrode's cable records, int64, shape (9,)."""
        rows = np.arange(len(ELECTRODES))
        for cycle in self.cycles:
            for cable, place in zip(cycle, (*cycle[1:], cycle[0]), strict=True):
                rows[ELECTRODES.index(cable)] = ELECTRODES.index(place)
        return rows

    @cached_property
    def undoing(self) -> np.ndarray:
        """The row of the recorded potentials that holds each electrode's own, int64, shape (9,)."""
        return np.argsort(self.placed)

    @cached_property
    def undo(self) -> Mapping[str, tuple[int, str]]:
        """What each lead that it alters should be, in terms of those recorded: sign and lead."""
        of_lead = _combinations()
        found: dict[str, tuple[int, str]] = {}
        for lead in STANDARD_12:
            wanted = np.zeros(len(ELECTRODES))
            wanted[self.undoing] = of_lead[lead]
            for sign in (1, -1):
                for other in STANDARD_12:
                    if (sign, other) != (1, lead) and np.allclose(wanted, sign * of_lead[other]):
                        found[lead] = (sign, other)
        return MappingProxyType(found)

    @property
    def limb(self) -> bool:
        """Whether it is of limb electrodes."""
        return self.cycles[0][0] in NAMES

    @property
    def title(self) -> str:
        """What was done, in words."""
        parts = []
        for cycle in self.cycles:
            names = [NAMES.get(name, name) for name in cycle]
            if len(cycle) == 2:
                parts.append(f"{names[0]} and {names[1]} exchanged")
            else:
                places = ", ".join(f"{a} on the {b}" for a, b in zip(names, (*names[1:], names[0]), strict=True))
                parts.append(f"cables turned: {places}")
        return "; ".join(parts)


def _combinations() -> dict[str, np.ndarray]:
    """Return every lead as a combination of the potentials, each of shape (9,)."""
    rows = dict(zip(ELECTRODES, np.eye(len(ELECTRODES)), strict=True))
    i, ii = rows["LA"] - rows["RA"], rows["LL"] - rows["RA"]
    return {
        name: LIMB_FROM_I_II[name][0] * i + LIMB_FROM_I_II[name][1] * ii if name in LIMB else rows[name]
        for name in STANDARD_12
    }


def _exchanged(*pairs: tuple[str, str]) -> Arrangement:
    return Arrangement(" ".join(f"{a}-{b}" for a, b in pairs), pairs)


AS_RECORDED = Arrangement("", ())
ARRANGEMENTS = (
    *(_exchanged(pair) for pair in combinations(("RA", "LA", "LL"), 2)),
    Arrangement("RA>LA>LL", (("RA", "LA", "LL"),)),
    Arrangement("RA>LL>LA", (("RA", "LL", "LA"),)),
    *(_exchanged(pair) for pair in combinations(CHEST, 2)),
    _exchanged(("V1", "V3"), ("V2", "V4")),
    _exchanged(("V1", "V4"), ("V2", "V5"), ("V3", "V6")),
    _exchanged(("V1", "V6"), ("V2", "V5"), ("V3", "V4")),
)
"""What is told from recordings that are in order: of the limbs, and of the chest."""


def candidates(potentials: np.ndarray) -> np.ndarray:
    """Return potentials as recorded and with each of `ARRANGEMENTS` undone.

    Parameters
    ----------
    potentials
        Shape (..., 9, n).

    Returns
    -------
    Shape (..., 1 + n_arrangements, 9, n).
    """
    rows = np.stack([AS_RECORDED.undoing, *(arrangement.undoing for arrangement in ARRANGEMENTS)])
    return np.asarray(potentials[..., rows, :])
