"""What goes wrong at the electrodes: swapped cables, and leads that come off."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from ecg_core.errors import InvalidValue
from ecg_core.leads import CHEST, INDEPENDENT_8, LIMB_FROM_I_II, STANDARD_12

ELECTRODES = ("RA", "LA", "LL", "RL", *CHEST)
OFF_MODES = ("nan", "flat", "rail")
RAIL_MV = 5.0
"""Where an amplifier without its electrode comes to rest."""


def parse_reversal(pairs: str | Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Read ``"RA-LA"`` or several such pairs."""
    found = []
    for pair in (pairs,) if isinstance(pairs, str) else tuple(pairs):
        first, _, second = pair.partition("-")
        if first == second or first not in ELECTRODES or second not in ELECTRODES:
            raise InvalidValue(
                "not a pair of electrodes",
                field="lead_reversal",
                found=repr(pair),
                expected='two different electrodes such as "RA-LA"',
                options=ELECTRODES,
            )
        found.append((first, second))
    return tuple(found)


def reversal_matrix(pairs: Iterable[tuple[str, str]]) -> np.ndarray:
    """Return the matrix (8, 8) from the leads I, II, V1..V6 as they should be to what swapped electrodes record.

    Potentials are taken against Wilson's central terminal: RA = -(I + II) / 3, LA = RA + I, LL = RA + II, Vn itself.
    Both legs carry nearly the same potential, so RL = LL; with an arm's cable on a leg the terminal moves, and with it
    V1..V6.
    """
    i, ii = np.eye(8)[:2]
    ra = -(i + ii) / 3
    potential = dict(zip(ELECTRODES, (ra, ra + i, ra + ii, ra + ii, *np.eye(8)[2:]), strict=True))
    for first, second in pairs:
        potential[first], potential[second] = potential[second], potential[first]
    terminal = (potential["RA"] + potential["LA"] + potential["LL"]) / 3
    limb = (potential["LA"] - potential["RA"], potential["LL"] - potential["RA"])
    return np.stack([*limb, *(potential[name] - terminal for name in CHEST)])


def all_leads(independent: np.ndarray, leads: tuple[str, ...]) -> np.ndarray:
    """Return ``leads`` (len(leads), n) from I, II, V1..V6 (8, n), all in mV."""
    rows = [
        np.eye(8)[INDEPENDENT_8.index(name)] if name in CHEST else np.array([*LIMB_FROM_I_II[name], *[0.0] * 6])
        for name in leads
    ]
    return np.asarray(np.stack(rows) @ independent)


def parse_lead_off(
    spans: str | Iterable[str] | Mapping[str, tuple[float, float]], leads: tuple[str, ...], duration_s: float
) -> dict[str, tuple[float, float]]:
    """Read which leads come off, and from when to when (s); the whole recording where only names are given."""
    if isinstance(spans, str):
        spans = (spans,)
    wanted = dict(spans) if isinstance(spans, Mapping) else dict.fromkeys(spans, (0.0, duration_s))
    for name, (start, stop) in wanted.items():
        if name not in leads:
            raise InvalidValue("not a lead of the recording", field="lead_off", found=repr(name), options=leads)
        if not 0 <= start < stop <= duration_s:
            raise InvalidValue(
                "not a stretch of the recording",
                field=f"lead_off.{name}",
                found=f"{start}..{stop} s",
                expected=f"0 <= start < stop <= {duration_s:g} s",
            )
    return {name: (float(start), float(stop)) for name, (start, stop) in wanted.items()}


def take_off(
    signal: np.ndarray, fs: float, leads: tuple[str, ...], spans: Mapping[str, tuple[float, float]], mode: str
) -> None:
    """Overwrite the stretches of ``signal`` (n_leads, n_samples; mV) in which a lead was off."""
    if mode not in OFF_MODES:
        raise InvalidValue("unknown mode", field="lead_off_mode", found=repr(mode), options=OFF_MODES)
    for name, (start, stop) in spans.items():
        value = {"nan": np.nan, "flat": 0.0, "rail": RAIL_MV}[mode]
        signal[leads.index(name), round(start * fs) : round(stop * fs)] = value


def check_leads(leads: tuple[str, ...]) -> None:
    """Refuse what a dipole cannot be projected on."""
    unknown = [name for name in leads if name not in STANDARD_12]
    if unknown or not leads or len(set(leads)) < len(leads):
        raise InvalidValue(
            "leads that cannot be synthesised",
            field="leads",
            found=", ".join(leads) or "none",
            expected="each once",
            options=STANDARD_12,
        )
